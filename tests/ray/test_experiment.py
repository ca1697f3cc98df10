"""An experiment on Ray: its table, its budget, and what the second seed costs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from jobs.experiment import main
from jobs.experiments.results import Experiment
from jobs.experiments.spec import ExperimentConfig
from pipeline.config import PLAIN_TEMPERATURE
from pipeline.starter import sample_rows
from tests.pipeline.llm.client.fault_server import MODEL, FaultServer
from tests.ray.test_llm_job import answered

pytestmark = pytest.mark.ray

ROWS = 6


def _run(folder: Path, server: FaultServer, **settings: object) -> Experiment:
    source = folder / "requirements.jsonl"
    if not source.exists():
        rows = [row | {"reference": code} for row, code in list(sample_rows())[:ROWS]]
        source.write_text("\n".join(json.dumps(row) for row in rows))
    spec: dict[str, object] = {
        "input": str(source),
        "out": str(folder / "experiment"),
        "methods": ["copy", "direct"],
        "models": [{"llm": "openai", "model": MODEL, "base_url": server.url, "price": {"input": 1, "output": 2}}],
        "seeds": [0, 1],
        "settings": {"pool": "starter40", "max_tokens": 100, "shard_rows": 3},
        "workers": 2,
        "quiet": True,
    }
    return main(ExperimentConfig.model_validate(spec | settings))


def test_an_experiment_ends_in_one_table_and_a_budget_only_interrupts_it(tmp_path: Path) -> None:
    with FaultServer(answer=answered).running() as server:
        first = _run(tmp_path, server, budget={"tokens": 700})
        assert first.stopped is not None
        assert len(server.seen) < 2 * ROWS
        second = _run(tmp_path, server, budget={"tokens": 70_000})
        assert (second.stopped, second.runs, second.runs_begun, second.pending_rows) == (None, 3, 3, 0)
        assert len(server.seen) == 2 * ROWS
    copy, direct = second.rows
    assert (copy.method, copy.model, copy.temperature, copy.seeds) == ("copy", "", None, 1)
    assert (direct.method, direct.model, direct.temperature, direct.seeds) == ("direct", MODEL, PLAIN_TEMPERATURE, 2)
    assert (copy.asked, direct.asked, direct.generated, direct.parsed, direct.scored) == (ROWS, *[2 * ROWS] * 4)
    assert copy.codebleu_raw is not None
    assert direct.codebleu_raw is not None
    assert copy.codebleu_raw > direct.codebleu_raw
    assert copy.codebleu_raw_error is None
    assert direct.codebleu_raw_error == 0  # the server's answers do not depend on the seed
    assert direct.prompt_tokens == 7
    assert direct.cost is not None
    assert direct.paid == pytest.approx(2 * direct.cost)
    with (tmp_path / "experiment" / "table.csv").open() as stream:
        assert [row["method"] for row in csv.DictReader(stream)] == ["copy", "direct"]
    manifest = json.loads((tmp_path / "experiment" / "manifest.json").read_text())
    assert len(manifest["runs"]) == manifest["runs_planned"] == 3
    spent = json.loads((tmp_path / "experiment" / "spent.json").read_text())
    assert spent["calls"] == 2 * ROWS
