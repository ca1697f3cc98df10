"""Methods measured and compared: the tables that `dlcodegen reproduce` and `dlcodegen score` have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from jobs.scoring.baseline_outputs import (
    COPY,
    HINDSIGHT,
    RANDOM,
    OutputsByMethod,
    baseline_name,
    chosen_outputs,
    hindsight_outputs,
    under_each_protocol,
)
from jobs.scoring.item_shards import Measurement, measure_items
from pipeline.comparison.code_rows import (
    BASELINES,
    CodeItem,
    CodeRow,
    MethodRow,
    code_items,
    code_rows,
    mean_over_seeds,
    method_rows,
)
from pipeline.comparison.comparisons import Comparison, comparisons
from pipeline.measures.codebleu.baselines import Solution
from pipeline.measures.output_measures import measure_all, unmeasured
from pipeline.measures.outputs import Measured, MethodName, Output

WORK = "work"
"""The folder of finished shards, inside the folder that the tables are written to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeTables:
    """`measured`: what the rows were made from. `seed_groups`: methods that were run several times, and their runs.
    `unusable`: what could not be read, in words."""

    methods: tuple[MethodRow, ...]
    rows: tuple[CodeRow, ...]
    items: tuple[CodeItem, ...]
    comparisons: tuple[Comparison, ...]
    measured: Mapping[MethodName, Sequence[Measured]]
    seed_groups: Mapping[MethodName, Sequence[MethodName]] = field(default_factory=dict)
    unusable: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Measuring:
    """How outputs are measured: the folder of the tables, and the locations of pool ("" for none) and plans that the
    contamination audit looks through."""

    folder: str
    pool: str = ""
    plans: tuple[str, ...] = ()
    quiet: bool = False

    def measured(self, label: str, outputs: Iterable[Output], total: int) -> list[Measured]:
        measurement = Measurement(
            label=label,
            work=partial(measure_all, pool=self.pool, plans=self.plans),
            failed=unmeasured,
            record=Measured,
            version="2",
        )
        return measure_items(measurement, outputs, total, f"{self.folder}/{WORK}", quiet=self.quiet)

    def all_measured(
        self, answers: Mapping[MethodName, Sequence[Output]], label: str
    ) -> dict[MethodName, list[Measured]]:
        """All methods as one stream of work, so that workers that are through with one go on with the next."""
        stream = (output for outputs in answers.values() for output in outputs)
        found = iter(self.measured(label, stream, sum(map(len, answers.values()))))
        return {name: [next(found) for _ in outputs] for name, outputs in answers.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Baselines:
    """The items that baselines answer, as tasks and as outputs, the pool they copy from, and the lengths they are cut
    to. `copies`: see `chosen_outputs`."""

    rows: Sequence[Solution]
    items: Sequence[Output]
    samples: Sequence[Solution]
    seeds: int = 5
    copies: Sequence[int] | None = None
    copy: str = COPY
    cut_to: Mapping[str, Sequence[str]] = field(default_factory=dict)


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
    together: OutputsByMethod = dict(chosen)
    for protocol, answers in hindsight.items():
        together |= {name._replace(model=protocol): outputs for name, outputs in answers.items()}
    found = measuring.all_measured(together, "baselines")
    measured = {name: found[name] for name in chosen}
    for method in HINDSIGHT:
        name = baseline_name(method)
        measured[name] = under_each_protocol({protocol: found[name._replace(model=protocol)] for protocol in hindsight})
    return measured


def code_tables(
    measured: Mapping[MethodName, Sequence[Measured]],
    against: Mapping[MethodName, Sequence[MethodName]],
    *,
    seed_groups: Mapping[MethodName, Sequence[MethodName]] | None = None,
    unusable: Sequence[str] = (),
) -> CodeTables:
    """The tables of what was measured. `against`: methods, and the ones each is compared with. `seed_groups`: methods
    that were run several times, with the names of their runs; they are compared as one, by the means over their runs."""
    draws = [name for name in measured if name.table == BASELINES and name.method.startswith(RANDOM)]
    groups = dict(seed_groups or {}) | ({baseline_name(RANDOM): draws} if draws else {})
    group_of = {run: name for name, runs in groups.items() for run in runs}
    rows = list(code_rows(measured))
    redrawn = {name for name in draws if not name.method.endswith(" 0")}
    compared: list[Comparison] = []
    for ours, rivals in against.items():
        ours = group_of.get(ours, ours)
        others = dict.fromkeys(group_of.get(name, name) for name in rivals)
        compared += comparisons(measured, ours, [name for name in others if name != ours], groups)
    return CodeTables(
        methods=tuple(row for row in method_rows(measured) if MethodName.of(row) not in redrawn),
        rows=tuple(_with_means(rows, groups)),
        items=tuple(code_items(measured)),
        comparisons=tuple(compared),
        measured=measured,
        seed_groups=groups,
        unusable=tuple(unusable),
    )


def _with_means(rows: Sequence[CodeRow], groups: Mapping[MethodName, Sequence[MethodName]]) -> list[CodeRow]:
    """Draws of the random baseline become one row; runs with several seeds keep theirs beside their mean."""
    found = list(rows)
    for name, runs in groups.items():
        for protocol, subset in dict.fromkeys((row.protocol, row.subset) for row in rows):
            group = [
                row for row in rows if (row.protocol, row.subset) == (protocol, subset) and MethodName.of(row) in runs
            ]
            if not group:
                continue
            if name.table == BASELINES:
                found = [row for row in found if row not in group]
            if len(group) > 1 or name.table == BASELINES:
                found.append(mean_over_seeds(name, group))
    return found
