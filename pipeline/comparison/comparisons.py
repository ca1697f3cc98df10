"""Methods compared on the same items: differences with their uncertainty, and which of them are noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from pipeline.comparison.code_rows import ALL, BASELINES, CLEAN, Scored, is_clean, item_codebleu, pair_of
from pipeline.comparison.verdict import Pairing, paired_differences
from pipeline.measures.outputs import Measured, Name


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Mean difference of a measure over the items, `method` less `against`, with its 95 % paired bootstrap interval,
    the p-value of a paired permutation test, and that value after Holm's correction over all comparisons of the measure
    with one method, protocol and subset. CodeBLEU in points, shares in percentage points. `items`: measured for both.
    `verdict` is "within noise" unless the interval excludes zero and the corrected p is below 0.05."""

    table: str
    model: str
    method: str
    against: str
    measure: str
    protocol: str
    subset: str
    items: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    verdict: str


Measure = Callable[[Measured], float | None]


def _codebleu(protocol: str, equal_length: bool, item: Measured) -> float | None:
    pair = pair_of(protocol, item)
    return item_codebleu(pair, equal_length=equal_length) if pair is not None else None


def _parses(item: Measured) -> float | None:
    return None if item.machinery_failed or item.scores is None else 100.0 * item.scores.parses


def _conformance(item: Measured) -> float | None:
    if item.machinery_failed or item.scores is None or item.scores.conformance is None:
        return None
    return 100 * item.scores.conformance


MEASURES: Mapping[tuple[str, str], Measure] = {
    ("CodeBLEU", "raw"): partial(_codebleu, "raw", False),
    ("CodeBLEU", "paper"): partial(_codebleu, "paper", False),
    ("CodeBLEU at equal length", "raw"): partial(_codebleu, "raw", True),
    ("CodeBLEU at equal length", "paper"): partial(_codebleu, "paper", True),
    ("parses", ""): _parses,
    ("conformance", ""): _conformance,
}
"""What methods are compared by: (measure, protocol); an item has None where it does not apply."""


def comparisons(
    scored: Scored, ours: Name, rivals: Sequence[Name], seeds_of: Mapping[Name, Sequence[Name]] | None = None
) -> Iterator[Comparison]:
    """Each rival against `ours` by every measure, over all items and over the clean ones where those are fewer. Items
    are paired by their id. A name in `seeds_of` stands for several runs of a method: an item's value is their mean, so
    that seeds are no items of their own."""
    seeds_of = seeds_of or {}
    items = {name: _by_item(scored, seeds_of.get(name, [name])) for name in (ours, *rivals)}
    for (measure, protocol), value in MEASURES.items():
        for subset in (ALL, CLEAN):
            values = {name: _values(found, value, subset) for name, found in items.items()}
            found = {}
            for name in rivals:
                if name.table == BASELINES and not measure.startswith("CodeBLEU"):
                    continue  # a copied sample parses, and keeps to no plan
                both = [item for item in values[name] if item in values[ours]]
                whole = subset == CLEAN and all(
                    is_clean(run) for side in (name, ours) for runs in items[side].values() for run in runs
                )
                if both and not whole:
                    found[name] = [values[name][item] for item in both], [values[ours][item] for item in both]
            yield from comparison_rows(found, ours, measure, protocol, subset)


def _by_item(scored: Scored, runs: Sequence[Name]) -> dict[str, list[Measured]]:
    found: dict[str, list[Measured]] = {}
    for name in runs:
        for item in scored[name]:
            found.setdefault(item.item, []).append(item)
    return found


def _values(items: Mapping[str, Sequence[Measured]], value: Measure, subset: str) -> dict[str, float]:
    """By item the mean of the runs that have a value; no item that any run knew before, where only clean ones count."""
    found = {}
    for item, runs in items.items():
        if subset == ALL or all(map(is_clean, runs)):
            values = [each for run in runs if (each := value(run)) is not None]
            if values:
                found[item] = fmean(values)
    return found


def comparison_rows(
    pairings: Mapping[Name, Pairing], against: Name, measure: str, protocol: str, subset: str
) -> Iterator[Comparison]:
    """A row for each method, all tested as one family. `pairings`: its values and those of `against` on the same
    items."""
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
