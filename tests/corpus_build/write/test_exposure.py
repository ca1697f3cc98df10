"""What tells that a model has seen a reference."""

from __future__ import annotations

import asyncio

from corpus_build.write.exposure import check_exposure, halves, min_k_percent
from pipeline.errors import StageFailure
from pipeline.llm.protocol import ChatReply, ChatRequest
from pipeline.llm.scripted import ScriptedLLM

CODE = "\n".join(f"value_{number} = compute_{number * 7}(frame, {number})" for number in range(40))


def test_a_recited_reference_is_told_from_an_own_text() -> None:
    start, rest = halves(CODE)
    assert start + rest == CODE

    def script(request: ChatRequest) -> ChatReply:
        assert request.logprobs
        recited = request.messages[-1].content == start
        return ChatReply(text=rest if recited else "other = 1\nprint(other)", token_logprobs=(-0.1,) * 9 + (-3.0,))

    seen, unseen = asyncio.run(check_exposure(ScriptedLLM(script), [("a", CODE), ("b", CODE.replace("frame", "t"))]))
    assert (seen.overlap, seen.exposed, seen.min_k) == (1.0, True, -1.55)
    assert (unseen.overlap, unseen.exposed) == (0.0, False)


def test_repeating_the_start_is_no_sign() -> None:
    llm = ScriptedLLM(lambda request: request.messages[-1].content)
    assert asyncio.run(check_exposure(llm, [("a", CODE)]))[0].overlap == 0.0


def test_without_logprobs_there_is_no_min_k_and_a_failure_is_named() -> None:
    def script(request: ChatRequest) -> str:
        raise StageFailure("llm_busy", "later")

    assert asyncio.run(check_exposure(ScriptedLLM(script), [("a", CODE)]))[0].failure == "llm_busy"
    assert asyncio.run(check_exposure(ScriptedLLM(lambda request: "x"), [("a", CODE)]))[0].min_k is None


def test_min_k_is_the_mean_of_the_least_likely() -> None:
    assert min_k_percent([-1.0, -5.0, -2.0, -3.0, -4.0], k=0.4) == -4.5
    assert min_k_percent([-1.0]) == -1.0
