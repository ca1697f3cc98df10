"""Items that come in quick succession are told together, whole and in order, however they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from serving.together import together
from tests.serving.service import run


class Source:
    """Says numbers: so many at once, then waits."""

    def __init__(self, bursts: list[int], pause: float, *, broken: bool = False) -> None:
        self._bursts, self._pause, self._broken = bursts, pause, broken
        self.closed = False

    async def items(self) -> AsyncGenerator[int, None]:
        number = 0
        try:
            for burst in self._bursts:
                for _ in range(burst):
                    yield number
                    number += 1
                await asyncio.sleep(self._pause)
            if self._broken:
                raise ValueError("the source broke")
        finally:
            self.closed = True


def test_bursts_become_lists_in_order() -> None:
    async def work() -> None:
        source = Source([3, 2, 4], 0.2)
        lists = [several async for several in together(source.items(), 0.02)]
        assert lists == [[0, 1, 2], [3, 4], [5, 6, 7, 8]]
        assert source.closed

    run(work)


def test_what_comes_within_the_seconds_is_one_list() -> None:
    async def work() -> None:
        source = Source([1] * 20, 0.001)
        lists = [several async for several in together(source.items(), 5)]
        assert lists[0] == [0]
        assert lists[1:] == [list(range(1, 20))]  # the end comes before the seconds are over

    run(work)


def test_an_error_comes_behind_the_items_before_it() -> None:
    async def work() -> None:
        lists = together(Source([2], 0.01, broken=True).items())
        assert await anext(lists) == [0, 1]
        with pytest.raises(ValueError, match="the source broke"):
            await anext(lists)

    run(work)


def test_who_stops_asking_closes_the_items() -> None:
    async def work() -> None:
        source = Source([1, 1], 60)
        lists = together(source.items())
        assert await anext(lists) == [0]
        await lists.aclose()
        assert source.closed

    run(work)


def test_quiet_is_told() -> None:
    async def work() -> None:
        source = Source([1, 1], 0.5)
        lists = [several async for several in together(source.items(), quiet_seconds=0.05)]
        assert [several for several in lists if several] == [[0], [1]]
        assert [] in lists

    run(work)
