"""Every row the pipeline works on, once.

Requirement -> Planned -> Retrieved -> Templated -> Drafted -> Generated -> Scored.
Each class adds one stage's fields to the one before. Added fields have defaults, so that a row that failed early
still fits the last schema.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.plan.solution_plan import SolutionPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a row has no result: the stage it failed in, a countable kind, and the reason in plain words."""

    stage: str
    kind: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CallMeasures:
    """What differs between two runs that ask and get the same: seconds of waiting, whether the answer came from the
    response cache, prompt tokens the engine had in its prefix cache, and what was paid (nothing for the cache's)."""

    seconds: float
    cached: bool
    cached_tokens: int
    cost: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LLMCall:
    """A call to a language model: the stage and the prompt file that made it, the model, tokens as the engine counted
    them, how the reply ended (`stop`, `length`, ...), and what was cut from a prompt longer than the context.
    `reference_share`: the share of the row's reference, in runs of five words, that stood in what was sent; None
    without a reference. The contamination audit reads it, nothing else.

    Two calls are equal whatever was measured: `measured` travels with the row, and is stored apart from the results.
    """

    stage: str
    prompt: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    cut: tuple[str, ...] = ()
    reference_share: float | None = None
    measured: CallMeasures | None = field(default=None, compare=False)


SCRIPT = "project.py"
NOTEBOOK = "project.ipynb"
REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """A file of a generated project: its path inside the project folder, and its text."""

    path: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrievedSample:
    """A sample that reached the generator: its rank from 1, and its BM25 score for the row's plan and words, or, where
    it was found `by` requirement (as CEDAR's example is), for its words alone."""

    id: str
    rank: int
    score: float
    task_category: str
    requirement: str
    by: str = "plan"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExcludedSample:
    """A sample the contamination firewall kept from the generator, with the similarity (0 to 1) that decided."""

    id: str
    reason: str
    similarity: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SectionChoice:
    """Which draft a section of the final project came from, with both drafts' points (0 to 1) and the reason."""

    section: str
    chosen: str
    code_draft: float
    template_draft: float
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """What was measured on one generated project. None where a measure does not apply (no reference, no parse).

    CodeBLEU and its four parts are in [0, 1] (Ren et al., 2020; codebleu 0.7.0, default equal weights).
    `conformance` is the share of the plan's checkable statements that the code keeps, in [0, 1].
    `length_ratio` is candidate tokens over reference tokens: CodeBLEU rises with it.
    """

    parses: bool
    undefined_names: tuple[str, ...] = ()
    invalid_calls: tuple[str, ...] = ()
    conformance: float | None = None
    deviations: tuple[str, ...] = ()
    lines: int = 0
    codebleu: float | None = None
    ngram_match: float | None = None
    weighted_ngram_match: float | None = None
    syntax_match: float | None = None
    dataflow_match: float | None = None
    length_ratio: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """What the user asked for, and where it stood in the input.

    `row` counts input rows from 0; `id` is unique in a job. `reference` is the known solution, for scoring only:
    no stage before scoring reads it except the firewall. `extra` holds the input's further columns as JSON. `calls` are
    the language model calls made for the row, by all stages so far, those of a stage that failed included.
    """

    id: str
    row: int
    requirement: str = ""
    attributes: str = ""
    reference: str | None = None
    extra: str = "{}"
    failure: Failure | None = None
    calls: tuple[LLMCall, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned(Requirement):
    """With a solution plan, and the ids of the known plans it was drawn from."""

    plan: SolutionPlan | None = None
    plan_sources: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Retrieved(Planned):
    """With the samples most similar by plan (top 1 for Code RAG, top 2 for Template RAG), and what was kept out."""

    samples: tuple[RetrievedSample, ...] = ()
    excluded: tuple[ExcludedSample, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Templated(Retrieved):
    """With the template that the top samples share."""

    template: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drafted(Templated):
    """With both drafts: the adapted sample (code_draft, draft 1) and the filled template (template_draft, draft 2)."""

    code_draft: str = ""
    template_draft: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Generated(Drafted):
    """With the final project, and for each section the draft it came from."""

    files: tuple[SourceFile, ...] = ()
    choices: tuple[SectionChoice, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored(Generated):
    """With the project's scores."""

    scores: Scores | None = None
