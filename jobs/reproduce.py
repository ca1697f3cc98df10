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

import argparse
import hashlib
import json
import time
from collections.abc import Sequence

from jobs.cluster.dataflow import start_ray
from jobs.runs.result_files import Table, write_tables
from jobs.runs.versions import versions_of
from jobs.scoring.plans.tables import plan_tables
from jobs.scoring.reproduction.artifact_outputs import score_artifact
from jobs.scoring.reproduction.page import reproduction_page
from jobs.scoring.reproduction.published import OutputFile, load_published, output_files, prediction_files
from jobs.scoring.reproduction.results import ReproducedValue, Reproduction
from pipeline.comparison.code_rows import ALL, CodeItem, CodeRow, MethodRow
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.plan_tables import PlanComparison, PlanItem, PlanRow
from pipeline.errors import DLCodeGenError
from pipeline.inputs.artifact import is_artifact
from pipeline.pages.score_report import write_score_report
from pipeline.storage.files import exists, join, read_bytes, write_bytes

_VERSIONED = ("dlcodegen-ray", "codebleu", "tree-sitter-python", "black", "sacrebleu", "rapidfuzz", "numpy", "ray")
_DATA = ("Datasets/DLCodeEval/Test_Code.txt", "Datasets/DLSamplePool/Samples.txt", "Datasets/DLPlanData/Test.txt")


def main(artifact: str, out: str, *, address: str | None = None, seeds: int = 5, quiet: bool = False) -> Reproduction:
    """Scores the released outputs in a checkout of the artifact and writes the tables. `address`: a Ray cluster's.

    Raises DLCodeGenError where the folder is no checkout.
    """
    start = time.monotonic()
    if not is_artifact(artifact):
        raise DLCodeGenError(f"{artifact}: no checkout of the DLCodeGen artifact (no Datasets/DLCodeEval/Test.txt)")
    published = load_published()
    outputs, no_outputs = output_files(artifact, published)
    predictions, no_predictions = prediction_files(artifact, published)
    start_ray(address, None)
    scoring = score_artifact(artifact, outputs, out, seeds=seeds, quiet=quiet)
    code = scoring.tables
    plans = plan_tables(artifact, predictions, published, quiet=quiet)
    found = Reproduction(
        values=tuple(_values(outputs, code.rows)),
        code=code,
        plans=plans,
        absent=(*no_outputs, *no_predictions, *code.unusable, *plans.unusable),
        seeds=seeds,
        seconds=round(time.monotonic() - start, 1),
        out=out,
    )
    write_score_report(reproduction_page(found, scoring), join(out, "report.html"))
    _write(found, [file.path for file in outputs] + [file.path for file in predictions], artifact)
    return found


def _values(files: Sequence[OutputFile], rows: Sequence[CodeRow]) -> list[ReproducedValue]:
    measured = {(row.table, row.model, row.method): row for row in rows if (row.protocol, row.subset) == ("paper", ALL)}
    values = []
    for file in files:
        row = measured.get((file.table, file.model, file.method))
        for column in (list(file.published) or ["codebleu"]) if row else ():
            reproduced, printed = getattr(row, column), file.published.get(column)
            values.append(
                ReproducedValue(
                    table=file.table,
                    model=file.model,
                    method=file.method,
                    column=column,
                    published=printed,
                    reproduced=reproduced,
                    difference=None if printed is None else reproduced - printed,
                )
            )
    return values


def _write(found: Reproduction, files: Sequence[str], artifact: str) -> None:
    tables: dict[str, Table] = {
        "reproduced": (found.values, ReproducedValue),
        "methods": (found.code.methods, MethodRow),
        "code": (found.code.rows, CodeRow),
        "code_items": (found.code.items, CodeItem),
        "code_comparisons": (found.code.comparisons, Comparison),
        "plans": (found.plans.rows, PlanRow),
        "plan_items": (found.plans.items, PlanItem),
        "plan_comparisons": (found.plans.comparisons, PlanComparison),
    }
    write_tables(found.out, tables)
    methods = [row for row in found.code.methods if row.subset == ALL]
    read = [path for name in _DATA if exists(path := join(artifact, name))] + list(files)
    manifest = {
        "artifact": artifact,
        "versions": versions_of(_VERSIONED),
        "sha256": {path: hashlib.sha256(read_bytes(path)).hexdigest() for path in read},
        "seeds": found.seeds,
        "bootstrap_resamples": 10_000,
        "absent": list(found.absent),
        "rows": {name: len(rows) for name, (rows, _) in tables.items()},
        "outputs_asked": sum(row.asked for row in methods),
        "outputs_scored": sum(row.scored for row in methods),
        "failures_of_the_method": sum(row.method_failures for row in methods),
        "failures_of_the_machinery": sum(row.machinery_failures for row in methods),
        "seconds": found.seconds,
    }
    write_bytes(join(found.out, "manifest.json"), json.dumps(manifest, indent=2).encode() + b"\n")


if __name__ == "__main__":
    from rich.console import Console

    from jobs.scoring.reproduction.tables import report_tables

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifact", required=True, help="a checkout of the published artifact")
    parser.add_argument("--out", required=True, help="the folder to write to")
    arguments = parser.parse_args()
    for table in report_tables(main(arguments.artifact, arguments.out)):
        Console().print(table)
