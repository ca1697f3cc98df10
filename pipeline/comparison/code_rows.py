"""Measured outputs as rows of tables: one a corpus under a protocol, one a pair of texts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from statistics import fmean
from typing import Any

from pipeline.comparison.statistics import mean_and_standard_error
from pipeline.measures.codebleu.codebleu import CodeBleu, PairCounts, from_counts
from pipeline.measures.codebleu.paper_text import PROTOCOLS
from pipeline.measures.contamination import contamination_sources
from pipeline.measures.outputs import Measured, MethodName, PairScore

BASELINES = "Baselines"
"""The table of what copying a sample of the pool gives; such methods belong to no model."""

ALL, CLEAN = "all", "not contaminated"
"""The subsets of the items that a table may be about."""

MeasuredMethods = Mapping[MethodName, Sequence[Measured]]
PARTS = tuple(field.name for field in fields(CodeBleu))
"""CodeBLEU and its four parts, as columns are named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeRow:
    """A method, or a baseline, under a protocol, over a subset of the items:
    CodeBLEU over the corpus, in percent."""

    table: str
    model: str
    method: str
    protocol: str
    subset: str
    asked: int
    measured: int
    """Pairs within CodeBLEU's limits."""
    ngram_match: float
    weighted_ngram_match: float
    syntax_match: float
    dataflow_match: float
    codebleu: float
    equal_length_codebleu: float
    """With candidate and reference cut to one length."""
    length_ratio: float
    """Words of all candidates over words of all references."""
    mean_item_codebleu: float
    """The mean of the pairs' own values."""
    seeds: int = 1
    """Runs, or random draws, that this row is the mean of."""
    standard_error: float | None = None
    """Of `codebleu` over the seeds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeItem:
    """One pair of candidate and reference under a protocol. CodeBLEU and its parts are in percent,
    and None where they were not measured."""

    table: str
    model: str
    method: str
    protocol: str
    item: int
    """Its position among the method's items, from 0."""
    id: str
    codebleu: float | None
    ngram_match: float | None
    weighted_ngram_match: float | None
    syntax_match: float | None
    dataflow_match: float | None
    equal_length_codebleu: float | None
    length_ratio: float | None
    parses: bool | None
    csr: float | None
    """The share of what was asked, as far as reading can decide it, that is met, in [0, 1]."""
    conformance: float | None
    lines: int | None
    lines_in_common: float | None
    contaminated_by: str
    """Of pool, shown, prompts and plans those that held the item, with blanks between them."""
    failure: str
    """Stage and kind; "" for none."""


def pair_of(protocol: str, item: Measured) -> PairScore | None:
    """The item's pair under a protocol; None where there is no reference, or
    nothing could be measured."""
    pair: PairScore | None = getattr(item, protocol)
    if item.machinery_failed or pair is None or pair.counts is None:
        return None
    return pair


def is_clean(item: Measured) -> bool:
    """Whether nothing that answered the item knew its reference or requirement, as
    far as was looked."""
    return item.contamination is None or not contamination_sources(item.contamination)


def subsets(items: Sequence[Measured]) -> Iterator[tuple[str, list[Measured]]]:
    """All items, and where those are fewer, the clean ones, if there are any."""
    yield ALL, list(items)
    clean = [item for item in items if is_clean(item)]
    if 0 < len(clean) < len(items):
        yield CLEAN, clean


def code_rows(measured: MeasuredMethods) -> Iterator[CodeRow]:
    """A row for each protocol, method and subset of which at least one pair could be measured."""
    for protocol in PROTOCOLS:
        for name, all_items in measured.items():
            for subset, items in subsets(all_items):
                pairs = _measured_pairs(protocol, items)
                if pairs:
                    yield _code_row(name, protocol, subset, len(items), pairs)


def _measured_pairs(protocol: str, items: Sequence[Measured]) -> list[PairScore]:
    pairs = []
    for item in items:
        pair = pair_of(protocol, item)
        if pair is not None:
            pairs.append(pair)
    return pairs


def _code_row(name: MethodName, protocol: str, subset: str, asked: int, pairs: Sequence[PairScore]) -> CodeRow:
    corpus = from_counts(pair.counts for pair in pairs if pair.counts is not None)
    assert corpus is not None  # `pair_of` gives no pair without counts
    equal_length = from_counts(pair.equal_length for pair in pairs if pair.equal_length is not None)
    candidate_words = sum(pair.candidate_words for pair in pairs)
    reference_words = sum(pair.reference_words for pair in pairs)
    item_values = [value for value in map(item_codebleu, pairs) if value is not None]
    return CodeRow(
        **name._asdict(),
        protocol=protocol,
        subset=subset,
        asked=asked,
        measured=len(pairs),
        **percentages(corpus),
        equal_length_codebleu=100 * equal_length.codebleu if equal_length else math.nan,
        length_ratio=candidate_words / reference_words if reference_words else math.nan,
        mean_item_codebleu=fmean(item_values),
    )


def mean_over_seeds(name: MethodName, rows: Sequence[CodeRow]) -> CodeRow:
    """One row for several draws or runs of a method: the mean of each measure, the standard error
    of the corpus CodeBLEU over them, and the counts added up."""
    values: dict[str, Any] = {}
    for field in fields(CodeRow):
        if field.type == "float":  # the annotation's text: this module has postponed annotations
            values[field.name] = fmean(getattr(row, field.name) for row in rows)
    for count in ("asked", "measured"):
        values[count] = sum(getattr(row, count) for row in rows)
    _, error = mean_and_standard_error([row.codebleu for row in rows])
    values["standard_error"] = None if math.isnan(error) else error
    return replace(rows[0], **name._asdict(), seeds=len(rows), **values)


def code_items(measured: MeasuredMethods) -> Iterator[CodeItem]:
    """A row for each protocol, method and item, those without a pair included."""
    for protocol in PROTOCOLS:
        for name, items in measured.items():
            for number, item in enumerate(items):
                yield _code_item(name, protocol, number, item)


def _code_item(name: MethodName, protocol: str, number: int, item: Measured) -> CodeItem:
    pair = pair_of(protocol, item)
    parts: dict[str, Any] = dict.fromkeys(PARTS)
    equal_length_codebleu = None
    length_ratio = None
    if pair is not None:
        code_bleu = _code_bleu(pair.counts)
        if code_bleu is not None:
            parts = percentages(code_bleu)
        equal_length_codebleu = item_codebleu(pair, equal_length=True)
        if pair.reference_words:
            length_ratio = pair.candidate_words / pair.reference_words
    scores = item.scores
    contaminated_by = ""
    if item.contamination is not None:
        contaminated_by = " ".join(contamination_sources(item.contamination))
    failure = ""
    if item.failure is not None:
        failure = f"{item.failure.stage}: {item.failure.kind}"
    return CodeItem(
        **name._asdict(),
        protocol=protocol,
        item=number,
        id=item.item,
        **parts,
        equal_length_codebleu=equal_length_codebleu,
        length_ratio=length_ratio,
        parses=scores.parses if scores else None,
        csr=None if item.machinery_failed else item.asked.strict_constraint_rate,
        conformance=scores.conformance if scores else None,
        lines=scores.lines if scores else None,
        lines_in_common=item.copying.lines_in_common if item.copying else None,
        contaminated_by=contaminated_by,
        failure=failure,
    )


def item_codebleu(pair: PairScore, *, equal_length: bool = False) -> float | None:
    """A pair's own CodeBLEU in percent; None beyond CodeBLEU's limits."""
    code_bleu = _code_bleu(pair.equal_length if equal_length else pair.counts)
    if code_bleu is None:
        return None
    return 100 * code_bleu.codebleu


def percentages(code_bleu: CodeBleu) -> dict[str, Any]:
    """CodeBLEU and its parts in percent, by name."""
    return {part: 100 * getattr(code_bleu, part) for part in PARTS}


def _code_bleu(counts: PairCounts | None) -> CodeBleu | None:
    if counts is None:
        return None
    return from_counts([counts])
