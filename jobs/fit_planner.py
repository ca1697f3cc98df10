"""Fits the hybrid planner to known plans and writes it to a folder, for `planner=hybrid:DIR`.

python -m jobs.fit_planner --data Datasets/DLPlanData/Train.txt --out out/planner
"""

from __future__ import annotations

import argparse
import time

from rich.table import Table

from pipeline.planner.fitted import MOST_PLANS, Fitted, fit
from pipeline.planner.fitted_folder import save_fitted
from pipeline.retrieval.sample_pool import load_known_plans


def main(data: str, out: str) -> Fitted:
    """`data`: known plans as the setting `plans` takes them. Raises DLCodeGenError where there are none."""
    start = time.monotonic()
    known = load_known_plans(data)
    fitted = fit(known)
    seconds = round(time.monotonic() - start, 1)
    about = {"data": data, "plans_read": len(known), "plans_used": len(fitted.ids), "most_plans": MOST_PLANS}
    save_fitted(fitted, out, about | {"seconds": seconds})
    return fitted


def summary_table(fitted: Fitted) -> Table:
    """Each field's candidates, chosen ridge penalty and held-out score."""
    table = Table(title=f"Hybrid planner from {len(fitted.ids):,} plans", title_justify="left")
    table.add_column("field")
    for head in ("values to choose from", "penalty", "mean score, held out"):
        table.add_column(head, justify="right")
    for model in fitted.fields:
        table.add_row(
            model.name.replace("_", " "), f"{len(model.candidates):,}", f"{model.penalty:g}", f"{model.score:.4f}"
        )
    return table


if __name__ == "__main__":
    from rich.console import Console

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="known plans: a DLPlanData file, an artifact checkout, `starter`")
    parser.add_argument("--out", required=True, help="the folder to write to")
    arguments = parser.parse_args()
    Console().print(summary_table(main(arguments.data, arguments.out)))
