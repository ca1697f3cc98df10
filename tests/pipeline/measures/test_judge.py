"""The judge: what it is asked, what its answers are read as, and what they add up to."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from pipeline.comparison.judge_rows import Judgement, Preference, judged_comparisons, judged_rows, preference_rows
from pipeline.errors import StageFailure
from pipeline.llm.protocol import ChatReply, ChatRequest, Sampling
from pipeline.llm.scripted import ScriptedLLM
from pipeline.measures.judge import LONGEST, JudgedTask, judged, model_family, own_family, preferred
from pipeline.measures.outputs import MethodName

TASK = JudgedTask(requirement="Tell owls apart.", attributes="900 photos")
SAMPLING = Sampling(seed=5)


def scores(compliance: int, usefulness: int = 5, idiomaticity: int = 5) -> str:
    return json.dumps({"reason": "", "compliance": compliance, "usefulness": usefulness, "idiomaticity": idiomaticity})


def fond_of_the_first(request: ChatRequest) -> str:
    return json.dumps({"reason": "", "compliance": "A", "usefulness": "tie", "idiomaticity": "B"})


def test_a_project_is_judged_by_the_rubric_and_nothing_else() -> None:
    llm = ScriptedLLM(lambda request: f"<think>8? no</think>\n```json\n{scores(7)}\n```")
    found = asyncio.run(judged(llm, TASK, "print('owl')" + " " * LONGEST + "end", SAMPLING, sample=2))
    assert (found.compliance, found.usefulness) == (7, 5)
    request = llm.requests[0]
    said = request.messages[-1].content
    for part in ("Tell owls apart.", "900 photos", "print('owl')"):
        assert part in said
    assert "end" not in said  # beyond what a judge reads
    asyncio.run(judged(llm, TASK, "print('owl')", SAMPLING, sample=1))
    assert len({one.sampling.seed for one in llm.requests}) == 2
    assert json.loads(request.schema or "")["properties"]["compliance"]["maximum"] == 10


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I would say eight.",
        scores(11),
        '{"compliance": 5}',
        "{" * 3000,
        '{"compliance": "4/5", "usefulness": "80%", "idiomaticity": 9}',
        "Compliance: 8\nUsefulness: 7",
    ],
)
def test_an_answer_outside_of_the_schema_is_asked_for_again_and_then_a_failure(reply: str) -> None:
    llm = ScriptedLLM(lambda request: reply)
    with pytest.raises(StageFailure) as failure:
        asyncio.run(judged(llm, TASK, "x", SAMPLING, 0))
    assert failure.value.kind == "unreadable_verdict"
    assert len(llm.requests) == 2
    replies = iter([reply, scores(7)])
    assert asyncio.run(judged(ScriptedLLM(lambda request: next(replies)), TASK, "x", SAMPLING, 0)).compliance == 7


@pytest.mark.parametrize(
    "reply",
    [
        '{"reason":"r","compliance":8,"usefulness":7,"idiomaticity":9,"overall":8}',
        '{"reason":"r","compliance":8.5,"usefulness":7.0,"idiomaticity":"9/10"}',
        '{"Reason":"r","Compliance":"8","Usefulness":7,"Idiomaticity":9}',
        "{'reason': 'it\\'s fine', 'compliance': 8, 'usefulness': 7, 'idiomaticity': 9,}",
        'The form is {"compliance": 1}. So:\n{"reason": "r", "compliance": 8, "usefulness": 7, "idiomaticity": 9}',
        '[{"compliance": 8, "usefulness": 7, "idiomaticity": 9}]',
        '[THINK]{"reason":"","compliance":1,"usefulness":1,"idiomaticity":1}[/THINK]' + scores(8, 7, 9),
        '{"reason": "r", "scores": {"compliance": 8, "usefulness": 7, "idiomaticity": 9}}',
        '{"compliance": {"score": 8, "reason": "a"}, "usefulness": {"rating": 7}, "idiomaticity": {"score": 9}}',
        '{"Compliance Score": "**8**", "usefulness_score": "7 points", "idiomaticity": "9 out of 10 - good"}',
        '{"name": "reply", "arguments": {"compliance": 8, "usefulness": 7, "idiomaticity": 9}}',
        "**Compliance**: 8/10\n**Usefulness**: 7\n**Idiomaticity**: 9",
    ],
)
def test_a_verdict_is_read_as_it_is_meant(reply: str) -> None:
    llm = ScriptedLLM(lambda request: reply)
    verdict = asyncio.run(judged(llm, TASK, "x", SAMPLING, 0))
    assert (verdict.compliance, verdict.usefulness, verdict.idiomaticity) == (8, 7, 9)
    assert len(llm.requests) == 1


@pytest.mark.parametrize(
    ("first", "second", "neither"),
    [("a", "b", "Tie"), ("Project A", "Project B", "both are equal"), ("[[A]]", "[[B]]", "[[C]]"),
     ("A is better", "**B**", "draw"), ("first", "second", "neither"), ("Solution A", "The second one", "same")],
)  # fmt: skip
def test_a_choice_is_read_in_any_words(first: str, second: str, neither: str) -> None:
    answer = {"reason": "r", "compliance": first, "usefulness": second, "idiomaticity": neither}
    llm = ScriptedLLM(lambda request: json.dumps(answer))
    choice = asyncio.run(preferred(llm, TASK, "x", "y", SAMPLING, 0, ours_first=True))
    assert (choice["compliance"], choice["usefulness"], choice["idiomaticity"]) == (1.0, 0.0, 0.5)
    assert len(llm.requests) == 1


def test_half_a_verdict_is_asked_for_with_more_room() -> None:
    replies = iter([ChatReply(text=scores(3)[:-4], finish_reason="length"), ChatReply(text=scores(8))])
    llm = ScriptedLLM(lambda request: next(replies))
    assert asyncio.run(judged(llm, TASK, "x", SAMPLING, 0)).compliance == 8
    assert llm.requests[1].sampling.max_tokens == 2 * llm.requests[0].sampling.max_tokens


def test_the_same_place_wins_for_the_other_side_in_the_other_order() -> None:
    llm = ScriptedLLM(fond_of_the_first)
    first = asyncio.run(preferred(llm, TASK, "ours", "theirs", SAMPLING, 0, ours_first=True))
    second = asyncio.run(preferred(llm, TASK, "ours", "theirs", SAMPLING, 0, ours_first=False))
    assert first == {"compliance": 1.0, "usefulness": 0.5, "idiomaticity": 0.0, "reason": ""}
    assert second == {"compliance": 0.0, "usefulness": 0.5, "idiomaticity": 1.0, "reason": ""}
    texts = [request.messages[-1].content for request in llm.requests]
    assert texts[0].index("ours") < texts[0].index("theirs")
    assert texts[1].index("theirs") < texts[1].index("ours")


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4o-mini", "gpt"),
        ("openai/o3", "gpt"),
        ("DeepSeek-V2.5", "deepseek"),
        ("deepseek-r1-distill-llama-70b", "deepseek"),
        ("Qwen2.5-Coder-32B-Instruct", "qwen"),
        ("meta-llama/Llama-3.1-8B", "llama"),
        ("codestral-latest", "mistral"),
        ("claude-sonnet", "claude"),
        ("my-own-model", ""),
    ],
)
def test_families(model: str, family: str) -> None:
    assert model_family(model) == family


def test_a_judge_knows_its_own() -> None:
    assert own_family("gpt-4o", "gpt-4o-mini")
    assert own_family("my-own-model", "My-Own-Model")
    assert not own_family("my-own-model", "another-model")
    assert not own_family("gpt-4o", "")
    assert not own_family("gpt-4o", "deepseek-chat")


def judgement(method: str, item: int, sample: int, value: float | None) -> Judgement:
    return Judgement(
        table="Runs",
        model="",
        method=method,
        item=str(item),
        sample=sample,
        judge="j",
        own_family=False,
        compliance=value,
        usefulness=value,
        idiomaticity=value,
        failure="" if value is not None else "llm_timeout: late",
    )


def test_means_are_over_items_and_spread_is_over_samples() -> None:
    rows = [judgement("a", 0, 0, 4), judgement("a", 0, 1, 6), judgement("a", 1, 0, 9), judgement("a", 1, 1, None)]
    row = next(judged_rows(rows))
    assert (row.aspect, row.asked, row.judged, row.failures) == ("compliance", 2, 2, 1)
    assert row.mean == 7.0  # the mean of 5 and 9, not of 4, 6 and 9
    assert row.standard_error == pytest.approx(2.0)
    assert row.sample_spread == pytest.approx(2**0.5)


def test_methods_are_compared_on_the_items_that_both_have() -> None:
    rows = [judgement("a", item, 0, 5) for item in range(12)] + [judgement("b", item, 0, 7) for item in range(2, 14)]
    found = list(judged_comparisons(rows, MethodName("Runs", "", "a")))
    assert {(row.method, row.items, row.difference, row.verdict) for row in found} == {("b", 10, 2.0, "higher")}


def preference(item: int, first: str, value: float) -> Preference:
    return Preference(
        table="Runs",
        model="",
        method="b",
        against="a",
        item=str(item),
        sample=0,
        first=first,
        judge="j",
        own_family="",
        compliance=value,
        usefulness=0.5,
    )


def test_a_judge_that_only_looks_at_the_place_prefers_nothing_and_is_not_steady() -> None:
    rows = [preference(item, first, float(first == "b")) for item in range(10) for first in ("a", "b")]
    found = {row.aspect: row for row in preference_rows(rows)}
    compliance = found["compliance"]
    assert (compliance.preferred, compliance.steady, compliance.first_place) == (50.0, 0.0, 100.0)
    assert compliance.verdict == "within noise"
    assert (found["usefulness"].steady, found["usefulness"].first_place) == (1.0, None)
    assert "idiomaticity" not in found


def test_a_steady_preference_is_found() -> None:
    rows = [preference(item, first, 1.0) for item in range(10) for first in ("a", "b")]
    found = next(preference_rows([replace(row, idiomaticity=1.0) for row in rows]))
    assert (found.preferred, found.steady, found.first_place, found.verdict) == (100.0, 1.0, 50.0, "better")
