"""Table IV and Fig. 4 for planners of ours and files of predictions, on the same rows, with what the table leaves out.

    dlcodegen eval-planner --train TRAIN --test TEST --planner retrieval --planner hybrid:out/planner --out out/plans

Standard supervised protocol: planners may use all known plans, as the paper's GPT-2 was trained on all of them. Since
some test requirements are nearly among these, everything is also given over the rows that are not, and for planners
that look plans up once more with a firewall that keeps near-copies from them. Written to the folder:

    plans, plan_items, plan_comparisons      a column of a planner, a plan's score, a difference; CSV and Parquet
    predictions/<planner>.jsonl              the plans, in the published layout: an object a line, prompt included
    plots/*.png                              Table IV, Fig. 4, differences with their intervals
    report.html, manifest.json               tables with plots; versions, settings, digests, counts, seconds
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import PurePosixPath

from jobs.scoring.plans.evaluation import PlanEvaluation, evaluate, write_evaluation
from jobs.scoring.plans.evaluation_rows import read_evaluation_rows
from jobs.scoring.plans.planner_runs import baseline_runs, planner_runs, prediction_runs
from pipeline.retrieval.sample_pool import load_known_plans
from pipeline.storage.one_writer import one_writer


def main(
    *,
    test: str,
    train: str,
    planners: Sequence[str],
    predictions: Sequence[str],
    out: str,
    against: Sequence[str] = (),
    settings: Sequence[str] = (),
) -> PlanEvaluation:
    """Evaluates `planners` (values of `planner=`) and files of `predictions` on the plans in `test`.

    `train`: known plans as the setting `plans` takes them. `against`: planners, or names of prediction files without
    ending, that all others are compared with; by default every prediction file. Raises DLCodeGenError for files that
    cannot be read or do not belong together.
    """
    start = time.monotonic()
    known = load_known_plans(train)
    rows = read_evaluation_rows(test, known)
    files = {PurePosixPath(path).stem: path for path in predictions}
    runs = prediction_runs(files, rows) + baseline_runs(rows, known)
    with one_writer(out):
        for planner in planners:
            runs += planner_runs(planner, rows, train, settings)
        evaluation = evaluate(runs, rows, files, against, out)
        write_evaluation(evaluation, {"test": test, "train": train, **files}, settings, time.monotonic() - start)
    return evaluation


if __name__ == "__main__":
    from jobs import run_command

    run_command("eval-planner")
