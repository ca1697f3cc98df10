"""One method's answers to items, and what is measured on each: the rows that `dlcodegen score` and `reproduce` work on.

An item is a requirement with its reference; a method is asked for each item. What came back is a candidate, a failure
of the method (it was run and gave no code), or a failure of the machinery (it could not be run, or its answer could not
be measured). The two are counted apart: the first is the method's, the second is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pipeline.measures.codebleu.codebleu import PairCounts
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import Failure, Scores

MACHINERY = frozenset({"bug", "crash", "timeout", "beyond_limits"})
"""Kinds of failure that say nothing about the method; so do all that start with `llm_`, but for those in METHOD_LLM."""

METHOD_LLM = frozenset({"llm_context"})
"""A prompt that is too long for its model is the method's failure, an endpoint that does not answer is not."""


class _NamedRow(Protocol):
    """A row of any table of results that says whose it is."""

    @property
    def table(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def method(self) -> str: ...


class MethodName(NamedTuple):
    """What outputs belong to, as all tables of results name it."""

    table: str
    """A table of the paper, `Runs` or `Baselines`."""
    model: str
    """"" for a baseline, and for a run without a language model."""
    method: str

    @classmethod
    def of(cls, row: _NamedRow) -> MethodName:
        """The method that a row of results is about."""
        return cls(row.table, row.model, row.method)

    @property
    def label(self) -> str:
        """The method, with its model where it has one."""
        return f"{self.method} ({self.model})" if self.model else self.method


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A retrieved sample that the generator saw."""

    id: str
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """One method's answer to one item. `code` is "" where there is none; `shown` are samples that the generator saw,
    `prompted` is the largest share of the reference that stood in a prompt. With `cut_to` the code is compared only up
    to as many words as that text has."""

    item: str
    requirement: str = ""
    category: str = ""
    code: str = ""
    reference: str | None = None
    plan: SolutionPlan | None = None
    shown: tuple[Shown, ...] = ()
    prompted: float = 0.0
    failure: Failure | None = None
    cut_to: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PairScore:
    """A candidate against its reference under one protocol: counts that corpora sum, of the whole texts and of both cut
    to one length, and words of both. No counts beyond CodeBLEU's limits."""

    counts: PairCounts | None = None
    equal_length: PairCounts | None = None
    candidate_words: int = 0
    reference_words: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleOverlap:
    """How much of a candidate was in a sample that the generator saw: the sample with most lines in common, the share
    of the candidate's lines that it holds, the Jaccard similarity of five-word shingles, and whether that makes the
    candidate a duplicate."""

    sample: str
    lines_in_common: float
    similarity: float
    duplicate: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Contamination:
    """Where an item's reference, or its requirement, was before: the highest similarity of the reference to a sample of
    the pool and to a sample that the generator saw, the largest share of it in a prompt, and the highest similarity of
    the requirement to one of the known plans, in [0, 1]."""

    pool: float = 0.0
    shown: float = 0.0
    prompts: float = 0.0
    plans: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Everything measured on one output. `raw` and `paper`: against the reference, under the protocol of that name.
    `failure`: why there is no candidate, or why it could not be measured."""

    item: str
    category: str = ""
    failure: Failure | None = None
    generated: bool = False
    scores: Scores | None = None
    unknown_imports: tuple[str, ...] = ()
    copying: SampleOverlap | None = None
    contamination: Contamination | None = None
    raw: PairScore | None = None
    paper: PairScore | None = None

    @property
    def machinery_failed(self) -> bool:
        return self.failure is not None and is_machinery(self.failure)


def is_machinery(failure: Failure) -> bool:
    """Whether a failure is the machinery's: the method was not run to its end, or its answer could not be measured."""
    if failure.kind.startswith("llm_"):
        return failure.kind not in METHOD_LLM
    return failure.kind in MACHINERY
