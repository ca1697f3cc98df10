"""How far a run is, from its folder alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.runs.status import status_lines
from jobs.runs.store import RunStore
from pipeline.config import PipelineSettings
from pipeline.errors import DLCodeGenError
from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.stage import run_local
from pipeline.storage.one_writer import one_writer


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six rows in shards of two, of which the first shard is done; its second row is refused."""
    folder = tmp_path_factory.mktemp("run")
    source = folder / "input.jsonl"
    wishes = [
        "classify iris flowers with a small network",
        "write it in JAX: classify digits",
        *["a CNN for photos"] * 4,
    ]
    source.write_text("".join(json.dumps({"id": f"r{n}", "requirement": wish}) + "\n" for n, wish in enumerate(wishes)))
    store = RunStore(str(folder / "out"))
    store.stage(read_requirements(str(source)), str(source), "settings", 2)
    done = list(run_local(generation_stages(PipelineSettings()), store.read_input(0)))
    store.write_results(0, done, [{}, {}])
    return folder / "out"


def test_a_run_in_the_middle(begun: Path) -> None:
    (begun / "spent.json").write_text('{"calls": 12, "tokens": 34567, "cost": 0.5}')
    rows, spent, writer = status_lines(str(begun))
    assert rows == f"{begun}: 2 of 6 rows done (33%), of which 1 failed: unserved_framework 1"
    assert spent == "language model: 12 calls, 34,567 tokens, 0.5 spent"
    assert writer == "nobody works on it; the same command goes on where it stopped"
    RunStore(str(begun)).stop("max-tokens 5 is reached")
    assert "nobody works on it (max-tokens 5 is reached)" in list(status_lines(str(begun)))[-1]


def test_a_run_that_is_being_written(begun: Path) -> None:
    with one_writer(str(begun)):
        assert list(status_lines(str(begun)))[-1].startswith("being written: host ")


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="no run was begun here"):
        list(status_lines(str(tmp_path)))
