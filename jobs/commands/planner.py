"""`dlcodegen fit-planner`: making planners from known plans."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer()


@app.command(epilog="Example:  dlcodegen fit-planner --data DLPlanData/Train.txt --out out/planner")
def fit_planner(
    data: Annotated[str, typer.Option("--data", help="Known plans: a DLPlanData file, a checkout, or `starter`.")],
    out: Annotated[str, typer.Option("--out", help="The folder that `planner=hybrid:DIR` then reads.")],
) -> None:
    """Fit the hybrid planner to known plans; no pre-trained weights, about half a minute for 3,300 plans."""
    from jobs.fit_planner import main as run
    from jobs.fit_planner import summary_table

    Console().print(summary_table(run(data, out)))
    Console().print(f"  {out.rstrip('/')}/planner.json", highlight=False, soft_wrap=True)
