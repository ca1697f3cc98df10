"""Metrics in compile, in the calls of libraries, and worked out by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.analysis.values import Call, Function, Reference, Unknown
from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    Finding,
    Found,
    listed,
    met,
    missing,
    spaced,
    unknown,
)
from pipeline.measures.delivery.training.losses import loss_names
from pipeline.request.constraints import Constraint

# By a constraint's value: how the metric is called, in snake case, whatever library it is of.
_METRICS: dict[str, str] = {
    "accuracy": r"acc|((sparse_)?(categorical|binary)_)?accuracy(_score)?|(val|test|train|mean)_acc(uracy)?|compute_accuracy|multiclass_accuracy",
    "balanced_accuracy": r"balanced_accuracy\w*",
    "precision": r"precision(_score)?|precision_recall_fscore_support",
    "recall": r"recall(_score)?|sensitivity|precision_recall_fscore_support",
    "specificity": r"specificity\w*|true_negative_rate",
    "f1": r"(\w+_)?f1(_score|_measure|_metric)?|fbeta\w*|f_score|precision_recall_fscore_support",
    "auc": r"auc|roc_auc(_score)?|roc_curve|auroc|area_under\w*",
    "pr_auc": r"pr_auc|average_precision(_score)?|auc_pr|auprc|binary_average_precision",
    "mae": r"(\w+_)?mae|mean_absolute_error",
    "mse": r"(\w+_)?mse|mean_squared_error",
    "rmse": r"(\w+_)?rmse|root_mean_squared_error",
    "mape": r"(\w+_)?mape|mean_absolute_percentage_error",
    "smape": r"(\w+_)?smape|symmetric_mean_absolute_percentage_error",
    "r2": r"r2|r2_score|r_squared|r_square",
    "iou": r"(\w+_)?io_?u(_\w+)?|jaccard\w*|(mean|binary)_io_?u|intersection_over_union",
    "dice": r"dice(_coef\w*|_score|_metric|_loss)?",
    "bleu": r"(\w+_)?bleu(_score)?\w*",
    "rouge": r"rouge\w*",
    "perplexity": r"(\w+_)?perplexity",
    "cohen_kappa": r"cohen_kappa\w*|quadratic_weighted_kappa|kappa|qwk",
    "mcc": r"matthews\w*|mcc",
    # Not `map` alone, which is a function of Python's.
    "map": r"mean_average_precision|map_?50|map_score|m_ap|average_precision",
    "ndcg": r"ndcg\w*|dcg",
    "hit_rate": r"hit_?rate\w*|hits?_at_\w+|top_k_hit\w*|hit_ratio|hits?",
    "wer": r"wer|word_error_rate",
    "cer": r"cer|char(acter)?_error_rate",
    "psnr": r"(\w+_)?psnr|peak_signal\w*",
    "ssim": r"(\w+_)?ssim|structural_similarity\w*",
    "fid": r"fid|frechet\w*",
    "log_loss": r"log_loss|(sparse_)?(binary|categorical)_crossentropy",
    "exact_match": r"exact_match\w*|(^|\w+_)em_score",
}  # fmt: skip

_LOSS_OF_METRIC = {"mae": "mean_absolute_error", "mse": "mean_squared_error", "mape": "mean_absolute_percentage_error"}

_REPORTED = frozenset({"accuracy", "precision", "recall", "f1", "macro_f1", "weighted_f1"})
"""What scikit-learn's classification report prints."""


def measured(code: Code) -> list[Found]:
    """Every metric that is compiled, computed or named, in snake case."""
    return [*_compiled(code), *_called(code)]


def _compiled(code: Code) -> Iterator[Found]:
    for call in code.calls:
        if call.name == "compile" and not call.path.startswith("re."):
            for item in _flat([call.argument(2, "metrics"), call.keywords.get("weighted_metrics")]):
                name = _name(item)
                if name:
                    yield Found(name, call.line)


def _flat(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from _flat(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _name(value: object) -> str:
    if isinstance(value, str):
        return spaced(value)
    if isinstance(value, Call | Reference):
        return spaced(value.name)
    if isinstance(value, Function):
        return spaced(getattr(value.node, "name", ""))
    return ""


def _called(code: Code) -> Iterator[Found]:
    for call in code.calls:
        if re.search(
            r"sklearn\.metrics|\.metrics\.|torchmetrics|^evaluate\.|skimage\.metrics|nltk|jiwer|sacrebleu|image\.(psnr|ssim)",
            call.path,
        ):
            yield Found(spaced(call.name), call.line)
        if call.path == "evaluate.load" and call.args and isinstance(call.args[0], str):  # evaluate.load("rouge")
            yield Found(spaced(call.args[0]), call.line)


def _averages(code: Code, name: str) -> Iterator[tuple[str, int | None]]:
    """The `average=` of calls for F1, precision or recall."""
    for call in code.calls:
        if re.search(rf"f1|fbeta|{name}", spaced(call.name)) and isinstance(call.keywords.get("average"), str):
            yield str(call.keywords["average"]), call.line


def _metric(constraint: Constraint, code: Code) -> Finding:
    value = constraint.value
    reports = list(code.calls_named("classification_report"))
    special = _special_metric(value, code)
    if special is not None:
        return special
    there = measured(code)
    pattern = re.compile(_METRICS.get(value, rf"(\w+_)?{re.escape(value)}(_\w+)?"))
    line = next((item.line for item in there if pattern.fullmatch(str(item.value))), None)
    if line is None and value == "rmse":
        line = _root(code)
    if line is None and value in _REPORTED and reports:
        line = reports[0].line
    if line is None and value in _LOSS_OF_METRIC:
        line = next((item.line for item in loss_names(code) if item.value == _LOSS_OF_METRIC[value]), None)
    if line is None:
        line = next(
            (first for word, first in sorted(code.words.items(), key=lambda one: one[1]) if pattern.fullmatch(word)),
            None,
        )
    if line is None:
        line = _in_the_result(value, code)
    if line is not None:
        return met(line)
    return missing(_instead(code), there[0].line if there else None)


_RESULT = re.compile(r"held-out ([^:\n\"']{1,80}): \{[^{}\n]*\(")
"""The line of the held-out result, with a value that is computed there (docs/starter.md)."""

_IN_WORDS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1": r"f1\b",
    "macro_f1": "macro f1",
    "micro_f1": "micro f1",
    "auc": "area under the roc curve",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "mse": "(?<!root )mean squared error",
    "psnr": "peak signal-to-noise ratio",
    "iou": "intersection over union",
    "bleu": "bleu",
    "hit_rate": "hit rate",
    "recall_at_k": "recall at",
    "mrr": "mean reciprocal rank",
    "perplexity": "perplexity",
    "cer": "character error rate",
    "exact_match": "exact match",
}


def _in_the_result(value: str, code: Code) -> int | None:
    """The line that prints a computed value under the metric's name."""
    words = _IN_WORDS.get(value)
    if words is None:
        return None
    for match in _RESULT.finditer(code.source):
        if re.search(words, match.group(1).lower()):
            return code.source.count("\n", 0, match.start()) + 1
    return None


def _instead(code: Code) -> str:
    names = listed([item for item in measured(code) if len(str(item.value)) < 30])
    return names or "no metric"


def _special_metric(value: str, code: Code) -> Finding | None:
    """Metrics that an argument tells apart: averages of F1, the k of top-k, the curve of an AUC."""
    if value in ("macro_f1", "micro_f1", "weighted_f1"):
        return _averaged_f1(value, code)
    top = re.fullmatch(r"top_(\d+)_accuracy", value)
    if top is not None:
        return _top_k(int(top[1]), code)
    curves = [(str(call.keywords.get("curve", "ROC")).upper(), call.line) for call in code.calls if call.name == "AUC"]
    if value == "pr_auc" and any(curve == "PR" for curve, _ in curves):
        return met(next(line for curve, line in curves if curve == "PR"))
    if value == "auc" and curves and all(curve == "PR" for curve, _ in curves):
        return missing("the area under precision and recall", curves[0][1])
    return None


def _averaged_f1(value: str, code: Code) -> Finding:
    average = value.removesuffix("_f1")
    for kind, line in _averages(code, "f1"):
        if kind == average:
            return met(line)
    line = code.word(rf"{average}_f1|f1_{average}")
    if line is None and average != "micro":
        line = next((call.line for call in code.calls_named("classification_report")), None)
    return met(line) if line is not None else missing(_instead(code))


def _top_k(k: int, code: Code) -> Finding:
    for call in code.calls:
        name = spaced(call.name)
        if "top_k" in name and "accuracy" in name:
            given = call.argument(0 if "categorical" in name else 2, "k")
            if given == k or (k == 5 and "k" not in call.keywords and not call.args):
                return met(call.line)
            # `k=min(TOP_K, NUM_CLASSES)`
            if isinstance(given, Unknown) and any(item.value == k for item in code.values("top_?k")):
                return met(call.line)
            return missing(f"top {given}", call.line)
    line = code.word(rf"top_?{k}")
    return met(line) if line is not None else missing(_instead(code))


def _root(code: Code) -> int | None:
    """The square root of a mean squared error."""
    for call in code.calls:
        if call.name == "sqrt" and any(
            isinstance(arg, Call) and re.search("mse|squared_error|MSE", arg.name) for arg in call.args
        ):
            return call.line
        if call.name == "mean_squared_error" and call.keywords.get("squared") is False:
            return call.line
    return None


def _goal(constraint: Constraint, code: Code) -> Finding:
    return unknown("only a run tells")


METRICS: dict[str, Check] = {"metric": _metric, "goal": _goal}
