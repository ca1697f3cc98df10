"""Extraction by a language model, checked against the code (paper, section IV.D).

The model gets the plan's JSON schema as a bound of its reply. A notebook longer than the context is cut by section, the
answers are put together. Where an answer differs from what the code states outright, the model is asked once more; what
still differs is recorded, and the code's word is taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field

from corpus_build.extract.plan_check import (
    STATED_OUTRIGHT,
    PlanAnswer,
    disagreements,
    known_fields,
    merged,
    with_answer,
)
from corpus_build.read.notebook import ParsedNotebook
from corpus_build.records import Confidence, Disagreement, Extracted
from pipeline.errors import StageFailure
from pipeline.llm.asking.prompt_files import render
from pipeline.llm.asking.replies import clean_text
from pipeline.llm.protocol import LLM, ChatRequest, Message, Sampling
from pipeline.llm.tokens import estimate_tokens
from pipeline.plan.json_objects import objects_in
from pipeline.plan.reading import UnreadablePlanError, read_plan, read_text
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import CATEGORIES

REPLY_TOKENS = 3000
DEFAULT_CONTEXT = 16_384
"""Tokens, where the model's own length is not known."""

_PROMPT_TOKENS = 700
_KEYS = frozenset({"User Requirement", "Dataset Attributes", "Code Plan"})
"""Of an answer; one of them tells it from an object that is only spoken of."""

ANSWERED = 0.7
"""Confidence in what the model says and the code does not."""


# Its name and a docstring would be in the schema that is sent, and so in the keys of cached replies.
class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    requirement: str = Field("", alias="User Requirement", max_length=1200)
    attributes: str = Field("", alias="Dataset Attributes", max_length=2000)
    plan: SolutionPlan = Field(default_factory=SolutionPlan, alias="Code Plan")


@lru_cache(maxsize=1)
def answer_schema() -> str:
    """The JSON schema of an answer: the plan's, with requirement and attributes."""
    return json.dumps(_Answer.model_json_schema(by_alias=True))


async def extract_with_llm(llm: LLM, notebook: ParsedNotebook, static: Extracted, context: int | None) -> Extracted:
    """The row with the model's words in it. `static` is what the code gave; `context` the model's length in tokens.

    Where the model fails (StageFailure), the static row is given back, its `extraction` saying why.
    """
    if static.plan is None or static.confidence is None:
        return static
    parts = cut_by_section(notebook, (context or DEFAULT_CONTEXT) - REPLY_TOKENS - _PROMPT_TOKENS)
    try:
        answers = []
        for number, text in enumerate(parts, start=1):
            answers.append(await _ask(llm, _prompt(text, number, len(parts))))
        answer = merged(answers)
        differing = disagreements(static.plan, static.confidence, answer.plan)
        if differing:
            answer = await _ask_again(llm, parts, answer, differing)
            differing = disagreements(static.plan, static.confidence, answer.plan)
    except StageFailure as failure:
        return replace(static, extraction=f"static ({failure.kind})")
    return _combined(static, static.plan, static.confidence, answer, differing, llm.model)


def cut_by_section(notebook: ParsedNotebook, tokens: int) -> list[str]:
    """The notebook's cells as texts of at most about so many tokens.

    Cuts are made before headings where one can be, else between cells; a cell that is longer alone is cut off.
    """
    parts: list[list[str]] = [[]]
    sizes = [0]
    for cell in notebook.cells:
        text = cell.source if cell.kind == "markdown" else f"```python\n{cell.source.rstrip()}\n```"
        size = estimate_tokens(text)
        if size > tokens:
            text, size = text[: max(1, int(len(text) * tokens / size))], tokens
        starts_section = cell.kind == "markdown" and cell.source.lstrip().startswith("#")
        if sizes[-1] + size > tokens or (starts_section and sizes[-1] > tokens * 2 // 3):
            parts.append([])
            sizes.append(0)
        parts[-1].append(text)
        sizes[-1] += size
    return ["\n\n".join(part) for part in parts if part]


def _prompt(text: str, part: int, parts: int) -> tuple[Message, ...]:
    return render("extract_plan", text=text, part=part, parts=parts, categories=", ".join(CATEGORIES))


async def _ask(llm: LLM, messages: tuple[Message, ...]) -> PlanAnswer:
    """The model's answer, without its thinking; one that was cut off is asked for with more room. Raises StageFailure
    (`llm_bad_plan`) where it is none."""
    request = ChatRequest(messages=messages, sampling=Sampling(max_tokens=REPLY_TOKENS), schema=answer_schema())
    reply = await llm.chat(request)
    objects = objects_in(clean_text(reply.text))
    if reply.finish_reason == "length" and not any(found.whole for found in objects):
        longer = replace(request, sampling=Sampling(max_tokens=2 * REPLY_TOKENS))
        reply = await llm.chat(longer)
        objects = objects_in(clean_text(reply.text))
    whole = [found.value for found in objects if found.whole]
    if reply.finish_reason != "stop" and not whole:
        raise StageFailure("llm_bad_plan", f"the answer ended by {reply.finish_reason} before it was whole")
    answers = [value for value in whole if _KEYS & value.keys()]
    try:
        plan = read_plan(answers[-1] if answers else clean_text(reply.text))
    except UnreadablePlanError as error:
        raise StageFailure("llm_bad_plan", str(error)) from error
    content = answers[-1] if answers else {}
    return PlanAnswer(
        requirement=read_text(content.get("User Requirement")),
        attributes=read_text(content.get("Dataset Attributes")),
        plan=plan,
    )


async def _ask_again(
    llm: LLM, parts: Sequence[str], answer: PlanAnswer, differing: Iterable[Disagreement]
) -> PlanAnswer:
    """The answer to the question whether the code is not right, the first part of the notebook before it."""
    content = {
        "User Requirement": answer.requirement,
        "Dataset Attributes": answer.attributes,
        "Code Plan": answer.plan.model_dump(by_alias=True, mode="json"),
    }
    own_answer = Message(role="assistant", content=json.dumps(content, ensure_ascii=False))
    doubt = render("check_plan", disagreements=list(differing))
    second = await _ask(llm, (*_prompt(parts[0], 1, len(parts)), own_answer, *doubt))
    return PlanAnswer(
        requirement=second.requirement or answer.requirement,
        attributes=second.attributes or answer.attributes,
        plan=second.plan,
    )


def _combined(
    static: Extracted,
    plan: SolutionPlan,
    confidence: Confidence,
    answer: PlanAnswer,
    differing: tuple[Disagreement, ...],
    model: str,
) -> Extracted:
    """What the code states outright stays; the model's words fill and replace the rest."""
    taken = {field for field in known_fields(answer.plan) if getattr(confidence, field) < STATED_OUTRIGHT}
    answered = set(taken)
    if answer.requirement:
        answered.add("requirement")
    if answer.attributes:
        answered.add("attributes")
    return replace(
        static,
        requirement=answer.requirement or static.requirement,
        attributes=answer.attributes or static.attributes,
        plan=with_answer(plan, answer.plan, taken),
        confidence=replace(confidence, **dict.fromkeys(answered, ANSWERED)),
        disagreements=differing,
        extraction=f"llm:{model}",
    )
