"""A request read by a language model: what does not stand in it, or has no name, is not taken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.config import PipelineSettings
from pipeline.generate.llm.request_reading import constraints_in, reading_schema
from pipeline.llm.asking.replies import ReplyError
from pipeline.llm.protocol import ChatRequest
from pipeline.llm.scripted import ScriptedLLM
from pipeline.methods import generation_stages
from pipeline.records import Requirement, Scored
from pipeline.stage import run_local
from tests.pipeline.generate.llm.scripts import competent

ASKED = "Clasifica opiniones de clientes en tres clases, sin dropout, durante 12 épocas"


def _item(aspect: str, name: str, value: object, words: str, negated: bool = False) -> dict[str, object]:
    return {"aspect": aspect, "name": name, "value": value, "words": words, "negated": negated}


GOOD = [
    _item("task", "problem", "classification", "Clasifica"),
    _item("data", "kind", "text", "opiniones"),
    _item("classes", "count", 3, "tres clases"),
    _item("training", "dropout", "true", "sin dropout", negated=True),
    _item("training", "epochs", "12", "12 épocas"),
]


def _read(items: Any) -> list[tuple[str, str, bool]]:
    found = constraints_in(json.dumps({"constraints": items}), ASKED)
    return [(one.name, one.value, one.negated) for one in found]


def test_what_stands_in_the_request_is_taken_with_its_span() -> None:
    found = list(constraints_in("Here it is:\n" + json.dumps({"constraints": GOOD}), ASKED))
    assert [one.words(ASKED) for one in found] == [item["words"] for item in GOOD]
    assert ("dropout", "true", True) in _read(GOOD)
    assert ("count", "3", False) in _read(GOOD)


@pytest.mark.parametrize(
    "item",
    [
        _item("training", "epochs", "20", "20 epochs"),  # does not stand there
        _item("training", "epochs", "12", ""),
        _item("training", "epochs", "", "12 épocas"),
        _item("training", "mood", "good", "Clasifica"),  # no such name
        _item("mood", "epochs", "12", "12 épocas"),
        _item("task", "problem", "divination", "Clasifica"),  # a value that nothing could act on
        "epochs",
        None,
    ],
)
def test_what_does_not_is_left_out(item: object) -> None:
    assert _read([item, GOOD[0]]) == [("problem", "classification", False)]


@pytest.mark.parametrize("reply", ["", "no", "[]", '{"constraints": 3}', '{"limits": []}', "{" * 2000])
def test_another_form_is_an_error_that_the_model_is_told(reply: str) -> None:
    with pytest.raises(ReplyError):
        list(constraints_in(reply, ASKED))


def _run(answer: str) -> tuple[Scored, ScriptedLLM]:
    def script(request: ChatRequest) -> str:
        return answer if request.schema == json.dumps(reading_schema()) else competent(request)

    llm = ScriptedLLM(script)
    settings = PipelineSettings.model_validate({"llm": "scripted", "method": "direct", "reading": "model"})
    (row,) = run_local(generation_stages(settings, lambda: llm), [Requirement(id="a", row=0, requirement=ASKED)])
    assert isinstance(row, Scored)
    assert row.failure is None
    return row, llm


def test_the_models_reading_is_the_rows_and_its_call_is_counted() -> None:
    row, llm = _run(json.dumps({"constraints": GOOD}))
    assert {("problem", "classification"), ("epochs", "12")} <= {(one.name, one.value) for one in row.constraints}
    assert [call.prompt for call in row.calls] == ["read_request", "direct"]
    assert "binary_crossentropy" in llm.requests[0].messages[0].content  # the vocabulary


def test_a_reply_that_cannot_be_read_leaves_the_rules_reading() -> None:
    row, _ = _run("no")
    assert [call.prompt for call in row.calls] == ["read_request", "again", "direct"]
    assert ("epochs", "12") in {(one.name, one.value) for one in row.constraints}
