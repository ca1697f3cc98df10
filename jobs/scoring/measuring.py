"""Outputs of methods and of baselines, measured on Ray: every metric of every output, in shards that are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice

from jobs.scoring.baseline_outputs import (
    COPY,
    HINDSIGHT,
    OutputsByMethod,
    baseline_name,
    chosen_outputs,
    hindsight_outputs,
    under_each_protocol,
)
from jobs.scoring.item_shards import Measurement, measure_items
from pipeline.measures.codebleu.baselines import Solution
from pipeline.measures.output_measures import measure_all, unmeasured
from pipeline.measures.outputs import Measured, MethodName, Output
from pipeline.time_limit import ROW_SECONDS

WORK = "work"
"""The folder of finished shards, inside the folder that the tables are written to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measuring:
    """How outputs are measured. Its methods need an initialised Ray."""

    folder: str
    """Where the tables are written to."""
    pool: str = ""
    """The location of the sample pool that the contamination audit looks through; "" for none."""
    plans: tuple[str, ...] = ()
    """The locations of the known plans that it looks through."""
    row_seconds: float = ROW_SECONDS
    """Processor time that an output may take."""
    quiet: bool = False

    def measured(self, label: str, outputs: Iterable[Output], total: int) -> list[Measured]:
        """Every output measured, in order. `label` is what the progress line calls them, `total` their number."""
        measurement = Measurement(
            label=label,
            work=partial(measure_all, pool=self.pool, plans=self.plans),
            failed=unmeasured,
            record=Measured,
            version="3",
            item_seconds=self.row_seconds,
        )
        return measure_items(measurement, outputs, total, f"{self.folder}/{WORK}", quiet=self.quiet)

    def all_measured(
        self, outputs_of: Mapping[MethodName, Sequence[Output]], label: str
    ) -> dict[MethodName, list[Measured]]:
        """All methods as one stream of work, so that workers that are through with one go on with the next."""
        stream = list(chain.from_iterable(outputs_of.values()))
        results = iter(self.measured(label, stream, len(stream)))
        # Results come in the stream's order, so that each method's are the next as many as it has outputs.
        return {name: list(islice(results, len(outputs))) for name, outputs in outputs_of.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Baselines:
    """What the baselines are asked, and what they may copy."""

    rows: Sequence[Solution]
    """The items as tasks with their references."""
    items: Sequence[Output]
    """The same items as outputs, whose code the baselines replace."""
    samples: Sequence[Solution]
    """The pool."""
    seeds: int = 5
    """Draws of the random baseline."""
    copies: Sequence[int] | None = None
    """The sample that each item's method would copy; by default the one at the item's own position."""
    copy: str = COPY
    """What that baseline is called."""
    cut_to: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By the name of a method its texts, to whose lengths the copies are cut as well."""


def measured_baselines(baselines: Baselines, measuring: Measuring) -> dict[MethodName, list[Measured]]:
    """Every baseline's answers, measured. Needs an initialised Ray."""
    chosen = chosen_outputs(
        baselines.rows,
        baselines.items,
        baselines.samples,
        seeds=baselines.seeds,
        copies=baselines.copies,
        copy=baselines.copy,
        cut_to=baselines.cut_to,
    )
    work = f"{measuring.folder}/{WORK}"
    hindsight = hindsight_outputs(baselines.rows, baselines.items, baselines.samples, work, quiet=measuring.quiet)
    # What is best in hindsight differs by protocol. Until all is measured, the protocol stands in the model's place.
    outputs_of: OutputsByMethod = dict(chosen)
    for protocol, of_protocol in hindsight.items():
        for name, outputs in of_protocol.items():
            outputs_of[name._replace(model=protocol)] = outputs
    results = measuring.all_measured(outputs_of, "baselines")
    measured = {name: results[name] for name in chosen}
    for method in HINDSIGHT:
        name = baseline_name(method)
        by_protocol = {protocol: results[name._replace(model=protocol)] for protocol in hindsight}
        measured[name] = under_each_protocol(by_protocol)
    return measured
