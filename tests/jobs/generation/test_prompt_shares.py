"""The shares of a method's prompts that a prefix cache serves."""

from __future__ import annotations

import pytest

from jobs.generation.prompt_shares import prompt_shares
from pipeline.errors import DLCodeGenError


def test_a_prefix_cache_serves_two_fifths_of_a_row_s_prompts() -> None:
    *calls, whole = prompt_shares("dlcodegen", rows=3)
    assert [call.prompt for call in calls] == [
        "few_shot_plan",
        "template",
        "draft_from_sample",
        "draft_from_template",
        "compare",
    ]
    assert whole.tokens == pytest.approx(sum(call.tokens for call in calls))
    assert whole.within_row >= 0.4
    assert whole.within_run > whole.within_row
    assert calls[0].within_run > 0, "rows share the system prompt"


def test_a_method_that_cannot_be_counted_is_named() -> None:
    for method in ("symbolic", "c-cot", "nonesuch"):
        with pytest.raises(DLCodeGenError, match=f"--method {method}: choose one of"):
            list(prompt_shares(method))
