"""One method's answers to items, and what is measured on each: the rows that `dlcodegen score` and
`reproduce` work on.

An item is a requirement with its reference; a method is asked for each item. What came back is a
candidate, a failure of the method (it was run and gave no code), or a failure of the machinery (it
could not be run, or its answer could not be measured). The two are counted apart: the first is the
method's, the second is ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from pipeline.measures.codebleu.codebleu import PairCounts
from pipeline.measures.delivery.check import Satisfaction
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import Failure, Scores
from pipeline.request.constraints import Constraint

MACHINERY = frozenset({"bug", "crash", "timeout", "beyond_limits"})
"""Kinds of failure that say nothing about the method; so do all that start with
`llm_`, but for those in METHOD_LLM."""

METHOD_LLM = frozenset({"llm_context"})
"""A prompt that is too long for its model is the method's failure, an endpoint that
does not answer is not."""


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
    """One method's answer to one item.

    Finished shards are named by the texts of these records (`jobs.scoring.item_shards`): another
    name of the class or of a field means that all outputs are measured again.
    """

    item: str
    """The item's id."""
    requirement: str = ""
    constraints: tuple[Constraint, ...] = ()
    """What the item asks for."""
    category: str = ""
    code: str = ""
    """"" where there is none."""
    reference: str | None = None
    plan: SolutionPlan | None = None
    shown: tuple[Shown, ...] = ()
    """Samples that the generator saw."""
    prompted: float = 0.0
    """The largest share of the reference that stood in a prompt."""
    failure: Failure | None = None
    cut_to: str | None = None
    """A text; the code is compared only up to as many words as it has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PairScore:
    """A candidate against its reference under one protocol: counts, which a corpus sums."""

    counts: PairCounts | None = None
    """None beyond CodeBLEU's limits."""
    equal_length: PairCounts | None = None
    """Of both texts cut to one length."""
    candidate_words: int = 0
    reference_words: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleOverlap:
    """How much of a candidate was in a sample that the generator saw, by the sample
    with most lines in common."""

    sample: str
    """The sample's id."""
    lines_in_common: float
    """The share of the candidate's lines that the sample holds."""
    similarity: float
    """The Jaccard similarity of their five-word shingles."""
    duplicate: bool
    """Whether that makes the candidate a duplicate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contamination:
    """How far an item's reference, or its requirement, was known to what answered it, in [0, 1]."""

    pool: float = 0.0
    """The highest similarity of the reference to a sample of the pool."""
    shown: float = 0.0
    """The highest similarity of the reference to a sample that the generator saw."""
    prompts: float = 0.0
    """The largest share of the reference in one prompt."""
    plans: float = 0.0
    """The highest similarity of the requirement to that of a known plan."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Everything measured on one output."""

    item: str
    category: str = ""
    failure: Failure | None = None
    """Why there is no candidate, or why it could not be measured."""
    generated: bool = False
    """Whether the method gave code."""
    scores: Scores | None = None
    """What the code says by itself, and how far it keeps to the plan."""
    asked: Satisfaction = field(default_factory=Satisfaction)
    """How far it does what was asked."""
    unknown_imports: tuple[str, ...] = ()
    copying: SampleOverlap | None = None
    """None without code, or where no sample was shown."""
    contamination: Contamination | None = None
    raw: PairScore | None = None
    """Against the reference, under protocol `raw`; None without a reference."""
    paper: PairScore | None = None
    """Against the reference, under protocol `paper`."""

    @property
    def machinery_failed(self) -> bool:
        """Whether the failure, if any, says nothing about the method."""
        return self.failure is not None and is_machinery(self.failure)


def is_machinery(failure: Failure) -> bool:
    """Whether a failure is the machinery's: the method was not run to its end, or
    its answer could not be measured."""
    if failure.kind.startswith("llm_"):
        return failure.kind not in METHOD_LLM
    return failure.kind in MACHINERY
