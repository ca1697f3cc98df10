"""The items that a score report opens: the task, what each method answered, and all of it side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.comparison.code_rows import item_codebleu, pair_of
from pipeline.measures.contamination import contamination_sources
from pipeline.measures.outputs import Measured, Shown
from pipeline.pages.report_items import ENTRIES, Documents, add_python, entry, plan_view, script_json
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
        pairs = [pair_of(protocol, answer.measured) for answer in self.answers]
        values = [item_codebleu(pair) for pair in pairs if pair is not None]
        return [value for value in values if value is not None]


def score_item_json(item: ScoreItem) -> str:
    """What the page's script builds the opened item from; the same form as `report_items.item_json`, and `methods`."""
    documents = Documents()
    reference = add_code(documents, "Reference", item.reference)
    finals = [add_code(documents, answer.method, answer.code) for answer in item.answers]
    for answer in item.answers:
        for name, draft in answer.drafts.items():
            title = f"{name} of {answer.method}" if len(item.answers) > 1 else name
            add_code(documents, title, draft)
    samples = []
    for rank, sample in enumerate(item.shown, start=1):
        samples.append(add_code(documents, f"Sample {rank}: {clip(sample.id, 60)}", sample.code))
    for final in finals:
        if final is not None and reference is not None:
            documents.compare(final, reference)
    if samples and samples[0] is not None and finals and finals[0] is not None:
        documents.compare(samples[0], finals[0])
    methods = [_method(answer) for answer in item.answers]
    return script_json(item_view(item, documents) | {"methods": methods, "contaminatedBy": item.contaminated_by})


def item_view(item: ScoreItem, documents: Documents) -> dict[str, object]:
    """What any page shows of an item that several methods answered: the task, its plan and samples, and all code."""
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
        "samples": [entry(sample) for sample in item.samples[:ENTRIES]],
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
    return add_python(documents, clip(name, 90), clip_lines(text)) if text.strip() else None


def _method(answer: Answer) -> list[object]:
    """Method, CodeBLEU raw, paper and at equal length, length ratio, conformance, lines copied, and what went wrong."""
    measured = answer.measured
    raw, paper = pair_of("raw", measured), pair_of("paper", measured)
    length_ratio = None
    if raw is not None and raw.reference_words:
        length_ratio = raw.candidate_words / raw.reference_words
    conformance = measured.scores.conformance if measured.scores is not None else None
    return [
        clip(answer.method, 90),
        item_codebleu(raw) if raw is not None else None,
        item_codebleu(paper) if paper is not None else None,
        item_codebleu(raw, equal_length=True) if raw is not None else None,
        length_ratio,
        100 * conformance if conformance is not None else None,
        100 * measured.copying.lines_in_common if measured.copying is not None else None,
        _outcome(measured),
    ]


def _outcome(measured: Measured) -> str:
    """The failure, or whether the code parses; "" where there is none."""
    if measured.failure is not None:
        return f"{measured.failure.stage}: {measured.failure.kind}"
    if measured.scores is None or not measured.generated:
        return ""
    return "parses" if measured.scores.parses else "does not parse"
