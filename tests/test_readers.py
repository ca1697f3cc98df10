"""No text hangs a reader or breaks it: each reader on each awkward text, in processor time.

`python -m benchmarks.readers` does the same with texts of a megabyte.
"""

from __future__ import annotations

import re
import resource
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import islice

import pytest

from pipeline.sandbox.child_process import in_child
from tests.awkward_texts import awkward_texts
from tests.readers import READERS, REFUSALS

SIZE = 4_000
"""Characters: what costs the square of its length is told from what costs its length."""

_SIZES = {"code: CodeBLEU": 1_000, "data: CSV file": 1_000, "dlbench: YAML": 1_000}
"""tree-sitter looks for ways around errors in more than square time; code_features.py bounds it by the clock. A column
of a table takes 2 ms, and at most 2,000 are looked at. PyYAML needs a second to find a thousand brackets too deep."""

_PLAIN = re.compile(r"\w+|\s+|.", re.DOTALL)
_ALLOWED = 400
"""Plain reads that a reading may take. The heaviest of ordinary readings, CodeBLEU's, takes a quarter of them."""

_ALLOWED_MORE = dict.fromkeys(
    ("code: symbolic notebook", "code: paper's text", "data: CSV file", "dlbench: YAML"), 1_600
)
"""A line that no statement starts with is tried in eleven ways, up to a number of them; black lays out code."""

_FEWER = {
    "code: CodeBLEU": 8,
    "code: paper's text": 8,
    "code: symbolic notebook": 8,
    "data: CSV file": 4,
    "plan: corrections": 4,
    "plan: fields": 4,
    "plan: cues": 2,
    "request: constraints": 4,
}
"""Heavy readers meet every so-manieth text here, and all in the benchmark."""

_PROCESSOR_SECONDS = 60
"""All texts of one reader, before the child is ended: what is cubic would not come back."""


def _slow_or_broken(name: str) -> list[str]:
    """What went wrong where a reader met the texts; runs in a child."""
    resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_SECONDS, _PROCESSOR_SECONDS + 1))
    reader = READERS[name]
    with suppress(*REFUSALS):
        reader("import keras\n")  # what is built once is built now
    wrong: list[str] = []
    texts = awkward_texts(_SIZES.get(name, SIZE))
    for title, text in islice(texts, 0, None, _FEWER.get(name, 1)):
        start = time.process_time()
        _PLAIN.findall(text)
        plain = max(time.process_time() - start, 0.001)
        allowed = _ALLOWED_MORE.get(name, _ALLOWED) * plain
        # A busy machine may stretch one reading; what is slow is so each time.
        for _ in range(3):
            seconds, error = _read(reader, text)
            if error is not None:
                wrong.append(f"{error} on {title}")
            if seconds <= allowed:
                break
        else:
            wrong.append(f"{seconds:.2f} s on {title}")
    return wrong


def _read(reader: Callable[[str], object], text: str) -> tuple[float, str | None]:
    """Seconds of processor time, and the error's name where it is none that readers may raise."""
    error = None
    start = time.process_time()
    try:
        reader(text)
    except REFUSALS:
        pass
    except Exception as unforeseen:
        error = type(unforeseen).__name__
    return time.process_time() - start, error


@pytest.mark.parametrize("name", sorted(READERS))
def test_no_text_hangs_or_breaks_a_reader(name: str) -> None:
    assert in_child(_slow_or_broken, name, seconds=600) == []
