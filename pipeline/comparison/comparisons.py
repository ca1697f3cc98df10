"""Methods compared on the same items: differences with their uncertainty, and which
of them are noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from pipeline.comparison.code_rows import ALL, BASELINES, CLEAN, MeasuredMethods, is_clean, item_codebleu, pair_of
from pipeline.comparison.verdict import Pairing, paired_differences, paired_values
from pipeline.measures.outputs import Measured, MethodName


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Mean difference of a measure over the items, `method` less `against`. CodeBLEU in points,
    shares in percentage points."""

    table: str
    model: str
    method: str
    against: str
    measure: str
    protocol: str
    subset: str
    items: int
    """Items that are measured for both."""
    difference: float
    low: float
    """The lower end of the difference's 95 % paired bootstrap interval."""
    high: float
    p: float
    """The p-value of a paired permutation test."""
    p_holm: float
    """`p` after Holm's correction over all comparisons of the measure with one
    method, protocol and subset."""
    verdict: str
    """`higher`, `lower` or `within noise` (`pipeline.comparison.verdict`)."""


@dataclass(frozen=True, slots=True)
class PairedMeasure:
    """What methods are compared by, an item at a time."""

    name: str
    protocol: str
    """"" for a measure that looks at the code alone."""
    value: Callable[[Measured], float | None]
    """An item's value in points or percent; None where the measure does not apply."""
    for_baselines: bool = True
    """False where copies of a sample would only be compared with themselves: they
    parse, and keep to no plan."""


def _codebleu(item: Measured, *, protocol: str, equal_length: bool) -> float | None:
    pair = pair_of(protocol, item)
    if pair is None:
        return None
    return item_codebleu(pair, equal_length=equal_length)


def _parses(item: Measured) -> float | None:
    if item.machinery_failed or item.scores is None:
        return None
    return 100.0 * item.scores.parses


def _conformance(item: Measured) -> float | None:
    if item.machinery_failed or item.scores is None or item.scores.conformance is None:
        return None
    return 100 * item.scores.conformance


def _constraints_met(item: Measured) -> float | None:
    """CSR of one item."""
    rate = item.asked.strict_constraint_rate
    return None if item.machinery_failed or rate is None else 100 * rate


def _all_met(item: Measured) -> float | None:
    """SSR of one item: all or nothing."""
    rate = item.asked.strict_row_rate
    return None if item.machinery_failed or rate is None else 100 * rate


PAIRED_MEASURES = (
    PairedMeasure("CSR", "", _constraints_met, for_baselines=False),
    PairedMeasure("SSR", "", _all_met, for_baselines=False),
    PairedMeasure("CodeBLEU", "raw", partial(_codebleu, protocol="raw", equal_length=False)),
    PairedMeasure("CodeBLEU", "paper", partial(_codebleu, protocol="paper", equal_length=False)),
    PairedMeasure("CodeBLEU at equal length", "raw", partial(_codebleu, protocol="raw", equal_length=True)),
    PairedMeasure("CodeBLEU at equal length", "paper", partial(_codebleu, protocol="paper", equal_length=True)),
    PairedMeasure("parses", "", _parses, for_baselines=False),
    PairedMeasure("conformance", "", _conformance, for_baselines=False),
)

_Runs = Mapping[str, Sequence[Measured]]
"""By item id, what each of a method's runs gave for it."""


def comparisons(
    measured: MeasuredMethods,
    ours: MethodName,
    rivals: Sequence[MethodName],
    seed_groups: Mapping[MethodName, Sequence[MethodName]] | None = None,
) -> Iterator[Comparison]:
    """Each rival against `ours` by every measure, over all items and over the clean ones where
    those are fewer.

    Items are paired by their id. A name in `seed_groups` stands for several runs of a method: an
    item's value is their mean, so that the same item under another seed is no further item.
    """
    groups = seed_groups or {}
    runs_of = {}
    for name in (ours, *rivals):
        runs_of[name] = _runs_by_item(measured, groups.get(name, [name]))
    for measure in PAIRED_MEASURES:
        compared = [name for name in rivals if measure.for_baselines or name.table != BASELINES]
        for subset in (ALL, CLEAN):
            our_values = _values(runs_of[ours], measure, subset)
            pairings: dict[MethodName, Pairing] = {}
            for name in compared:
                if subset == CLEAN and _all_clean(runs_of[name]) and _all_clean(runs_of[ours]):
                    continue  # the comparison over all items says the same
                values, ours_on_them = paired_values(_values(runs_of[name], measure, subset), our_values)
                if values:
                    pairings[name] = values, ours_on_them
            yield from comparison_rows(pairings, ours, measure.name, measure.protocol, subset)


def _runs_by_item(measured: MeasuredMethods, names: Sequence[MethodName]) -> dict[str, list[Measured]]:
    by_item: dict[str, list[Measured]] = {}
    for name in names:
        for item in measured[name]:
            by_item.setdefault(item.item, []).append(item)
    return by_item


def _all_clean(runs: _Runs) -> bool:
    return all(all(map(is_clean, of_item)) for of_item in runs.values())


def _values(runs: _Runs, measure: PairedMeasure, subset: str) -> dict[str, float]:
    """By item the mean over the runs that have a value. An item is clean where it
    is so in every run."""
    means = {}
    for item, of_item in runs.items():
        if subset == CLEAN and not all(map(is_clean, of_item)):
            continue
        values = []
        for run in of_item:
            value = measure.value(run)
            if value is not None:
                values.append(value)
        if values:
            means[item] = fmean(values)
    return means


def comparison_rows(
    pairings: Mapping[MethodName, Pairing], against: MethodName, measure: str, protocol: str, subset: str
) -> Iterator[Comparison]:
    """A row for each method, all tested as one family. `pairings`: its values and those of
    `against` on the same items."""
    differences = paired_differences(list(pairings.values()))
    for (name, (values, _)), difference in zip(pairings.items(), differences, strict=True):
        yield Comparison(
            table=name.table,
            model=name.model,
            method=name.method,
            against=against.label,
            measure=measure,
            protocol=protocol,
            subset=subset,
            items=len(values),
            difference=difference.interval.estimate,
            low=difference.interval.low,
            high=difference.interval.high,
            p=difference.p,
            p_holm=difference.p_holm,
            verdict=difference.verdict(positive="higher", negative="lower"),
        )
