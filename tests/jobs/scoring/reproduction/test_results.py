"""The paper's values beside the reproduced ones."""

from __future__ import annotations

from jobs.scoring.reproduction.published import OutputFile
from jobs.scoring.reproduction.results import reproduced_values
from pipeline.comparison.code_rows import code_rows
from tests.pipeline.pages.score_records import FIRST, SECOND, measured

ROWS = list(code_rows(measured()))
PAPER = {row.method: row for row in ROWS if (row.protocol, row.subset) == ("paper", "all")}


def file(method: str, model: str, published: dict[str, float]) -> OutputFile:
    return OutputFile(table="Runs", model=model, method=method, path="", published=published)


def test_each_printed_column_is_reproduced_by_protocol_paper() -> None:
    (codebleu, syntax) = reproduced_values([file(FIRST.method, "", {"codebleu": 20.0, "syntax_match": 5.0})], ROWS)
    assert (codebleu.column, codebleu.published) == ("codebleu", 20.0)
    assert codebleu.reproduced == PAPER[FIRST.method].codebleu
    assert codebleu.difference == PAPER[FIRST.method].codebleu - 20.0
    assert (syntax.column, syntax.reproduced) == ("syntax_match", PAPER[FIRST.method].syntax_match)


def test_a_plotted_value_has_nothing_to_differ_from() -> None:
    (value,) = reproduced_values([file(SECOND.method, SECOND.model, {})], ROWS)
    assert (value.column, value.published, value.difference) == ("codebleu", None, None)
    assert value.reproduced == PAPER[SECOND.method].codebleu


def test_a_file_that_was_not_measured_has_no_value() -> None:
    assert list(reproduced_values([file("another", "", {"codebleu": 1.0})], ROWS)) == []
