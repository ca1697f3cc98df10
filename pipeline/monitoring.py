"""The one table of what batch jobs and the service tell their operator in numbers, and what is drawn and warned of.

Ray exports each metric with `ray_` before its name, counters with `_total` behind it, to whatever scrapes its nodes
(Prometheus). Jobs and service make their instruments from the rows here; `dlcodegen deploy render monitoring` makes the
Grafana board and the rules from the same rows, so no board asks for what nobody tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Upper bounds of a histogram's buckets, in seconds."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that is told."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    description: str
    tags: tuple[str, ...] = ()
    """None is called `job` or `instance`: Prometheus has labels of its own with these names."""

    @property
    def series(self) -> str:
        """Its name where it is scraped; a histogram's without `_bucket`, `_sum` or `_count`."""
        return f"ray_{self.name}_total" if self.kind == "counter" else f"ray_{self.name}"


JOB_ROWS = Metric("dlcodegen_job_rows", "gauge", "Rows of a batch job: total, done, failed.", ("batch_job", "state"))
ROWS = Metric("dlcodegen_rows", "counter", "Rows that a batch job's workers have ended, by how.", ("status",))
PROJECTS = Metric("dlcodegen_projects", "counter", "Projects of the service that have ended, by how.", ("status",))
UNDER_WAY = Metric("dlcodegen_projects_under_way", "gauge", "Projects of the service under way, waiting ones included.")
FIRST_EVENT = Metric("dlcodegen_first_event_seconds", "histogram", "Seconds until a project's first event.")
STAGE_SECONDS = Metric("dlcodegen_stage_seconds", "histogram", "Seconds of a row in a stage.", ("stage",))
REJECTED = Metric("dlcodegen_rejected", "counter", "Requests answered 429 or 503, by why.", ("code",))
COMPLETIONS = Metric("dlcodegen_completions", "counter", "Replies of the code model that the service has passed on.")
TOKENS = Metric("dlcodegen_tokens", "counter", "Tokens of language models, by side.", ("side",))
COST = Metric("dlcodegen_cost", "counter", "What calls of language models came to, in the unit of their prices.")

METRICS = (
    JOB_ROWS,
    ROWS,
    PROJECTS,
    UNDER_WAY,
    FIRST_EVENT,
    STAGE_SECONDS,
    REJECTED,
    COMPLETIONS,
    TOKENS,
    COST,
)


@dataclass(frozen=True, slots=True)
class Panel:
    """A drawing of the board."""

    title: str
    expression: str
    """PromQL. `$__rate_interval` is Grafana's."""

    legend: str
    unit: str = "short"
    """Grafana's name of the unit."""


def _rows(state: str) -> str:
    """A job's rows in a state; of several runs of it, those of the larger one."""
    return f'max by (batch_job) ({JOB_ROWS.series}{{state="{state}"}})'


def _rate(metric: Metric, by: str) -> str:
    return f"sum by ({by}) (rate({metric.series}[$__rate_interval]))"


def _quantile(share: float, metric: Metric, by: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric.series}_bucket[$__rate_interval])))"


BOARD: dict[str, tuple[Panel, ...]] = {
    "Batch jobs": (
        Panel("Rows done", _rows("done"), "{{batch_job}}"),
        Panel(
            "Share done",
            f"{_rows('done')} / ({_rows('total')} > 0)",
            "{{batch_job}}",
            "percentunit",
        ),
        Panel("Rows failed", _rows("failed"), "{{batch_job}}"),
        Panel("Rows a second, by how they ended", _rate(ROWS, "status"), "{{status}}", "ops"),
    ),
    "Service": (
        Panel("Projects a second, by how they ended", _rate(PROJECTS, "status"), "{{status}}", "ops"),
        Panel("Projects under way", f"sum ({UNDER_WAY.series})", "under way"),
        Panel("Seconds to the first event, 95 %", _quantile(0.95, FIRST_EVENT), "95 %", "s"),
        Panel("Rejected requests a second", _rate(REJECTED, "code"), "{{code}}", "ops"),
        Panel(
            "Replies of the code model a second", f"sum (rate({COMPLETIONS.series}[$__rate_interval]))", "all", "ops"
        ),
    ),
    "Both": (
        Panel("Seconds in a stage, half of the rows", _quantile(0.5, STAGE_SECONDS, "stage"), "{{stage}}", "s"),
        Panel("Seconds in a stage, 95 %", _quantile(0.95, STAGE_SECONDS, "stage"), "{{stage}}", "s"),
        Panel("Tokens a second", _rate(TOKENS, "side"), "{{side}}", "ops"),
        Panel("Cost of calls", f"sum ({COST.series})", "so far"),
    ),
}
"""The board's rows of panels."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What somebody is told of."""

    name: str
    expression: str
    minutes: int
    """How long it has to be so."""

    severity: Literal["warning", "critical"]
    summary: str


ALERTS = (
    Alert(
        "DLCodeGenJobStandsStill",
        f'max by (batch_job) (changes({JOB_ROWS.series}{{state="done"}}[15m])) == 0 and '
        f"{_rows('done')} < {_rows('total')}",
        15,
        "warning",
        "No row of {{ $labels.batch_job }} has ended for a quarter of an hour.",
    ),
    Alert(
        "DLCodeGenRowsFail",
        f'sum (rate({ROWS.series}{{status!="done"}}[10m])) / sum (rate({ROWS.series}[10m])) > 0.2',
        10,
        "warning",
        "More than a fifth of the rows fail.",
    ),
    Alert(
        "DLCodeGenProjectsFail",
        f'sum (rate({PROJECTS.series}{{status="failed"}}[10m])) / sum (rate({PROJECTS.series}[10m])) > 0.2',
        10,
        "warning",
        "More than a fifth of the service's projects fail.",
    ),
    Alert(
        "DLCodeGenServiceIsFull",
        f'sum (rate({REJECTED.series}{{code="overloaded"}}[5m])) > 0',
        5,
        "critical",
        "The service turns requests away: it has too much to do.",
    ),
)
"""Read where `for` is counted in minutes; labels and annotations as Prometheus has them."""
