"""The line in which a project says how good its model is."""

from __future__ import annotations

import pytest

from pipeline.execution.held_out import HeldOut, held_out_of

LINE = "held-out accuracy: 0.9667 (baseline, always the most frequent class: 0.3333)"


def test_the_last_line_of_the_form_counts() -> None:
    output = f"Epoch 1/2\nheld-out accuracy: 0.1 (baseline, a guess: 0.5)\n{LINE}\npredictions.csv: 3 rows\n"
    found = held_out_of(output)
    assert found == HeldOut(
        metric="accuracy", value=0.9667, baseline=0.3333, baseline_name="always the most frequent class"
    )
    assert found.beats_baseline


def test_of_an_error_less_is_better() -> None:
    found = held_out_of("held-out mean absolute error: 44.36 (baseline, always the median: 62.4)")
    assert found is not None
    assert found.beats_baseline
    assert found.less_is_better


@pytest.mark.parametrize(
    "output", ["", "accuracy: 0.9", "held-out accuracy: nan (baseline, x: 0.1)", LINE[:-1], "a " + LINE]
)
def test_all_else_is_none(output: str) -> None:
    assert held_out_of(output) is None
