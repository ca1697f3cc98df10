"""Every row the pipeline works on, once.

Requirement -> Understood -> Planned -> Retrieved -> Templated -> Drafted -> Generated -> Delivered -> Scored.
Each class adds one stage's fields to the one before. Added fields have defaults, so that a row that failed early
still fits the last schema.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.calls import LLMCall
from pipeline.plan.change import Decisions, FieldOrigin, PlanChange, PlanCorrection
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.request.constraints import Constraint
from pipeline.request.data_contract import DataContract
from pipeline.request.delivery import Delivery


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a row has no result."""

    stage: str
    """The stage it failed in."""

    kind: str
    """A snake_case word that can be counted and filtered."""

    message: str
    """The reason in plain words."""


SCRIPT = "project.py"
NOTEBOOK = "project.ipynb"
REQUIREMENTS = "requirements.txt"
README = "README.md"


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """A file of a generated project."""

    path: str
    """Inside the project's folder."""

    text: str
    """All of the file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrievedSample:
    """A sample that reached the generator."""

    id: str
    """The sample's id in the pool."""

    rank: int
    """From 1, the most similar."""

    score: float
    """BM25 score for the row's plan and words; for its words alone where the sample was retrieved `by` requirement."""

    task_category: str
    """The sample's."""

    requirement: str
    """The sample's."""

    by: str = "plan"
    """`plan`, or `requirement` as CEDAR's example."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExcludedSample:
    """A sample that the contamination firewall kept from the generator."""

    id: str
    """The sample's id in the pool."""

    reason: str
    """What was too similar."""

    similarity: float
    """The similarity (0 to 1) that decided."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SectionChoice:
    """Which draft a section of the final project came from."""

    section: str
    """The section's name."""

    chosen: str
    """The draft it came from."""

    code_draft: float
    """Points of the adapted sample's section, 0 to 1."""

    template_draft: float
    """Points of the filled template's section, 0 to 1."""

    reason: str
    """Why this draft, in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """What was measured on one generated project. None where a measure does not apply (no reference, no parse).

    CodeBLEU and its four parts are in [0, 1] (Ren et al., 2020; codebleu 0.7.0, default equal weights).
    """

    parses: bool
    """Whether the script is valid Python."""

    undefined_names: tuple[str, ...] = ()
    """Names that are used and never bound."""

    invalid_calls: tuple[str, ...] = ()
    """Calls that Keras, or PyTorch, does not have."""

    conformance: float | None = None
    """The share of the plan's checkable statements that the code keeps, in [0, 1]."""

    deviations: tuple[str, ...] = ()
    """The statements that it does not keep."""

    conformance_final: float | None = None
    """The same share of the final plan's statements, the corrected ones."""

    lines: int = 0
    """Lines of the script."""

    codebleu: float | None = None
    """The mean of the next four."""

    ngram_match: float | None = None
    weighted_ngram_match: float | None = None
    syntax_match: float | None = None
    dataflow_match: float | None = None

    length_ratio: float | None = None
    """Candidate tokens over reference tokens: CodeBLEU rises with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """What the user asked for, and where it stood in the input."""

    id: str
    """Unique in a job."""

    row: int
    """The input's row, from 0."""

    requirement: str = ""
    """In the user's words."""

    attributes: str = ""
    """What the user says of the data."""

    data_folder: str = ""
    """The file or folder of the user's own data; "" where none were given."""

    data_target: tuple[str, ...] = ()
    """The columns or arrays of them that the user names as target; by default they are told from names and values."""

    data: DataContract | None = None
    """What the user's own data hold; None where none were given."""

    reference: str | None = None
    """The known solution, for scoring only: no stage before scoring reads it except the firewall."""

    extra: str = "{}"
    """The input's further columns, as JSON."""

    failure: Failure | None = None
    """Why the row has no result; later stages let it pass."""

    calls: tuple[LLMCall, ...] = ()
    """The language model calls made for the row by all stages so far, those of a stage that failed included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Understood(Requirement):
    """With what is asked for, one checkable thing at a time."""

    constraints: tuple[Constraint, ...] = ()
    """Of the requirement first, then of the attributes, then of the data, in the order they stand there."""

    language: str = ""
    """The language that the requirement is written in, as ISO 639-1 code; "" where it is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned(Understood):
    """With a solution plan."""

    plan: SolutionPlan | None = None
    """None where planning failed."""

    plan_sources: tuple[str, ...] = ()
    """Ids of the known plans it was drawn from."""

    plan_changes: tuple[PlanChange, ...] = ()
    """What the plan says otherwise than its planner did, and why."""

    plan_origins: tuple[FieldOrigin, ...] = ()
    """For each field that the plan states, whether the request states it, or who has guessed it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retrieved(Planned):
    """With the samples most similar to the plan."""

    samples: tuple[RetrievedSample, ...] = ()
    """By rank: the first is for Code RAG, the first two for Template RAG."""

    excluded: tuple[ExcludedSample, ...] = ()
    """What the firewall kept out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Templated(Retrieved):
    """With the template that the two most similar samples share."""

    template: str = ""
    """A program with placeholders."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drafted(Templated):
    """With both drafts."""

    code_draft: str = ""
    """Draft 1, the adapted sample."""

    template_draft: str = ""
    """Draft 2, the filled template."""

    code_decisions: Decisions | None = None
    """What the model says it decided in draft 1; None where no model wrote it."""

    template_decisions: Decisions | None = None
    """The same of draft 2."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Generated(Drafted):
    """With the final project."""

    files: tuple[SourceFile, ...] = ()
    """The script and what else the program came with; once delivered, notebook, requirements and README too."""

    choices: tuple[SectionChoice, ...] = ()
    """For each section the draft it came from; where a language model compared the drafts, by their syntax trees."""

    plan_final: SolutionPlan | None = None
    """The plan with what the writer has corrected in it; None for a row without a plan."""

    corrections: tuple[PlanCorrection, ...] = ()
    """Where the two differ."""

    decisions: Decisions | None = None
    """What the model says it decided in the final project; None where no model wrote it."""

    @property
    def written_plan(self) -> SolutionPlan | None:
        """What the project was written by: the final plan, or the row's own where no writer has settled one."""
        return self.plan_final or self.plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered(Generated):
    """With what was asked looked up in the final project."""

    delivery: Delivery | None = None
    """None for a row without a project."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored(Delivered):
    """With the project's scores."""

    scores: Scores | None = None
    """None for a row without a project."""
