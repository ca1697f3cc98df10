"""What takes too long is interrupted; what C code does not give back ends its process; waiting counts nothing."""

from __future__ import annotations

import asyncio
import re
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Thread

import pytest

from pipeline.errors import StageFailure
from pipeline.records import Requirement
from pipeline.sandbox.child_process import in_child
from pipeline.stage import Fields, Stage, run_local
from pipeline.time_limit import fatal_limit, limited, time_limit

SHORT = 0.05


def spin() -> None:
    while True:
        pass


def spin_and_swallow() -> None:
    """Goes on after each error that it could have caught."""
    while True:
        try:
            spin()
        except Exception:
            continue


def match_for_ever() -> None:
    re.match(r"(a+)+$", "a" * 60 + "b")


def stay_in_c() -> None:
    """Some seconds in one instruction, to which no signal gets through."""
    sum(range(10**12))


@pytest.mark.parametrize("work", [spin, spin_and_swallow, match_for_ever])
def test_work_that_takes_too_long_is_interrupted(work: Callable[[], None]) -> None:
    with (
        pytest.raises(StageFailure, match=r"took more than 0\.05 s .* raise row_seconds") as failure,
        time_limit(SHORT),
    ):
        work()
    assert failure.value.kind == "timeout"


def test_work_within_its_time_is_left_alone_and_so_is_what_follows() -> None:
    with time_limit(SHORT):
        pass
    end = time.thread_time() + 3 * SHORT
    while time.thread_time() < end:
        pass


def test_waiting_counts_nothing() -> None:
    with time_limit(SHORT):
        time.sleep(3 * SHORT)


def test_other_threads_count_nothing() -> None:
    stopped: list[bool] = []
    busy = Thread(target=lambda: all(not stopped for _ in iter(int, 1)))
    busy.start()
    with time_limit(SHORT):
        time.sleep(3 * SHORT)
    stopped.append(True)
    busy.join()


def test_inside_another_limit_the_outer_one_holds() -> None:
    with pytest.raises(StageFailure, match=r"0\.05 s"), time_limit(SHORT), time_limit(60):
        spin()


def test_of_rows_that_wait_each_stretch_is_limited() -> None:
    async def patient() -> str:
        for _ in range(6):
            end = time.thread_time() + SHORT / 2
            while time.thread_time() < end:
                pass
            await asyncio.sleep(0.01)
        return "done"

    async def stuck() -> str:
        await asyncio.sleep(0.01)
        spin()
        return "never"

    async def both() -> list[str | BaseException]:
        return await asyncio.gather(limited(patient(), SHORT), limited(stuck(), SHORT), return_exceptions=True)

    patient_result, stuck_result = asyncio.run(both())
    assert patient_result == "done"
    assert isinstance(stuck_result, StageFailure)


def test_what_is_thrown_into_work_that_waits_reaches_it() -> None:
    async def careful() -> str:
        try:
            await asyncio.sleep(60)
        except TimeoutError:
            return "told"
        return "slept"

    async def cancelled() -> str:
        try:
            async with asyncio.timeout(0.01):
                return await limited(careful(), SHORT)
        except TimeoutError:
            return "cancelled"

    assert asyncio.run(cancelled()) == "cancelled"


def test_a_process_whose_c_code_does_not_return_ends() -> None:
    def work() -> None:
        with fatal_limit(0.1), time_limit(0.1):
            stay_in_c()

    with pytest.raises(StageFailure, match="had its processor time") as failure:
        in_child(work, seconds=60)
    assert failure.value.kind == "timeout"


def test_a_command_s_own_process_is_never_ended() -> None:
    before = resource.getrlimit(resource.RLIMIT_CPU)
    with fatal_limit(0.1):
        assert resource.getrlimit(resource.RLIMIT_CPU) == before


def test_the_limit_of_a_process_is_given_back_and_never_raised() -> None:
    def limits() -> tuple[int, int]:
        resource.setrlimit(resource.RLIMIT_CPU, (50, 60))
        with fatal_limit(1000):
            inside = resource.getrlimit(resource.RLIMIT_CPU)
        assert resource.getrlimit(resource.RLIMIT_CPU) == (50, 60)
        return inside

    assert in_child(limits, seconds=60) == (50, 60)


def test_a_stuck_row_of_a_stage_fails_and_the_others_go_on(requirement: Requirement) -> None:
    def step(record: Requirement) -> Fields:
        if record.id == "stuck":
            spin()
        return {"attributes": "seen"}

    async def waiting_step(record: Requirement) -> Fields:
        await asyncio.sleep(0.01)
        return step(record)

    rows = [replace(requirement, id=id) for id in ("before", "stuck", "after")]
    for built, waits in ((step, False), (waiting_step, True)):
        stage = Stage(
            name="see",
            accepts=Requirement,
            returns=Requirement,
            build=lambda built=built: built,  # type: ignore[misc]
            waits=waits,
            row_seconds=SHORT,
        )
        before, stuck, after = run_local([stage], rows)
        assert before.attributes == after.attributes == "seen"
        assert stuck.failure is not None
        assert (stuck.failure.stage, stuck.failure.kind) == ("see", "timeout")


def test_the_signal_is_harmless_when_nothing_is_limited() -> None:
    with time_limit(SHORT):
        pass
    signal.raise_signal(signal.SIGPROF)
