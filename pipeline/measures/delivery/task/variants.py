"""Variants of a task: several labels, inputs or outputs, pairs, folds, spans."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import Finding, is_known, met, missing, unknown
from pipeline.measures.delivery.layers import Layer
from pipeline.measures.delivery.network.known import networks
from pipeline.measures.delivery.task.problems import CROSS_ENTROPIES, kind_of, shown_kind
from pipeline.measures.delivery.training.losses import loss_names
from pipeline.request.constraints import Constraint
from pipeline.syntax import walk


def _binary(code: Code) -> Finding:
    """Of several outputs, one that tells two classes apart is enough."""
    if not code.heads:
        return missing("no output layer found")
    losses = {item.value for item in loss_names(code)}
    findings = [_binary_head(head, losses) for head in code.heads]
    return min(findings, key=lambda finding: ("met", "not_checkable", "not_met").index(finding.outcome))


def _binary_head(head: Layer, losses: set[object]) -> Finding:
    if "binary_crossentropy" in losses and (head.size in (1, 2) or not is_known(head.size)):
        return met(head.line)
    if head.size == 2 and losses & CROSS_ENTROPIES:
        return met(head.line)
    if head.size == 1 and (head.activation == "sigmoid" or any("dice" in str(loss) for loss in losses)):
        return met(head.line)
    if is_known(head.size):
        return missing(f"{head.size} outputs", head.line)
    return unknown("the number of classes comes from the data")


def _multi_label(code: Code) -> Finding:
    if not code.heads:
        return missing("no output layer found")
    head = code.heads[-1]
    losses = {item.value for item in loss_names(code)}
    if head.activation == "softmax" or head.size == 1:
        return missing("one label at a time", head.line)
    if "binary_crossentropy" in losses or "binary_focal_crossentropy" in losses:
        return met(head.line)
    return missing("no loss for several labels", head.line)


def _several(what: str) -> Callable[[Code], Finding]:
    def find(code: Code) -> Finding:
        count = code.outputs if what == "outputs" else code.inputs
        calls = [call for call in code.trace.calls if call.name in ("Model", "Functional")]
        line = calls[0].line if calls else (code.layers[0].line if code.layers else None)
        if count > 1:
            return met(line)
        forward = [node for node in code.nodes_of(ast.FunctionDef) if node.name in ("forward", "call")]
        for node in forward:
            parameters = [one.arg for one in node.args.args if one.arg not in ("self", "training", "mask")]
            if what == "inputs" and len(parameters) > 1:
                return met(node.lineno)
            if what == "outputs" and any(_returns_several(part) for part in walk(node)):
                return met(node.lineno)
        inputs = [layer for layer in code.layers if layer.kind in ("Input", "InputLayer")]
        if what == "inputs" and len(inputs) > 1:
            return met(inputs[0].line)
        return missing(f"a single {what.removesuffix('s')}", line)

    return find


def _returns_several(node: ast.AST) -> bool:
    return isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple | ast.Dict)


def _cross_validation(code: Code) -> Finding:
    calls = code.calls_named(
        r"\w*KFold|cross_val\w+|TimeSeriesSplit|GroupShuffleSplit|LeaveOneOut|LeaveOneGroupOut|RepeatedKFold"
    )
    return met(calls[0].line) if calls else missing("one split")


def _multi_step(code: Code) -> Finding:
    sizes = [head for head in code.heads if is_known(head.size)]
    if sizes and sizes[-1].size != 1:
        return met(sizes[-1].line)
    horizon = [
        item
        for item in code.values(r"(\w+_)?(horizon|forecast_\w+|n_out|pred_len\w*|out_steps)")
        if is_known(item.value)
    ]
    if horizon:
        return met(horizon[0].line) if horizon[0].value != 1 else missing("one step", horizon[0].line)
    return missing("one step", sizes[-1].line) if sizes else unknown("the number of steps comes from the data")


def _worded(pattern: str, instead: str) -> Callable[[Code], Finding]:
    """A variant that shows in the code's words only: with them it is met, without them it is not told."""

    def find(code: Code) -> Finding:
        line = code.word(pattern)
        return met(line) if line is not None else unknown(instead)

    return find


def _pairs(code: Code) -> Finding:
    several = _several("inputs")(code)
    if several.outcome != "met":
        return several
    line = code.word("pair|siamese|twin|(^|_)(left|right|first|second)(_|$)|input_?[ab12]|x_?[12]")
    return met(line) if line is not None else unknown("several inputs, but nothing says that they are pairs")


def _characters(code: Code) -> int | None:
    for call in code.calls:
        if call.keywords.get("split") == "character" or call.keywords.get("char_level") is True:
            return call.line
    return code.word("(^|_)chars?(_|$)|(^|_)characters?(_|$)|char_?(to|2)|unicode_split")


def _character_level(code: Code) -> Finding:
    line = _characters(code)
    if line is not None:
        return met(line)
    words = code.calls_named("TextVectorization|Tokenizer|word_tokenize|from_pretrained")
    return missing("whole words", words[0].line) if words else unknown("no sign of how texts are cut")


def _word_level(code: Code) -> Finding:
    line = _characters(code)
    if line is not None:
        return missing("single characters", line)
    line = code.word("(^|_)words?(_|$)|token|text_vectorization")
    return met(line) if line is not None else unknown("no sign of how texts are cut")


def _by_form(problem: str) -> Callable[[Code], Finding]:
    def find(code: Code) -> Finding:
        kind, line = kind_of(code)
        if kind == problem:
            return met(line)
        return missing(shown_kind(kind), line) if kind else unknown("neither head nor loss tells what the model does")

    return find


def _sequence_to_sequence(code: Code) -> Finding:
    line = code.word("seq_?2_?seq|(^|_)(decoder|decoded)|sequence_to_sequence")
    if line is not None and code.word("(^|_)(encoder|encoded)|seq_?2_?seq") is not None:
        return met(line)
    repeated = [layer.line for layer in code.all_layers if layer.kind == "RepeatVector"]
    if repeated:
        return met(repeated[0])
    if any(
        re.search("(^|google|flan|m)t5|(^|facebook|m)bart|marian|pegasus", str(item.value)) for item in networks(code)
    ):
        return met(networks(code)[0].line)
    return missing("no encoder and decoder")


_VARIANTS: dict[str, Callable[[Code], Finding]] = {
    "binary": _binary,
    "multi_label": _multi_label,
    "multi_output": _several("outputs"),
    "multi_input": _several("inputs"),
    "pairs": _pairs,
    "by_reconstruction": _by_form("reconstruction"),
    "one_class": _worded(
        "one_?class|normal_(only|data|train|x)|x_normal|train_normal", "which examples it learns from lies in the data"
    ),
    "cross_validation": _cross_validation,
    "multi_step": _multi_step,
    "span": _worded("(start|end)_(pos|logit|index|token|idx|prob)|answer_start|span", "no sign of spans"),
    "sequence_to_sequence": _sequence_to_sequence,
    "character_level": _character_level,
    "word_level": _word_level,
    "ordinal": _worded("ordinal|coral|cumulative|thresholds", "no sign of an order of the classes"),
    "semantic": _by_form("dense_prediction"),
    "instance": _worded("mask_?r_?cnn|instance", "no sign of single objects"),
    "few_shot": _worded("few_?shot|support_set|episode|prototyp|n_way|k_shot", "no sign of few examples"),
    "conditional": _worded("cond|label_(embed|input)|class_(embed|input)|(^|_)cgan", "no sign of a condition"),
    "keypoints": _worded("keypoint|landmark|joints?(_|$)", "no sign of points"),
}


def _variant(constraint: Constraint, code: Code) -> Finding:
    check = _VARIANTS.get(constraint.value)
    return check(code) if check is not None else unknown(f"no check for {constraint.value}")


VARIANTS: dict[str, Check] = {"variant": _variant}
