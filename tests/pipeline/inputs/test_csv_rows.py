from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import DLCodeGenError
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
@example([("", "", "\t,")])  # a blank behind a quote that opens
@example([("", "\n ,", '"" ,')])
def test_what_the_csv_module_writes_is_read_back(records: list[tuple[str, str, str]]) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("id", "requirement", "note"), *records])
    rows = list(read_csv(io.BytesIO(stream.getvalue().encode()), "in.csv"))
    assert [tuple(row.values.values()) for row in rows] == records


def test_a_column_without_a_name_is_no_column_that_is_missing(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "in.csv", ",requirement,label\n0,Classify mushrooms.,a\n1,Predict house prices,b\n")
    assert kinds(rows) == ["", ""]
    assert [(row.attributes, row.reference, row.data_folder) for row in rows] == [("", None, "")] * 2
    assert json.loads(rows[0].extra) == {"": "0", "label": "a"}


@pytest.mark.parametrize("first", ["sep=;\n", "sep=;\r\n", '"sep=;"\n', "SEP=;\n\n", "\n \nsep=;\n"])
def test_a_line_that_names_the_delimiter_is_read_as_excel_does(tmp_path: Path, first: str) -> None:
    rows = rows_of(tmp_path / "in.csv", first + "id;requirement\n1;Classify flowers, and trees.\n")
    assert [(row.id, row.requirement) for row in rows] == [("1", "Classify flowers, and trees.")]


def test_blank_lines_before_the_header_are_left_out(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "in.csv", "\n  \n" + HEADER + "1,Forecast,x\n")
    assert [row.requirement for row in rows] == ["Forecast"]


def test_blanks_behind_a_quoted_text_are_no_error(tmp_path: Path) -> None:
    lines = '1,"Classify cats" ,x\n2,"Classify ""big"" ""dogs"""\t\n3, "Classify"" ,owls" ,y\n4,"two\nlines" ,z\n'
    rows = rows_of(tmp_path / "in.csv", HEADER + lines)
    assert kinds(rows)[:2] == ["", ""]
    assert [row.requirement for row in rows[:2]] == ["Classify cats", 'Classify "big" "dogs"']
    assert rows[-1].requirement == "two\nlines"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("in.csv", "id,requirement\r1,Classify flowers.\r"),
        ("in.txt", "Classify flowers.\rPredict prices.\r"),
        ("in.jsonl", '{"requirement": "Classify flowers."}\r{"requirement": "Predict prices."}\r'),
    ],
)
def test_lines_that_end_with_cr_alone_are_named(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="CR alone"):
        rows_of(tmp_path / name, text)
