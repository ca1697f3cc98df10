"""What the report says about all rows: counts and running means, one pass, no row kept.

Memory grows with the sample pool (one entry per sample that was used or excluded), not with the
rows: what rows name freely (kinds of failures, sections, reasons) is counted apart up to NAMES
entries each, the rest together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.calls import LLMCall
from pipeline.execution.funnel import Funnel
from pipeline.execution.running.execute_stage import execution_of
from pipeline.measures.call_totals import CallTotals
from pipeline.pages.report_asked import AskedSummary
from pipeline.pages.report_text import clip
from pipeline.plan.vocabulary import canonical_category
from pipeline.records import ExcludedSample, Failure, RetrievedSample, Scored, Scores, SectionChoice

NAMES = 200
"""Names of one sort that are counted apart, at most."""

REST = "all others"
NO_PLAN = "No plan"
EXAMPLES = 3
"""Messages shown of a kind of failure."""

BINS = 10
"""Bins of conformance below 1, which has one of its own."""

RATIO_BANDS = ((0.5, "under 0.5"), (0.8, "0.5 to 0.8"), (1.25, "0.8 to 1.25"), (2.0, "1.25 to 2"), (math.inf, "over 2"))
"""Bands of the length ratio, each up to its bound: the middle one is a candidate
about as long as its reference."""

_T = TypeVar("_T")


@dataclass(slots=True)
class Mean:
    """A running mean over the finite values added; `count` is its denominator."""

    total: float = 0.0
    count: int = 0

    def add(self, value: float | None) -> None:
        if value is not None and math.isfinite(value):
            self.total += value
            self.count += 1

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


@dataclass(slots=True)
class Counts:
    """How far rows came. Each count is a part of the one before, but `failed`."""

    asked: int = 0
    generated: int = 0
    scored: int = 0
    parsed: int = 0
    undefined: int = 0
    """Rows whose code parses and has undefined names, which can only be looked for
    in code that parses."""
    failed: int = 0
    """A part of `asked`."""
    conformance: Mean = field(default_factory=Mean)

    def add(self, record: Scored) -> None:
        scores = record.scores
        self.asked += 1
        self.failed += record.failure is not None
        self.generated += bool(record.files)
        self.scored += scores is not None
        if scores is not None:
            self.parsed += scores.parses
            self.undefined += scores.parses and bool(scores.undefined_names)
            self.conformance.add(scores.conformance)


@dataclass(slots=True)
class FailureKind:
    """One kind of failure."""

    stage: str
    kind: str
    count: int = 0
    examples: dict[str, str] = field(default_factory=dict)
    """The first few different messages, with the ids of their rows."""


@dataclass(slots=True)
class Origin:
    """Which draft one section of the final projects came from."""

    count: int = 0
    code: int = 0
    template: int = 0
    both: int = 0
    """The drafts agreed on it."""


@dataclass(slots=True)
class SampleUse:
    """How a sample was used."""

    task_category: str
    requirement: str
    count: int = 0
    """How often it reached the generator."""
    best: int = 0
    """How often it did so as the best one."""
    score: Mean = field(default_factory=Mean)
    """BM25."""


@dataclass(slots=True)
class Exclusion:
    """How often the firewall gave one reason, or kept one sample out, and the
    highest similarity it saw there."""

    count: int = 0
    similarity: float = 0.0


@dataclass(slots=True)
class CodeBLEUSummary:
    """Mean CodeBLEU, its four parts and the length ratio; and CodeBLEU by band of
    the length ratio."""

    codebleu: Mean = field(default_factory=Mean)
    ngram_match: Mean = field(default_factory=Mean)
    weighted_ngram_match: Mean = field(default_factory=Mean)
    syntax_match: Mean = field(default_factory=Mean)
    dataflow_match: Mean = field(default_factory=Mean)
    length_ratio: Mean = field(default_factory=Mean)
    by_ratio: dict[str, Mean] = field(default_factory=lambda: {name: Mean() for _, name in RATIO_BANDS})

    def add(self, scores: Scores) -> None:
        self.codebleu.add(scores.codebleu)
        self.ngram_match.add(scores.ngram_match)
        self.weighted_ngram_match.add(scores.weighted_ngram_match)
        self.syntax_match.add(scores.syntax_match)
        self.dataflow_match.add(scores.dataflow_match)
        self.length_ratio.add(scores.length_ratio)
        ratio = scores.length_ratio
        if ratio is not None and not math.isnan(ratio):
            band = next(name for bound, name in RATIO_BANDS if ratio <= bound)
            self.by_ratio[band].add(scores.codebleu)


@dataclass(slots=True)
class ReportSummary:
    """Everything counted over all rows. `add` takes each row once, in input order."""

    all: Counts = field(default_factory=Counts)
    asked: AskedSummary = field(default_factory=AskedSummary)
    categories: dict[str, Counts] = field(default_factory=dict)
    conformance_bins: list[int] = field(default_factory=lambda: [0] * (BINS + 1))
    """Rows by their conformance: ten bins of 0.1, and an eleventh for 1."""
    codebleu: CodeBLEUSummary = field(default_factory=CodeBLEUSummary)
    failures: dict[tuple[str, str], FailureKind] = field(default_factory=dict)
    failed_after_generation: int = 0
    """Rows that have a project and failed all the same."""
    unfinished: int = 0
    """Rows without a project that did not fail."""
    sections: dict[str, Origin] = field(default_factory=dict)
    samples: dict[str, SampleUse] = field(default_factory=dict)
    excluded_rows: int = 0
    """Rows that samples were kept from."""
    excluded_reasons: dict[str, Exclusion] = field(default_factory=dict)
    excluded_samples: dict[str, Exclusion] = field(default_factory=dict)
    calls: dict[str, CallTotals] = field(default_factory=dict)
    all_calls: CallTotals = field(default_factory=CallTotals)
    execution: Funnel = field(default_factory=Funnel)
    """How far the projects came where they were run."""

    def add(self, record: Scored) -> None:
        self.all.add(record)
        self.asked.add(record)
        self.categories.setdefault(category(record), Counts()).add(record)
        self.failed_after_generation += record.failure is not None and bool(record.files)
        self.unfinished += record.failure is None and not record.files
        if record.failure is not None:
            self._add_failure(record.id, record.failure)
        if record.scores is not None:
            self._add_conformance(record.scores.conformance)
            self.codebleu.add(record.scores)
        self._add_choices(record.choices)
        self._add_samples(record.samples)
        self._add_exclusions(record.excluded)
        for call in record.calls:
            self.add_call(call)
        execution = execution_of(record)
        if execution is not None:
            self.execution.add(execution)

    def add_call(self, call: LLMCall) -> None:
        self.all_calls.add(call)
        _entry(self.calls, clip(call.prompt, 80), CallTotals).add(call)

    def _add_failure(self, row_id: str, failure: Failure) -> None:
        key = (clip(failure.stage, 80), clip(failure.kind, 80))
        if key not in self.failures and len(self.failures) >= NAMES:
            key = (REST, REST)
        kind = self.failures.setdefault(key, FailureKind(*key))
        kind.count += 1
        if len(kind.examples) < EXAMPLES:
            kind.examples.setdefault(clip(failure.message, 400), clip(row_id, 80))

    def _add_conformance(self, value: float | None) -> None:
        if value is not None and math.isfinite(value):
            # 1 has a bin of its own: keeping the whole plan is more than nearly keeping it.
            self.conformance_bins[min(max(int(value * BINS), 0), BINS)] += 1

    def _add_choices(self, choices: Iterable[SectionChoice]) -> None:
        for choice in choices:
            origin = _entry(self.sections, clip(choice.section, 80), Origin)
            origin.count += 1
            origin.code += choice.chosen == "code draft"
            origin.template += choice.chosen == "template draft"
            origin.both += choice.chosen == "both"

    def _add_samples(self, samples: Iterable[RetrievedSample]) -> None:
        for sample in samples:
            use = self.samples.get(sample.id)
            if use is None:
                use = SampleUse(clip(sample.task_category, 80), clip(sample.requirement, 160))
                self.samples[sample.id] = use
            use.count += 1
            use.best += sample.rank == 1
            use.score.add(sample.score)

    def _add_exclusions(self, excluded: tuple[ExcludedSample, ...]) -> None:
        self.excluded_rows += bool(excluded)
        for sample in excluded:
            reason = _entry(self.excluded_reasons, clip(sample.reason, 160), Exclusion)
            for exclusion in (reason, self.excluded_samples.setdefault(sample.id, Exclusion())):
                exclusion.count += 1
                exclusion.similarity = max(exclusion.similarity, sample.similarity)


def category(record: Scored) -> str:
    """The row's canonical task category, or NO_PLAN where the row failed before it had one."""
    return NO_PLAN if record.plan is None else canonical_category(record.plan.task_category)


def _entry(entries: dict[str, _T], name: str, new: Callable[[], _T]) -> _T:
    """The entry of a name; from NAMES entries on, new names share the entry REST."""
    if name not in entries and len(entries) >= NAMES:
        name = REST
    return entries.setdefault(name, new())
