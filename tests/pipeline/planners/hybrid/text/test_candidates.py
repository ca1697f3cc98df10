"""What speaks for a text is the same in every process."""

from __future__ import annotations

import subprocess
import sys

import pytest

_OVERLAP = """
from pipeline.planners.hybrid.text.candidates import _expected_overlap
chances = {f"word{number}": 1 / (3 + number) for number in range(40)}
print(repr(_expected_overlap(set(chances), chances)))
"""


@pytest.mark.slow
def test_the_order_of_a_set_changes_no_score() -> None:
    scores = set()
    for seed in "1234":
        command = [sys.executable, "-c", _OVERLAP]
        done = subprocess.run(command, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True)
        scores.add(done.stdout)
    assert len(scores) == 1
