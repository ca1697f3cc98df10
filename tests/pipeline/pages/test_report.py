"""The report as a reader gets it: what it says, that it needs nothing else, and that no record can break it."""

from __future__ import annotations

import io
import json
import re
import tracemalloc
from collections.abc import Iterable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.foreign_text import visible
from pipeline.pages.report import write_report
from pipeline.pages.report_asked import decided_text
from pipeline.pages.report_items import Selection
from pipeline.pages.report_page import percent
from pipeline.pages.report_text import LINE_LIMIT, changes, clip_lines, plain_lines, python_lines
from pipeline.plan.change import Decisions, FieldOrigin, PlanCorrection
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import Failure, RetrievedSample, Scored, Scores, SectionChoice, SourceFile
from tests.pipeline.pages.report_records import FAILURES, record, records

HOSTILE = (
    "</script><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)><!-- \x00 \x1b[31m "
    "\u202egnp.exe\u202c مرحبا بالعالم 🍄👩‍🔬 {{ 7*7 }} {% raw %} &lt; ' \" ` \\u003c ]]> \ud800 \u2028 "
)


def page(rows: Iterable[Scored], *, items: int = 200, **settings: object) -> str:
    out = io.BytesIO()
    write_report(rows, out, title="A report", settings=settings, items=items)
    return out.getvalue().decode()


class Tags(HTMLParser):
    """The page's tags with their attributes, and its text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def shown(text: str) -> dict[int, dict[str, object]]:
    """What the page holds of each row that can be opened."""
    found = re.findall(r'<script type="application/json" id="data-(\d+)">(.*?)</script>', text, flags=re.S)
    return {int(number): json.loads(block) for number, block in found}


def test_equal_records_give_equal_bytes() -> None:
    assert page(records(60), seed=1) == page(list(records(60)), seed=1)


def test_the_page_refers_to_nothing_outside_itself() -> None:
    tags = Tags(page(records(60))).tags
    assert {tag for tag, _ in tags}.isdisjoint({"link", "img", "iframe", "base", "object", "embed"})
    for _, attributes in tags:
        assert not {"src", "srcset", "style"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
        assert not any(name.startswith("on") for name in attributes)
    policy = next(
        attributes["content"] or "" for tag, attributes in tags if tag == "meta" and "http-equiv" in attributes
    )
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "http:" not in policy


def test_style_and_script_fetch_nothing() -> None:
    folder = Path(__file__).parents[3] / "pipeline/pages"
    css, js = (folder / "report.css").read_text(), (folder / "report.js").read_text()
    assert not re.search(r"url\(|@import|@font-face", css)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|fetch\(|import\(|XMLHttp|eval\(", js)


def test_every_denominator_is_shown() -> None:
    rows = [record(row) for row in (0, 1, 2, 3)]  # four projects that parse
    rows.append(replace(rows[0], id="broken", scores=Scores(parses=False)))
    rows.append(replace(rows[0], id="unscored", scores=None, failure=Failure(stage="score", kind="bug", message="m")))
    rows.append(Scored(id="unplanned", row=6, failure=Failure(stage="planner", kind="no_similar_plan", message="n")))
    text = Tags(page(rows)).text
    assert "Asked 7 requirements" in text
    assert "Generated 6 86 % of 7 asked" in text
    assert "Scored 5 83 % of 6 generated" in text
    assert "Parsed 4 80 % of 5 scored" in text
    assert "Failed 2 29 % of 7 asked" in text
    assert "1 of 2 failed after their project was generated" in text
    assert "No plan 1 1 – of 0 – 0 of 0 – 0 of 0" in text
    assert "for 4 of 5 scored projects" in text  # conformance was not measured on the one that does not parse


def test_means_and_shares_are_of_the_rows_they_were_measured_on() -> None:
    scores = [
        Scores(parses=True, conformance=1.0, codebleu=0.2, length_ratio=1.0),
        Scores(parses=True, conformance=0.5, codebleu=0.6, length_ratio=3.0, undefined_names=("x",)),
        Scores(parses=True, conformance=float("nan"), codebleu=None),
    ]
    text = Tags(page(replace(record(0), scores=each) for each in scores)).text
    assert "Image Classification 3 0 0.75 of 2 100 % 3 of 3 33 % 1 of 3" in text
    assert "CodeBLEU 0.40 2" in text
    assert "0.8 to 1.25 0.20 1" in text
    assert "over 2 0.60 1" in text
    assert "CodeBLEU rises with length" in text


def test_each_section_says_which_draft_it_came_from() -> None:
    drafts = ("code draft", "template draft", "template draft", "both")
    rows = [
        record(0, choices=(SectionChoice(section="Model", chosen=chosen, code_draft=0, template_draft=0, reason=""),))
        for chosen in drafts
    ]
    assert "Model 25 % 50 % 25 % 4" in Tags(page(rows)).text


def test_without_references_there_is_no_codebleu_section() -> None:
    text = page(record(row, reference=None, scores=Scores(parses=True)) for row in range(3))
    assert 'id="codebleu"' not in text


@pytest.mark.parametrize("items", [0, 1, 200])
def test_a_report_of_nothing_is_a_report(items: int) -> None:
    assert "No requirement was asked" in page([], items=items)


def test_negative_items_are_refused() -> None:
    with pytest.raises(ValueError, match="0 or more, not -1"):
        page([], items=-1)


def test_all_kinds_of_failures_can_be_opened_and_the_page_says_how_many_rows() -> None:
    text = page(records(2_000), items=60)
    rows = shown(text)
    kinds = [row["failure"][1] for row in rows.values() if row["failure"]]  # type: ignore[index]
    assert len(rows) == 60
    assert len(kinds) == 20
    assert set(kinds) == {kind for _, kind, _ in FAILURES}
    assert "60 of 2,000 rows can be opened: 20 of 222 failed ones" in Tags(text).text


def test_results_are_spread_over_the_input() -> None:
    selection = Selection(50)
    plain = Scored(id="r", row=0)
    for number in range(100_000):
        selection.add(number, plain)
    numbers = [item.number for item in selection.items()]
    gaps = [after - before for before, after in pairwise(numbers)]
    assert len(numbers) == 50
    assert max(gaps) <= 1.5 * min(gaps)
    assert 100_000 - numbers[-1] <= 2 * max(gaps)


def test_a_rare_failure_late_in_the_input_is_among_those_shown() -> None:
    selection = Selection(9)
    for number in range(1_000):
        kind = "rare" if number == 999 else "common"
        selection.add(number, Scored(id="r", row=0, failure=Failure(stage="s", kind=kind, message="m")))
    assert [item.number for item in selection.items()] == [0, 1, 999]


def hostile_record() -> Scored:
    plan = SolutionPlan.model_validate(
        {"Task Category": HOSTILE, "Preprocess": HOSTILE, "Model Architecture": {"Layers": [HOSTILE]}}
    )
    changed: dict[str, object] = {"id": HOSTILE, "requirement": HOSTILE, "attributes": HOSTILE, "plan": plan}
    changed |= dict.fromkeys(("template", "code_draft", "template_draft", "reference"), HOSTILE)
    changed["files"] = (SourceFile(path=HOSTILE + ".py", text=HOSTILE), SourceFile(path="b.txt", text=HOSTILE))
    sample = RetrievedSample(id=HOSTILE, rank=1, score=float("inf"), task_category=HOSTILE, requirement=HOSTILE)
    changed["samples"] = (sample,)
    changed["failure"] = Failure(stage=HOSTILE, kind=HOSTILE, message=HOSTILE)
    changed["scores"] = Scores(parses=True, conformance=float("nan"), deviations=(HOSTILE,))
    return record(0, **changed)


def test_hostile_content_is_text() -> None:
    out = io.BytesIO()
    write_report([hostile_record(), record(1)], out, title=HOSTILE, settings={HOSTILE: HOSTILE})
    text = out.getvalue().decode()
    own = Tags(page([record(0), record(1)])).tags
    tags = Tags(text).tags
    assert sum(tag == "script" for tag, _ in tags) == sum(tag == "script" for tag, _ in own)
    assert not any(tag == "img" for tag, _ in tags)
    assert "<!-- " not in text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert shown(text)[0]["requirement"] == visible(HOSTILE)
    assert "49" not in Tags(text).text  # {{ 7*7 }} stays as it is


def test_long_texts_are_cut_and_the_page_says_so() -> None:
    long = "x = '" + "é" * 100_000 + "'\n" + "y = 1\n" * 20_000
    files = tuple(SourceFile(path=f"part{number}.py", text=long) for number in range(50))
    changed = dict.fromkeys(
        ("requirement", "attributes", "template", "code_draft", "template_draft", "reference"), long
    )
    text = page([record(0, files=files, **changed)])
    assert len(text) < 1_500_000
    row = shown(text)[0]
    assert str(row["requirement"]).endswith("more characters are not shown")
    assert row["moreFiles"] == 20


def test_size_and_memory_are_bounded() -> None:
    small = page(records(500), items=60)
    tracemalloc.start()
    large = page(records(5_000), items=60)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(shown(large)) == 60
    assert len(large) < 1.1 * len(small)
    assert peak < 20e6


def test_a_path_is_written_to(tmp_path: Path) -> None:
    write_report(records(3), tmp_path / "report.html", title="T", settings={})
    write_report(records(3), f"file://{tmp_path}/other.html", title="T", settings={})
    assert (tmp_path / "report.html").read_bytes() == (tmp_path / "other.html").read_bytes()


def test_settings_are_shown_with_dotted_names() -> None:
    assert "generator.seed 42" in Tags(page([], generator={"seed": 42})).text


def test_code_is_coloured_line_by_line() -> None:
    lines = python_lines('# %% Data\ndef f():\n    """Two\n    lines."""\n    return 1\n')
    assert lines == [
        ("", "h# %% Data"),
        ("", "kdef", " ", "ff", "():"),
        ("    ", 's"""Two'),
        ("", 's    lines."""'),
        ("    ", "kreturn", " ", "n1"),
    ]


@pytest.mark.parametrize("code", ["", "\n\n", "def f(:\n  '''open", "a\tb", "🍄 = {{ name }}\n", HOSTILE])
def test_colouring_keeps_every_character(code: str) -> None:
    lines = python_lines(visible(code))
    text = "\n".join("".join(part[place % 2 :] for place, part in enumerate(line)) for line in lines)
    assert text == visible(code).removesuffix("\n")


def test_a_diff_names_what_differs_only() -> None:
    left, right = plain_lines("a\nb\nc\n"), plain_lines("a\nB\nc\nd\n")
    assert changes(left, right) == [(1, 2, 1, 2), (3, 3, 3, 4)]


def test_lines_are_bounded_in_number_and_length() -> None:
    lines = clip_lines("a\n" * 10_000).split("\n")
    assert len(lines) == LINE_LIMIT + 1
    assert lines[-1] == f"… {20_001 - 2 * LINE_LIMIT:,} more characters are not shown"


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, "–"), (0, 9, "0 %"), (1, 1000, "<1 %"), (999, 1000, ">99 %"), (1, 2, "50 %"), (9, 9, "100 %")],
)
def test_only_all_is_100_percent(part: int, whole: int, said: str) -> None:
    assert percent(part, whole) == said


def test_what_was_decided_is_a_text_of_the_row() -> None:
    correction = PlanCorrection(field="loss", was="mse", now="huber", because="outliers </script>")
    decisions = Decisions(base="draft 2", assumptions=("Levels are in metres.",), notes="Run it twice.")
    origin = FieldOrigin(field="epochs", source="stated", by="epochs 5")
    record = Scored(id="r", row=0, plan_origins=(origin,), corrections=(correction,), decisions=decisions)
    lines = decided_text(record).split("\n")
    for line in ("- epochs: stated, epochs 5", "- loss: mse -> huber", "- base: draft 2", "- Run it twice."):
        assert line in lines
    assert decided_text(Scored(id="r", row=0)) == ""
