"""How rows are told apart: split along time or by groups, windows that overlap, gaps that are filled, what is watched."""

from __future__ import annotations

import ast
import re

from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import Finding, Found, equal, is_known, met, missing, one_of, unknown
from pipeline.request.constraints import Constraint

_SHUFFLED_SPLITS = "train_test_split|random_split|ShuffleSplit|StratifiedShuffleSplit"
_RANDOM_ORDER = "permutation|randperm"
_SPLIT_POINT = re.compile(r"(^|_)(split|train|val|test|valid|validation|first|last|end|start|cut|border)(_|$)")

_BORDER = re.compile(r"(train|val|valid|validation|test)_(end|start|cut|border|split)")
"""Names of places between the parts of a series."""


def _split_order(constraint: Constraint, code: Code) -> Finding:
    """Rows cut at a place (`x[:split]`), or a split that is told not to shuffle."""
    for call in code.calls_named("TimeSeriesSplit|timeseries_dataset_from_array"):
        return met(call.line)
    splits = code.calls_named(_SHUFFLED_SPLITS)
    for call in splits:
        if call.keywords.get("shuffle") is False:
            return met(call.line)
    if splits:
        return missing("split in random order", splits[0].line)
    mixed = [call for call in code.calls_named(_RANDOM_ORDER) if not code.is_made_up(call.line)]
    if mixed:
        return missing("split in random order", mixed[0].line)
    for node in code.nodes_of(ast.Subscript):
        if isinstance(node.slice, ast.Slice) and _is_split_point(node.slice):
            return met(node.lineno)
    for written in code.nodes_of(ast.Call):  # `windows(train_end, val_end)`
        names = [argument.id.lower() for argument in written.args if isinstance(argument, ast.Name)]
        if any(_BORDER.fullmatch(name) for name in names):
            return met(written.lineno)
    return missing("no split in order of time found")


def _is_split_point(part: ast.Slice) -> bool:
    ends = [end for end in (part.lower, part.upper) if end is not None]
    names = [node.id.lower() for end in ends for node in ast.walk(end) if isinstance(node, ast.Name)]
    return any(_SPLIT_POINT.search(name) for name in names)


def _split_by(constraint: Constraint, code: Code) -> Finding:
    for call in code.calls_named("Group\\w+|\\w+GroupK?Fold|Leave\\w*Groups?Out"):
        return met(call.line)
    noun = re.escape(constraint.value.removesuffix("s"))
    line = code.word(rf"(train|test|val|held_out|split)_({noun})|{noun}s?_(split|of_(train|test))|split_by_{noun}")
    if line is not None:
        return met(line)
    splits = code.calls_named(_SHUFFLED_SPLITS)
    return missing("split row by row", splits[0].line if splits else None)


def _scaling_per(constraint: Constraint, code: Code) -> Finding:
    """A scaling along one axis of windows, or of the rows of a group."""
    noun = re.escape(constraint.value)
    line = code.word(rf"per_{noun}|{noun}_(mean|std|scale|scaler)|scale_{noun}")
    if line is not None:
        return met(line)
    for call in code.calls_named("groupby"):
        if any(isinstance(value, str) and constraint.value in value.lower() for value in call.args):
            return met(call.line)
    for call in code.calls_named("mean|std|amin|amax|min|max"):
        if constraint.value in ("window", "recording", "sample", "series", "image") and call.keywords.get("keepdims"):
            return met(call.line)
    scalers = code.calls_named("\\w*Scaler|Normalization|fit_transform")
    return missing("scaled over all rows", scalers[0].line if scalers else None)


def _overlap(constraint: Constraint, code: Code) -> Finding:
    """A share under its name, or the step between windows as a part of their length."""
    values = [item for item in code.values(r"(\w+_)?overlap(_share)?") if is_known(item.value)]
    steps = [item for item in code.values(r"(window_|sequence_)?(step|stride|hop)(_size)?") if is_known(item.value)]
    lengths = [item for item in code.values(r"(window|sequence|segment)_?(length|size)?") if is_known(item.value)]
    for step in steps:
        for length in lengths:
            if float(str(length.value)) > 0:
                values.append(Found(1 - float(str(step.value)) / float(str(length.value)), step.line))
    if not values and steps:
        return unknown("the length of a window is known only when the program runs")
    return one_of(values, constraint.value, missing("windows do not overlap by a set share"))


_FILLS = {
    "mean": "mean",
    "median": "median",
    "mode": "mode|most_frequent",
    "interpolate": "interpolate",
    "forward_fill": "ffill|pad",
}


def _imputation(constraint: Constraint, code: Code) -> Finding:
    fills = code.calls_named("fillna|SimpleImputer|KNNImputer|IterativeImputer|interpolate|ffill|bfill|nan_to_num")
    if constraint.value == "true":
        return met(fills[0].line) if fills else missing("missing values are not filled")
    wanted = re.compile(_FILLS.get(constraint.value, re.escape(constraint.value)))
    for node in code.nodes_of(ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        is_fill = name in ("fillna", "SimpleImputer", "interpolate", "ffill")
        if is_fill and wanted.search(ast.unparse(node).lower()):
            return met(node.lineno)
    # `middle = frame.median()` and `frame.fillna(middle)`
    made = code.calls_named(_FILLS.get(constraint.value, "-"))
    if made and fills:
        return met(fills[0].line)
    return missing("filled otherwise" if fills else "missing values are not filled", fills[0].line if fills else None)


def _monitor(constraint: Constraint, code: Code) -> Finding:
    """What callbacks watch; the loss on the held-out part where they are told nothing."""
    watched: list[Found] = []
    for call in code.calls_named("EarlyStopping|ModelCheckpoint|ReduceLROnPlateau"):
        watched.append(Found(call.keywords.get("monitor", "val_loss"), call.line))
    for item in watched:
        if isinstance(item.value, str) and equal(_short(item.value), _short(constraint.value)):
            return met(item.line)
    if watched:
        return missing(str(watched[0].value), watched[0].line)
    if code.torch is None:
        return missing("nothing is watched")
    line = code.word(rf"(best|lowest|highest)_({_short(constraint.value)}|{constraint.value})")
    return met(line) if line is not None else unknown("a loop of the project decides what is watched")


def _short(name: str) -> str:
    return name.replace("accuracy", "acc")


CHECKS: dict[str, Check] = {
    "split_order": _split_order,
    "split_by": _split_by,
    "scaling_per": _scaling_per,
    "overlap": _overlap,
    "imputation": _imputation,
    "monitor": _monitor,
}
