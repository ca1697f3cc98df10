"""What the baselines answer for a run: which of its items, and which sample its method would have copied."""

from __future__ import annotations

from jobs.scoring.run_baselines import run_baselines
from jobs.scoring.settings import ScoreConfig
from pipeline.measures.outputs import MethodName
from pipeline.records import SCRIPT, RetrievedSample, Scored, SourceFile
from pipeline.retrieval.sample_pool import load_samples
from tests.jobs.scoring.listed_run import ListedRun

POOL = load_samples("starter")
NAME = MethodName("Runs", "", "m")


def record(number: int, *, retrieved: str = "", reference: str | None = "import keras\n") -> Scored:
    samples = (RetrievedSample(id=retrieved, rank=1, score=1.0, task_category="", requirement=""),)
    return Scored(
        id=str(number),
        row=number,
        requirement=f"Task {number}",
        reference=reference,
        files=(SourceFile(path=SCRIPT, text=f"x = {number}\n"),),
        samples=samples if retrieved else (),
    )


def listed(*records: Scored) -> ListedRun:
    return ListedRun(folder="out/m", name=NAME, listed=records)


def config(items: int = 500) -> ScoreConfig:
    return ScoreConfig(runs=("out/m",), out="out", baseline_items=items, seeds=3)


def test_items_with_a_reference_are_answered_evenly_spaced() -> None:
    records = [record(number, reference=None if number == 3 else "import keras\n") for number in range(10)]
    baselines = run_baselines(listed(*records), config(items=3))
    assert baselines is not None
    assert [item.item for item in baselines.items] == ["0", "4", "7"]  # 3 has none
    assert [row.requirement for row in baselines.rows] == ["Task 0", "Task 4", "Task 7"]
    assert (len(baselines.samples), baselines.seeds) == (len(POOL), 3)
    assert baselines.cut_to == {"m": ["x = 0\n", "x = 4\n", "x = 7\n"]}


def test_a_copy_is_of_the_sample_that_was_retrieved() -> None:
    baselines = run_baselines(listed(record(0, retrieved=POOL[5].id), record(1), record(2, retrieved="gone")), config())
    assert baselines is not None
    assert baselines.copies == [5, 1, 2]  # without one, the sample with the item's own number


def test_nothing_to_answer_gives_no_baselines() -> None:
    assert run_baselines(listed(record(0, reference=None), record(1, reference=" ")), config()) is None
    assert run_baselines(listed(record(0)), config(items=0)) is None
