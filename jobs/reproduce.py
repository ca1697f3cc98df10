"""The paper's tables from its released outputs: published | reproduced | difference, with what they leave unsaid.

    python -m jobs.reproduce --artifact ../dlcodegen-artifact --out out/reproduce

Tables II, V and Fig. 5 (generated code, protocol `paper`) and Table IV and Fig. 4 (plans, protocol P) for the files
that are there; the absent ones are named. Beside each CodeBLEU: protocol `raw`, length ratio, the value at one length,
baselines that need no model, and paired differences from DLCodeGen. Written to the folder, each as CSV and Parquet:

    reproduced         a value of the paper a row              methods, code   a method, a corpus a row
    code_items         a pair of candidate and reference       code_comparisons
    plans              a planner's column a row                plan_items, plan_comparisons
    manifest.json      versions, digests of the files read, what was absent, counts, seconds
"""

from __future__ import annotations

import time

from jobs.cluster.ray_start import start_ray
from jobs.scoring.reproduction.artifact_outputs import score_artifact
from jobs.scoring.reproduction.page import reproduction_page
from jobs.scoring.reproduction.plan_tables import planner_tables
from jobs.scoring.reproduction.published import load_published, output_files, prediction_files
from jobs.scoring.reproduction.results import Reproduction, reproduced_values, write_reproduction
from pipeline.errors import DLCodeGenError
from pipeline.inputs.artifact import is_artifact
from pipeline.pages.score_report import write_score_report
from pipeline.storage.files import join
from pipeline.storage.one_writer import one_writer


def main(artifact: str, out: str, *, address: str | None = None, seeds: int = 5, quiet: bool = False) -> Reproduction:
    """Scores the released outputs in a checkout of the artifact and writes the tables. `address`: a Ray cluster's.

    Raises DLCodeGenError where the folder is no checkout.
    """
    start = time.monotonic()
    if not is_artifact(artifact):
        raise DLCodeGenError(f"{artifact}: no checkout of the DLCodeGen artifact (no Datasets/DLCodeEval/Test.txt)")
    with one_writer(out):
        return _reproduce(artifact, out, start, address=address, seeds=seeds, quiet=quiet)


def _reproduce(artifact: str, out: str, start: float, *, address: str | None, seeds: int, quiet: bool) -> Reproduction:
    published = load_published()
    outputs, no_outputs = output_files(artifact, published)
    predictions, no_predictions = prediction_files(artifact, published)
    start_ray(address, None, out)
    scoring = score_artifact(artifact, outputs, out, seeds=seeds, quiet=quiet)
    plans = planner_tables(artifact, predictions, published, quiet=quiet)
    reproduction = Reproduction(
        values=tuple(reproduced_values(outputs, scoring.tables.rows)),
        code=scoring.tables,
        plans=plans,
        absent=(*no_outputs, *no_predictions, *scoring.tables.unusable, *plans.unusable),
        seeds=seeds,
        seconds=round(time.monotonic() - start, 1),
        out=out,
    )
    write_score_report(reproduction_page(reproduction, scoring), join(out, "report.html"))
    read = [file.path for file in outputs] + [file.path for file in predictions]
    write_reproduction(reproduction, artifact, read)
    return reproduction


if __name__ == "__main__":
    from jobs import run_command

    run_command("reproduce")
