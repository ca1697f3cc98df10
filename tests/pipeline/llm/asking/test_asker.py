"""Asking for a row: what is cut from a long prompt, what is continued, what is asked again, and what is recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calls import LLMCall
from pipeline.config import WritingSettings
from pipeline.errors import StageFailure
from pipeline.llm.asking.asker import Asker, Asking
from pipeline.llm.asking.context import CUT_ORDER, fit
from pipeline.llm.protocol import ChatReply, ChatRequest, Sampling
from pipeline.llm.scripted import ScriptedLLM
from pipeline.llm.tokens import estimate_prompt
from pipeline.records import Requirement
from tests.pipeline.generate.llm.scripts import CODE, PLAN, fenced, replied, role_of

ROW = Requirement(id="a", row=0, requirement="Classify photos of beetles.")
PLANNED = {"requirement": "r", "attributes": "", "asked": "", "plan": "{}", "plan_origin": "a guess"}
SAMPLES = {
    "sample": "a = 1",
    "sample_requirement": "moths",
    "second_sample": "b = 1",
    "second_sample_requirement": "bees",
}
WHOLE = fenced(CODE)


def _ask(
    script: Callable[[ChatRequest], str | ChatReply],
    work: Callable[[Asking], Any],
    context_length: int | None = None,
    **settings: Any,
) -> tuple[Any, Sequence[LLMCall], ScriptedLLM]:
    llm = ScriptedLLM(script)
    asker = Asker(llm, WritingSettings(**settings), context_length=context_length)
    (found,), calls = asyncio.run(asker.ask("write", ROW, work))
    return found, calls, llm


def _direct(asking: Asking) -> Any:
    return asking.program("direct", requirement=ROW.requirement, attributes="", asked="")


def _in_turn(*replies: str | ChatReply) -> Callable[[ChatRequest], str | ChatReply]:
    waiting = iter(replies)
    return lambda request: next(waiting)


def test_a_reply_that_was_cut_off_is_continued_until_it_ends() -> None:
    cuts = (120, 300)
    parts = [WHOLE[: cuts[0]], WHOLE[cuts[0] : cuts[1]], WHOLE[cuts[1] :]]
    script = _in_turn(replied(parts[0], "length"), replied(parts[1], "length"), replied(parts[2]))
    program, calls, llm = _ask(script, _direct)
    assert program.code == CODE
    assert [call.prompt for call in calls] == ["direct", "continue", "continue"]
    assert [call.finish_reason for call in calls] == ["length", "length", "stop"]
    assert llm.requests[2].messages[-2].content == parts[0] + parts[1]


def _seeds(row: str, seed: int | None, *works: Callable[[Asking], Any]) -> list[int | None]:
    """The seeds of a row's calls, whose first replies are useless."""
    llm = ScriptedLLM(lambda request: WHOLE if role_of(request) == "again" else "")
    asker = Asker(llm, WritingSettings(seed=seed))
    asyncio.run(asker.ask("write", Requirement(id=row, row=0, requirement=ROW.requirement), *works))
    return [request.sampling.seed for request in llm.requests]


def test_each_call_has_a_seed_of_its_own_and_the_same_in_the_next_run() -> None:
    def by_example(asking: Asking) -> Any:
        return asking.program("cedar", requirement="r", attributes="", asked="", sample="", sample_requirement="")

    works = (_direct, by_example)
    seeds = [*_seeds("a", 0, *works), *_seeds("b", 0, *works), *_seeds("a", 1, *works)]
    assert len(set(seeds)) == len(seeds) == 12
    assert seeds[:4] == _seeds("a", 0, *works)
    assert all(seed is not None and 0 <= seed < 2**31 for seed in seeds)
    assert _seeds("a", None, _direct) == [None, None]


def test_each_row_has_a_template_of_its_own() -> None:
    def template(asking: Asking) -> Any:
        return asking.template("template", **SAMPLES, **PLANNED)

    assert _seeds("a", 0, template) != _seeds("b", 0, template)
    assert _seeds("a", 0, template) == _seeds("a", 0, template) != _seeds("a", 1, template)


def test_continuations_are_bounded_and_the_program_so_far_is_kept() -> None:
    parts = (replied(f"x = {number}\ny = print({number})\n", "length") for number in range(9))
    program, calls, _ = _ask(_in_turn(*parts), _direct, continuations=2)
    assert len(calls) == 3
    assert program.code == "".join(f"x = {number}\ny = print({number})\n" for number in range(3))


@pytest.mark.parametrize(
    "more",
    [
        "Your answer was cut off. Go on exactly where it stops, from the next character on. Repeat nothing.",
        "Sure! Here is the rest of the code you asked for, in full detail",
        WHOLE[:200],
        WHOLE[:60],
        "",
        "<think>Where was I?",
    ],
)
def test_a_continuation_that_does_not_go_on_costs_nothing_of_the_program(more: str) -> None:
    cut = WHOLE.index("model.compile") + 20
    program, calls, _ = _ask(_in_turn(replied(WHOLE[:cut], "length"), replied(more, "length")), _direct)
    assert [call.prompt for call in calls] == ["direct", "continue"]
    assert program.code == CODE[: CODE.index("model.compile")]


def test_a_continuation_that_starts_over_and_ends_is_taken() -> None:
    cut = WHOLE.index("model.compile") + 20
    for again in (
        WHOLE,
        f"Sure! All of it:\n\n{WHOLE}",
        fenced(CODE.replace("import numpy", "import os\nimport numpy")),
    ):
        program, _, _ = _ask(_in_turn(replied(WHOLE[:cut], "length"), replied(again)), _direct)
        assert fenced(program.code) == again[again.index("```") :]


def test_pieces_are_never_joined_within_a_word_without_proof() -> None:
    program, _, _ = _ask(_in_turn(replied("The", "length"), replied("import pandas\nprint(pandas)\n")), _direct)
    assert program.code == "import pandas\nprint(pandas)\n"
    begun = "import pandas\nframe = pandas.DataFrame()\nprint(fra"
    program, _, _ = _ask(_in_turn(replied(begun, "length"), replied("me)\n")), _direct)
    assert program.code.endswith("print(frame)\n")


@pytest.mark.parametrize("thinking", ["<think>" + "Let me see. " * 50, "<|channel|>analysis<|message|>Let me", ""])
def test_a_reply_spent_on_thinking_is_asked_for_with_more_room(thinking: str) -> None:
    program, calls, llm = _ask(_in_turn(replied(thinking, "length"), WHOLE), _direct, max_tokens=500)
    assert program.code == CODE
    assert [call.prompt for call in calls] == ["direct", "more_room"]
    assert llm.requests[1].messages == llm.requests[0].messages
    assert [request.sampling.max_tokens for request in llm.requests] == [500, 1000]
    with pytest.raises(StageFailure, match="spent all 1000 tokens on thinking") as caught:
        _ask(lambda request: replied(thinking, "length"), _direct, max_tokens=500)
    assert caught.value.kind == "cut_off"


def test_imports_alone_are_no_program_when_the_rest_was_cut_off() -> None:
    with pytest.raises(StageFailure) as caught:
        _ask(lambda request: replied("```python\nimport keras\nmodel = keras.Sequential([", "length"), _direct)
    assert caught.value.kind == "cut_off"


def test_a_longer_reply_stays_within_the_context() -> None:
    script = _in_turn(replied("<think>Hm", "length"), WHOLE)
    _, _, llm = _ask(script, _direct, context_length=2200, max_tokens=1000)
    assert 1000 < llm.requests[1].sampling.max_tokens <= 2200 - estimate_prompt(llm.requests[0])


@pytest.mark.parametrize(
    ("bad", "kind"), [("", "empty_reply"), ("I cannot help with that.", "refused"), ("Use a CNN.", "not_python")]
)
def test_a_useless_reply_is_asked_for_once_more(bad: str, kind: str) -> None:
    program, calls, llm = _ask(_in_turn(bad, WHOLE), _direct)
    assert program.code == CODE
    assert [call.prompt for call in calls] == ["direct", "again"]
    assert llm.requests[1].messages[: len(llm.requests[0].messages)] == llm.requests[0].messages
    with pytest.raises(StageFailure) as caught:
        _ask(_in_turn(bad, bad), _direct)
    assert caught.value.kind == kind
    kept = caught.value.added["calls"]
    assert isinstance(kept, tuple)
    assert [call.prompt for call in kept] == ["direct", "again"]


@pytest.mark.parametrize("text", ["", WHOLE[:120], WHOLE])
def test_a_filtered_answer_is_a_refusal(text: str) -> None:
    with pytest.raises(StageFailure) as caught:
        _ask(lambda request: replied(text, "content_filter"), _direct)
    assert caught.value.kind == "refused"


def test_a_plan_that_cannot_be_read_is_asked_for_again_as_json() -> None:
    def work(asking: Asking) -> Any:
        return asking.plan("ps_plan", requirement="r", attributes="", asked="", categories="c")

    plan, calls, llm = _ask(_in_turn("no plan", json.dumps(PLAN)), work)
    assert plan.task_category == "Image Classification"
    assert len(calls) == 2
    assert "JSON object" in llm.requests[1].messages[-1].content
    assert llm.requests[1].schema == llm.requests[0].schema is not None


def _plan(asking: Asking) -> Any:
    return asking.plan("ps_plan", requirement="r", attributes="", asked="", categories="c")


def test_half_a_plan_is_asked_for_with_more_room_or_fails() -> None:
    whole = json.dumps(PLAN)
    plan, calls, llm = _ask(_in_turn(replied(whole[:150], "length"), whole), _plan)
    assert plan.layers[-1].startswith("Dense(7")
    assert [call.prompt for call in calls] == ["ps_plan", "more_room"]
    assert llm.requests[1].sampling.max_tokens == 2 * llm.requests[0].sampling.max_tokens
    with pytest.raises(StageFailure) as caught:
        _ask(lambda request: replied(whole[:150], "length"), _plan)
    assert caught.value.kind == "cut_off"


def test_a_plan_that_is_whole_when_the_limit_is_reached_is_taken() -> None:
    plan, calls, _ = _ask(_in_turn(replied(json.dumps(PLAN) + "\n" * 50, "length")), _plan)
    assert plan.task_category == "Image Classification"
    assert len(calls) == 1


@pytest.mark.parametrize(
    "useless",
    [
        json.dumps({"Dataset": {"Input": "90", "Output": "1960"}}),
        json.dumps(PLAN | {"Model Architecture": {"Layers": ["Dense(64)", "Dropout(0.2)"] * 20}}),
    ],
)
def test_an_empty_plan_and_one_in_a_loop_are_asked_for_again(useless: str) -> None:
    plan, calls, _ = _ask(_in_turn(useless, json.dumps(PLAN)), _plan)
    assert plan.layers[-1].startswith("Dense(7")
    assert len(calls) == 2


def test_failures_of_the_model_keep_the_calls_made_before() -> None:
    def script(request: ChatRequest) -> ChatReply:
        if role_of(request) == "continue":
            raise StageFailure("llm_unavailable", "gone")
        return replied(WHOLE[:100], "length")

    with pytest.raises(StageFailure) as caught:
        _ask(script, _direct)
    assert caught.value.kind == "llm_unavailable"
    assert len(caught.value.added["calls"]) == 1  # type: ignore[arg-type]


def test_works_of_a_stage_are_recorded_in_their_order_however_they_end() -> None:
    class Uneven(ScriptedLLM):
        async def chat(self, request: ChatRequest) -> ChatReply:
            await asyncio.sleep(0.05 if "first" in request.messages[-1].content else 0)
            return await super().chat(request)

    def work(name: str) -> Callable[[Asking], Any]:
        return lambda asking: asking.program("direct", requirement=name, attributes="a" * len(name), asked="")

    asker = Asker(Uneven(lambda request: WHOLE), WritingSettings())
    _, calls = asyncio.run(asker.ask("draft", ROW, work("first"), work("second one")))
    assert calls[0].prompt_tokens < calls[1].prompt_tokens


PARTS = {
    "template": "t = 1\n" * 200,
    "template_draft": "d = 1\n" * 200,
    "found": "",
    "code_draft": "c = 1\n" * 200,
    "sample": "s = 1\n" * 200,
    "second_sample": "z = 1\n" * 200,
    "chain": "1. Think.\n" * 100,
    "attributes": "Photos.\n" * 100,
    "requirement": "Classify beetles. " * 20,
    "plan": '{"Task Category": "Image Classification"}' * 5,
    "category": "Image Classification",
    "sample_requirement": "Classify moths.",
    "second_sample_requirement": "Classify bees.",
    "asked": "- epochs 5",
    "plan_origin": "a guess",
}
PROMPTS = ("direct", "cedar", "c_cot_code", "template", "draft_from_sample", "draft_from_template", "compare")


@given(st.sampled_from(PROMPTS), st.integers(60, 3000))
def test_a_prompt_fits_or_fails_and_requirement_and_plan_are_never_cut(prompt: str, room: int) -> None:
    try:
        request, cut = fit(prompt, PARTS, Sampling(), room)
    except StageFailure as failure:
        assert failure.kind == "prompt_too_long"  # noqa: PT017
        return
    text = request.messages[-1].content
    assert estimate_prompt(request) <= room
    assert PARTS["requirement"].strip() in text
    assert PARTS["asked"] in text
    if prompt.startswith(("template", "draft", "compare")):
        assert PARTS["plan"] in text
    parts = [item.partition(":")[0] for item in cut]
    assert parts == sorted(parts, key=CUT_ORDER.index)
    # Only the last part that was cut has something left.
    assert all(": 0 of" in item for item in cut[:-1])


def test_what_was_cut_is_recorded_with_the_call() -> None:
    def work(asking: Asking) -> Any:
        named = ("template", "requirement", "attributes", "asked", "plan", "plan_origin")
        parts = {name: PARTS[name] for name in named}
        return asking.program("draft_from_template", **parts)

    _, calls, llm = _ask(lambda request: WHOLE, work, context_length=3000, max_tokens=1700)
    (cut,) = calls[0].cut
    assert cut.startswith("template: ")
    assert cut.endswith(" of 1200 characters kept")
    assert llm.requests[0].sampling.max_tokens == 1500  # half of the context at most
    assert estimate_prompt(llm.requests[0]) <= 1500


def test_a_prompt_is_cut_by_the_engine_s_own_count_until_it_fits() -> None:
    """Digits are a token each to many models: 3.5 times what is estimated."""
    counted: list[int] = []

    def script(request: ChatRequest) -> str:
        tokens = sum(len(message.content) for message in request.messages)
        counted.append(tokens)
        if tokens + request.sampling.max_tokens > 8192:
            said = f"maximum context length is 8192 tokens and your request has {tokens} input tokens"
            raise StageFailure("llm_context", f"the prompt is longer than the model's context (400: {said})")
        return WHOLE

    def work(asking: Asking) -> Any:
        named = ("requirement", "attributes", "asked", "plan", "plan_origin", "sample_requirement")
        parts = {name: PARTS[name] for name in named}
        return asking.program("draft_from_sample", sample="0123456789 " * 2000, **parts)

    _, calls, _ = _ask(script, work, max_tokens=500)
    assert len(counted) == 2
    assert 7000 < counted[-1] <= 7692
    assert calls[0].cut[0].startswith("sample: ")
    parts = {"requirement": "1" * 9000, "attributes": "", "asked": ""}
    with pytest.raises(StageFailure, match="your request has") as caught:
        _ask(script, lambda asking: asking.program("direct", **parts), max_tokens=500)
    assert caught.value.kind == "llm_context"


def test_an_engine_that_finds_a_prompt_too_long_gets_a_shorter_one() -> None:
    lengths = []

    def script(request: ChatRequest) -> str:
        lengths.append(estimate_prompt(request))
        if lengths[-1] > 1600:
            raise StageFailure("llm_context", "too long")
        return WHOLE

    def work(asking: Asking) -> Any:
        named = ("sample", "sample_requirement", "requirement", "attributes", "asked", "plan", "plan_origin")
        parts = {name: PARTS[name] for name in named}
        return asking.program("draft_from_sample", **parts)

    _, calls, _ = _ask(script, work)
    assert len(lengths) > 1
    assert calls[0].cut[0].startswith("sample: ")
    with pytest.raises(StageFailure, match="too long"):
        _ask(lambda request: script(ChatRequest(messages=request.messages * 3)), work)
