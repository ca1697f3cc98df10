"""What the service tells its operator in numbers, by Ray's metrics exporter (Prometheus reads them there)."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.monitoring import COMPLETIONS, FIRST_EVENT, PROJECTS, REJECTED, STAGE_SECONDS, UNDER_WAY
from serving.instruments import Spent, counter, gauge, histogram
from serving.store.quotas import Used


class Metrics:
    """Tells nobody: what the service counts by where no Ray runs."""

    def finished(self, status: str, seconds: Mapping[str, float], used: Used) -> None:
        """A project has ended so, after so many seconds in each stage."""

    def began(self, seconds: float) -> None:
        """A project has had its first stage so many seconds after it began."""

    def under_way(self, projects: int) -> None:
        """So many projects are under way."""

    def rejected(self, code: str) -> None:
        """A request was answered 429 or 503, for this reason."""

    def completed(self, used: Used) -> None:
        """The code model has answered, or its client has gone."""


class RayMetrics(Metrics):
    """Tells Ray. Made where Ray runs, as its actors are."""

    def __init__(self) -> None:
        self._projects, self._stages, self._first = counter(PROJECTS), histogram(STAGE_SECONDS), histogram(FIRST_EVENT)
        self._under_way, self._rejected = gauge(UNDER_WAY), counter(REJECTED)
        self._completions, self._spent = counter(COMPLETIONS), Spent()

    def finished(self, status: str, seconds: Mapping[str, float], used: Used) -> None:
        self._projects.inc(tags={"status": status})
        for stage, took in seconds.items():
            self._stages.observe(took, tags={"stage": stage})
        self._spent.add(used.prompt_tokens, used.completion_tokens)

    def began(self, seconds: float) -> None:
        self._first.observe(seconds)

    def under_way(self, projects: int) -> None:
        self._under_way.set(projects)

    def rejected(self, code: str) -> None:
        self._rejected.inc(tags={"code": code})

    def completed(self, used: Used) -> None:
        self._completions.inc()
        self._spent.add(used.prompt_tokens, used.completion_tokens)
