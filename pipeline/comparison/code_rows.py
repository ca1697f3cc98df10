"""What measured outputs add up to: a method a row with its denominators, a corpus a row, a pair a row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from statistics import fmean
from typing import Any

from pipeline.comparison.statistics import mean_and_standard_error
from pipeline.measures.codebleu.codebleu import CodeBleu, from_counts
from pipeline.measures.codebleu.paper_text import PROTOCOLS
from pipeline.measures.contamination import reasons
from pipeline.measures.outputs import Measured, Name, PairScore

BASELINES = "Baselines"
"""What stands for a table where candidates are copied from the sample pool; they belong to no model."""

ALL, CLEAN = "all", "not contaminated"
Scored = Mapping[Name, Sequence[Measured]]
PARTS = tuple(field.name for field in fields(CodeBleu))


@dataclass(frozen=True, kw_only=True, slots=True)
class MethodRow:
    """How far a method's answers to a subset of the items came, and what their code says. Counts: `asked` items, of
    which `generated` gave code,
    `parsed` of it is Python, `scored` were compared with a reference; `method_failures` gave no code,
    `machinery_failures` could not be run or measured. `undefined_names`, `invalid_calls`, `unknown_imports`: parsed
    projects that have any. `conformance`: mean share of the plan's statements that are kept, in [0, 1],
    over all items with a plan but those where the machinery failed: what does not parse keeps none of them.
    `duplicates` of a sample shown to the generator, of `copy_checked` that were shown any; `lines_in_common`: mean
    share of a candidate's lines that stand in one such sample."""

    table: str
    model: str
    method: str
    subset: str
    asked: int
    generated: int
    parsed: int
    scored: int
    method_failures: int
    machinery_failures: int
    undefined_names: int
    invalid_calls: int
    unknown_imports: int
    conformance: float | None
    lines: float | None
    copy_checked: int
    duplicates: int
    lines_in_common: float | None
    contaminated: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeRow:
    """A method, or a baseline, under a protocol, over a subset of the items. CodeBLEU and its parts are over the
    corpus, in percent; `equal_length_codebleu` with candidate and reference cut to one length, `mean_item_codebleu` the
    mean of the pairs' own values. `asked` references, of which `measured` pairs within CodeBLEU's limits.
    `standard_error` of `codebleu` over `seeds`, for what is drawn at random."""

    table: str
    model: str
    method: str
    protocol: str
    subset: str
    asked: int
    measured: int
    ngram_match: float
    weighted_ngram_match: float
    syntax_match: float
    dataflow_match: float
    codebleu: float
    equal_length_codebleu: float
    length_ratio: float
    mean_item_codebleu: float
    seeds: int = 1
    standard_error: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeItem:
    """One pair under a protocol: CodeBLEU and its parts in percent, None where it was not measured; `item` counts from
    0. `contaminated_by`: pool, shown, prompts, plans."""

    table: str
    model: str
    method: str
    protocol: str
    item: int
    id: str
    codebleu: float | None
    ngram_match: float | None
    weighted_ngram_match: float | None
    syntax_match: float | None
    dataflow_match: float | None
    equal_length_codebleu: float | None
    length_ratio: float | None
    parses: bool | None
    conformance: float | None
    lines: int | None
    lines_in_common: float | None
    contaminated_by: str
    failure: str


def pair_of(protocol: str, item: Measured) -> PairScore | None:
    """The item's pair under a protocol; None where the machinery failed or there is no reference."""
    found: PairScore | None = getattr(item, protocol)
    return None if item.machinery_failed or found is None or found.counts is None else found


def is_clean(item: Measured) -> bool:
    return item.contamination is None or not reasons(item.contamination)


def subsets(items: Sequence[Measured]) -> Iterator[tuple[str, list[Measured]]]:
    """All items, and where those are fewer, the clean ones, if there are any."""
    yield ALL, list(items)
    clean = [item for item in items if is_clean(item)]
    if 0 < len(clean) < len(items):
        yield CLEAN, clean


def method_rows(scored: Scored) -> Iterator[MethodRow]:
    """A row for each method and subset."""
    for name, whole in scored.items():
        for subset, items in subsets(whole):
            yield _method_row(name, subset, items)


def _method_row(name: Name, subset: str, items: Sequence[Measured]) -> MethodRow:
    code = [item.scores for item in items if item.scores is not None and item.generated]
    copies = [item.copying for item in items if item.copying is not None]
    return MethodRow(
        **name._asdict(),
        subset=subset,
        asked=len(items),
        generated=sum(item.generated for item in items),
        parsed=sum(scores.parses for scores in code),
        scored=sum(pair_of("raw", item) is not None for item in items),
        method_failures=sum(item.failure is not None and not item.machinery_failed for item in items),
        machinery_failures=sum(item.machinery_failed for item in items),
        undefined_names=sum(bool(scores.undefined_names) for scores in code),
        invalid_calls=sum(bool(scores.invalid_calls) for scores in code),
        unknown_imports=sum(bool(item.unknown_imports) for item in items),
        conformance=_mean(item.scores.conformance for item in items if item.scores and not item.machinery_failed),
        lines=_mean(scores.lines for scores in code),
        copy_checked=len(copies),
        duplicates=sum(copy.duplicate for copy in copies),
        lines_in_common=_mean(copy.lines_in_common for copy in copies),
        contaminated=sum(not is_clean(item) for item in items),
    )


def code_rows(scored: Scored) -> Iterator[CodeRow]:
    """A row for each protocol, subset and method of which at least one pair could be measured."""
    for protocol in PROTOCOLS:
        for name, whole in scored.items():
            for subset, items in subsets(whole):
                pairs = [pair for item in items if (pair := pair_of(protocol, item)) is not None]
                if pairs:
                    yield _code_row(name, protocol, subset, len(items), pairs)


def _code_row(name: Name, protocol: str, subset: str, asked: int, pairs: Sequence[PairScore]) -> CodeRow:
    corpus = from_counts(pair.counts for pair in pairs if pair.counts is not None)
    equal = from_counts(pair.equal_length for pair in pairs if pair.equal_length is not None)
    assert corpus is not None
    words = sum(pair.reference_words for pair in pairs)
    return CodeRow(
        **name._asdict(),
        protocol=protocol,
        subset=subset,
        asked=asked,
        measured=len(pairs),
        **parts(corpus),
        equal_length_codebleu=100 * equal.codebleu if equal else math.nan,
        length_ratio=sum(pair.candidate_words for pair in pairs) / words if words else math.nan,
        mean_item_codebleu=fmean(value for pair in pairs if (value := item_codebleu(pair)) is not None),
    )


def mean_over_seeds(name: Name, rows: Sequence[CodeRow]) -> CodeRow:
    """One row for several draws or runs of a method: means, the standard error of the corpus CodeBLEU, counts added."""
    means: dict[str, Any] = {
        field.name: fmean(getattr(row, field.name) for row in rows)
        for field in fields(CodeRow)
        if field.type == "float"
    }
    error = mean_and_standard_error([row.codebleu for row in rows])[1]
    means |= {name: sum(getattr(row, name) for row in rows) for name in ("asked", "measured")}
    return replace(
        rows[0], **name._asdict(), seeds=len(rows), standard_error=None if math.isnan(error) else error, **means
    )


def code_items(scored: Scored) -> Iterator[CodeItem]:
    for protocol in PROTOCOLS:
        for name, items in scored.items():
            for number, item in enumerate(items):
                pair = pair_of(protocol, item)
                found = from_counts([pair.counts]) if pair is not None and pair.counts is not None else None
                equal = from_counts([pair.equal_length]) if pair is not None and pair.equal_length is not None else None
                yield CodeItem(
                    **name._asdict(),
                    protocol=protocol,
                    item=number,
                    id=item.item,
                    **(parts(found) if found else dict.fromkeys(PARTS)),
                    equal_length_codebleu=100 * equal.codebleu if equal else None,
                    length_ratio=pair.candidate_words / pair.reference_words if pair and pair.reference_words else None,
                    parses=item.scores.parses if item.scores else None,
                    conformance=item.scores.conformance if item.scores else None,
                    lines=item.scores.lines if item.scores else None,
                    lines_in_common=item.copying.lines_in_common if item.copying else None,
                    contaminated_by=" ".join(reasons(item.contamination)) if item.contamination else "",
                    failure=f"{item.failure.stage}: {item.failure.kind}" if item.failure else "",
                )


def item_codebleu(pair: PairScore, *, equal_length: bool = False) -> float | None:
    """A pair's own CodeBLEU in percent."""
    counts = pair.equal_length if equal_length else pair.counts
    found = from_counts([counts]) if counts is not None else None
    return 100 * found.codebleu if found is not None else None


def parts(found: CodeBleu) -> dict[str, Any]:
    """CodeBLEU and its parts in percent, by name."""
    return {part: 100 * getattr(found, part) for part in PARTS}


def _mean(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return fmean(found) if found else None
