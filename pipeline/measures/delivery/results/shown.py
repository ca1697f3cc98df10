"""How much is shown and how often: thresholds, lists of the first few, grids, logs; and what the program is run as."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    Finding,
    Found,
    as_number,
    equal,
    is_known,
    met,
    missing,
    one_of,
)
from pipeline.measures.delivery.sight import called_name
from pipeline.request.constraints import Constraint

_THRESHOLDS = r"(\w+_)?(threshold|cut_?off|confidence)"


def _threshold(constraint: Constraint, code: Code) -> Finding:
    if as_number(constraint.value) is not None:
        values = [item for item in code.values(_THRESHOLDS) if is_known(item.value)]
        values += [Found(value, line) for value, line in _compared(code)]
        return one_of(values, constraint.value, missing("no such threshold"))
    curves = code.calls_named("precision_recall_curve|f1_score|f1_\\w+|roc_curve")
    chosen = code.word("(best|chosen|optimal)_(threshold|cut_?off)|^thresholds?$")
    if curves and chosen is not None and code.calls_named("argmax|max|nanargmax"):
        return met(chosen)
    return missing("the threshold is not chosen on data", chosen)


def _compared(code: Code) -> Iterator[tuple[object, int]]:
    """Numbers that probabilities are compared with: the 0.5 of `(predicted > 0.5)`."""
    for node in code.nodes_of(ast.Call):
        for part in ast.walk(node):
            if isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.Gt | ast.GtE):
                limit = part.comparators[0]
                if isinstance(limit, ast.Constant) and isinstance(limit.value, float):
                    yield limit.value, part.lineno


def _threshold_percentile(constraint: Constraint, code: Code) -> Finding:
    """Of the errors that are not flagged, as a share or in percent."""
    values = code.values(r"(\w+_)?(quantile|percentile|normal_share)")
    values += [
        Found(call.argument(1, "q"), call.line) for call in code.calls_named("quantile|percentile|nanpercentile")
    ]
    known = [item for item in values if is_known(item.value)]
    as_shares = [Found(_share(item.value), item.line) for item in known]
    return one_of(as_shares, constraint.value, missing("no percentile"))


def _share(value: object) -> float:
    number = float(str(value))
    return number / 100 if number > 1 else number


def _threshold_deviations(constraint: Constraint, code: Code) -> Finding:
    """`np.mean(errors) + 3 * np.std(errors)`, or a constant that says how many deviations."""
    values = code.values(r"(\w+_)?(deviations|sigmas|n_std|num_std|std_factor)")
    for node in code.nodes_of(ast.BinOp):
        if not isinstance(node.op, ast.Add):
            continue
        for product in (node.left, node.right):
            if isinstance(product, ast.BinOp) and isinstance(product.op, ast.Mult):
                values += _factors_of_deviation(product, code)
            elif "std" in _called_in(product) and "mean" in ast.unparse(node):
                values.append(Found(1, node.lineno))
    return one_of(values, constraint.value, missing("no threshold of deviations from the mean"))


def _factors_of_deviation(product: ast.BinOp, code: Code) -> Iterator[Found]:
    for factor, deviation in ((product.left, product.right), (product.right, product.left)):
        if not re.search(r"std|sigma|deviation", ast.unparse(deviation).lower()):
            continue
        if isinstance(factor, ast.Constant):
            yield Found(factor.value, product.lineno)
        elif isinstance(factor, ast.Name):
            for item in code.values(re.escape(factor.id.lower())):
                yield Found(item.value, product.lineno)


def _called_in(node: ast.expr) -> set[str]:
    return {called_name(part) for part in ast.walk(node) if isinstance(part, ast.Call)}


def _top_n(constraint: Constraint, code: Code) -> Finding:
    """A constant of such a name, the number of `topk`, or a slice of the first or last ones."""
    named = code.values(
        r"top(_?(n|k))?|(num|n)_(recommended|recommendations|shown|neighbou?rs|listed|worst|best)|shown|k|n"
    )
    named += [Found(call.argument(1, "k"), call.line) for call in code.calls_named("topk|top_k")]
    named += [Found(call.argument(0, "n"), call.line) for call in code.calls_named("nlargest|nsmallest|head")]
    for node in code.nodes_of(ast.Subscript):
        if isinstance(node.slice, ast.Slice):
            for end in (node.slice.upper, node.slice.lower):
                if any(equal(value, constraint.value) for value in _whole(end)):
                    return met(node.lineno)
    return one_of([item for item in named if is_known(item.value)], constraint.value, missing("no list of so many"))


def _whole(node: ast.expr | None) -> Iterator[int]:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield node.value


def _cutoff(constraint: Constraint, code: Code) -> Finding:
    line = code.word(rf"(at|top|k)_?{re.escape(constraint.value)}$")
    if line is not None:
        return met(line)
    values = code.values(r"(top_?)?[kn]|top(_n|_k)?|cutoff|(num|n)_recommended|at")
    return one_of(values, constraint.value, missing("a list of another length is scored"))


def _sample_grid(constraint: Constraint, code: Code) -> Finding:
    """`plt.subplots(4, 4)`, or constants of rows and columns; a square also by how many there are in a row."""
    rows, columns = constraint.value.split("x")
    for call in code.calls_named("subplots|make_grid|save_image|subplot"):
        sides = (call.argument(0, "nrows"), call.argument(1, "ncols"))
        if equal(sides[0], rows) and equal(sides[1], columns):
            return met(call.line)
        if equal(call.keywords.get("nrow"), columns):
            return met(call.line)
    named = code.values(r"(grid|sample)_?(rows|columns|size|side)|rows|columns|side")
    found = {side: [item for item in named if equal(item.value, side)] for side in (rows, columns)}
    if all(found.values()):
        return met(found[rows][0].line)
    return missing("no grid of that size")


def _every_epochs(constraint: Constraint, code: Code) -> Finding:
    """A constant of a rhythm, or the 5 of `epoch % 5`."""
    values = code.values(r"\w*every\w*|(save|log|sample|plot|print|eval)_(freq|interval|period)|interval|period")
    for node in code.nodes_of(ast.BinOp):
        if isinstance(node.op, ast.Mod) and "epoch" in ast.unparse(node.left).lower():
            values += [Found(value, node.lineno) for value in _whole(node.right)]
    known = [item for item in values if is_known(item.value)]
    return one_of(known, constraint.value, missing("nothing is done after every few epochs"))


def _named(pattern: str, nothing: str) -> Check:
    """A number under a name that matches the pattern."""

    def find(constraint: Constraint, code: Code) -> Finding:
        values = [item for item in code.values(pattern) if is_known(item.value)]
        return one_of(values, constraint.value, missing(nothing))

    return find


_LOGS = {
    "tensorboard": ("TensorBoard|SummaryWriter|TensorBoardLogger", ""),
    "csv": ("CSVLogger", ""),
    "wandb": ("WandbCallback|WandbLogger|WandbMetricsLogger", "wandb"),
    "mlflow": ("MLFlowLogger|autolog", "mlflow"),
}
"""By what keeps the log: calls, and the package that is imported."""


def _log(constraint: Constraint, code: Code) -> Finding:
    calls, package = _LOGS.get(constraint.value, ("-", constraint.value))
    named = code.calls_named(calls)
    if named:
        return met(named[0].line)
    if package in code.imports:
        return met(code.imports[package])
    if constraint.value == "csv":
        line = _written_history(code)
        if line is not None:
            return met(line)
    return missing("no such log is kept")


def _written_history(code: Code) -> int | None:
    """`pd.DataFrame(history).to_csv(...)`"""
    for node in code.nodes_of(ast.Call):
        if (
            called_name(node) in ("to_csv", "writerow", "writerows", "writer")
            and "history" in ast.unparse(node).lower()
        ):
            return node.lineno
    return None


def _log_file(constraint: Constraint, code: Code) -> Finding:
    name = constraint.value.rpartition("/")[2]
    for text in code.texts:
        if str(text.value).rpartition("/")[2] == name:
            return met(text.line)
    return missing("no such file is written")


_APPS = {
    "streamlit": "streamlit",
    "gradio": "gradio",
    "flask": "flask",
    "fastapi": "fastapi",
    "cli": "argparse|click|typer|fire|absl",
}


def _app(constraint: Constraint, code: Code) -> Finding:
    package = _APPS.get(constraint.value)
    line = None if package is None else code.imported(package)
    return missing("a script that is run as it is") if line is None else met(line)


def _per(constraint: Constraint, code: Code) -> Finding:
    """A result for each class, fold or window by itself."""
    noun = re.escape(constraint.value)
    if constraint.value in ("class", "label", "category", "species", "tag", "finding", "genre", "language"):
        noun = "class|label"
        for call in code.calls:
            by_class = call.keywords.get("average", "") is None or call.keywords.get("multioutput") == "raw_values"
            if call.name == "classification_report" or (by_class and "average" in call.keywords):
                return met(call.line)
    if constraint.value in ("target", "output"):
        noun = "target|output"
        for call in code.calls:
            if call.keywords.get("multioutput") == "raw_values":
                return met(call.line)
    measures = "score|error|accuracy|mae|f1|auc|iou|loss|metric|result|recall|precision|r2"
    line = code.word(rf"(per|by|each)_({noun})|^({noun})s?_(\w+_)?({measures})s?$|({measures})s?_(of|for|per)_({noun})")
    return met(line) if line is not None else missing("told for all together")


CHECKS: dict[str, Check] = {
    "threshold": _threshold,
    "threshold_percentile": _threshold_percentile,
    "threshold_deviations": _threshold_deviations,
    "nms_iou": _named(r"(nms_|max_)?iou(_threshold)?|nms(_threshold)?", "no such overlap set"),
    "top_n": _top_n,
    "sample_grid": _sample_grid,
    "every_epochs": _every_epochs,
    "beam_width": _named(r"beam(_?width|_?size)?s?|num_beams", "no beam of that width"),
    "temperature": _named(r"temperatures?|temp", "no such temperature"),
    "sample_length": _named(
        r"(generated|sample|max|gen|new|text|written)_?\w*(length|characters|chars|tokens|words|len)|num_generate|length",
        "another length is written",
    ),
    "log": _log,
    "log_file": _log_file,
    "app": _app,
}

OF_METRICS: dict[str, Check] = {"per": _per, "cutoff": _cutoff}
