"""What the service tells its operator in numbers, by Ray's metrics exporter (Prometheus reads them there)."""

from __future__ import annotations

from collections.abc import Mapping

from ray.util.metrics import Counter, Gauge, Histogram

from serving.store.quotas import Used

_SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300]


class Metrics:
    """Tells nobody: what the service counts by where no Ray runs."""

    def finished(self, status: str, seconds: Mapping[str, float], used: Used) -> None:
        """A project has ended so, after so many seconds in each stage."""

    def under_way(self, projects: int) -> None:
        """So many projects are under way."""

    def rejected(self, code: str) -> None:
        """A request was answered 429 or 503, for this reason."""

    def completed(self, used: Used) -> None:
        """The code model has answered, or its client has gone."""


class RayMetrics(Metrics):
    """Tells Ray. Made where Ray runs, as its actors are."""

    def __init__(self) -> None:
        self._projects = Counter("dlcodegen_projects", "Projects that have ended, by how.", tag_keys=("status",))
        self._stages = Histogram(
            "dlcodegen_stage_seconds", "Seconds of a project in a stage.", boundaries=_SECONDS, tag_keys=("stage",)
        )
        self._under_way = Gauge("dlcodegen_projects_under_way", "Projects under way, waiting ones included.")
        self._rejected = Counter("dlcodegen_rejected", "Requests answered 429 or 503, by why.", tag_keys=("code",))
        self._completions = Counter("dlcodegen_completions", "Replies of the code model.")
        self._tokens = Counter("dlcodegen_tokens", "Tokens of language models, by side.", tag_keys=("side",))

    def finished(self, status: str, seconds: Mapping[str, float], used: Used) -> None:
        self._projects.inc(tags={"status": status})
        for stage, took in seconds.items():
            self._stages.observe(took, tags={"stage": stage})
        self._count(used)

    def under_way(self, projects: int) -> None:
        self._under_way.set(projects)

    def rejected(self, code: str) -> None:
        self._rejected.inc(tags={"code": code})

    def completed(self, used: Used) -> None:
        self._completions.inc()
        self._count(used)

    def _count(self, used: Used) -> None:
        for side, tokens in (("prompt", used.prompt_tokens), ("completion", used.completion_tokens)):
            if tokens:  # a counter takes no zero
                self._tokens.inc(tokens, tags={"side": side})
