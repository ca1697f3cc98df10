"""A run whose rows are at hand, for tests that need no folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.scoring.run_outputs import Run
from pipeline.records import Scored


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedRun(Run):
    """As `Run`, but `records` gives `listed`."""

    listed: tuple[Scored, ...]

    def records(self) -> Iterator[Scored]:
        return iter(self.listed)
