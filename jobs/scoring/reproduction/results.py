"""What a reproduction of the paper's tables comes to, and the folder it is written to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jobs.runs.result_files import Table, write_tables
from jobs.runs.versions import versions_of
from jobs.scoring.code_tables import CodeTables
from jobs.scoring.reproduction.plan_tables import PlannerTables
from jobs.scoring.reproduction.published import OutputFile
from pipeline.comparison.code_rows import ALL, CodeItem, CodeRow
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.method_rows import MethodRow
from pipeline.comparison.plan_tables import PlanComparison, PlanItem, PlannerResult
from pipeline.comparison.statistics import BOOTSTRAP_RESAMPLES
from pipeline.measures.outputs import MethodName
from pipeline.storage.files import exists, join, read_bytes, write_manifest

_VERSIONED = ("dlcodegen-ray", "codebleu", "tree-sitter-python", "black", "sacrebleu", "rapidfuzz", "numpy", "ray")
_DATA = ("Datasets/DLCodeEval/Test_Code.txt", "Datasets/DLSamplePool/Samples.txt", "Datasets/DLPlanData/Test.txt")
"""Files of the artifact that are read beside the released outputs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReproducedValue:
    """A value the paper prints, and the same from the released file (protocol `paper`, in percent)."""

    table: str
    model: str
    method: str
    column: str
    published: float | None
    """None where the paper shows it in a plot only."""
    reproduced: float
    difference: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reproduction:
    """The paper's tables from its released outputs, as they were written to `out`."""

    values: tuple[ReproducedValue, ...]
    code: CodeTables
    plans: PlannerTables
    absent: tuple[str, ...]
    """Released files that are not there or do not fit, in words."""
    seeds: int
    """Draws of the random baseline."""
    seconds: float
    out: str


def reproduced_values(files: Sequence[OutputFile], rows: Sequence[CodeRow]) -> Iterator[ReproducedValue]:
    """A value for each column that the paper prints for a file; CodeBLEU for a file of which it prints none."""
    measured = {MethodName.of(row): row for row in rows if row.protocol == "paper" and row.subset == ALL}
    for file in files:
        row = measured.get(MethodName.of(file))
        if row is None:
            continue
        for column in list(file.published) or ["codebleu"]:
            reproduced, published = getattr(row, column), file.published.get(column)
            difference = None
            if published is not None:
                difference = reproduced - published
            yield ReproducedValue(
                table=file.table,
                model=file.model,
                method=file.method,
                column=column,
                published=published,
                reproduced=reproduced,
                difference=difference,
            )


def write_reproduction(reproduction: Reproduction, artifact: str, files: Sequence[str]) -> None:
    """Writes the tables and the manifest.

    `files`: the released files that were read, in the checkout `artifact`.
    """
    code, plans = reproduction.code, reproduction.plans
    tables: dict[str, Table] = {
        "reproduced": (reproduction.values, ReproducedValue),
        "methods": (code.methods, MethodRow),
        "code": (code.rows, CodeRow),
        "code_items": (code.items, CodeItem),
        "code_comparisons": (code.comparisons, Comparison),
        "plans": (plans.rows, PlannerResult),
        "plan_items": (plans.items, PlanItem),
        "plan_comparisons": (plans.comparisons, PlanComparison),
    }
    write_tables(reproduction.out, tables)
    methods = [row for row in code.methods if row.subset == ALL]
    data = [join(artifact, name) for name in _DATA]
    digests: dict[str, str] = {}
    for path in [*filter(exists, data), *files]:
        digests[path] = hashlib.sha256(read_bytes(path)).hexdigest()
    manifest = {
        "artifact": artifact,
        "versions": versions_of(_VERSIONED),
        "sha256": digests,
        "seeds": reproduction.seeds,
        "bootstrap_resamples": BOOTSTRAP_RESAMPLES,
        "absent": list(reproduction.absent),
        "rows": {name: len(rows) for name, (rows, _) in tables.items()},
        "outputs_asked": sum(row.asked for row in methods),
        "outputs_scored": sum(row.scored for row in methods),
        "failures_of_the_method": sum(row.method_failures for row in methods),
        "failures_of_the_machinery": sum(row.machinery_failures for row in methods),
        "seconds": reproduction.seconds,
    }
    write_manifest(reproduction.out, manifest)
