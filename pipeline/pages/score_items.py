"""The items that a score report opens: the task, what each method answered, and all
of it side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.comparison.code_rows import item_codebleu, pair_of
from pipeline.measures.contamination import contamination_sources
from pipeline.measures.outputs import Measured, PairScore, Shown
from pipeline.pages.report_items import Documents, add_python, entries, plan_view, script_json
from pipeline.pages.report_text import TEXT_LIMIT, clip, clip_lines
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import RetrievedSample


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One method's answer to the item."""

    method: str
    measured: Measured
    code: str
    """Of the final project."""
    drafts: Mapping[str, str] = field(default_factory=dict)
    """By title, where the method has them: the drafts and the template."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreItem:
    """An item with everything the page shows of it."""

    number: int
    id: str
    requirement: str
    attributes: str = ""
    category: str = ""
    reference: str = ""
    plan: SolutionPlan | None = None
    """The first method's, or the known one where methods made none."""
    plan_title: str = "Plan"
    """Whose plan it is."""
    samples: Sequence[RetrievedSample] = ()
    shown: Sequence[Shown] = ()
    """The code of `samples`."""
    answers: Sequence[Answer] = ()

    @property
    def failed(self) -> int:
        return sum(answer.measured.failure is not None for answer in self.answers)

    @property
    def contaminated_by(self) -> str:
        """What held the item, whichever method was touched by it."""
        sources: dict[str, None] = {}  # a dict, to keep their order
        for answer in self.answers:
            if answer.measured.contamination:
                sources |= dict.fromkeys(contamination_sources(answer.measured.contamination))
        return ", ".join(sources)

    def codebleu(self, protocol: str) -> list[float]:
        """The CodeBLEU of every answer that has one, in percent."""
        values = []
        for answer in self.answers:
            value = _codebleu(pair_of(protocol, answer.measured))
            if value is not None:
                values.append(value)
        return values


def score_item_json(item: ScoreItem) -> str:
    """What the page's script builds the opened item from; the same form as
    `report_items.item_json`, and `methods`."""
    documents = Documents()
    reference = add_code(documents, "Reference", item.reference)
    finals = [add_code(documents, answer.method, answer.code) for answer in item.answers]
    for answer in item.answers:
        for name, draft in answer.drafts.items():
            title = name
            if len(item.answers) > 1:
                title = f"{name} of {answer.method}"
            add_code(documents, title, draft)
    samples = []
    for rank, sample in enumerate(item.shown, start=1):
        title = f"Sample {rank}: {clip(sample.id, 60)}"
        samples.append(add_code(documents, title, sample.code))
    for final in finals:
        if final is not None and reference is not None:
            documents.compare(final, reference)
    if samples and samples[0] is not None and finals and finals[0] is not None:
        documents.compare(samples[0], finals[0])
    methods = [_method(answer) for answer in item.answers]
    return script_json(item_view(item, documents) | {"methods": methods, "contaminatedBy": item.contaminated_by})


def item_view(item: ScoreItem, documents: Documents) -> dict[str, object]:
    """What any page shows of an item that several methods answered: the task, its
    plan and samples, and all code."""
    return {
        "id": clip(item.id, 200),
        "row": item.number,
        "category": item.category,
        "requirement": clip_lines(item.requirement, TEXT_LIMIT // 2),
        "attributes": clip_lines(item.attributes, TEXT_LIMIT // 2),
        "failure": None,
        "plan": plan_view(item.plan) if item.plan is not None else None,
        "planTitle": item.plan_title,
        "sources": [],
        "samples": entries(item.samples),
        "excluded": [],
        "allExcluded": 0,
        "choices": [],
        "scores": None,
        "moreFiles": 0,
        "lines": list(documents.lines),
        "texts": documents.texts,
        "diffs": documents.diffs,
    }


def add_code(documents: Documents, name: str, text: str) -> int | None:
    """Adds a method's code, clipped, and gives its number; None for no code."""
    if not text.strip():
        return None
    return add_python(documents, clip(name, 90), clip_lines(text))


def _method(answer: Answer) -> list[object]:
    """Method, CodeBLEU raw, paper and at equal length, length ratio, conformance,
    lines copied, and what went wrong."""
    measured = answer.measured
    raw = pair_of("raw", measured)
    paper = pair_of("paper", measured)
    length_ratio = None
    if raw is not None and raw.reference_words:
        length_ratio = raw.candidate_words / raw.reference_words
    conformance = None
    if measured.scores is not None and measured.scores.conformance is not None:
        conformance = 100 * measured.scores.conformance
    lines_in_common = None
    if measured.copying is not None:
        lines_in_common = 100 * measured.copying.lines_in_common
    return [
        clip(answer.method, 90),
        _codebleu(raw),
        _codebleu(paper),
        _codebleu(raw, equal_length=True),
        length_ratio,
        conformance,
        lines_in_common,
        _outcome(measured),
    ]


def _codebleu(pair: PairScore | None, *, equal_length: bool = False) -> float | None:
    if pair is None:
        return None
    return item_codebleu(pair, equal_length=equal_length)


def _outcome(measured: Measured) -> str:
    """The failure, or whether the code parses; "" where there is none."""
    if measured.failure is not None:
        return f"{measured.failure.stage}: {measured.failure.kind}"
    if measured.scores is None or not measured.generated:
        return ""
    return "parses" if measured.scores.parses else "does not parse"
