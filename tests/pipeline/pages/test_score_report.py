"""A scoring's tables, what they say in words, and the page that holds them."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise

import pytest

from pipeline.comparison.code_rows import ALL, CLEAN, code_items, code_rows, mean_over_seeds
from pipeline.comparison.comparisons import comparisons
from pipeline.comparison.method_rows import method_rows
from pipeline.comparison.verdict import WITHIN_NOISE
from pipeline.measures.codebleu.codebleu import code_bleu, corpus_code_bleu
from pipeline.measures.output_measures import measure
from pipeline.measures.outputs import Contamination, MethodName, Output, is_machinery
from pipeline.pages.findings import findings
from pipeline.pages.score_report import scatter, write_score_report
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import Failure
from tests.pipeline.pages.score_records import COPY, FIRST, REFERENCES, SECOND, measured, outputs, score_page

SCORED = measured()


def test_corpora_sum_their_pairs() -> None:
    rows = {(row.method, row.protocol): row for row in code_rows(SCORED) if row.subset == "all"}
    pairs = [(output.code, output.reference or "") for output in outputs("units")]
    expected = corpus_code_bleu(pairs)
    assert expected is not None
    assert rows["second", "raw"].codebleu == 100 * expected.codebleu
    assert rows["second", "raw"].length_ratio == 1.0
    assert rows["copy", "raw"].length_ratio == pytest.approx(2.0)
    assert rows["first", "raw"].measured == 3  # the blank one counts, with the lowest value


def test_items_have_their_own_values() -> None:
    items = {(item.method, item.protocol, item.item): item for item in code_items(SCORED)}
    alone = code_bleu(outputs("units")[1].code, REFERENCES[1])
    assert alone is not None
    assert items["second", "raw", 1].codebleu == 100 * alone.codebleu
    assert items["first", "raw", 2].codebleu == 0.0
    assert items["first", "raw", 2].failure == "generate: no_code"


def test_denominators_keep_failures_apart() -> None:
    down = measure(replace(outputs("x")[0], code="", failure=Failure(stage="draft", kind="llm_timeout", message="")))
    found = method_rows({**SCORED, FIRST: [*SCORED[FIRST][1:], down]})
    rows = {row.method: row for row in found if row.subset == ALL}
    first = rows["first"]
    assert (first.asked, first.generated, first.scored) == (3, 1, 2)
    assert (first.method_failures, first.machinery_failures) == (1, 1)
    assert rows["second"].copy_checked == 3


def test_conformance_counts_what_does_not_parse_as_keeping_nothing() -> None:
    plan = SolutionPlan.model_validate({"Model Architecture": {"Layers": ("Dense(2)", "Dense(3)")}})
    planned = replace(outputs("x")[0], plan=plan, code=REFERENCES[2])
    both = [measure(planned), measure(replace(planned, item="torn", code="model = keras.Sequential("))]
    whole, half = (next(method_rows({FIRST: items})).conformance for items in (both[:1], both))
    assert whole
    assert half == whole / 2


def test_a_reply_is_read_for_its_program_and_compared_as_it_is() -> None:
    plain = outputs("units")[0]
    reply = replace(plain, code=f"Here it is.\n```python\n{plain.code}```\nGood luck.")
    found, bare = measure(reply), measure(plain)
    assert found.scores is not None
    assert (found.scores.parses, found.scores.lines) == (True, bare.scores.lines if bare.scores else 0)
    assert found.raw is not None
    assert bare.raw is not None
    assert found.raw.candidate_words > bare.raw.candidate_words


def test_every_table_has_the_clean_items_apart() -> None:
    clean = [[replace(item, contamination=None) for item in SCORED[name]] for name in (FIRST, SECOND)]
    known = replace(clean[1][0], contamination=Contamination(prompts=0.7))
    scored = {FIRST: clean[0], SECOND: [known, *clean[1][1:]]}
    assert [(row.method, row.subset, row.asked) for row in method_rows(scored)] == [
        ("first", ALL, 3),
        ("second", ALL, 3),
        ("second", CLEAN, 2),
    ]
    assert {row.items for row in comparisons(scored, FIRST, [SECOND]) if row.subset == CLEAN} == {2}
    assert {item.contaminated_by for item in code_items(scored)} == {"", "prompts"}


def test_seeds_are_compared_as_one_by_their_items_means() -> None:
    again = MethodName("Runs", "a model", "second, again")
    scored = {**SCORED, again: SCORED[FIRST]}
    group = MethodName("Runs", "a model", "second (mean of 2 seeds)")
    (both,) = [
        row
        for row in comparisons(scored, FIRST, [group], {group: [SECOND, again]})
        if (row.measure, row.protocol, row.subset) == ("CodeBLEU", "raw", ALL)
    ]
    (alone,) = [
        row
        for row in comparisons(scored, FIRST, [SECOND])
        if (row.measure, row.protocol, row.subset) == ("CodeBLEU", "raw", ALL)
    ]
    assert both.items == alone.items == 3  # a second seed is no second item
    assert both.difference == pytest.approx(alone.difference / 2)


@pytest.mark.parametrize(
    ("kind", "machinery"),
    [
        ("llm_timeout", True),
        ("llm_unavailable", True),
        ("llm_context", False),
        ("bug", True),
        ("crash", True),
        ("refused", False),
        ("no_code", False),
    ],
)
def test_whose_failure_it_is(kind: str, machinery: bool) -> None:
    assert is_machinery(Failure(stage="draft", kind=kind, message="")) is machinery


def test_copying_is_seen() -> None:
    second = SCORED[SECOND][0].copying
    assert second is not None
    assert second.lines_in_common == 0.5  # of four lines, the loop's two have another name in them
    own = measure(replace(outputs("size")[0]))
    assert own.copying is not None
    assert (own.copying.lines_in_common, own.copying.duplicate) == (1.0, True)


def test_beyond_the_limits_is_the_machinerys_failure() -> None:
    found = measure(Output(item="long", code="x = 1\n" * 30_000, reference=REFERENCES[0]))
    assert found.machinery_failed
    assert found.failure is not None
    assert found.failure.kind == "beyond_limits"
    huge = measure(Output(item="huge", code="x = 1\n" * 400_000))
    assert huge.failure is not None
    assert huge.scores is None


def test_unknown_imports_are_named() -> None:
    code = "import os, numpy, notamodule.sub\nfrom keras import layers\nfrom .mine import x\nfrom my_helpers import y\n"
    assert measure(Output(item="a", code=code)).unknown_imports == ("mine", "my_helpers", "notamodule")


def test_findings_name_the_baseline_that_is_higher_and_why() -> None:
    rows = list(code_rows(SCORED))
    only = [row for row in rows if row.method in ("first", "copy")]
    said = " ".join(findings(list(method_rows(SCORED)), only, list(comparisons(SCORED, FIRST, [SECOND]))))
    assert "1 of 1 baselines reach more: copy" in said
    assert "first writes 0." in said
    assert "the copied files 2.00" in said
    best = " ".join(findings([], rows, []))
    assert "second (a model) has a CodeBLEU of" in best


def test_comparisons_are_on_the_same_items() -> None:
    found = [row for row in comparisons(SCORED, FIRST, [SECOND]) if (row.measure, row.protocol) == ("CodeBLEU", "raw")]
    # Three items prove little. One of them is contaminated: its reference was shown.
    assert [(row.subset, row.items, row.verdict) for row in found] == [
        ("all", 3, WITHIN_NOISE),
        ("not contaminated", 2, WITHIN_NOISE),
    ]
    assert found[0].difference > 0
    some = {FIRST: SCORED[FIRST][:2], SECOND: SCORED[SECOND][1:]}
    assert {row.items for row in comparisons(some, FIRST, [SECOND])} == {1}


def test_means_over_seeds() -> None:
    row = next(row for row in code_rows(SCORED) if row.method == "second")
    other = replace(row, codebleu=row.codebleu + 2)
    mean = mean_over_seeds(SECOND._replace(method="mean"), [row, other])
    assert (mean.method, mean.seeds) == ("mean", 2)
    assert mean.codebleu == pytest.approx(row.codebleu + 1)
    assert mean.standard_error == pytest.approx(1.0)
    assert mean_over_seeds(SECOND, [row]).standard_error is None


def test_labels_of_methods_do_not_meet() -> None:
    row = next(row for row in code_rows(SCORED) if row.method == "second")
    points = scatter([row, row, row], width=400, height=240, equal_length=False)
    heights = [point.label_y for point in points]
    assert all(below - above >= 12 for above, below in pairwise(heights))


def test_the_page_is_whole_repeatable_and_holds_no_markup_of_others() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    write_score_report(score_page(), first)
    write_score_report(score_page(), second)
    page = first.getvalue().decode()
    assert first.getvalue() == second.getvalue()
    assert "<b>tags" not in page
    for text in ("Table II", "mean absolute difference", "Fig. 5: no file", "copy", "within noise", "Plans"):
        assert text in page
    assert page.count('type="application/json"') == 3
    assert COPY.method in page
