"""An LLM as judge (paper, Table III): scores by a rubric, and comparisons in both orders.

A judge favours a position in a pair (Zheng et al., Judging LLM-as-a-Judge, NeurIPS 2023, arXiv:2306.05685) and what its
own model wrote. So pairs are asked in both orders, several times, and a judgement of a judge's own family says so. The
prompts name no method and no model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import StageFailure
from pipeline.llm.asking.prompt_files import render
from pipeline.llm.asking.replies import clean_text
from pipeline.llm.asking.verdict_reading import verdicts_in
from pipeline.llm.protocol import LLM, ChatReply, ChatRequest, Message, Sampling
from pipeline.llm.seeds import call_seed

ASPECTS = ("compliance", "usefulness", "idiomaticity")
LONGEST = 24_000
"""Characters of a project that a judge reads; a longer one is cut, and the judgement says so."""

Choice = Literal["A", "B", "tie"]
_LONGEST_REASON = 2_000
_QUOTED = 600
"""Characters of a useless reply that the judge is shown again."""

_FAMILIES = {
    "gpt": r"gpt|chatgpt|davinci|openai|(?<![a-z0-9])o[1345](?![a-z0-9])",
    "claude": r"claude|anthropic",
    "gemini": r"gemini|gemma|palm",
    "deepseek": r"deepseek",
    "qwen": r"qwen|qwq",
    "llama": r"llama|vicuna|alpaca",
    "mistral": r"mi[sx]tral|codestral|devstral",
    "phi": r"(?<![a-z])phi-?\d",
    "starcoder": r"starcoder|starchat",
    "glm": r"glm",
}


# The JSON schemas of these two classes, with their names and docstrings, go to the model, and into the key of the
# response cache: a changed word is another question.
class Verdict(BaseModel):
    """A judge's scores for one project."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=2_000)
    compliance: int = Field(ge=0, le=10)
    usefulness: int = Field(ge=0, le=10)
    idiomaticity: int = Field(ge=0, le=10)


class PairVerdict(BaseModel):
    """A judge's choice between two projects."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=2_000)
    compliance: Choice
    usefulness: Choice
    idiomaticity: Choice


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedTask:
    """What the projects were to do."""

    requirement: str
    attributes: str = ""


_V = TypeVar("_V", bound=BaseModel)


async def judged(llm: LLM, task: JudgedTask, code: str, sampling: Sampling, sample: int) -> Verdict:
    """One judgement of one project. Samples differ by their seed. Raises StageFailure `unreadable_verdict`, and the
    model's own."""
    return await _answer(llm, "judge_scores", Verdict, sampling, sample, _parts(task) | {"code": code[:LONGEST]})


async def preferred(
    llm: LLM, task: JudgedTask, ours: str, theirs: str, sampling: Sampling, sample: int, *, ours_first: bool
) -> Mapping[str, float | str]:
    """By aspect 1 where `ours` is better, 0 where `theirs` is, 0.5 for a tie; and the `reason`, in which the first
    project is called A. Raises as `judged`."""
    first, second = (ours, theirs) if ours_first else (theirs, ours)
    parts = _parts(task) | {"first": first[:LONGEST], "second": second[:LONGEST]}
    verdict = await _answer(llm, "judge_pair", PairVerdict, sampling, sample, parts)
    value = {"A": float(ours_first), "B": float(not ours_first), "tie": 0.5}
    return {aspect: value[getattr(verdict, aspect)] for aspect in ASPECTS} | {"reason": verdict.reason}


def model_family(model: str) -> str:
    """The family that a model's name belongs to; "" for one that is not known. A fine-tuned model keeps the name of
    what it came from as a rule, so `deepseek-r1-distill-llama` is deepseek's."""
    start_of = {}
    for family, pattern in _FAMILIES.items():
        match = re.search(pattern, model.lower())
        if match is not None:
            start_of[family] = match.start()
    return min(start_of, key=lambda family: start_of[family], default="")


def own_family(judge: str, writer: str) -> bool:
    """Whether a judge would judge its own family; equal names count also where the family is not known."""
    family = model_family(judge)
    if family and family == model_family(writer):
        return True
    return judge != "" and judge.lower() == writer.lower()


async def _answer(
    llm: LLM, prompt: str, kind: type[_V], sampling: Sampling, sample: int, parts: Mapping[str, str]
) -> _V:
    """The model's answer to a prompt, as a record of class `kind`."""
    request = ChatRequest(
        messages=render(prompt, **parts),
        sampling=replace(sampling, seed=call_seed(sampling.seed or 0, prompt, sample, *parts.values())),
        schema=json.dumps(kind.model_json_schema()),
    )
    reply = await llm.chat(request)
    try:
        return _verdict(reply, kind)
    except ValueError as error:
        reason = str(error)
    # The sample has been paid for: it is asked for once more, and with more room where it was cut off.
    if reply.finish_reason == "length":
        longer = replace(request.sampling, max_tokens=2 * request.sampling.max_tokens)
        request = replace(request, sampling=longer)
    else:
        useless = Message(role="assistant", content=reply.text[:_QUOTED] or "(nothing)")
        request = replace(request, messages=(*request.messages, useless, *render("again", reason=reason, form="json")))
    try:
        return _verdict(await llm.chat(request), kind)
    except ValueError as error:
        raise StageFailure("unreadable_verdict", f"{error}, and so before it was asked again") from error


def _verdict(reply: ChatReply, kind: type[_V]) -> _V:
    """The last verdict of a reply: other keys left out, half points rounded down. Raises ValueError where there is
    none."""
    reason = f"the reply is no verdict (it ended by {reply.finish_reason})"
    is_cut = reply.finish_reason == "length"
    for known in reversed(verdicts_in(clean_text(reply.text), ASPECTS, whole=is_cut)):
        try:
            return kind.model_validate(known | {"reason": str(known.get("reason", ""))[:_LONGEST_REASON]})
        except ValidationError as error:
            problem = error.errors()[0]
            field = ".".join(map(str, problem["loc"])) or "the answer"
            reason = f"{field}: {problem['msg']} (the reply ended by {reply.finish_reason})"
    raise ValueError(reason)


def _parts(task: JudgedTask) -> dict[str, str]:
    return {"requirement": task.requirement, "attributes": task.attributes}
