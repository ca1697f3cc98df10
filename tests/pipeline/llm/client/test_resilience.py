"""Rates, pauses and the circuit breaker, by a clock of the test's own."""

from __future__ import annotations

import asyncio
import statistics
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipeline.errors import StageFailure
from pipeline.llm.client.backoff import pause, retry_after
from pipeline.llm.client.breaker import CircuitBreaker
from pipeline.llm.client.rates import Rate
from pipeline.llm.client.slots import Slots
from tests.waiting import scaled


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def send_all(rate: Rate, clock: Clock, units: list[float]) -> list[float]:
    """The seconds at which requests that came all at once may go."""
    return [clock.now + rate.reserve(unit) - 1000.0 for unit in units]


@pytest.mark.parametrize(("per_minute", "unit"), [(60, 1.0), (600, 1.0), (7, 1.0), (1000, 30.0)])
def test_no_minute_sees_more_than_the_rate_and_most_of_it_is_used(per_minute: int, unit: float) -> None:
    clock = Clock()
    times = send_all(Rate(per_minute, clock=clock), clock, [unit] * 3000)
    for first in range(0, 2000, 7):
        within = sum(unit for moment in times[first:] if moment < times[first] + 60)
        assert within <= per_minute + unit
    assert 3000 * unit / times[-1] * 60 > 0.85 * per_minute


def test_who_came_first_goes_first() -> None:
    clock = Clock()
    times = send_all(Rate(30, clock=clock), clock, [1, 5, 1, 1])
    assert times == sorted(times)


def test_without_a_rate_nothing_waits() -> None:
    assert Rate(None).reserve(1e9) == 0


def test_tokens_that_were_not_used_come_back() -> None:
    clock = Clock()
    rate = Rate(600, clock=clock)
    rate.reserve(600)
    rate.give_back(600)
    assert rate.reserve(60) == 0


def test_a_request_larger_than_the_rate_still_goes() -> None:
    clock = Clock()
    rate = Rate(100, clock=clock)
    assert rate.reserve(500) < 60
    assert rate.reserve(1) > 200, "those behind it wait until it is paid for"


def test_pauses_grow_and_spread() -> None:
    means = [statistics.mean(pause(attempt) for _ in range(500)) for attempt in (1, 3, 5)]
    assert means[0] < means[1] < means[2]
    assert min(pause(5) for _ in range(500)) < 1, "full jitter reaches down to nothing"
    assert max(pause(50) for _ in range(500)) <= 30


def test_what_the_server_asks_for_is_kept() -> None:
    assert all(4 <= pause(1, 4) <= 6 for _ in range(100))
    assert pause(1, 1e9) < 400, "but not for ever"


def test_retry_after_is_a_number_or_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    found = retry_after(date)
    assert retry_after("2.5") == 2.5
    assert found is not None
    assert 18 < found <= 20
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after("soon") is retry_after(None) is None


def test_a_breaker_opens_probes_with_one_call_and_closes() -> None:
    clock = Clock()
    breaker = CircuitBreaker("server", failures=3, patience=100, clock=clock)

    async def admitted(calls: int) -> list[bool]:
        """Whether each call that gets in within a moment is a probe."""
        tasks = [asyncio.create_task(breaker.enter()) for _ in range(calls)]
        done, waiting = await asyncio.wait(tasks, timeout=0.05)
        for task in waiting:
            task.cancel()
        return [task.result() for task in done]

    for _ in range(3):
        assert not breaker.is_open
        breaker.failed("500")
    assert breaker.is_open
    assert asyncio.run(admitted(5)) == []
    clock.now += 1.1
    assert asyncio.run(admitted(5)) == [True], "one probe, however many wait"
    breaker.failed("500", probe=True)
    clock.now += 1.1
    assert asyncio.run(admitted(5)) == [], "a failed probe lengthens the pause"
    clock.now += 1.0
    assert asyncio.run(admitted(5)) == [True]
    breaker.succeeded()
    assert asyncio.run(admitted(5)) == [False] * 5


def test_one_call_that_fails_again_and_again_turns_no_other_away() -> None:
    breaker = CircuitBreaker("server", failures=3, patience=100, clock=Clock())
    for number in range(20):
        breaker.failed("500", again=number > 0)
    assert not breaker.is_open
    breaker.failed("500")
    breaker.failed("500")
    assert breaker.is_open


def test_an_outage_costs_its_patience_once() -> None:
    clock = Clock()
    breaker = CircuitBreaker("server", failures=1, patience=10, clock=clock)
    breaker.failed("connection refused")
    clock.now += 11
    assert asyncio.run(breaker.enter()), "a probe always goes through when it is due"
    start = time.monotonic()
    for _ in range(50):
        with pytest.raises(StageFailure, match="server is down: connection refused"):
            asyncio.run(breaker.enter())
    assert time.monotonic() - start < scaled(5)


def test_a_success_in_between_keeps_a_breaker_closed() -> None:
    breaker = CircuitBreaker("server", failures=2, patience=10)
    for _ in range(10):
        breaker.failed("500")
        breaker.succeeded()
    assert not breaker.is_open


def test_who_comes_back_goes_before_who_comes_anew() -> None:
    slots, order = Slots(1), []

    async def call(name: str, *, back: bool) -> None:
        async with slots.taken(back=back):
            order.append(name)
            await asyncio.sleep(0)

    async def run() -> None:
        calls = [call("first", back=False), call("new", back=False), call("back", back=True), call("newer", back=False)]
        tasks = [asyncio.create_task(item) for item in calls]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await call("last", back=False)

    asyncio.run(run())
    assert order == ["first", "back", "newer", "last"], "and a cancelled one takes no place with it"
