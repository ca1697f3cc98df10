"""Writes backbones.json: what each keras.applications model gives when it is used without its top.

Run it where TensorFlow is installed (minutes; the largest model needs about 4 GB):

    path/to/python pipeline/keras/make_backbones.py pipeline/keras/backbones.json

Per model: `smallest` square input, `channels` and `parameters` without the top, and `spatial`, the steps between input
and output that change height and width, so that the output size is exact for any input size. A step is

- `p<before>,<after>`: zero padding;
- `v<window>/<stride>`, `s<window>/<stride>`: a window with padding 'valid' or 'same';
- `c<window>/<stride>`: a window after `imagenet_utils.correct_pad`, which amounts to padding 'same' where the model is
  built with `input_shape`, and else adds `window // 2 - 1` before and `window // 2` after.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIZES_TRIED = (16, 24, 32, 48, 64, 71, 75, 96, 128)
SIZES_COMPARED = (512, 321, 323)
"""Sizes that stay even, and that stay odd when halved (with padding 'same', and after a first 'valid' convolution)."""


def _steps(model: Any) -> list[str]:
    """The size-changing layers on one way from the output back to the input; all ways give the same size."""
    steps: list[str] = []
    tensor = model.output
    while True:
        operation, node, _ = tensor._keras_history
        if type(operation).__name__ == "InputLayer":
            return steps[::-1]
        for layer in reversed(getattr(operation, "layers", [operation])):  # ConvNeXt nests a Sequential
            steps += _step(layer)
        tensor = operation._inbound_nodes[node].input_tensors[0]


def _step(layer: Any) -> list[str]:
    kind = type(layer).__name__
    if kind == "ZeroPadding2D":
        before, after = layer.padding[0]
        return [f"p{before},{after}"]
    if kind not in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "MaxPooling2D", "AveragePooling2D"):
        return []
    window = (getattr(layer, "kernel_size", None) or layer.pool_size)[0]
    stride, padding = layer.strides[0], layer.padding[0]
    if stride == 1 and (padding != "v" or window == 1):
        return []  # the size stays
    return [f"{padding}{window}/{stride}"]


def _merged(ways: list[list[str]]) -> str:
    """Steps for any size; a padding that depends on the parity of its input comes from correct_pad."""
    merged: list[str] = []
    corrected = False
    for step, *others in zip(*ways, strict=True):
        if step[0] == "p" and any(other != step for other in others):
            corrected = True
        elif corrected:
            merged.append("c" + step[1:])
            corrected = False
        else:
            merged.append(step)
    return " ".join(merged)


def backbone_facts(build: Callable[..., Any]) -> dict[str, Any] | None:
    """The facts of one model; None where it has no variant without its top."""

    def built(size: int) -> Any:
        return build(include_top=False, weights=None, input_shape=(size, size, 3))

    for smallest in SIZES_TRIED:
        try:
            model = built(smallest)
        except ValueError:
            continue
        return {
            "smallest": smallest,
            "channels": model.output_shape[3],
            "parameters": model.count_params(),
            "spatial": _merged([_steps(built(size)) for size in SIZES_COMPARED]),
        }
    return None


def main(target: str) -> None:
    import keras

    facts: dict[str, Any] = {}
    for name, build in sorted(vars(keras.applications).items()):
        if not name[0].isupper():
            continue
        model_facts = backbone_facts(build)
        if model_facts is not None:
            facts[name] = model_facts
            print(name, model_facts, flush=True)
            keras.backend.clear_session()
    entries = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in facts.items()]
    lines = ",\n".join(entries)
    Path(target).write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
