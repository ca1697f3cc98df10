"""Tokens a row beside the share of what was asked that is met, and the page that shows both."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from pipeline.calls import LLMCall
from pipeline.comparison.method_costs import method_costs
from pipeline.comparison.method_rows import method_rows
from pipeline.measures.call_totals import CallTotals
from pipeline.pages.score_report import write_score_report
from tests.pipeline.pages.score_records import COPY, SECOND, measured, score_page

CALL = LLMCall(
    stage="write", prompt="direct", model="m", prompt_tokens=900, completion_tokens=100, finish_reason="stop"
)


def test_tokens_are_a_row_s_and_buy_a_share_of_what_was_asked() -> None:
    rows = [replace(row, csr=0.75) for row in method_rows(measured())]
    costs = method_costs(rows, (), {SECOND: CallTotals.of([CALL] * 6), COPY: CallTotals()})
    (cost,) = costs  # who asks no model costs nothing and has no place there
    assert (cost.method, cost.rows, cost.calls) == ("second", 3, 2.0)
    assert (cost.prompt_tokens, cost.completion_tokens, cost.tokens) == (1800.0, 200.0, 2000.0)
    assert cost.csr_per_thousand == pytest.approx(0.375)
    assert cost.finishes is None


def test_the_page_plots_them_where_there_are_any() -> None:
    rows = [replace(row, csr=0.75) for row in method_rows(measured())]
    costs = method_costs(rows, (), {SECOND: CallTotals.of([CALL] * 6)})
    for shown, there in (((), False), (costs, True)):
        out = io.BytesIO()
        write_score_report(replace(score_page(), costs=shown), out)
        text = out.getvalue().decode()
        assert ('id="costs"' in text) is there
        assert ("second: CSR 0.75, 2,000 tokens a row" in text) is there
