"""Another recurrent cell in the place of a sample's, in one direction or both; dense layers alone.

LSTM, GRU and the simple recurrent layer take each other's place in Keras and in PyTorch, whose LSTM alone hands back
two states. What is written around them, names and comments, follows.
"""

from __future__ import annotations

import ast
import re

from pipeline.generate.parts.script import Script, keyword_of, name_of
from pipeline.keras.recurrent import CELLS
from pipeline.request.constraints import Constraint
from pipeline.torch.facts import imports_torch

_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN")

_CARRIES_STATES = re.compile(r"return_state=True|initial_state=|(?:LSTM|GRU|RNN)Cell\(")
"""The states of the cells differ in number: where they are passed on by hand, the cell stays."""

_TELLS_NEXT = re.compile(r"\[(?::, )?:-1\]")
"""A sequence without its last element, whose next elements are told: they must not be read from the other end."""

_DENSE_ONLY = re.compile(
    r"(?:Separable|Depthwise)?Conv\dD|\w*Pooling\dD|SpatialDropout\dD|ZeroPadding\dD|UpSampling\dD|BatchNormalization|ReLU"
)
"""Layers that go where dense layers alone are asked for."""


def family(script: Script, constraint: Constraint) -> Script | None:
    """The asked recurrent cell, or a plain stack of dense layers; other families are what their samples are."""
    if constraint.value == "mlp":
        return _dense_only(script)
    cell = CELLS.get(constraint.value)
    head, first, body = script.source.partition("# %% Imports")
    if cell is None or not first or (cell == "SimpleRNN" and imports_torch(script.source)):
        return None
    calls = script.calls(*_RECURRENT)
    present = {name_of(call) for call in calls}
    if len(present) != 1:
        return None
    (current,) = present
    if current != cell:
        if _CARRIES_STATES.search(body):
            return None
        body = _with_cell(body, current, cell)
    changed = Script(head + first + body)
    wants_both = constraint.value.startswith("bi")
    if imports_torch(body):
        return _torch_directions(changed, cell, both=wants_both)
    return _keras_directions(changed, cell, both=wants_both)


def _with_cell(body: str, current: str, cell: str) -> str:
    """The text with one cell's names in the place of another's: the class, constants, attributes and words."""
    words = {"LSTM": ("an", "LSTM"), "GRU": ("a", "GRU"), "SimpleRNN": ("a", "SimpleRNN")}
    article, name = words[cell]
    body = re.sub(rf"\b[Aa]n? ((?:bidirectional )?){current}\b", lambda match: _article(match, article, name), body)
    body = re.sub(rf"\b(?:bi)?{current.lower()}\b", cell.lower(), body)
    body = body.replace(f"{current}_UNITS", f"{cell.upper()}_UNITS").replace(current, cell)
    if "import torch" in body and current == "LSTM":
        body = re.sub(r"^(\s+\w+), \((\w+), \w+\) = (self\.\w+\()", r"\1, \2 = \3", body, flags=re.MULTILINE)
    elif "import torch" in body and cell == "LSTM":
        body = re.sub(rf"^(\s+)_, (\w+) = (self\.{cell.lower()}\()", r"\1_, (\2, _) = \3", body, flags=re.MULTILINE)
    return body


def _article(match: re.Match[str], article: str, name: str) -> str:
    kind = match[1]
    word = "a" if kind else article
    return f"{word.capitalize() if match[0][0] == 'A' else word} {kind}{name}"


def _keras_directions(script: Script, cell: str, *, both: bool) -> Script | None:
    """Each recurrent layer with or without `Bidirectional` around it."""
    wrapped = {id(call.args[0]): call for call in script.calls("Bidirectional") if call.args}
    calls = script.calls(cell)
    if both == all(id(call) in wrapped for call in calls):
        return script
    if both and (_CARRIES_STATES.search(script.source) or _TELLS_NEXT.search(script.source)):
        return None
    if not both and wrapped and _CARRIES_STATES.search(script.source):
        return None
    for call in reversed(calls):
        around = wrapped.get(id(call))
        if both and around is None:
            script = script.replaced(call, f"layers.Bidirectional({script.text(call)})")
        elif not both and around is not None:
            script = script.replaced(around, script.text(call))
    return script if both else _says_one_direction(script)


def _says_one_direction(script: Script) -> Script:
    head, first, body = script.source.partition("# %% Imports")
    body = re.sub(r"\bbidirectional (?=LSTM|GRU)", "", body)
    body = re.sub(r",? (?:in both directions|from both ends)\b", "", body)
    body = body.replace("at either end", "at the end").replace("both_ends", "last_state")
    body = re.sub(r"\bBi(?=(?:LSTM|GRU)[A-Z])", "", body)
    return Script(head + first + body)


def _torch_directions(script: Script, cell: str, *, both: bool) -> Script | None:
    """Recurrent layers with or without `bidirectional=True`, and widths that follow: both directions are twice as
    wide."""
    source, units = script.source, f"{cell}_UNITS"
    has_both = "bidirectional=True" in source
    if both == has_both:
        return script
    if "Cell(" in source or (both and _TELLS_NEXT.search(source)):  # a decoder takes its encoder's widths
        return None
    if both:
        source = re.sub(rf"(nn\.{cell}\([^()]*batch_first=True)", r"\1, bidirectional=True", source)
        source = re.sub(rf"(nn\.Linear\(){units},", rf"\g<1>2 * {units},", source)
        source = re.sub(rf"(\bwidth = )(?:(\d+) \* )?{units}$", lambda match: _twice(match, units), source, flags=re.M)
        for state in re.findall(r"^\s+_, \(?(\w+)(?:, \w+\))? = self\.\w+\(", source, re.MULTILINE):
            ends = f"torch.cat([{state}[-2], {state}[-1]], dim=1)"
            source = re.sub(rf"\b{state}\[-1\](?!\], dim)", ends, source)
        return Script(source)
    source = source.replace(", bidirectional=True", "")
    source = re.sub(rf"\b(\d+) \* {units}\b", lambda match: _half(match, units), source)
    source = re.sub(r"torch\.cat\(\[(\w+)\[(?:0|-2)\], \1\[(?:1|-1)\]\], dim=1\)", r"\1[-1]", source)
    source = re.sub(rf"^({units} = \d+)  # in each direction$", r"\1", source, flags=re.MULTILINE)
    return _says_one_direction(Script(source))


def _half(match: re.Match[str], units: str) -> str:
    times = int(match[1]) // 2
    return units if times == 1 else f"{times} * {units}"


def _twice(match: re.Match[str], units: str) -> str:
    return f"{match[1]}{2 * int(match[2] or 1)} * {units}"


def _dense_only(script: Script) -> Script | None:
    """A `Sequential` of a classifier or regressor without what convolves and pools."""
    for model in script.calls("Sequential"):
        elements = model.args[0] if model.args else None
        if not isinstance(elements, ast.List) or len(elements.elts) < 3:
            continue
        kinds = [name_of(one) if isinstance(one, ast.Call) else "" for one in elements.elts]
        if kinds[0] != "Input" or kinds[-1] != "Dense" or kinds.count("Dense") < 2:
            continue
        kept: list[str] = []
        for kind, element in zip(kinds, elements.elts, strict=True):
            if not _DENSE_ONLY.fullmatch(kind) and kind != "Flatten":
                kept.append(script.text(element))
        shape = keyword_of(elements.elts[0], "shape") if isinstance(elements.elts[0], ast.Call) else None
        if isinstance(shape, ast.Tuple) and len(shape.elts) > 1:
            kept.insert(1, "layers.Flatten()")
        indent = " " * elements.elts[0].col_offset
        lines = "".join(f"{indent}{text},\n" for text in kept)
        return script.replaced(elements, f"[\n{lines}{indent[4:]}]")
    return None
