from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pipeline.inputs.inputs import kinds, rows_of

GOOD = '{"requirement": "Classify flowers."}'


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("{broken", "broken_json"),
        ('{"requirement": "a" "b"}', "broken_json"),
        ("{'requirement': 'x'}", "broken_json"),
        ('{"requirement": "a", "requirement": "b"}', "broken_json"),
        ('{"requirement": "a", "attributes": ' + "[" * 100_000 + "]" * 100_000 + "}", "broken_json"),
        ('{"requirement": "a", "n": ' + "9" * 5000 + "}", "broken_json"),
        ("[1, 2]", "wrong_type"),
        ("17", "wrong_type"),
        ("null", "wrong_type"),
        ('{"requirement": 17}', "wrong_type"),
        ('{"requirement": true}', "wrong_type"),
        ('{"requirement": ["a"]}', "wrong_type"),
        ('{"requirement": {"a": "b"}}', "wrong_type"),
        ("{}", "missing_requirement"),
        ('{"question": "x"}', "missing_requirement"),
        ('{"requirement": null}', "missing_requirement"),
        ('{"requirement": NaN}', "missing_requirement"),
        ('{"requirement": " \\n\\t"}', "missing_requirement"),
        ('{"requirement": "a\\u0000b"}', "nul_bytes"),
        ('{"requirement": "a\0b"}', "nul_bytes"),
        ('{"requirement": "a\\ud800b"}', "invalid_encoding"),
        ('{"requirement": "a", "attributes": "\\udc00"}', "invalid_encoding"),
        ('{"requirement": "' + "x" * 20_001 + '"}', "too_long"),
        ('{"requirement": "a", "attributes": "' + "x" * 20_001 + '"}', "too_long"),
    ],
)
def test_a_bad_line_fails_alone(tmp_path: Path, line: str, kind: str) -> None:
    rows = rows_of(tmp_path / "in.jsonl", f"{GOOD}\n{line}\n{GOOD}\n")
    assert kinds(rows) == ["", kind, ""]
    assert [row.row for row in rows] == [0, 1, 2]
    failure = rows[1].failure
    assert failure is not None
    assert failure.stage == "read"
    assert failure.message.startswith("in.jsonl, line 2: ")
    assert len(failure.message) < 400
    json.dumps([rows[1].requirement, rows[1].attributes, rows[1].extra]).encode()
    rows[1].requirement.encode()


def test_bad_utf8_fails_alone(tmp_path: Path) -> None:
    assert kinds(rows_of(tmp_path / "in.jsonl", b'{"requirement": "caf\xe9"}\n' + GOOD.encode())) == [
        "invalid_encoding",
        "",
    ]


def test_a_long_requirement_keeps_its_beginning_and_the_rest_of_its_row(tmp_path: Path) -> None:
    line = json.dumps({"id": "big", "prompt": "y" * 1_000_000, "attributes": "small"})
    (row,) = rows_of(tmp_path / "in.jsonl", line)
    assert (row.id, row.requirement, row.attributes) == ("big", "y" * 200, "small")


def test_a_line_beyond_the_limit_is_one_failed_row(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "in.jsonl", b'{"requirement": "' + b"z" * 20_000_000 + b'"}\n' + GOOD.encode())
    assert kinds(rows) == ["too_long", ""]
    assert len(rows[0].requirement) == 200


def test_control_characters_become_blanks(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path / "in.jsonl", '{"requirement": "\\u001ba\\u0007b\\tc\\r\\nd\x0be\\u0085f"}')
    assert row.requirement == "a b\tc\nd e f"


@pytest.mark.parametrize("key", ["User Requirement", "user_requirement", "REQUIREMENT", "prompt", "Text"])
def test_names_of_the_requirement(tmp_path: Path, key: str) -> None:
    (row,) = rows_of(tmp_path / "in.jsonl", json.dumps({key: "Classify flowers."}))
    assert (row.requirement, row.extra) == ("Classify flowers.", "{}")


def test_attributes_may_be_an_object_and_code_is_the_reference(tmp_path: Path) -> None:
    values = {
        "prompt": "p",
        "text": "t",
        "Dataset Attributes": {"classes": 3, "labels": ["a", "b"]},
        "code": "import os",
    }
    (row,) = rows_of(tmp_path / "in.jsonl", json.dumps(values))
    assert row.requirement == "p"
    assert row.attributes == "classes: 3; labels: a, b"
    assert row.reference == "import os"
    assert json.loads(row.extra) == {"text": "t"}


def test_columns_named_like_fields_of_a_record_are_kept_apart(tmp_path: Path) -> None:
    others = {"plan": {"a": 1}, "failure": "none", "scores": [1.5], "files": [], "row": 7, "extra": "x", "stage": None}
    (row,) = rows_of(tmp_path / "in.jsonl", json.dumps({"requirement": "r", "code": 90210} | others))
    assert (row.row, row.failure, row.reference) == (0, None, None)
    assert json.loads(row.extra) == others | {"code": 90210}


def test_further_columns_are_strict_json(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path / "in.jsonl", '{"requirement": "r", "a": NaN, "b": [Infinity, 1e999], "c": "\\ud800"}')
    assert json.loads(row.extra) == {"a": None, "b": [None, None], "c": "\ud800"}
    assert row.extra.isascii()


def test_ids(tmp_path: Path) -> None:
    ids = ["a", "a", "a-2", 7, "", None, 1.5, "../../etc/passwd", "a b/c", "..", "row-00000011", None]
    rows = rows_of(tmp_path / "in.jsonl", "\n".join(json.dumps({"id": id_, "requirement": "r"}) for id_ in ids))
    assert [row.id for row in rows] == [
        "a",
        "a-2",
        "a-2-2",
        "7",
        "row-00000004",
        "row-00000005",
        "row-00000006",
        "etc-passwd",
        "a-b-c",
        "row-00000009",
        "row-00000011",
        "row-00000011-2",
    ]
    assert [json.loads(row.extra).get("id") for row in rows] == [
        None,
        "a",
        "a-2",
        None,
        None,
        None,
        1.5,
        "../../etc/passwd",
        "a b/c",
        "..",
        None,
        None,
    ]


@pytest.mark.parametrize("text", ["\u200b\ufeff\u200d", "\u00ad \u2060", "\u00a0\u200e", "\u3164 \u2800\uffa0"])
def test_what_is_empty_to_the_eye_is_empty(tmp_path: Path, text: str) -> None:
    rows = rows_of(tmp_path / "in.jsonl", json.dumps({"requirement": text}) + "\n")
    assert kinds(rows) == ["missing_requirement"]
