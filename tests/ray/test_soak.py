"""A slice of `python -m benchmarks.soak`: a few kills of one job, each kind of them once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.soak import KINDS, soak
from benchmarks.soak_jobs import soak_jobs
from tests.pipeline.llm.client.fault_server import FaultServer

pytestmark = [pytest.mark.ray, pytest.mark.slow]


@pytest.mark.timeout(900)
def test_whatever_is_killed_the_same_command_comes_to_the_same_bytes(tmp_path: Path) -> None:
    (job,) = soak_jobs(["generate"], tmp_path, 60, FaultServer())
    account = soak(job, tmp_path, kills=3, chance=random.Random(1))
    assert account.kills.total() == 3
    assert set(account.kills) <= set(KINDS)
    assert (account.lost, account.twice, account.different, account.failed) == (0, 0, 0, 0)
    assert account.files_left == 0
