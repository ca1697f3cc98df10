"""Layers of a Keras model as they are asked for: convolutions counted and sized, normalization, pooling, kernels."""

from __future__ import annotations

import ast
import re

from pipeline.generate.parts.script import Script, keyword_of, name_of
from pipeline.request.constraints import Constraint
from pipeline.syntax import walk

_CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D", "SeparableConv2D")
_FEWEST, _MOST = 1, 8
_MOST_FILTERS = 512


def convolutions(script: Script, constraint: Constraint) -> Script | None:
    """So many convolutions, or of such widths, poolings between them: in a stack that is written out."""
    for stack in script.calls("Sequential"):
        elements = stack.args[0] if stack.args else None
        if not isinstance(elements, ast.List):
            continue
        there = [one for one in elements.elts if isinstance(one, ast.Call) and name_of(one) in _CONVOLUTIONS]
        if len(there) < 2 or any(not isinstance(one, ast.Call) for one in elements.elts):
            continue
        widths = _widths(constraint, [_width(one) for one in there])
        if widths is None:
            return None
        first, last = elements.elts.index(there[0]), elements.elts.index(there[-1])
        between = [name_of(one) for one in elements.elts[first : last + 1] if isinstance(one, ast.Call)]
        poolings = [name for name in between if "Pooling" in name]
        kernel = script.text(_kernel(there[0]))
        normalized = any(name == "BatchNormalization" for name in between)
        activation = keyword_of(there[0], "activation")
        how = script.text(activation) if activation is not None else '"relu"'
        lines = _stacked(
            name_of(there[0]),
            f'{kernel}, padding="same", activation={how}',
            widths,
            poolings[0] if poolings else "",
            normalized=normalized,
        )
        kept = [script.text(one) for one in elements.elts[:first]]
        kept += [*lines, *(script.text(one) for one in elements.elts[last + 1 :])]
        indent = " " * elements.elts[0].col_offset
        text = "".join(f"{indent}{one},\n" for one in kept)
        changed = script.replaced(elements, f"[\n{text}{indent[4:]}]")
        blocks = '"""Blocks of convolutions'
        return Script(re.sub(r'"""(?:Two|Three|Four) blocks of convolutions', blocks, changed.source))
    return None


def _stacked(layer: str, further: str, widths: list[int], pooling: str, *, normalized: bool) -> list[str]:
    """The layers as they are written; `further` is what each convolution is given behind its width."""
    lines: list[str] = []
    for number, width in enumerate(widths):
        lines.append(f"layers.{layer}({width}, {further})")
        if normalized:
            lines.append("layers.BatchNormalization(momentum=0.9)")
        if pooling and number < len(widths) - 1:
            lines.append(f'layers.{pooling}(2, padding="same")')
    return lines


def _widths(constraint: Constraint, own: list[int]) -> list[int] | None:
    parts = constraint.value.split(",")
    if constraint.name == "filters":
        if not all(part.isdecimal() for part in parts):
            return None
        return [int(part) for part in parts] if len(parts) > 1 else [int(parts[0]) * 2**n for n in range(len(own))]
    count = constraint.number
    if count is None or not _FEWEST <= count <= _MOST:
        return None
    grown = list(own)
    while len(grown) < count:
        grown.append(min(2 * grown[-1], _MOST_FILTERS))
    return grown[: int(count)]


def _width(call: ast.Call) -> int:
    given = call.args[0] if call.args else keyword_of(call, "filters")
    return given.value if isinstance(given, ast.Constant) and isinstance(given.value, int) else 32


def _kernel(call: ast.Call) -> ast.expr:
    given = call.args[1] if len(call.args) > 1 else keyword_of(call, "kernel_size")
    return given if given is not None else ast.Constant(3)


_NORMALIZED = ("Dense", *_CONVOLUTIONS)
_HIDDEN = frozenset({"relu", "gelu", "elu", "selu", "swish", "silu", "mish", "tanh", "leaky_relu"})


def batch_normalization(script: Script, constraint: Constraint) -> Script | None:
    """Behind each hidden layer: in a list, on a stack, or on the way of a tensor."""
    if constraint.value != "batch":
        return None
    hidden = [call for call in script.calls(*_NORMALIZED) if _is_hidden(call)]
    changed = script
    for number in reversed(range(len(hidden))):
        call = [one for one in changed.calls(*_NORMALIZED) if _is_hidden(one)][number]
        behind = _with_layer_behind(changed, call, "layers.BatchNormalization(momentum=0.9)")
        changed = behind if behind is not None else changed
    return _with_longer_smoke_run(changed) if changed is not script else None


_SMOKE_RUN = re.compile(r"^(    EPOCHS = min\(EPOCHS, )(\d)\)", re.MULTILINE)


def _with_longer_smoke_run(script: Script) -> Script:
    """Twice the epochs on made-up data: after a few steps the statistics of normalization lag behind the weights."""
    return Script(_SMOKE_RUN.sub(lambda match: f"{match[1]}{2 * int(match[2])})", script.source))


def _is_hidden(call: ast.Call) -> bool:
    activation = keyword_of(call, "activation")
    return isinstance(activation, ast.Constant) and activation.value in _HIDDEN


def _with_layer_behind(script: Script, call: ast.Call, layer: str) -> Script | None:
    for node in walk(script.tree):
        if isinstance(node, ast.List) and call in node.elts:
            return script.replaced(call, f"{script.text(call)},\n{' ' * call.col_offset}{layer}")
        added = node.value if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
        if isinstance(node, ast.Expr) and added is not None and call in added.args and name_of(added) == "add":
            return script.with_lines_after(node, f"{script.text(added.func)}({layer})")
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.value.func is call:
            name = ast.unparse(node.targets[0])
            return script.with_lines_after(node, f"{name} = {layer}({name})")
    return None


def kernels(script: Script, constraint: Constraint) -> Script | None:
    """Every convolution of more than one step with that kernel; several kernels side by side, over words."""
    if "," in constraint.value:
        return _side_by_side(script, constraint.value.split(","))
    if constraint.number is None:
        return None
    changed = script
    for call in reversed(script.calls(*_CONVOLUTIONS)):
        kernel = _kernel(call)
        is_larger = isinstance(kernel, ast.Constant) and isinstance(kernel.value, int) and kernel.value > 1
        if isinstance(kernel, ast.Tuple) or (is_larger and hasattr(kernel, "end_lineno")):
            changed = changed.replaced(kernel, str(int(constraint.number)))
    return changed if changed is not script else None


_STACKED = re.compile(
    r"^    for filters in FILTERS:\n"
    r"        x = layers\.Conv1D\(filters, KERNEL_SIZE, (?P<rest>.*)\)\(x\)\n"
    r"    x = layers\.GlobalMaxPooling1D\(\)\(x\)\n",
    re.MULTILINE,
)


def _side_by_side(script: Script, sizes: list[str]) -> Script | None:
    """Kernels of several lengths over the same words, the strongest response of each filter (Kim 2014)."""
    there = _STACKED.search(script.source)
    constant = script.assigned("KERNEL_SIZE")
    statement = script.statement_of(constant) if constant is not None else None
    if there is None or statement is None or not all(size.strip().isdecimal() for size in sizes):
        return None
    lines = (
        "    strongest = []\n"
        "    for kernel_size in KERNEL_SIZES:\n"
        f"        found = layers.Conv1D(FILTERS[0], kernel_size, {there['rest']})(x)\n"
        "        strongest.append(layers.GlobalMaxPooling1D()(found))\n"
        "    x = layers.Concatenate()(strongest)\n"
    )
    source = script.source[: there.start()] + lines + script.source[there.end() :]
    listed = ", ".join(size.strip() for size in sizes)
    return Script(re.sub(r"^KERNEL_SIZE = \d+.*$", f"KERNEL_SIZES = [{listed}]", source, count=1, flags=re.M))


_POOLS = {"max": "MaxPooling", "average": "AveragePooling"}
_GLOBAL = {"global_average": "GlobalAveragePooling", "global_max": "GlobalMaxPooling"}


def pooling(script: Script, constraint: Constraint) -> Script | None:
    """One kind of pooling in the place of the other; over all that is left, in the place of flattening too."""
    if constraint.value in _POOLS:
        other = next(name for kind, name in _POOLS.items() if kind != constraint.value)
        return _renamed(script, rf"(?<!Global)\b{other}(?=[123]D\()", _POOLS[constraint.value])
    if constraint.value not in _GLOBAL:
        return None
    wanted = _GLOBAL[constraint.value]
    other = next(name for kind, name in _GLOBAL.items() if kind != constraint.value)
    renamed = _renamed(script, rf"\b{other}(?=[123]D\()", wanted)
    if renamed is not None:
        return renamed
    dimensions = {name_of(call)[-2] for call in script.calls("Conv1D", "Conv2D", "Conv3D")}
    flattened = [call for call in script.calls("Flatten") if not call.args]
    if len(dimensions) != 1 or len(flattened) != 1:
        return None
    return script.replaced(flattened[0], f"layers.{wanted}{dimensions.pop()}D()")


def _renamed(script: Script, pattern: str, wanted: str) -> Script | None:
    source, count = re.subn(pattern, wanted, script.source)
    return Script(source) if count else None
