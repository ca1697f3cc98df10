"""Fits the hybrid planner to known plans and writes it to a folder, for `planner=hybrid:DIR`.

python -m jobs.fit_planner --data Datasets/DLPlanData/Train.txt --out out/planner

Each field is then taken from the planner that is best at it, of the ridge, retrieval and the most frequent value: over
the known plans themselves, each answered for without its sixth of them, or over an evaluation split, on which GPT-2
planners can compete too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from rich.table import Table
from rich.text import Text

from pipeline.errors import DLCodeGenError
from pipeline.planners.hybrid.field_choice import choose_planners, evaluation_answers, held_out_answers
from pipeline.planners.hybrid.fit import MOST_PLANS, Fitted, fit
from pipeline.planners.hybrid.folder import save_fitted
from pipeline.retrieval.sample_pool import load_known_plans
from pipeline.storage.one_writer import one_writer


def main(data: str, out: str, evaluation: str | None = None, gpt2: Sequence[str] = ()) -> Fitted:
    """`data` and `evaluation`: known plans as the setting `plans` takes them. `gpt2`: folders of GPT-2 planners that
    join the choice. Raises DLCodeGenError where there are no plans, and for a GPT-2 without an evaluation split: it has
    learned from the known plans, so they say nothing about it."""
    if gpt2 and not evaluation:
        raise DLCodeGenError("--gpt2 needs --eval: a GPT-2 is compared on plans that it has not learned from")
    with one_writer(out):
        return _fit(data, out, evaluation, gpt2)


def _fit(data: str, out: str, evaluation: str | None, gpt2: Sequence[str]) -> Fitted:
    start = time.monotonic()
    known = load_known_plans(data)
    fitted = fit(known)
    if evaluation:
        answers, answered = evaluation_answers(fitted, load_known_plans(evaluation), gpt2)
    else:
        answers, answered = held_out_answers(fitted)
    if answered:
        fitted = replace(fitted, choices=choose_planners(answers, answered))
    about = {
        "data": data,
        "plans_read": len(known),
        "plans_used": len(fitted.ids),
        "most_plans": MOST_PLANS,
        "evaluation": evaluation or "known plans, a sixth held out at a time",
        "plans_answered_for": len(answered),
        "seconds": round(time.monotonic() - start, 1),
    }
    save_fitted(fitted, out, about)
    return fitted


def summary_table(fitted: Fitted) -> Table:
    """Each field's candidates, chosen ridge penalty, and each planner's mean score at it, the chosen one's in bold."""
    planners = list(fitted.choices[0].mean_scores) if fitted.choices else []
    choices = {choice.field: choice for choice in fitted.choices}
    table = Table(title=f"Hybrid planner from {len(fitted.ids):,} plans", title_justify="left")
    table.add_column("field")
    for head in ("values to choose from", "penalty", *planners):
        table.add_column(head, justify="right")
    for model in fitted.fields:
        scores: list[Text] = []
        if model.name in choices:
            choice = choices[model.name]
            for planner in planners:
                score = f"{choice.mean_scores[planner]:.4g}"
                scores.append(Text(score, "bold" if planner == choice.planner else ""))
        table.add_row(model.name.replace("_", " "), f"{len(model.candidates):,}", f"{model.penalty:g}", *scores)
    return table


if __name__ == "__main__":
    from jobs import run_command

    run_command("fit-planner")
