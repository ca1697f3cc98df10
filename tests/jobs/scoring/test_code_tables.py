"""The tables of methods that were measured: what several runs and random draws come to in them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobs.scoring.baseline_outputs import RANDOM, baseline_name
from jobs.scoring.code_tables import code_tables
from pipeline.comparison.code_rows import ALL, CodeRow, mean_over_seeds
from pipeline.measures.output_measures import measure
from pipeline.measures.outputs import Measured, MethodName, Output
from pipeline.records import Failure
from tests.pipeline.measures.asked import asked
from tests.pipeline.pages.score_records import COPY, FIRST, SECOND, measured

MEASURED = measured()
DRAWS = [baseline_name(f"{RANDOM}, seed {seed}") for seed in range(3)]
RUNS = [FIRST._replace(method="ours-1"), FIRST._replace(method="ours-2")]
MEAN = FIRST._replace(method="ours (mean of 2 seeds)")


def with_draws() -> dict[MethodName, list[Measured]]:
    """A method, and three draws that differ: of each, another item is not measured."""
    drawn = {}
    for number, name in enumerate(DRAWS):
        items = list(MEASURED[COPY])
        items[number] = replace(items[number], raw=None, paper=None)
        drawn[name] = items
    return {SECOND: MEASURED[SECOND], **drawn}


def raw_rows(rows: tuple[CodeRow, ...]) -> dict[str, CodeRow]:
    return {row.method: row for row in rows if (row.protocol, row.subset) == ("raw", ALL)}


def test_random_draws_are_one_row_and_one_method() -> None:
    measured = with_draws()
    tables = code_tables(measured, {SECOND: list(measured)})
    rows = raw_rows(tables.rows)
    assert set(rows) == {SECOND.method, RANDOM}
    assert (rows[RANDOM].seeds, rows[RANDOM].measured, rows[RANDOM].asked) == (3, 6, 9)
    assert rows[RANDOM].standard_error is not None
    assert [row.method for row in tables.methods if row.subset == ALL] == [SECOND.method, DRAWS[0].method]
    assert {row.method for row in tables.comparisons} == {RANDOM}


def test_a_single_draw_is_named_as_the_baseline_it_is() -> None:
    tables = code_tables({SECOND: MEASURED[SECOND], DRAWS[0]: MEASURED[COPY]}, {})
    rows = raw_rows(tables.rows)
    assert set(rows) == {SECOND.method, RANDOM}
    assert (rows[RANDOM].seeds, rows[RANDOM].standard_error) == (1, None)


def test_runs_of_one_method_keep_their_rows_beside_their_mean() -> None:
    measured = {RUNS[0]: MEASURED[FIRST], RUNS[1]: MEASURED[SECOND], COPY: MEASURED[COPY]}
    tables = code_tables(measured, {RUNS[0]: list(measured)}, seed_groups={MEAN: RUNS})
    rows = raw_rows(tables.rows)
    assert set(rows) == {"ours-1", "ours-2", MEAN.method, "copy"}
    assert rows[MEAN.method] == mean_over_seeds(MEAN, [rows["ours-1"], rows["ours-2"]])
    assert rows[MEAN.method].codebleu == pytest.approx((rows["ours-1"].codebleu + rows["ours-2"].codebleu) / 2)


def test_runs_of_one_method_are_compared_as_one_and_never_with_themselves() -> None:
    measured = {RUNS[0]: MEASURED[FIRST], RUNS[1]: MEASURED[SECOND], COPY: MEASURED[COPY]}
    tables = code_tables(measured, {RUNS[0]: list(measured)}, seed_groups={MEAN: RUNS})
    assert {(row.method, row.against) for row in tables.comparisons} == {("copy", MEAN.method)}
    assert {row.items for row in tables.comparisons if row.subset == ALL} == {3}


def test_a_mean_needs_two_runs() -> None:
    tables = code_tables({RUNS[0]: MEASURED[FIRST]}, {}, seed_groups={MEAN: RUNS[:1]})
    assert set(raw_rows(tables.rows)) == {"ours-1"}


def test_baselines_are_compared_by_codebleu_alone() -> None:
    tables = code_tables(MEASURED, {FIRST: [SECOND, COPY]})
    measures = {
        name.method: {row.measure for row in tables.comparisons if row.method == name.method} for name in MEASURED
    }
    assert measures[COPY.method] == {"CodeBLEU", "CodeBLEU at equal length"}
    assert "parses" in measures[SECOND.method]


CODE = "from tensorflow import keras\nmodel = keras.Sequential([keras.layers.Dense(1)])\nmodel.compile('adam', 'mse')\n"
ASKED = (asked("training.optimizer=adam"), asked("training.epochs=3"), asked("size.examples=900"))
TIMEOUT = Failure(stage="generate", kind="timeout", message="too long")


def answers(*codes: str, failure: Failure | None = None) -> list[Measured]:
    outputs = [
        Output(item=str(number), constraints=ASKED, code=code, failure=failure) for number, code in enumerate(codes)
    ]
    return [measure(output) for output in outputs]


def test_what_was_asked_is_counted_with_failures_of_the_method_and_compared_in_pairs() -> None:
    fits, other = FIRST._replace(method="fits"), FIRST._replace(method="other")
    fitted = CODE + "model.fit(x, y, epochs=3)\n"
    measured = {
        fits: answers(fitted, fitted, fitted),
        # One epoch, no program at all, and no code: of the last two all three things count as not met.
        other: answers(CODE + "model.fit(x, y, epochs=1)\n", "def f(:", ""),
    }
    tables = code_tables(measured, {fits: list(measured)})
    rows = {row.method: row for row in tables.methods if row.subset == ALL}
    assert (rows["fits"].constraints_met, rows["fits"].constraints, rows["fits"].ssr) == (6, 6, 1.0)
    assert (rows["other"].constraints_met, rows["other"].constraints) == (1, 2 + 3 + 3)
    assert (rows["other"].rows_satisfied, rows["other"].rows_asked) == (0, 3)
    differences = {row.measure: row for row in tables.comparisons if row.subset == ALL}
    assert differences["CSR"].difference == pytest.approx((50 + 0 + 0) / 3 - 100)
    assert differences["SSR"].difference == -100
    assert differences["CSR"].items == 3


def test_a_failure_of_the_machinery_says_nothing_of_what_was_asked() -> None:
    tables = code_tables({FIRST: [*answers(CODE), *answers("", failure=TIMEOUT)]}, {})
    (row,) = [row for row in tables.methods if row.subset == ALL]
    assert (row.constraints_met, row.constraints) == (1, 2)
