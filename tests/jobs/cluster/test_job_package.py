"""What a submitted job brings along, and where it may write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.cluster.lasting_output import require_lasting
from jobs.cluster.submission import job_package
from jobs.cluster.submission.job_package import pack_job
from pipeline.errors import DLCodeGenError

OUT = ("--out", "s3://bucket/run1")


def test_the_package_holds_the_program_without_tests_and_runs(tmp_path: Path) -> None:
    pack_job(["generate", "starter", *OUT], str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["corpus_build", "jobs", "pipeline", "serving"]
    assert not list(tmp_path.rglob("__pycache__"))
    alone = [sys.executable, "-c", "import jobs.cli, pipeline; print(jobs.cli.__file__, pipeline.__file__)"]
    said = subprocess.run(
        alone, cwd=tmp_path, env={"PYTHONPATH": "."}, capture_output=True, text=True, check=True
    ).stdout
    assert said.count(str(tmp_path)) == 2


def test_local_files_go_along_wherever_they_stand_in_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, package = tmp_path / "here", tmp_path / "package"
    (here / "planner" / "parts").mkdir(parents=True)
    (here / "planner" / "parts" / "ridge.npz").write_bytes(b"weights")
    for name in ("in.jsonl", "run.yaml", "pool.jsonl"):
        (here / name).write_text(name)
    monkeypatch.chdir(here)
    words = [
        "generate",
        "in.jsonl",
        *OUT,
        "--config",
        "run.yaml",
        "pool=./pool.jsonl",
        "planner=hybrid:planner",
        "seed=1",
    ]
    packed = pack_job(words, str(package))
    monkeypatch.chdir(package)
    assert Path(packed[1]).read_text() == "in.jsonl"
    assert packed[2:5] == [*OUT, "--config"]
    assert Path(packed[5]).read_text() == "run.yaml"
    assert Path(packed[6].removeprefix("pool=")).read_text() == "pool.jsonl"
    assert Path(packed[7].removeprefix("planner=hybrid:"), "parts", "ridge.npz").read_bytes() == b"weights"
    assert packed[8:] == ["seed=1"]


def test_what_all_machines_share_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "in.jsonl").write_text("{}")
    monkeypatch.chdir(disk)
    packed = pack_job(["generate", "in.jsonl", "--out", "run1"], str(tmp_path / "package"), shared=[str(disk)])
    assert packed == ["generate", str(disk / "in.jsonl"), "--out", str(disk / "run1")]


@pytest.mark.parametrize("out", [(), ("--out", "out/run1"), ("--out=run1",), ("--out", "/mnt/elsewhere/run1")])
def test_results_that_nobody_would_find_are_refused(tmp_path: Path, out: tuple[str, ...]) -> None:
    with pytest.raises(DLCodeGenError, match="s3://bucket/run1"):
        pack_job(["generate", "starter", *out], str(tmp_path / "package"), shared=["/mnt/disk"])


def test_large_files_are_to_lie_where_all_machines_reach_them(tmp_path: Path) -> None:
    large = tmp_path / "large.jsonl"
    large.touch()
    os.truncate(large, job_package.MOST_BYTES + 1)
    with pytest.raises(DLCodeGenError, match="put it where all machines reach it"):
        pack_job(["generate", str(large), *OUT], str(tmp_path / "package"))


def test_the_package_of_a_job_is_no_place_for_its_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "_ray_pkg_0123"
    package.mkdir()
    monkeypatch.chdir(package)
    require_lasting("s3://bucket/run1")
    require_lasting(str(tmp_path / "run1"))
    with pytest.raises(DLCodeGenError, match="deletes again"):
        require_lasting("out/run1")
