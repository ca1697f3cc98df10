"""A build that asks a real OpenAI-compatible endpoint on loopback: bound to the schema, doubted once, paid for once."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from corpus_build.write.datasets import SET_FILES
from jobs.corpora.settings import CorpusConfig
from jobs.corpus import main
from tests.corpus_build.extract.test_llm_extraction import answer
from tests.corpus_build.notebooks import code, markdown, notebook, project, write
from tests.pipeline.llm.client.fault_server import MODEL, FaultServer, completion


def opinion(body: dict[str, Any]) -> dict[str, Any]:
    """Says 70 epochs about every notebook, and takes it back for the first project only when doubted."""
    doubted = len(body["messages"]) > 2
    first = "Project 0:" in body["messages"][1]["content"]
    words = f"I want to sort beans of kind {len(body['messages'][1]['content'])}."
    return completion(answer(epochs=3 if doubted and first else 70, **{"User Requirement": words}))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    files = [(f"{number}.ipynb", project(number, "2022-05-01T00:00:00Z")) for number in range(3)]
    sections = [
        cell for number in range(6) for cell in (markdown(f"# Chapter {number}"), code(f"x_{number} = '{'y' * 9000}'"))
    ]
    model = json.loads(project(8, "2022-05-01T00:00:00Z"))["cells"]
    return write(tmp_path / "in", [*files, ("long.ipynb", notebook(*model, *sections))])


def build(folder: Path, server: FaultServer) -> list[dict[str, Any]]:
    """The rows of all sets, by the endpoint's answers."""
    llm = {"llm": "openai", "model": MODEL, "base_url": server.url, "context_length": 8000}
    out = folder.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    main(CorpusConfig.model_validate({"input": str(folder), "out": str(out), "quiet": True, "llm": llm}))
    return [row for path in SET_FILES.values() for row in pq.read_table(out / path).to_pylist()]


def test_a_build_asks_an_endpoint(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with FaultServer(answer=opinion, faults=["503", None, "429"]).running() as server:
        rows = {row["provenance"]["place"]: row for row in build(corpus, server)}
        requests = len(server.seen)
        build(corpus, server)
        assert len(server.seen) == requests, "a second build is answered by the cache"
    assert {row["extraction"] for row in rows.values()} == {f"llm:{MODEL}"}
    formats = [request.body["response_format"]["json_schema"]["schema"] for request in server.seen]
    assert all(schema["properties"].keys() >= {"User Requirement", "Code Plan"} for schema in formats)
    # Who takes it back when doubted agrees; who insists is asked no second time, and the code's word is taken.
    answers = {
        place: [(item["field"], item["answered"]) for item in row["disagreements"]] for place, row in rows.items()
    }
    assert ("epochs", "70") not in answers["0.ipynb"]
    assert ("epochs", "70") in answers["1.ipynb"]
    hyper = rows["1.ipynb"]["plan"]["architecture"]["hyperparameters"]
    assert hyper["epochs"] == 4
    doubts = Counter(
        request.body["messages"][1]["content"][:200] for request in server.seen if len(request.body["messages"]) > 2
    )
    assert len(doubts) == 4
    assert sum(doubts.values()) <= 4 + 2, "the two refused requests may be doubts that are sent again"
    # The long notebook came in parts, each within the context.
    parts = [request.body["messages"][1]["content"] for request in server.seen if len(request.body["messages"]) == 2]
    long = {text for text in parts if text.startswith("Part ")}
    assert len(long) > 2
    assert max(map(len, long)) < 8000 * 4
