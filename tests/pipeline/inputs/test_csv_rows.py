from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs.csv_rows import read_csv
from tests.pipeline.inputs.inputs import kinds, rows_of

HEADER = "id,requirement,note\n"


def test_records_over_several_lines(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "in.csv", HEADER + '1,"Classify ""big"" flowers,\n\nand trees",x\n\n2,Forecast,y\n')
    assert [row.requirement for row in rows] == ['Classify "big" flowers,\n\nand trees', "Forecast"]
    assert [json.loads(row.extra) for row in rows] == [{"note": "x"}, {"note": "y"}]


def test_a_quote_that_is_not_closed_costs_its_line(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "in.csv", HEADER + '1,"no end,x\n2,fine,y\n3,fine,z\n')
    assert kinds(rows) == ["broken_csv", "", ""]
    assert [row.id for row in rows[1:]] == ["2", "3"]
    assert rows[0].failure is not None
    assert rows[0].failure.message.startswith("in.csv, line 2: ")


def test_bad_records_fail_alone(tmp_path: Path) -> None:
    bad = ["1,a,b,c", '1,"a" b,c', "1,,c", ",,", "1"]
    rows = rows_of(tmp_path / "in.csv", HEADER + "".join(f"{line}\n0,good,x\n" for line in bad))
    assert kinds(rows)[1::2] == [""] * len(bad)
    assert kinds(rows)[::2] == ["broken_csv", "broken_csv"] + ["missing_requirement"] * 3


def test_encodings_nul_and_huge_fields(tmp_path: Path) -> None:
    content = (
        HEADER.encode() + b"1,caf\xe9,x\n2,a\0b,x\n3," + b"x" * 300_000 + b",x\n4," + b"y" * 9_000_000 + b"\n5,ok,\n"
    )
    rows = rows_of(tmp_path / "in.csv", content)
    assert kinds(rows) == ["invalid_encoding", "nul_bytes", "too_long", "too_long", ""]


def test_a_numeric_requirement_is_text_in_csv_but_an_empty_one_is_missing(tmp_path: Path) -> None:
    assert kinds(rows_of(tmp_path / "in.csv", "requirement\n17\n")) == [""]


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=12))
def test_what_the_csv_module_writes_is_read_back(records: list[tuple[str, str, str]]) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("id", "requirement", "note"), *records])
    rows = list(read_csv(io.BytesIO(stream.getvalue().encode()), "in.csv"))
    assert [tuple(row.values.values()) for row in rows] == records
