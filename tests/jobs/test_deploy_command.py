"""`dlcodegen deploy render` as a user calls it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _call(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jobs.cli", "deploy", "render", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_files_are_written_and_named(tmp_path: Path) -> None:
    out = str(tmp_path / "new" / "folder")
    said = _call("launcher", "--config", "deploy/aws.yaml", "--out", out).stdout
    assert said.splitlines() == [f"{out}/cluster.yaml"]
    assert (Path(out) / "cluster.yaml").read_text() == (ROOT / "cluster.yaml").read_text()


def test_without_a_folder_all_is_printed() -> None:
    assert "#SBATCH --nodes=3" in _call("slurm", "slurm.nodes=3").stdout


def test_what_is_missing_is_said_in_a_line() -> None:
    said = _call("kuberay", code=2).stderr
    assert said.startswith("dlcodegen: Kubernetes needs images")
    assert len(said.splitlines()) == 1
