"""Extraction by a scripted model: the schema is bound, long notebooks are cut, answers are checked against the code."""

from __future__ import annotations

import asyncio
import json

import pytest

from corpus_build.extract.extraction import extract_static
from corpus_build.extract.llm_extraction import REPLY_TOKENS, cut_by_section, extract_with_llm
from corpus_build.read.notebook import Cell, ParsedNotebook
from corpus_build.read.reading import parse_notebook
from corpus_build.read.sources import RawNotebook
from corpus_build.records import Clustered, Extracted, KaggleFacts
from pipeline.errors import StageFailure
from pipeline.llm.protocol import ChatReply, ChatRequest
from pipeline.llm.scripted import ScriptedLLM
from tests.corpus_build.notebooks import code, markdown, notebook

CODE = """from tensorflow.keras import layers, Sequential
model = Sequential([layers.Dense(64, activation='relu', input_shape=(12,)), layers.Dense(3, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x, y, epochs=7, batch_size=16)
"""
DATA = notebook(markdown("# Sort beans by their shape\n\nWe classify beans."), code(CODE))


def answer(epochs: int = 7, optimizer: str = "Adam", **further: object) -> str:
    hyper = {
        "optimizer": optimizer,
        "loss function": "sparse categorical crossentropy",
        "epochs": epochs,
        "batch size": 16,
    }
    plan = {
        "Task Category": "Tabular Classification",
        "Dataset": {"Input": "(batch_size, 12)", "Output": "(batch_size, 3)"},
        "Preprocess": "Beans are weighed.",
        "Model Architecture": {"Layers": ["Dense(64)", "Dense(3)"], "Hyperparameters": hyper},
    }
    said = {"User Requirement": "I want to sort beans.", "Dataset Attributes": "Beans of 3 kinds.", "Code Plan": plan}
    return json.dumps(said | further)


def static(data: bytes = DATA) -> Extracted:
    clustered = Clustered(
        row=0, place="a.ipynb", id="a", reason="", kept="a.ipynb", cluster="c", cluster_size=1, first_executed_at=None,
        executed_at=None, time_source="", code_digest="d", kaggle=KaggleFacts(),
    )  # fmt: skip
    return extract_static(RawNotebook("a.ipynb", "a", ".ipynb", data), clustered)


def extract(llm: ScriptedLLM, data: bytes = DATA, context: int | None = None) -> Extracted:
    return asyncio.run(extract_with_llm(llm, parse_notebook(data), static(data), context))


def test_words_are_the_models_and_numbers_the_codes() -> None:
    llm = ScriptedLLM(lambda request: answer(optimizer="adam"), model="m")
    row = extract(llm)
    assert (row.requirement, row.attributes) == ("I want to sort beans.", "Beans of 3 kinds.")
    assert row.plan is not None
    assert row.plan.preprocess == "Beans are weighed."
    assert row.plan.layers[0] == "Dense(64, activation='relu', input_shape=(12,))"
    assert row.disagreements == ()
    assert row.extraction == "llm:m"
    assert len(llm.requests) == 1
    schema = json.loads(llm.requests[0].schema or "")
    assert schema["properties"].keys() == {"User Requirement", "Dataset Attributes", "Code Plan"}
    assert "Task Category" in json.dumps(schema["$defs"])


@pytest.mark.parametrize(
    "around",
    [
        '<think>\n{{"Code Plan": {{"Task Category": "Image Generation"}}}} would be wrong.\n</think>\n{}',
        "Here it is:\n\n```json\n{}\n```\n\nAsk me anything.",
        '{{"note": "ok"}}\n{}',
    ],
)
def test_an_answer_is_read_whatever_stands_around_it(around: str) -> None:
    row = extract(ScriptedLLM(lambda request: around.format(answer()), model="m"))
    assert (row.requirement, row.extraction) == ("I want to sort beans.", "llm:m")
    assert row.plan is not None
    assert row.plan.task_category == "Tabular Classification"


def test_half_an_answer_is_asked_for_with_more_room_and_never_taken() -> None:
    half = ChatReply(text=answer()[:250], finish_reason="length")
    llm = ScriptedLLM(lambda request: half if request.sampling.max_tokens == REPLY_TOKENS else answer(), model="m")
    assert extract(llm).extraction == "llm:m"
    assert [request.sampling.max_tokens for request in llm.requests] == [REPLY_TOKENS, 2 * REPLY_TOKENS]
    row = extract(ScriptedLLM(lambda request: half))
    assert row.extraction == "static (llm_bad_plan)"
    assert row.plan == static().plan


def test_a_disagreement_is_asked_about_once_and_recorded() -> None:
    llm = ScriptedLLM(lambda request: answer(epochs=70))
    row = extract(llm)
    assert len(llm.requests) == 2
    assert 'epochs: you say "70", the code reads "7"' in llm.requests[1].messages[-1].content
    assert [(item.field, item.static, item.answered, item.taken) for item in row.disagreements] == [
        ("epochs", "7", "70", "static")
    ]
    assert row.plan is not None
    assert row.plan.hyperparameters.epochs == 7


def test_an_answer_that_is_put_right_leaves_no_disagreement() -> None:
    def script(request: ChatRequest) -> str:
        return answer(epochs=7 if len(request.messages) > 2 else 9)

    assert extract(ScriptedLLM(script)).disagreements == ()


def test_a_long_notebook_is_cut_by_section() -> None:
    cells = [
        cell
        for number in range(12)
        for cell in (markdown(f"# Beans of kind {number}"), code(f"{CODE}\n# {'x' * 3000}"))
    ]
    data = notebook(*cells)
    llm = ScriptedLLM(lambda request: answer())
    extract(llm, data, context=6000)
    parts = [request.messages[1].content for request in llm.requests if len(request.messages) == 2]
    assert len(parts) > 2
    assert parts[0].startswith(f"Part 1 of {len(parts)} of the notebook")
    # Sections stay whole: after the line that says which part it is, each begins with its heading.
    assert all(part.split("\n\n", 1)[1].startswith("# Beans") for part in parts)


def test_a_cell_longer_than_the_context_is_cut_off() -> None:
    parts = cut_by_section(ParsedNotebook(language="python", cells=(Cell("code", "x" * 100_000),)), 500)
    assert [len(part) < 2000 for part in parts] == [True]


@pytest.mark.parametrize("reply", ["I cannot do that", "[]", ""])
def test_no_plan_leaves_the_static_row(reply: str) -> None:
    row = extract(ScriptedLLM(lambda request: reply))
    assert row.plan == static().plan
    assert row.extraction == "static (llm_bad_plan)"


def test_a_failing_model_leaves_the_static_row() -> None:
    def fail(request: ChatRequest) -> str:
        raise StageFailure("llm_unavailable", "gone")

    assert extract(ScriptedLLM(fail)).extraction == "static (llm_unavailable)"
