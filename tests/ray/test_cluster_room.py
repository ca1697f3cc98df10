"""A job that finds no room on its cluster says so, and goes on when there is some."""

from __future__ import annotations

import threading

import pytest
import ray
from ray.util.placement_group import placement_group, remove_placement_group

from jobs.cluster import waiting
from jobs.cluster.dataflow import run_step
from jobs.cluster.waiting import wait_for_resources
from pipeline.errors import DLCodeGenError

pytestmark = pytest.mark.ray


def test_a_job_that_waits_says_for_what_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "_SECONDS_BEFORE_A_WORD", 0.2)
    monkeypatch.setattr(waiting, "_SECONDS_BETWEEN_WORDS", 0.2)
    cpus = ray.cluster_resources()["CPU"]
    other_job = placement_group([{"CPU": 1}] * int(cpus))
    assert other_job.wait(30)
    ended = threading.Timer(1, remove_placement_group, [other_job])
    ended.start()
    wait_for_resources([{"CPU": 1}, {"CPU": 0.5}], elastic=True)
    ended.join()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"waiting for 1.5 CPUs, the cluster has {cpus:g} (0 free)")
    monkeypatch.undo()
    wait_for_resources([{"CPU": 1}], elastic=True)  # there is room, so not a word
    assert capsys.readouterr().err == ""


def test_a_machine_that_is_too_small_for_all_time_is_an_error() -> None:
    with pytest.raises(DLCodeGenError, match=r"5 workers want 5000 CPUs, this machine has \d+; ask for fewer"):
        wait_for_resources([{"CPU": 1000}] * 5, elastic=False)


def test_a_job_leaves_the_caller_s_ray_data_as_it_was() -> None:
    context = ray.data.DataContext.get_current()
    before = (context.target_max_block_size, context.enable_progress_bars, context.print_on_execution_start)
    assert [done.rows for done in run_step(lambda: lambda shard: 7, [0], workers=1)] == [7]
    now = ray.data.DataContext.get_current()
    assert now is context
    assert (now.target_max_block_size, now.enable_progress_bars, now.print_on_execution_start) == before
