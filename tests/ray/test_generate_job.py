"""The generation job on Ray: the same rows as the local run, nothing lost, nothing twice."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.fit_planner import main as fit_planner
from jobs.generate import main
from jobs.generation.settings import GenerateConfig
from jobs.runs.store import RunStore
from jobs.runs.summary import RunSummary
from pipeline.config import PipelineSettings, PlannerSettings
from pipeline.errors import DLCodeGenError
from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.records import Failure, Planned
from pipeline.stage import run_local
from pipeline.starter import requirement_rows

pytestmark = pytest.mark.ray

HOSTILE = [
    b'{"id": "good", "requirement": "Classify photos of clouds."}',
    b'{"id": "broken", "requirement": "cut',
    b'{"id": "empty", "requirement": "  "}',
    b'{"id": "missing", "attributes": "images"}',
    b'{"id": "wrong", "requirement": {"a": 1}}',
    b'{"id": "nul", "requirement": "a\\u0000b"}',
    b'{"id": "bytes", "requirement": "\xff\xfe caf\xe9"}',
    b'{"id": "long", "requirement": "' + b"x" * 1_000_000 + b'"}',
    b'{"id": "good", "requirement": "Classify photos of clouds again, by height."}',
    b'{"id": "ours", "requirement": "Estimate rents.", "plan": "mine", "failure": 7, "files": [], "row": "x"}',
    b'{"id": "markup", "requirement": "<script>alert(1)</script> \\ud83d\\ude00 <<units>> {{ x }}"}',
]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Hostile lines between good ones."""
    good = [json.dumps(row).encode() for row in list(requirement_rows())[:21]]
    path = tmp_path_factory.mktemp("input") / "requirements.jsonl"
    path.write_bytes(b"\n".join(line for pair in zip(good, [*HOSTILE, *HOSTILE[:10]], strict=True) for line in pair))
    return str(path)


def _run(source: str, out: Path, **settings: object) -> RunSummary:
    values: dict[str, object] = {"input": source, "out": str(out), "shard_rows": 5, "quiet": True}
    return main(GenerateConfig(**(values | settings)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def finished(source: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "out"
    _run(source, out)
    return out


def _digests(out: Path) -> dict[str, str]:
    names = [*(out / "results").iterdir(), out / "failures.jsonl", out / "report.html"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in names}


def test_the_ray_run_equals_the_local_run_failed_rows_included(source: str, finished: Path) -> None:
    expected = list(run_local(generation_stages(PipelineSettings()), read_requirements(source)))
    assert list(RunStore(str(finished)).results()) == expected


def test_every_row_comes_out_once_as_a_result_or_with_its_reason(finished: Path) -> None:
    rows = list(RunStore(str(finished)).results())
    assert [row.row for row in rows] == list(range(42))
    assert len({row.id for row in rows}) == 42
    assert all((row.failure is None) == bool(row.files) for row in rows)
    kinds = {row.failure.kind for row in rows if row.failure}
    assert kinds == {
        "broken_json", "missing_requirement", "wrong_type", "nul_bytes", "invalid_encoding", "too_long"
    }  # fmt: skip
    assert not any(isinstance(row.failure, Failure) and row.failure.kind == "bug" for row in rows)


def test_a_column_named_like_ours_is_kept_apart(finished: Path) -> None:
    row = next(row for row in RunStore(str(finished)).results() if row.id == "ours")
    assert row.plan is not None
    assert row.plan.task_category == "Tabular Regression"
    assert json.loads(row.extra)["plan"] == "mine"


@pytest.mark.parametrize("workers", [1, 3])
def test_equal_bytes_whatever_the_parallelism(source: str, finished: Path, tmp_path: Path, workers: int) -> None:
    _run(source, tmp_path / "again", workers=workers)
    again, first = _digests(tmp_path / "again"), _digests(finished)
    assert again == first


def test_only_missing_shards_are_done_again(source: str, finished: Path, tmp_path: Path) -> None:
    out = shutil.copytree(finished, tmp_path / "out")
    before = _digests(out)
    parts = sorted((out / "results").iterdir())
    times = {path.name: path.stat().st_mtime_ns for path in parts}
    for path in parts[2:4]:
        path.unlink()
    (out / "results" / ".tmp-dead-part-00007.parquet").write_bytes(b"torn")
    summary = _run(source, out)
    assert summary.resumed_rows == summary.rows - 10
    assert _digests(out) == before
    kept = [path for path in parts if path not in parts[2:4]]
    assert {path.name: path.stat().st_mtime_ns for path in kept} == {path.name: times[path.name] for path in kept}


def test_a_run_goes_on_with_the_shards_it_was_begun_with(source: str, finished: Path, tmp_path: Path) -> None:
    out = shutil.copytree(finished, tmp_path / "out")
    (out / "results" / "part-000001.parquet").unlink()
    summary = _run(source, out, shard_rows=1000)
    assert (summary.rows, summary.resumed_rows) == (42, 37)
    assert _digests(out) == _digests(finished)


def test_an_input_that_changed_is_not_mixed_with_what_was_done_before(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("Classify rocks.\n")
    _run(str(path), tmp_path / "out")
    path.write_text("Classify rocks.\nClassify ores.\n")
    with pytest.raises(DLCodeGenError, match="have changed since"):
        _run(str(path), tmp_path / "out")


def test_a_finished_run_is_left_as_it_is(source: str, finished: Path) -> None:
    before = _digests(finished)
    summary = _run(source, finished)
    assert summary.resumed_rows == summary.rows
    assert _digests(finished) == before


def test_another_input_or_other_settings_do_not_mix_into_a_run(source: str, finished: Path, tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="other settings"):
        _run(source, finished, seed=7)
    other = tmp_path / "other.txt"
    other.write_text("Classify rocks.\n")
    with pytest.raises(DLCodeGenError, match="choose another --out"):
        _run(str(other), finished)


def test_failures_can_be_driven_again(finished: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in (finished / "failures.jsonl").read_text().splitlines()]
    assert {line["failure"]["stage"] for line in lines} == {"read"}
    for line in lines:
        line["requirement"] = "Classify photos of clouds by kind."
    mended = tmp_path / "mended.jsonl"
    mended.write_text("\n".join(map(json.dumps, lines)))
    summary = _run(str(mended), tmp_path / "out")
    assert (summary.rows, summary.generated) == (len(lines), len(lines))
    assert [row.id for row in RunStore(str(tmp_path / "out")).results()] == [line["id"] for line in lines]


def test_the_manifest_counts_rows_in_out_and_failed(finished: Path) -> None:
    manifest = json.loads((finished / "manifest.json").read_text())
    assert manifest["rows_in"] == 42 == manifest["rows_generated"] + manifest["rows_failed"]
    assert sum(manifest["failures"].values()) == manifest["rows_failed"]
    stages = {stage.name for stage in generation_stages(PipelineSettings())}
    assert set(manifest["stage_seconds"]) == stages
    assert manifest["versions"]["ray"]


def test_results_are_plain_parquet_with_a_struct_for_the_plan_and_timings_lie_beside(finished: Path) -> None:
    table = pq.read_table(finished / "results")
    assert table.num_rows == 42
    assert table["plan"][0]["task_category"].as_py()
    timings = pq.read_table(finished / "timings").to_pylist()
    assert {row["id"] for row in timings} == set(table["id"].to_pylist())
    assert all(row["seconds"] >= 0 for row in timings)


def test_projects_are_written_as_folders_on_request(source: str, finished: Path) -> None:
    _run(source, finished, projects=True)
    rows = [row for row in RunStore(str(finished)).results() if row.files]
    assert len(list((finished / "projects").iterdir())) == len(rows)
    for file in rows[0].files:
        assert (finished / "projects" / rows[0].id / file.path).read_text() == file.text


def test_input_and_output_can_be_urls(source: str, finished: Path, tmp_path: Path) -> None:
    main(GenerateConfig(input=f"file://{source}", out=f"file://{tmp_path}/url", shard_rows=5, quiet=True))
    ours, theirs = _digests(tmp_path / "url"), _digests(finished)
    del ours["report.html"], theirs["report.html"]  # it names its input
    assert ours == theirs


def test_an_empty_input_is_a_finished_run_of_no_rows(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n")
    assert _run(str(empty), tmp_path / "out").rows == 0
    assert (tmp_path / "out" / "report.html").exists()


def test_a_command_that_has_made_nothing_ends_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "jax.txt").write_text("Write it in JAX: classify photos of leaves\n")
    for name, reason in (("empty.jsonl", "has no rows"), ("jax.txt", "JAX is asked for")):
        words = ["generate", str(tmp_path / name), "--out", str(tmp_path / f"out-{name}"), "--quiet"]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 1
        assert reason in result.stderr


def test_a_fitted_planner_s_folder_plans_for_a_whole_run(source: str, tmp_path: Path) -> None:
    fitted = fit_planner("starter", str(tmp_path / "fit"))
    use = f"hybrid:{tmp_path / 'fit'}"
    summary = _run(source, tmp_path / "out", planner=PlannerSettings(use=use))
    rows = [row for row in RunStore(str(tmp_path / "out")).results() if row.failure is None]
    assert summary.generated == len(rows) > 21
    known = set(fitted.ids)
    assert all(row.plan and row.files and known.issuperset(row.plan_sources) for row in rows)
    stages = generation_stages(PipelineSettings(planner=PlannerSettings(use=use)))[:2]
    (planned,) = run_local(stages, [row for row in read_requirements(source) if row.id == rows[0].id])
    assert isinstance(planned, Planned)
    assert rows[0].plan == planned.plan
