"""Measured outputs as rows of a table: one a method, with what came and what its code says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from pipeline.comparison.code_rows import MeasuredMethods, is_clean, pair_of, subsets
from pipeline.measures.delivery.check import Satisfaction
from pipeline.measures.outputs import Measured, MethodName


@dataclass(frozen=True, kw_only=True, slots=True)
class MethodRow:
    """What a method answered to a subset of the items, and what its code says.
    Counts of items, but the means."""

    table: str
    model: str
    method: str
    subset: str
    asked: int
    generated: int
    """Gave code."""
    parsed: int
    """Gave code that is Python."""
    scored: int
    """Were compared with a reference."""
    method_failures: int
    """Gave no code, and that was the method's doing."""
    machinery_failures: int
    """Could not be run or measured."""
    undefined_names: int
    """Projects that parse and use a name that nothing defines; the next two are also over these."""
    invalid_calls: int
    unknown_imports: int
    constraints: int
    """Things that were asked for and that reading the code can decide; of a failure of the method, and of what does
    not parse, all of them. Like the next five, without items where the machinery failed."""
    constraints_met: int
    csr: float | None
    """The second over the first, in [0, 1]."""
    rows_asked: int
    """Items with such a constraint."""
    rows_satisfied: int
    """Items with all of them met."""
    ssr: float | None
    """The second over the first, in [0, 1]."""
    conformance: float | None
    """Mean share, in [0, 1], of the plan's statements that are kept: over all items with a plan but
    those where the machinery failed. What does not parse keeps none of them."""
    lines: float | None
    copy_checked: int
    """Were shown a sample, and gave code."""
    duplicates: int
    """Of `copy_checked`, those whose code is a duplicate of such a sample."""
    lines_in_common: float | None
    """Mean share of a candidate's lines that stand in one such sample."""
    contaminated: int


def method_rows(measured: MeasuredMethods) -> Iterator[MethodRow]:
    """A row for each method and subset."""
    for name, all_items in measured.items():
        for subset, items in subsets(all_items):
            yield _method_row(name, subset, items)


def _method_row(name: MethodName, subset: str, items: Sequence[Measured]) -> MethodRow:
    counts: Counter[str] = Counter()
    conformances: list[float | None] = []
    lines: list[float | None] = []
    lines_in_common: list[float | None] = []
    asked = Satisfaction()
    for item in items:
        if not item.machinery_failed:
            asked += item.asked
        counts["generated"] += item.generated
        counts["scored"] += pair_of("raw", item) is not None
        counts["method_failures"] += item.failure is not None and not item.machinery_failed
        counts["machinery_failures"] += item.machinery_failed
        counts["unknown_imports"] += bool(item.unknown_imports)
        counts["contaminated"] += not is_clean(item)
        scores = item.scores
        if scores is not None and item.generated:
            counts["parsed"] += scores.parses
            counts["undefined_names"] += bool(scores.undefined_names)
            counts["invalid_calls"] += bool(scores.invalid_calls)
            lines.append(scores.lines)
        # A failure of the method keeps none of its plan; one of the machinery says nothing of it.
        if scores is not None and not item.machinery_failed:
            conformances.append(scores.conformance)
        if item.copying is not None:
            counts["copy_checked"] += 1
            counts["duplicates"] += item.copying.duplicate
            lines_in_common.append(item.copying.lines_in_common)
    return MethodRow(
        **name._asdict(),
        subset=subset,
        asked=len(items),
        generated=counts["generated"],
        parsed=counts["parsed"],
        scored=counts["scored"],
        method_failures=counts["method_failures"],
        machinery_failures=counts["machinery_failures"],
        undefined_names=counts["undefined_names"],
        invalid_calls=counts["invalid_calls"],
        unknown_imports=counts["unknown_imports"],
        constraints=asked.checkable + asked.lost,
        constraints_met=asked.met,
        csr=asked.strict_constraint_rate,
        rows_asked=asked.rows + asked.lost_rows,
        rows_satisfied=asked.satisfied,
        ssr=asked.strict_row_rate,
        conformance=_mean(conformances),
        lines=_mean(lines),
        copy_checked=counts["copy_checked"],
        duplicates=counts["duplicates"],
        lines_in_common=_mean(lines_in_common),
        contaminated=counts["contaminated"],
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
