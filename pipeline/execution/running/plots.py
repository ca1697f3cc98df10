"""The figures that a project saves: some of them are kept with its result, for its page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.foreign_text import storable
from pipeline.sandbox.sandbox import ResultFile

PLOT_PATTERNS = ("*.png", "*.jpg", "*.jpeg")
"""What is looked for in a project's folder. SVG is left out: it is a program."""

_MOST_PLOTS = 6
_MOST_BYTES = 400_000
"""Of a plot that is kept."""

_BEGINNINGS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}

_MOST_PIXELS = 5000
"""Width or height of a PNG that is shown: some kilobytes can unpack to gigabytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """A figure that a project saved."""

    path: str
    """In the project's folder."""

    size: int
    """In bytes."""

    type: str
    """`image/png` or `image/jpeg`."""

    content: str
    """In base64; "" for one that is too large to keep."""


def plots_of(files: Sequence[ResultFile]) -> tuple[Plot, ...]:
    """The first figures among what a project left. What only is called an image is none."""
    plots: list[Plot] = []
    for file in files:
        if file.content is None:
            continue
        kind = _kind(file.content)
        if not kind:
            continue
        content = base64.b64encode(file.content).decode() if file.size <= _MOST_BYTES else ""
        plots.append(Plot(path=storable(file.path), size=file.size, type=kind, content=content))
        if len(plots) == _MOST_PLOTS:
            break
    return tuple(plots)


def _kind(content: bytes) -> str:
    """The type that the first bytes say; "" for what is no image, or one of too many pixels."""
    for beginning, kind in _BEGINNINGS.items():
        if content.startswith(beginning):
            # A PNG has its width and height in bytes 16 to 24.
            sides = (int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big"))
            if kind == "image/png" and max(sides) > _MOST_PIXELS:
                return ""
            return kind
    return ""
