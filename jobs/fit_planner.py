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

from pipeline.errors import DLCodeGenError
from pipeline.planners.causal_lm.planner import Gpt2Planner
from pipeline.planners.hybrid.contest import judge
from pipeline.planners.hybrid.fit import MOST_PLANS, Fitted, fit
from pipeline.planners.hybrid.folder import save_fitted
from pipeline.planners.hybrid.rivals import evaluation_answers, held_out_answers
from pipeline.retrieval.sample_pool import load_known_plans


def main(data: str, out: str, evaluation: str | None = None, gpt2: Sequence[str] = ()) -> Fitted:
    """`data` and `evaluation`: known plans as the setting `plans` takes them. `gpt2`: folders of GPT-2 planners that
    compete. Raises DLCodeGenError where there are no plans, and for a GPT-2 without an evaluation split: it has learned
    from the known plans, so they say nothing about it."""
    if gpt2 and not evaluation:
        raise DLCodeGenError("--gpt2 needs --eval: a GPT-2 is compared on plans that it has not learned from")
    start = time.monotonic()
    known = load_known_plans(data)
    fitted = fit(known)
    if evaluation:
        others = {f"gpt2:{folder}": Gpt2Planner(folder) for folder in gpt2}
        answers, judged = evaluation_answers(fitted, load_known_plans(evaluation), others)
    else:
        answers, judged = held_out_answers(fitted)
    fitted = replace(fitted, contest=judge(answers, judged) if judged else ())
    about = {
        "data": data, "plans_read": len(known), "plans_used": len(fitted.ids), "most_plans": MOST_PLANS,
        "evaluation": evaluation or "known plans, a sixth held out at a time", "plans_answered_for": len(judged),
        "seconds": round(time.monotonic() - start, 1),
    }  # fmt: skip
    save_fitted(fitted, out, about)
    return fitted


def summary_table(fitted: Fitted) -> Table:
    """Each field's candidates, chosen ridge penalty, and what each planner gains at it, the chosen one's in bold."""
    names = list(fitted.contest[0].gains) if fitted.contest else []
    contests = {item.field: item for item in fitted.contest}
    table = Table(title=f"Hybrid planner from {len(fitted.ids):,} plans", title_justify="left")
    table.add_column("field")
    for head in ("values to choose from", "penalty", *names):
        table.add_column(head, justify="right")
    for model in fitted.fields:
        contest = contests.get(model.name)
        gains = [
            f"[bold]{contest.gains[name]:.4g}[/]" if name == contest.best else f"{contest.gains[name]:.4g}"
            for name in (names if contest else ())
            if contest
        ]
        table.add_row(model.name.replace("_", " "), f"{len(model.candidates):,}", f"{model.penalty:g}", *gains)
    return table


if __name__ == "__main__":
    from jobs import run_command

    run_command("fit-planner")
