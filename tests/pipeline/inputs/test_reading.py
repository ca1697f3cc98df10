from __future__ import annotations

import gzip
import io
import json
import re
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DLCodeGenError
from pipeline.inputs import read_requirements
from pipeline.inputs.json_rows import read_json_document, read_json_lines
from tests.pipeline.inputs.inputs import kinds, rows_of, write

ROWS = [
    {"id": "a", "requirement": "Classify flowers.", "attributes": "five species"},
    {"requirement": "Forecast sales."},
]


def as_csv() -> str:
    return "id,requirement,attributes\na,Classify flowers.,five species\n,Forecast sales.,\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("in.jsonl", "\n".join(json.dumps(row) for row in ROWS)),
        ("in.ndjson", "\r\n\r\n".join(json.dumps(row) for row in ROWS) + "\r\n"),
        ("in.json", json.dumps(ROWS)),
        ("list.json", json.dumps(ROWS, indent=2)),
        ("wrapped.json", json.dumps({"requirements": ROWS, "version": 1})),
        ("wrapped_last.json", json.dumps({"version": 1, "requirements": ROWS})),
        ("lines.json", "\n".join(json.dumps(row) for row in ROWS)),
        ("in.csv", as_csv()),
        ("excel.csv", "\ufeff" + as_csv().replace(",", ";").replace("\n", "\r\n")),
        ("in.tsv", as_csv().replace(",", "\t")),
        ("lines.txt", "\n".join(json.dumps(row) for row in ROWS)),
    ],
)
def test_all_formats_give_the_same_rows(tmp_path: Path, name: str, content: str) -> None:
    rows = rows_of(tmp_path / name, content)
    assert [(row.id, row.row, row.requirement, row.attributes, row.failure) for row in rows] == [
        ("a", 0, "Classify flowers.", "five species", None),
        ("row-00000001", 1, "Forecast sales.", "", None),
    ]


def test_parquet_in_row_groups(tmp_path: Path) -> None:
    table = pa.table({"requirement": [f"Task {i}" for i in range(5000)], "n": range(5000)})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=700)
    rows = list(read_requirements(str(tmp_path / "in.parquet")))
    assert [row.row for row in rows] == list(range(5000))
    assert (rows[4999].requirement, json.loads(rows[4999].extra)) == ("Task 4999", {"n": 4999})


def test_parquet_fails_the_rows_it_cannot_decode_and_no_others(tmp_path: Path) -> None:
    texts = pa.array([b"good", b"\xff\xfe", b"also good"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"requirement": texts}), tmp_path / "in.parquet")
    assert kinds(list(read_requirements(str(tmp_path / "in.parquet")))) == ["", "invalid_encoding", ""]


def test_text_is_a_requirement_a_line(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "in.txt", b"Classify flowers.\n\n \t \n  Forecast sales.\r\n\xff\n")
    assert [row.requirement for row in rows] == ["Classify flowers.", "Forecast sales.", ""]
    assert kinds(rows) == ["", "", "invalid_encoding"]
    assert rows[2].failure is not None
    assert rows[2].failure.message.startswith("in.txt, line 5: ")


def test_a_folder_is_read_in_name_order_under_one_count(tmp_path: Path) -> None:
    write(tmp_path / "b.txt", "third\n")
    write(tmp_path / "a.jsonl", '{"requirement": "first", "id": "x"}\n{"requirement": "second", "id": "x"}\n')
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "in.csv.gz").write_bytes(gzip.compress(b"requirement,id\nfourth,x\n"))
    write(tmp_path / "_SUCCESS", "")
    write(tmp_path / ".hidden", "")
    rows = list(read_requirements(str(tmp_path)))
    assert [(row.row, row.id, row.requirement) for row in rows] == [
        (0, "x", "first"),
        (1, "x-2", "second"),
        (2, "row-00000002", "third"),
        (3, "x-3", "fourth"),
    ]


def test_urls_and_compression() -> None:
    with fsspec.open("memory://inputs/reqs.jsonl.gz", "wb", compression="gzip") as stream:
        stream.write(b'{"requirement": "Classify flowers."}\n')
    assert [row.requirement for row in read_requirements("memory://inputs/reqs.jsonl.gz")] == ["Classify flowers."]
    assert [row.requirement for row in read_requirements("memory://inputs")] == ["Classify flowers."]


def test_a_name_with_glob_characters_is_a_name(tmp_path: Path) -> None:
    assert len(rows_of(tmp_path / "reqs [v2]*?.txt", "one")) == 1


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("in.xlsx", b"", "extension '.xlsx'"),
        ("in", b"", "extension ''"),
        ("in.csv", b"a,b\n1,2\n", "no requirement column"),
        ("empty.csv", b"", "no requirement column"),
        ("twice.csv", b"requirement,x,x\n", "repeats ['x']"),
        ("in.parquet", b"PAR1 this is not Parquet", "in.parquet: cannot be read"),
        ("in.jsonl.gz", b"not gzip", "in.jsonl.gz: cannot be read"),
        ("in.jsonl", '{"requirement": "x"}'.encode("utf-16"), "UTF-16"),
    ],
)
def test_an_unreadable_input_raises_and_names_itself(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    with pytest.raises(DLCodeGenError, match=re.escape(name)) as raised:
        rows_of(tmp_path / name, content)
    assert says in str(raised.value)


def test_missing_empty_and_unknown_places(tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="no such file or folder"):
        read_requirements(str(tmp_path / "absent.jsonl"))
    with pytest.raises(DLCodeGenError, match="holds no files"):
        read_requirements(str(tmp_path))
    with pytest.raises(DLCodeGenError, match="nosuchprotocol"):
        read_requirements("nosuchprotocol://bucket/in.jsonl")


def test_parquet_without_a_requirement_or_cut_off(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")
    with pytest.raises(DLCodeGenError, match=r"x\.parquet.*no requirement column"):
        list(read_requirements(str(tmp_path / "x.parquet")))
    pq.write_table(pa.table({"prompt": ["a"] * 1000}), tmp_path / "cut.parquet")
    whole = (tmp_path / "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DLCodeGenError, match=r"cut\.parquet.*cannot be read"):
        list(read_requirements(str(tmp_path / "cut.parquet")))


def test_a_cut_off_archive_gives_its_good_rows_first(tmp_path: Path) -> None:
    lines = b"".join(b'{"requirement": "Task %d", "salt": "%d"}\n' % (i, i**7) for i in range(50_000))
    packed = gzip.compress(lines)
    path = write(tmp_path / "in.jsonl.gz", packed[: len(packed) // 2])
    rows = read_requirements(path)
    assert next(rows).requirement == "Task 0"
    with pytest.raises(DLCodeGenError, match="cut off"):
        list(rows)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_readers(content: bytes) -> None:
    for reader in (read_json_lines, read_json_document):
        try:
            list(reader(io.BytesIO(content), "in"))
        except DLCodeGenError as error:
            assert "UTF-16" in str(error) or "CR alone" in str(error)  # noqa: PT017 (it depends on the bytes)


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from([b'{"requirement": "x"}', b"{broken", b"\x00", b"\xff", b"[1]", b"3"]))))
def test_every_line_is_one_row(lines: list[bytes]) -> None:
    rows = list(read_json_lines(io.BytesIO(b"\n".join(lines)), "in"))
    assert len(rows) == len(lines)
    assert sum(row.problem is None for row in rows) == lines.count(b'{"requirement": "x"}')


@pytest.mark.parametrize("name", ["README.md", "LICENSE", "readme.txt", "notes.md"])
def test_what_a_folder_has_for_people_is_left_out(tmp_path: Path, name: str) -> None:
    write(tmp_path / "in.jsonl", '{"requirement": "Classify flowers."}\n')
    write(tmp_path / name, "These are requirements.\n")
    assert [row.requirement for row in read_requirements(str(tmp_path))] == ["Classify flowers."]
