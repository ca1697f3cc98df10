"""Recurrent layers on top of each other, each of the width that is asked for, where a sample has one."""

from __future__ import annotations

import ast
import re

from pipeline.generate.parts.script import Script, name_of
from pipeline.request.constraints import Constraint
from pipeline.syntax import walk
from pipeline.torch.facts import imports_torch

_CELLS = ("LSTM", "GRU", "SimpleRNN")

_MOST_LAYERS = 6

_FORWARD = re.compile(r"^(?P<indent> +)(?P<left>\w+, \(?\w+(?:, \w+\))?) = self\.(?P<name>\w+)\((?P<input>.*)\)$", re.M)
"""What a recurrent layer of PyTorch gives in `forward`: the outputs of all steps, and its states."""


def stacked(script: Script, constraint: Constraint) -> Script | None:
    """The only recurrent layer as several: of listed widths ("64, 32"), or so many of its own."""
    calls = script.calls(*_CELLS)
    units = f"{name_of(calls[0]).upper()}_UNITS" if calls else ""
    own = script.assigned(units) or script.assigned_first(units)
    widths = _widths(constraint, own)
    if len(calls) != 1 or own is None or not 1 < len(widths) <= _MOST_LAYERS:
        return None
    if "Cell(" in script.source or _in_a_loop(script, calls[0]):
        return None
    if imports_torch(script.source):
        return _in_torch(script, calls[0], units, widths)
    return _in_keras(script, calls[0], units, widths)


def _widths(constraint: Constraint, own: ast.expr | None) -> list[int]:
    if constraint.name == "units":
        parts = constraint.value.split(",")
        return [int(part) for part in parts] if all(part.isdecimal() for part in parts) else []
    width = own.value if isinstance(own, ast.Constant) else None
    if not isinstance(width, int) or constraint.number is None or constraint.number > _MOST_LAYERS:
        return []
    return [width] * int(constraint.number)


def _in_a_loop(script: Script, call: ast.Call) -> bool:
    return any(isinstance(node, ast.For) and call in walk(node) for node in walk(script.tree))


def _in_keras(script: Script, call: ast.Call, units: str, widths: list[int]) -> Script | None:
    around = next((one for one in script.calls("Bidirectional") if one.args and one.args[0] is call), call)
    own = script.text(around)
    if not call.args or ast.unparse(call.args[0]) != units or "return_state" in own:
        return None
    layers: list[str] = []
    for number in range(len(widths)):
        layer = own.replace(units, f"{units}[{number}]", 1)
        if number < len(widths) - 1 and "return_sequences" not in layer:
            layer = layer.replace(f"{units}[{number}]", f"{units}[{number}], return_sequences=True", 1)
        layers.append(layer)
    for node in walk(script.tree):
        if isinstance(node, ast.List) and around in node.elts:
            separator = f",\n{' ' * around.col_offset}"
            return _with_widths(script.replaced(around, separator.join(layers)), units, widths)
        if not isinstance(node, ast.Assign | ast.Expr) or around not in walk(node):
            continue
        line = script.text(node.value)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and name_of(node.value) == "add":
            lines = [line.replace(own, layer) for layer in layers]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.value.func is around:
            name = ast.unparse(node.targets[0])
            lines = [f"{name} = {line.replace(own, layers[0])}"]
            lines += [f"{name} = {layer}({name})" for layer in layers[1:]]
        else:
            continue
        return _with_widths(script.with_lines_instead(node, "\n".join(lines)), units, widths)
    return None


def _in_torch(script: Script, call: ast.Call, units: str, widths: list[int]) -> Script | None:
    """A module for each width: one of `torch.nn` has the same in all its layers."""
    assignments = [node for node in walk(script.tree) if isinstance(node, ast.Assign) and node.value is call]
    statement = assignments[0] if assignments else None
    forward = list(_FORWARD.finditer(script.source))
    name = ast.unparse(statement.targets[0]).removeprefix("self.") if statement is not None else ""
    forward = [match for match in forward if match["name"] == name]
    if statement is None or len(forward) != 1 or len(call.args) < 2 or ast.unparse(call.args[1]) != units:
        return None
    kept = [f", {ast.unparse(one)}" for one in call.keywords if one.arg in ("batch_first", "bidirectional")]
    directions = 2 if any("bidirectional=True" in one for one in kept) else 1
    modules: list[str] = []
    width = script.text(call.args[0])
    for number in range(len(widths)):
        attribute = name if number == 0 else f"{name}_{number + 1}"
        modules.append(f"self.{attribute} = {ast.unparse(call.func)}({width}, {units}[{number}]{''.join(kept)})")
        width = f"{directions} * {units}[{number}]" if directions > 1 else f"{units}[{number}]"
    match = forward[0]
    steps = [f"{match['indent']}steps, _ = self.{name}({match['input']})"]
    for number in range(2, len(widths)):
        steps.append(f"{match['indent']}steps, _ = self.{name}_{number}(steps)")
    steps.append(f"{match['indent']}{match['left']} = self.{name}_{len(widths)}(steps)")
    source = script.source[: match.start()] + "\n".join(steps) + script.source[match.end() :]
    lines = source.split("\n")
    first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
    indent = " " * statement.col_offset
    lines[first:last] = [f"{indent}{module}" for module in modules]
    source = "\n".join(line for line in lines if not re.match(r"NUM_LAYERS = |\s+between = DROPOUT", line))
    return _with_widths(Script(source), units, widths)


def _with_widths(script: Script, units: str, widths: list[int]) -> Script | None:
    """The constant as a list, and what else is made of it: of the last layer's width."""
    source = re.sub(rf"^{units} = \d+", f"{units} = {widths}", script.source, count=1, flags=re.M)
    shrunk = rf"^(\s+){units} = min\({units}, (\d+)\)"
    source = re.sub(shrunk, rf"\1{units} = [min(units, \2) for units in {units}]", source, flags=re.M)
    source = re.sub(rf"(?<!in ){units}\b(?!\[| = )", f"{units}[-1]", source)
    return Script(source)
