"""What is shown, saved or written: plots, the model, predictions, reports, comments."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    Finding,
    Found,
    as_number,
    equal,
    is_known,
    listed,
    met,
    missing,
    unknown,
)
from pipeline.measures.delivery.sight import called_name
from pipeline.request.constraints import Constraint

_DRAWS = r"plot|scatter|imshow|hist|histplot|heatmap|bar|barh|lineplot|matshow|plot_\w+|show|figure|subplots|savefig|imsave|save_img|save_image|from_predictions|from_estimator|px|boxplot|kdeplot"

# By a constraint's value: names of calls | identifiers (snake case) beside something that draws.
_PLOTS: dict[str, tuple[str, str]] = {
    "confusion_matrix": (r"confusion_matrix|ConfusionMatrixDisplay|plot_confusion_matrix|from_predictions", r"confusion"),
    "roc_curve": (r"roc_curve|RocCurveDisplay|plot_roc_curve", r"(^|_)roc(_|$)"),
    "pr_curve": (r"precision_recall_curve|PrecisionRecallDisplay", r"pr_curve|precision_recall"),
    "latent_space": ("", r"latent_(space|points|codes|vectors)|plot_latent|z_test|z_mean|encodings?|(^|_)codes"),
    "residuals": ("residplot", r"residual(?!_block|_connection)"),
    "reconstructions": ("", r"reconstruct(?!ion_(error|loss))|decoded|recon(_|s|$)|autoencoded|denoised|restored"),
    "attention": ("", r"attention(_weights?|_map|_scores?|_plot)|plot_attention|return_attention|attention_\w+"),
    "gradcam": ("", r"grad_?cam|heatmap_\w+cam"),
    "feature_importance": (r"permutation_importance|plot_importance|shap\w*|summary_plot", r"feature_importance|importances?|shap"),
    "misclassified": ("", r"misclassified|wrong|mistake|incorrect|errors_idx"),
    "embeddings": (r"TSNE|UMAP|umap|PCA", r"tsne|umap|embedding_plot|projected|projector"),
    "predictions": ("", r"pred(iction)?s?(_|$)|forecast|predicted"),
}  # fmt: skip

_REPORTS = {
    "classification_report": r"classification_report",
    "model_summary": r"summary|plot_model",
    "metrics": r"evaluate|\w+_score|classification_report|mean_\w+_error|result|log_metrics",
    "baseline": r"Dummy(Classifier|Regressor)|LogisticRegression|LinearRegression|RandomForest\w+",
}

_REPORT_WORDS = {"baseline": "baseline|naive|majority|persistence"}

_PRINTED_BASELINE = re.compile(r"\(baseline, [^{}]*: ?\{")
"""What the samples print beside a result (docs/starter.md): a number in a text, and what it is of."""

_EXPORTS: dict[str, tuple[str, str]] = {
    "onnx": (r"from_keras|onnx", r"onnx"),
    "tflite": (r"from_keras_model|from_saved_model|TFLiteConverter", r"\.tflite$"),
    "saved_model": (r"export|save_model", r"saved_model"),
    "torchscript": (r"script|trace", r"\.pt$"),
    "tensorrt": (r"TrtGraphConverterV2|TrtGraphConverter", r"tensorrt|\.trt$"),
}

_SAVES = r"save|save_weights|save_model|dump|ModelCheckpoint|export|save_pretrained|push_to_hub|savez"

_LEAST_COMMENTED = 0.1
"""Of the lines with code, from which on a project counts as commented: a choice."""


def _draws(code: Code) -> int | None:
    calls = code.calls_named(_DRAWS)
    return calls[0].line if calls else None


def _plot(constraint: Constraint, code: Code) -> Finding:
    value = constraint.value
    draws = _draws(code)
    if value == "learning_curves":
        line = _learning_curves(code)
        return met(line) if line is not None and draws is not None else missing("no curves of the training")
    if value == "confusion_matrix" and (calls := code.calls_named(_PLOTS[value][0])):
        return met(calls[0].line)
    if draws is None:
        return missing("nothing is drawn")
    if value == "samples":
        calls = code.calls_named("imshow|imsave|save_img|save_image|make_grid|array_to_img|matshow|pcolormesh")
        return met(calls[0].line) if calls else missing("no pictures are shown")
    if value == "loss_histogram":
        return _loss_histogram(code)
    if value not in _PLOTS:
        line = code.word(re.escape(value))
        return met(line) if line is not None else unknown(f"no check for a plot of {value}")
    calls_pattern, words = _PLOTS[value]
    found = code.calls_named(calls_pattern) if calls_pattern else []
    line = found[0].line if found else _drawn(words, code)
    if line is None:
        return missing("other things are drawn", draws)
    return met(line)


def _drawn(words: str, code: Code) -> int | None:
    """The line of a call that draws, in whose arguments or function's name the words stand."""
    fitting = re.compile(words)
    drawing = re.compile(_DRAWS)
    for call in code.nodes_of(ast.Call):
        if drawing.fullmatch(called_name(call)) and any(fitting.search(name) for name in _names_in(call)):
            return call.lineno
    for function in code.nodes_of(ast.FunctionDef):
        if fitting.search(function.name.lower()) and re.search("plot|show|draw", function.name):
            return function.lineno
    return None


_MOST_NODES = 80  # of one call that are looked at


def _names_in(node: ast.AST) -> list[str]:
    names: list[str] = []
    for count, part in enumerate(ast.walk(node)):
        if count > _MOST_NODES:
            break
        if isinstance(part, ast.Name):
            names.append(part.id.lower())
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            names.append(part.value.lower()[:80].replace(" ", "_"))
    return names


def _learning_curves(code: Code) -> int | None:
    """Where the history of the training is drawn: `plt.plot(history.history["loss"])`, or lists of losses."""
    for call in code.calls_named(
        "plot_history|plot_(training_)?history|plot_(loss|learning|training)\\w*|plot_metrics"
    ):
        return call.line
    line = code.word("^plot_(history|training|loss|learning|metrics|curves|results)|learning_curves?|plot_acc")
    if line is not None:
        return line
    fitting = re.compile(r"history|(^|_)(train|val|epoch|d|g|training|gen|disc)_?\w*(loss|acc)\w*|^loss(es)?$|curve")
    for node in _methods_called(code, "plot", "lineplot"):
        if any(fitting.search(name) for name in _names_in(node)):
            return node.lineno
    return None


def _methods_called(code: Code, *names: str) -> Iterator[ast.Call]:
    for node in code.nodes_of(ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in names:
            yield node


def _loss_histogram(code: Code) -> Finding:
    for node in _methods_called(code, "hist", "histplot"):
        if any(re.search("loss|error|mae|mse|score", name) for name in _names_in(node)):
            return met(node.lineno)
    return missing("no histogram of the loss")


def _model_file(constraint: Constraint, code: Code) -> Finding:
    saved: list[Found] = []
    for call in code.calls_named(_SAVES):
        texts = [value for value in (*call.args, *call.keywords.values()) if isinstance(value, str)]
        saved.append(Found(texts[0] if texts else "a file", call.line))
    if constraint.value == "true":
        return met(saved[0].line) if saved else missing("the model is not saved")
    name = constraint.value.replace("\\", "/").rpartition("/")[2]
    for text in code.texts:
        if str(text.value).replace("\\", "/").rpartition("/")[2] == name and saved:
            return met(text.line)
    return missing(f"saves {listed(saved)}" if saved else "the model is not saved", saved[0].line if saved else None)


def _predictions_file(constraint: Constraint, code: Code) -> Finding:
    writes = code.calls_named(
        "to_csv|savetxt|to_parquet|to_excel|to_json|writerows|writerow|dump|save|savez|write|write_text"
    )
    if constraint.value == "true":
        writes = [call for call in writes if call.name not in ("save", "dump", "write")]
        return met(writes[0].line) if writes else missing("no predictions are written")
    name = constraint.value.replace("\\", "/").rpartition("/")[2]
    for text in code.texts:
        if str(text.value).replace("\\", "/").rpartition("/")[2] == name:
            return met(text.line)
    return missing("no such file is written", writes[0].line if writes else None)


def _report(constraint: Constraint, code: Code) -> Finding:
    pattern = _REPORTS.get(constraint.value)
    if pattern is None:
        line = code.word(re.escape(constraint.value))
        return met(line) if line is not None else unknown(f"no check for {constraint.value}")
    calls = code.calls_named(pattern)
    line = calls[0].line if calls else None
    if line is None and constraint.value in _REPORT_WORDS:
        line = code.word(_REPORT_WORDS[constraint.value])
        for print_call in code.nodes_of(ast.Call) if line is None else ():
            if ast.unparse(print_call.func) == "print" and _PRINTED_BASELINE.search(ast.unparse(print_call)):
                line = print_call.lineno
    return met(line) if line is not None else missing("not printed")


def _samples(constraint: Constraint, code: Code) -> Finding:
    """Things that a model makes. How many: a constant of such a name, the rows of random noise, a loop's rounds."""
    line = code.word("generate|sample|synthes|compose|translate|caption|summari[sz]e|dream")
    shown = code.calls_named("imshow|imsave|save_img|save_image|print|write")
    if line is None:
        return missing("nothing is generated")
    if as_number(constraint.value) is None:
        return met(line) if shown else missing("what is generated is not shown", line)
    found: list[Found] = code.values(
        r"(n|num|number_of|count|examples|samples)_?\w*(samples|images|examples|texts|tiles|generate)|n|count|num_img|samples"
    )
    for loop in code.loops:
        if isinstance(loop.items, range):
            found.append(Found(len(loop.items), loop.node.lineno))
    for call in code.calls_named("normal|randn|subplots|uniform|standard_normal"):
        for value in (*call.args, *call.keywords.values()):
            parts = value if isinstance(value, list | tuple) else [value]
            found += [Found(part, call.line) for part in parts if is_known(part)]
        if call.name == "subplots" and len(call.args) >= 2 and all(isinstance(side, int) for side in call.args[:2]):
            rows, columns = call.args[:2]
            found.append(Found(int(str(rows)) * int(str(columns)), call.line))
    for item in found:
        if equal(item.value, constraint.value):
            return met(item.line)
    return missing("another number of samples", line)


_DECODINGS = {
    "temperature": "temperature",
    "top_k": r"top_?k(?!_(categorical|accuracy))",
    "top_p": "top_?p(_|$)|nucleus",
    "beam_search": r"(^|_)beam|num_beams",
    "greedy": "greedy",
}


def _decoding(constraint: Constraint, code: Code) -> Finding:
    words = _DECODINGS.get(constraint.value)
    if words is None:
        return unknown(f"no check for {constraint.value}")
    line = code.word(words)
    if line is None and constraint.value == "greedy" and code.calls_named("argmax"):
        others = [name for name, pattern in _DECODINGS.items() if name != "greedy" and code.word(pattern) is not None]
        line = None if others else code.calls_named("argmax")[0].line
    return met(line) if line is not None else missing("decoded otherwise")


def _comments(constraint: Constraint, code: Code) -> Finding:
    """The share of lines with a comment; headings of cells and the first cell, which repeats the request, do not count."""
    commented: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(code.source).readline):
            if token.type == tokenize.COMMENT and not re.match(r"#\s*%%", token.string):
                commented.add(token.start[0])
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return unknown("the text has no clear lines")
    commented = {line for line in commented if line > code.first_line}
    lines = sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in code.source.splitlines())
    if lines and len(commented) / lines >= _LEAST_COMMENTED:
        return met(min(commented))
    return missing(f"{len(commented)} lines with a comment of {lines}")


def _export(constraint: Constraint, code: Code) -> Finding:
    if constraint.value not in _EXPORTS:
        return unknown(f"no check for {constraint.value}")
    names, words = _EXPORTS[constraint.value]
    for call in code.calls_named(names):
        if constraint.value in ("tflite", "saved_model", "tensorrt") or re.search("onnx|jit", call.path):
            return met(call.line)
    line = code.text(words)
    if line is None:
        line = code.word(constraint.value)
    return met(line) if line is not None else missing("not exported")


CHECKS: dict[str, Check] = {
    "plot": _plot,
    "model_file": _model_file,
    "predictions_file": _predictions_file,
    "report": _report,
    "samples": _samples,
    "decoding": _decoding,
    "comments": _comments,
    "export": _export,
}
