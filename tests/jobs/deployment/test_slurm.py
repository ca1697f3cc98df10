"""The Slurm script: bash reads it, and with stand-ins for Slurm's and Ray's commands it runs its job."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobs.deployment.rendered import rendered


def _script(*settings: str) -> str:
    return rendered("slurm", *settings)["job.sbatch"]


@pytest.mark.parametrize("settings", [[], ["gpu.max=1", "slurm.partition=long jobs", "access.keys_file=~/my keys.env"]])
def test_bash_reads_it(settings: list[str]) -> None:
    done = subprocess.run(["bash", "-n"], input=_script(*settings), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_it_asks_for_its_nodes_and_to_be_queued_again() -> None:
    lines = _script("slurm.nodes=4", "gpu.max=1", "gpu.gpus=2", "gpu.memory_gb=90").splitlines()
    asked = {line.removeprefix("#SBATCH ") for line in lines if line.startswith("#SBATCH")}
    assert asked >= {
        "--nodes=4",
        "--gpus-per-node=2",
        "--cpus-per-task=8",
        "--mem=90G",
        "--requeue",
        "--open-mode=append",
    }
    # Slurm reads options only before the first command.
    commands = [number for number, line in enumerate(lines) if line and not line.startswith("#")]
    assert all(number < commands[0] for number, line in enumerate(lines) if line.startswith("#SBATCH"))


STAND_INS = {
    # Starts nothing of Slurm's: the command behind srun's options runs here.
    "srun": 'echo "srun $*" >> "$LOG"; while [[ $1 == --* ]]; do shift; done; exec "$@"',
    "ray": 'echo "ray $1 $2 ${#RAY_AUTH_TOKEN} $RAY_AUTH_MODE" >> "$LOG"; [[ $1 == start ]] && exec sleep 600; exit 0',
    "scontrol": 'echo "scontrol $*" >> "$LOG"',
}


@pytest.fixture
def allocation(tmp_path: Path) -> dict[str, str]:
    """The environment of a Slurm job with stand-ins for the commands that it calls."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, text in STAND_INS.items():
        (commands / name).write_text(f"#!/bin/bash\n{text}\n")
        (commands / name).chmod(0o755)
    (commands / "activate").write_text("exit 9")  # not what a bare name means
    (commands / "python").symlink_to(sys.executable)
    (tmp_path / "activate").write_text(f'PATH="{commands}:$PATH"\n')
    return {
        "PATH": f"{commands}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "LOG": str(tmp_path / "log"),
        "SLURM_SUBMIT_DIR": str(tmp_path),
        "SLURM_JOB_ID": "4711",
        "SLURM_CPUS_PER_TASK": "4",
        "SLURM_JOB_NUM_NODES": "2",
    }


def test_the_job_has_the_token_and_its_exit_code_is_the_script_s(allocation: dict[str, str], tmp_path: Path) -> None:
    nodes_start = "until [[ $(grep -c '^ray start' log) == 2 ]]; do sleep 0.1; done"
    command = f'{nodes_start}; echo "job at $RAY_ADDRESS ${{#RAY_AUTH_TOKEN}}"; exit 7'
    script = _script("slurm.environment=activate", f"job.command={json.dumps(command)}")
    done = subprocess.run(["bash"], input=script, env=allocation, capture_output=True, text=True, timeout=60)
    log = (tmp_path / "log").read_text()
    assert "ray start --head 64 token" in log
    assert "ray start --block 64 token" in log  # the second node's
    assert "srun --nodes=1 --ntasks=1 --exclude=" in log
    assert ":24711 64" in done.stdout, done.stdout + done.stderr


def test_before_its_time_ends_it_is_queued_again(allocation: dict[str, str], tmp_path: Path) -> None:
    script = _script("slurm.environment=activate", "job.command=bash -c 'kill -USR1 $PPID; sleep 1; exit 5'")
    done = subprocess.run(["bash"], input=script, env=allocation, capture_output=True, text=True, timeout=60)
    assert "scontrol requeue 4711" in (tmp_path / "log").read_text()
    assert done.returncode == 5  # of the job, not of the signal
    assert "queued again" in done.stderr
