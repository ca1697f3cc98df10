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
    """One method's answer to the item: the final code and, where it had them, its drafts and template."""

    method: str
    measured: Measured
    code: str
    drafts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreItem:
    """An item with everything the page shows of it. `samples`: what was retrieved, `shown`: the code of it. `plan` is
    the first method's, or the known one where methods made none; `plan_title` says which."""

    number: int
    id: str
    requirement: str
    attributes: str = ""
    category: str = ""
    reference: str = ""
    plan: SolutionPlan | None = None
    plan_title: str = "Plan"
    samples: Sequence[RetrievedSample] = ()
    shown: Sequence[Shown] = ()
    answers: Sequence[Answer] = ()

    @property
    def failed(self) -> int:
        return sum(answer.measured.failure is not None for answer in self.answers)

    @property
    def contaminated_by(self) -> str:
        found = [
            contamination_sources(answer.measured.contamination)
            for answer in self.answers
            if answer.measured.contamination
        ]
        return ", ".join(dict.fromkeys(name for names in found for name in names))

    def codebleu(self, protocol: str) -> list[float]:
        """The CodeBLEU of every answer that has one, in percent."""
        pairs = [pair_of(protocol, answer.measured) for answer in self.answers]
        found = [item_codebleu(pair) for pair in pairs if pair is not None]
        return [value for value in found if value is not None]


def score_item_json(item: ScoreItem) -> str:
    """What the page's script builds the opened item from; the same form as `report_items.item_json`, and `methods`."""
    documents = Documents()
    reference = add_code(documents, "Reference", item.reference)
    finals = [(answer, add_code(documents, answer.method, answer.code)) for answer in item.answers]
    for answer in item.answers:
        for name, draft in answer.drafts.items():
            add_code(documents, f"{name} of {answer.method}" if len(item.answers) > 1 else name, draft)
    samples = [
        add_code(documents, f"Sample {place}: {clip(sample.id, 60)}", sample.code)
        for place, sample in enumerate(item.shown, start=1)
    ]
    for _, final in finals:
        if final is not None and reference is not None:
            documents.compare(final, reference)
    if samples and samples[0] is not None and finals and finals[0][1] is not None:
        documents.compare(samples[0], finals[0][1])
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
    """Adds a method's code, clipped, and gives its place; None for none."""
    return add_python(documents, clip(name, 90), clip_lines(text)) if text.strip() else None


def _method(answer: Answer) -> list[object]:
    """Name, CodeBLEU raw, paper and at equal length, length ratio, conformance, lines copied, and what went wrong."""
    found = answer.measured
    raw, paper = pair_of("raw", found), pair_of("paper", found)
    failure = f"{found.failure.stage}: {found.failure.kind}" if found.failure else ""
    parses = found.scores.parses if found.scores is not None and found.generated else None
    return [
        clip(answer.method, 90),
        item_codebleu(raw) if raw else None,
        item_codebleu(paper) if paper else None,
        item_codebleu(raw, equal_length=True) if raw else None,
        raw.candidate_words / raw.reference_words if raw and raw.reference_words else None,
        100 * found.scores.conformance if found.scores and found.scores.conformance is not None else None,
        100 * found.copying.lines_in_common if found.copying else None,
        failure or ("does not parse" if parses is False else "parses" if parses else ""),
    ]
