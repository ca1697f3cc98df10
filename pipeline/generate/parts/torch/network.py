"""Layers of a PyTorch network as they are asked for: batch normalization, pooling, kernels."""

from __future__ import annotations

import ast
import re

from pipeline.generate.parts.script import Script, keyword_of, name_of
from pipeline.request.constraints import Constraint

_ACTIVATION = r"nn\.(?:ReLU|GELU|SiLU|ELU|SELU|LeakyReLU|Mish|Tanh)\("
_LINEAR = re.compile(rf"(nn\.Linear\([\w\[\]* +-]+, ([\w\[\]]+)\)), (?:nn\.LayerNorm\(\2\), )?(?={_ACTIVATION})")
_CONVOLUTION = re.compile(rf"(nn\.Conv(?P<size>[123])d\([\w\[\]]+, (?P<width>[\w\[\]]+),[^()]*\)), (?={_ACTIVATION})")


def batch_normalization(script: Script, constraint: Constraint) -> Script | None:
    """Between a hidden layer and its activation. The last batch of an epoch is left out: it may hold one example."""
    if constraint.value != "batch":
        return None
    source, linears = _LINEAR.subn(r"\1, nn.BatchNorm1d(\2), ", script.source)
    source, convolved = _CONVOLUTION.subn(r"\1, nn.BatchNorm\g<size>d(\g<width>), ", source)
    if not linears and not convolved:
        return None
    return _without_single_examples(Script(source)) if linears else Script(source)


def _without_single_examples(script: Script) -> Script | None:
    """Batch normalization has no deviation of one row."""
    for call in script.calls("DataLoader"):
        shuffled = keyword_of(call, "shuffle")
        if not isinstance(shuffled, ast.Constant) or shuffled.value is not True or not call.args:
            continue
        dataset = call.args[0]
        inner = dataset.args[0] if isinstance(dataset, ast.Call) and dataset.args else dataset
        if name_of(dataset) != "TensorDataset" if isinstance(dataset, ast.Call) else False:
            return None
        return script.with_keyword(call, "drop_last", f"len({script.text(inner)}) > BATCH_SIZE")
    return script if "randperm" not in script.source else None


def kernels(script: Script, constraint: Constraint) -> Script | None:
    """Odd kernels in the place of those written out, padded so that sizes stay."""
    size = constraint.number
    if size is None or size != int(size) or int(size) % 2 == 0:
        return None
    pattern = re.compile(r"(nn\.Conv[12]d\([^(),]+, [^(),]+, )(?:[357])((?:, stride=\d)?, padding=)([123])(?=[,)])")
    source, count = pattern.subn(rf"\g<1>{int(size)}\g<2>{int(size) // 2}", script.source)
    return Script(source) if count else None


def pooling(script: Script, constraint: Constraint) -> Script | None:
    """One kind of pooling in the place of the other."""
    names = {"average": ("nn.MaxPool", "nn.AvgPool"), "max": ("nn.AvgPool", "nn.MaxPool")}
    if constraint.value == "global_average":
        source, count = re.subn(r"AdaptiveMaxPool(?=[123]d\(1\))", "AdaptiveAvgPool", script.source)
        return Script(source) if count else None
    if constraint.value not in names:
        return None
    there, wanted = names[constraint.value]
    return Script(script.source.replace(there, wanted)) if there in script.source else None
