from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.inputs.json_document import JsonDocument, Unreadable
from tests.pipeline.inputs.inputs import kinds, rows_of


def elements(text: str, piece: int = 10**9) -> list[Any]:
    data = text.encode()
    chunks = (data[at : at + piece] for at in range(0, len(data), piece))
    return list(JsonDocument(chunks, json.JSONDecoder(strict=False)).elements())


@pytest.mark.parametrize("piece", [20, 21, 22, 23, 64])
def test_where_the_text_is_cut_into_pieces_does_not_matter(piece: int) -> None:
    values = [
        {"requirement": 'A "quoted" {text} [1, 2], \\ and ü€😀', "n": 12345.5, "ok": True},
        {},
        1234567890,
        "x",
        None,
    ]
    for document in (json.dumps(values), json.dumps(values, indent=2, ensure_ascii=False)):
        assert elements(document, piece) == values
    assert elements("\n".join(json.dumps(value) for value in values), piece) == values


@pytest.mark.parametrize("text", ["", "  \n", "[]", " [ ] ", '{"requirements": []}'])
def test_no_elements(text: str) -> None:
    assert elements(text) == []


def test_a_broken_element_costs_itself_where_elements_have_lines(tmp_path: Path) -> None:
    good = '{"requirement": "ok", "attributes": {"a": 1}}'
    broken = ['{"requirement": "no end}', '{"requirement": }', '{"requirement": "x" "y"}', "{'a': 1}", "{]"]
    for bad in broken:
        assert kinds(rows_of(tmp_path / "in.json", f"[{good},\n{bad},\n{good},\n{good}\n]")) == [
            "",
            "broken_json",
            "",
            "",
        ]
    pretty = json.dumps([json.loads(good)] * 3, indent=4).replace('"ok",', '"ok"', 1)
    assert kinds(rows_of(tmp_path / "in.json", pretty)) == ["broken_json", "", ""]


def test_what_is_lost_is_said(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "in.json", '[{"requirement": "a"}, {broken}, {"requirement": "b"}]')
    assert kinds(rows) == ["", "broken_json"]
    assert rows[1].failure is not None
    assert "nothing after it could be read" in rows[1].failure.message


def test_a_list_without_an_end_and_text_after_the_end(tmp_path: Path) -> None:
    assert kinds(rows_of(tmp_path / "in.json", '[{"requirement": "a"},')) == ["", "broken_json"]
    assert kinds(rows_of(tmp_path / "in.json", '[{"requirement": "a"}]\n[{"requirement": "b"}]')) == ["", "broken_json"]


def test_bad_utf8_costs_its_element(tmp_path: Path) -> None:
    content = b'[{"requirement": "a"}, {"requirement": "caf\xe9"}, {"requirement": "b"}]'
    assert kinds(rows_of(tmp_path / "in.json", content)) == ["", "invalid_encoding", ""]


def test_texts_are_requirements(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "in.json", '["Classify flowers.", "Forecast sales."]')
    assert [row.requirement for row in rows] == ["Classify flowers.", "Forecast sales."]


def test_memory_is_bounded_by_the_element() -> None:
    element = json.dumps({"requirement": "x" * 1000}).encode()

    def chunks() -> Iterator[bytes]:
        yield b"["
        for _ in range(600):
            yield (element + b",\n") * 100
        yield b'{"requirement": "' + b"y" * 2**18
        for _ in range(80):
            yield b"y" * 2**18
        yield b'"},\n' + element + b"]"

    tracemalloc.start()
    seen = list(map(type, JsonDocument(chunks(), json.JSONDecoder()).elements()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen) == 60_002
    assert seen.count(Unreadable) == 1
    assert peak < 40 * 2**20


def test_a_document_of_several_chunks(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "in.json", json.dumps([{"requirement": f"Task {i} " + "ä" * 50} for i in range(5000)]))
    assert [row.requirement.split()[1] for row in rows] == [str(i) for i in range(5000)]
