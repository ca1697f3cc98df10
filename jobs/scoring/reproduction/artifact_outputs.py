"""The released outputs of a checkout of the artifact as outputs of methods, and its pool as what baselines copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jobs.scoring.code_tables import CodeTables, code_tables
from jobs.scoring.measuring import Baselines, Measuring, measured_baselines
from jobs.scoring.reproduction.published import OURS, OutputFile
from pipeline.comparison.code_rows import BASELINES
from pipeline.errors import DLCodeGenError
from pipeline.inputs.artifact import read_benchmark, read_blocks, read_samples
from pipeline.measures.codebleu.baselines import Solution
from pipeline.measures.outputs import MethodName, Output
from pipeline.understanding import asked_in


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactScoring:
    """The tables, and the released outputs that they are about."""

    tables: CodeTables
    outputs: Mapping[MethodName, Sequence[Output]]


def score_artifact(
    root: str, files: Sequence[OutputFile], out: str, *, seeds: int = 5, quiet: bool = False
) -> ArtifactScoring:
    """Everything about the released code, under every protocol. Needs an initialised Ray.

    `seeds`: draws of the random baseline.
    """
    rows, samples = solutions(root)
    items = _items(root, rows)
    outputs, unusable = _released_outputs(files, items)
    ours = [name for name in outputs if name.method == OURS]
    codes_of_ours: dict[str, list[str]] = {}
    for name in ours:
        codes_of_ours[f"{name.method} with {name.model}"] = [output.code for output in outputs[name]]
    baselines = Baselines(
        rows=rows,
        items=items,
        samples=samples,
        seeds=seeds,
        cut_to=codes_of_ours,
    )
    measuring = Measuring(folder=out, pool=root, plans=(root,), quiet=quiet)
    measured = measuring.all_measured(outputs, "files") | measured_baselines(baselines, measuring)
    rivals: dict[MethodName, list[MethodName]] = {}
    for name in ours:
        # Methods with another model would be compared by their models; baselines ask none.
        comparable = [other for other in measured if other.table == BASELINES or other.model == name.model]
        rivals[name] = [other for other in comparable if other != name]
    return ArtifactScoring(tables=code_tables(measured, rivals, unusable=unusable), outputs=outputs)


def solutions(root: str) -> tuple[list[Solution], list[Solution]]:
    """The rows that have a reference, and the samples.

    Rows have the category and plan of the sample for their requirement, since the evaluation set itself
    publishes neither.
    """
    samples = [Solution.of(sample.requirement, sample.code, sample.plan) for sample in read_samples(root)]
    sample_for = {sample.requirement: sample for sample in samples if sample.requirement}
    rows = []
    for row in read_benchmark(root):
        if row.reference is None:
            continue
        sample = sample_for.get(row.requirement)
        solution = Solution(requirement=row.requirement, code=row.reference)
        if sample is not None:
            solution = replace(solution, category=sample.category, plan=sample.plan)
        rows.append(solution)
    return rows, samples


def _items(root: str, rows: Sequence[Solution]) -> list[Output]:
    """The rows as outputs that have no code yet."""
    plan_for = {sample.requirement: sample.plan for sample in read_samples(root) if sample.requirement}
    attributes_of = {row.requirement: row.attributes for row in read_benchmark(root)}
    items = []
    for number, row in enumerate(rows):
        item = Output(
            item=f"dlcodeeval-{number:03d}",
            requirement=row.requirement,
            constraints=asked_in(row.requirement, attributes_of.get(row.requirement, "")),
            category=row.category,
            reference=row.code,
            plan=plan_for.get(row.requirement),
        )
        items.append(item)
    return items


def _released_outputs(
    files: Sequence[OutputFile], items: Sequence[Output]
) -> tuple[dict[MethodName, list[Output]], list[str]]:
    """What the files hold for the items, by method; and the files that do not fit the items, in words."""
    outputs: dict[MethodName, list[Output]] = {}
    unusable: list[str] = []
    for file in files:
        try:
            blocks = read_blocks(file.path)
        except DLCodeGenError as error:
            unusable.append(str(error))
            continue
        if len(blocks) != len(items):
            unusable.append(f"{file.path}: {len(blocks)} outputs for {len(items)} references")
            continue
        outputs[MethodName.of(file)] = [replace(item, code=block) for item, block in zip(items, blocks, strict=True)]
    return outputs, unusable
