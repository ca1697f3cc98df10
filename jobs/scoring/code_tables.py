"""Methods measured and compared: the tables that `dlcodegen reproduce` and `dlcodegen score` have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jobs.scoring.baseline_outputs import RANDOM, baseline_name
from pipeline.comparison.code_rows import BASELINES, CodeItem, CodeRow, code_items, code_rows, mean_over_seeds
from pipeline.comparison.comparisons import Comparison, comparisons
from pipeline.comparison.execution_rows import ExecutionRow
from pipeline.comparison.method_rows import MethodRow, method_rows
from pipeline.measures.outputs import Measured, MethodName

SeedGroups = Mapping[MethodName, Sequence[MethodName]]
"""Methods that were run several times, and the names of their runs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeTables:
    """The tables about generated code, and what they were made from."""

    methods: tuple[MethodRow, ...]
    rows: tuple[CodeRow, ...]
    items: tuple[CodeItem, ...]
    comparisons: tuple[Comparison, ...]
    measured: Mapping[MethodName, Sequence[Measured]]
    seed_groups: SeedGroups = field(default_factory=dict)
    """Those with their mean in `rows`, the draws of the random baseline among them."""
    unusable: tuple[str, ...] = ()
    """What could not be read, in words."""
    executions: tuple[ExecutionRow, ...] = ()
    """How far the projects of the runs came that were made with `execute=on`."""


def code_tables(
    measured: Mapping[MethodName, Sequence[Measured]],
    against: Mapping[MethodName, Sequence[MethodName]],
    *,
    seed_groups: SeedGroups | None = None,
    unusable: Sequence[str] = (),
) -> CodeTables:
    """The tables of what was measured.

    `against`: methods, and the ones that are compared with each. The methods in `seed_groups` are compared as
    one, by the means over their runs.
    """
    groups = dict(seed_groups or {})
    draws = [name for name in measured if name.table == BASELINES and name.method.startswith(RANDOM)]
    if draws:
        groups[baseline_name(RANDOM)] = draws
    group_of: dict[MethodName, MethodName] = {}
    for name, runs in groups.items():
        group_of |= dict.fromkeys(runs, name)
    compared: list[Comparison] = []
    for run, rivals in against.items():
        ours = group_of.get(run, run)
        others: list[MethodName] = []
        for rival in rivals:
            other = group_of.get(rival, rival)
            if other != ours and other not in others:
                others.append(other)
        compared += comparisons(measured, ours, others, groups)
    # All draws answer the same items, so that one row of counts says it for all of them.
    redrawn = {name for name in draws if not name.method.endswith(" 0")}
    methods = [row for row in method_rows(measured) if MethodName.of(row) not in redrawn]
    return CodeTables(
        methods=tuple(methods),
        rows=tuple(_with_means(list(code_rows(measured)), groups)),
        items=tuple(code_items(measured)),
        comparisons=tuple(compared),
        measured=measured,
        seed_groups=groups,
        unusable=tuple(unusable),
    )


def _with_means(rows: Sequence[CodeRow], groups: SeedGroups) -> list[CodeRow]:
    """Draws of the random baseline become one row; runs with several seeds keep theirs beside their mean."""
    with_means = list(rows)
    cells: dict[tuple[str, str], list[CodeRow]] = {}
    for row in rows:
        cells.setdefault((row.protocol, row.subset), []).append(row)
    for name, runs in groups.items():
        for of_cell in cells.values():
            of_runs = [row for row in of_cell if MethodName.of(row) in runs]
            if not of_runs:
                continue
            if name.table == BASELINES:
                with_means = [row for row in with_means if row not in of_runs]
            if len(of_runs) > 1 or name.table == BASELINES:
                with_means.append(mean_over_seeds(name, of_runs))
    return with_means
