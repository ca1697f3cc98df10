"""The ladder over many projects: how many reach each rung, of how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.execution.ladder import RUNGS
from pipeline.execution.running.rows import ExecutedProject


@dataclass(frozen=True, kw_only=True, slots=True)
class RungShare:
    """A rung over projects."""

    rung: str
    reached: int

    of: int
    """Projects of which it can be told: without defects of the machinery, and those it is not measurable of."""

    not_measurable: int


@dataclass(slots=True)
class Funnel:
    """Counts over executed projects, one after another."""

    projects: int = 0
    infra: int = 0
    """Projects that the machinery failed; in no share."""
    repeated: int = 0
    """Projects that were run twice, since the machinery failed the first time."""
    exceptions: Counter[str] = field(default_factory=Counter)
    """What projects ended of, by kind; "limit: cpu_seconds" for one that a limit ended."""
    environments: Counter[str] = field(default_factory=Counter)
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    """Of all projects, added up."""
    flaky: int = 0
    """Projects of which a further run came to another rung."""
    warm: int = 0
    """Projects that were forked from a warm process."""
    first_infra: str = ""
    _outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, executed: ExecutedProject) -> None:
        self.projects += 1
        self.environments[executed.environment] += 1
        self.repeated += executed.attempts > 1
        self.flaky += executed.flaky
        if executed.measured is not None:
            self.seconds += executed.measured.seconds
            self.cpu_seconds += executed.measured.cpu_seconds
            self.warm += executed.measured.start == "warm"
        if executed.infra:
            self.infra += 1
            self.first_infra = self.first_infra or executed.infra
            return
        for rung in executed.rungs:
            self._outcomes[rung.rung, rung.outcome] += 1
        if executed.first_exception is not None:
            self.exceptions[executed.first_exception.kind] += 1
        elif executed.stopped and not executed.budget_spent:
            self.exceptions[f"limit: {executed.stopped}"] += 1

    def shares(self) -> list[RungShare]:
        """From the bottom rung up."""
        shares = []
        for rung in RUNGS:
            not_measurable = self._outcomes[rung.value, "not_measurable"]
            shares.append(
                RungShare(
                    rung=rung.value,
                    reached=self._outcomes[rung.value, "reached"],
                    of=self.projects - self.infra - not_measurable,
                    not_measurable=not_measurable,
                )
            )
        return shares

    def manifest(self) -> Mapping[str, object]:
        """As a manifest has it."""
        return {
            "projects": self.projects,
            "infra": self.infra,
            "run_twice": self.repeated,
            "flaky": self.flaky,
            "rungs": {share.rung: {"reached": share.reached, "of": share.of} for share in self.shares()},
            "ended_of": dict(self.exceptions.most_common()),
            "projects_by_environment": dict(sorted(self.environments.items())),
            "warm": self.warm,
            "project_seconds": round(self.seconds, 1),
            "project_cpu_seconds": round(self.cpu_seconds, 1),
        }


def funnel_of(executed: Iterable[ExecutedProject]) -> Funnel:
    """The counts over all of them."""
    funnel = Funnel()
    for project in executed:
        funnel.add(project)
    return funnel
