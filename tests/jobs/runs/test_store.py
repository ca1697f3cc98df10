"""The folder of a run: what an earlier start has done is found again, by whatever version of the program."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs.runs.store import RunStore, Staged
from pipeline.calls import CallMeasures, LLMCall
from pipeline.errors import DLCodeGenError
from pipeline.execution.running.execute_stage import Executed, execution_of
from pipeline.records import Requirement, Scored
from tests.older_files import raise_version, remove_versions
from tests.pipeline.execution.running.executed_projects import executed_project

ROWS = [Requirement(id=f"row-{number}", row=number, requirement="Classify photos.") for number in range(5)]
CALL = LLMCall(
    stage="draft",
    prompt="direct",
    model="m",
    prompt_tokens=4,
    completion_tokens=2,
    finish_reason="stop",
    measured=CallMeasures(seconds=0.5, cached=False, cached_tokens=0, cost=0.25),
)


def _stage(folder: Path) -> tuple[RunStore, Staged]:
    store = RunStore(str(folder))
    return store, store.stage(ROWS, "requirements.txt", "settings", 2, "sources")


@pytest.fixture
def begun_run(tmp_path: Path) -> Path:
    """A run of three shards, the second of which is done."""
    store, _ = _stage(tmp_path)
    records = [Scored(id=row.id, row=row.row, requirement=row.requirement, calls=(CALL,)) for row in ROWS[2:4]]
    store.write_results(1, records, [{"draft": 1.5}, {"draft": 2.0}])
    return tmp_path


def test_a_run_goes_on_with_the_shards_that_have_no_results(begun_run: Path) -> None:
    store, staged = _stage(begun_run)
    assert (staged.rows, staged.shards) == (5, 3)
    assert store.pending(staged) == [0, 2]
    assert store.read_input(2) == ROWS[4:]
    assert store.done_rows() == {2, 3}
    assert [record.calls for record in store.results(measured=True)] == [(CALL,), (CALL,)]
    assert store.stage_seconds() == {"draft": 3.5}


def test_a_run_of_the_time_before_versions_goes_on(begun_run: Path) -> None:
    store, staged = _stage(begun_run)
    results, calls = list(store.results(measured=True)), list(store.calls())
    remove_versions(begun_run)
    assert "layout_version" not in (begun_run / "input" / "staged.json").read_text()
    store, again = _stage(begun_run)
    assert again == staged
    assert store.pending(again) == [0, 2]
    assert store.read_input(0) == ROWS[:2]
    assert list(store.results(measured=True)) == results
    assert list(store.calls()) == calls


def test_a_run_of_a_newer_version_is_refused_in_one_line(begun_run: Path) -> None:
    raise_version(begun_run / "input" / "staged.json")
    with pytest.raises(DLCodeGenError, match=r"newer version of this program.*choose another --out"):
        _stage(begun_run)


def test_results_of_a_newer_version_are_refused_where_they_are_only_read(begun_run: Path) -> None:
    raise_version(begun_run / "results" / "part-000001.parquet")
    with pytest.raises(DLCodeGenError, match=r"part-000001\.parquet was written by a newer version"):
        list(RunStore(str(begun_run)).results())


def test_a_run_with_other_settings_is_not_continued(begun_run: Path) -> None:
    store = RunStore(str(begun_run))
    with pytest.raises(DLCodeGenError, match="other settings"):
        store.stage(ROWS, "requirements.txt", "others", 2, "sources")
    with pytest.raises(DLCodeGenError, match="have changed since"):
        store.stage(ROWS, "requirements.txt", "settings", 2, "changed")
    with pytest.raises(DLCodeGenError, match=r"holds a run of requirements\.txt"):
        store.stage(ROWS, "other.txt", "settings", 2, "sources")


def test_what_projects_printed_and_took_lies_beside_the_results(tmp_path: Path) -> None:
    written = []
    for name, stdout, seconds in (("one", "epoch 1: 3 s", 3.0), ("two", "epoch 1: 4 s", 4.0)):
        store, _ = _stage(tmp_path / name)
        execution = executed_project("row-0", stdout=stdout, cpu_seconds=seconds)
        store.write_results(
            0, [Executed(id="row-0", row=0, execution=execution), Executed(id="row-1", row=1)], [{}, {}]
        )
        (first, second) = store.results()
        assert execution_of(first) == execution.without_measures()
        assert execution_of(second) is None
        assert execution_of(next(store.results(measured=True))) == execution
        written.append((tmp_path / name / "results" / "part-000000.parquet").read_bytes())
    assert written[0] == written[1]


def test_a_run_whose_projects_were_not_run_has_no_column_for_it(begun_run: Path) -> None:
    table = pq.read_table(begun_run / "results" / "part-000001.parquet")
    assert "execution" not in table.column_names
    assert not (begun_run / "executions").exists()
    assert [type(record) for record in RunStore(str(begun_run)).results()] == [Scored, Scored]
