"""The released outputs of a checkout of the artifact as outputs of methods, and its pool as what baselines copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jobs.scoring.code_tables import Baselines, CodeTables, Measuring, code_tables, measured_baselines
from jobs.scoring.reproduction.published import OURS, OutputFile
from pipeline.comparison.code_rows import BASELINES
from pipeline.errors import DLCodeGenError
from pipeline.inputs.artifact import read_blocks, read_requirements, read_samples
from pipeline.measures.codebleu.baselines import Solution
from pipeline.measures.outputs import MethodName, Output


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactScoring:
    """The tables, and the released outputs that they are about."""

    tables: CodeTables
    outputs: Mapping[MethodName, Sequence[Output]]


def score_artifact(
    root: str, files: Sequence[OutputFile], out: str, *, seeds: int = 5, quiet: bool = False
) -> ArtifactScoring:
    """Everything about the released code, under every protocol. Needs an initialised Ray. `seeds`: draws of the random
    baseline."""
    rows, samples = solutions(root)
    plans = {sample.requirement: sample.plan for sample in read_samples(root) if sample.requirement}
    items = [
        Output(
            item=f"dlcodeeval-{number:03d}",
            requirement=row.requirement,
            category=row.category,
            reference=row.code,
            plan=plans.get(row.requirement),
        )
        for number, row in enumerate(rows)
    ]
    outputs: dict[MethodName, list[Output]] = {}
    unusable: list[str] = []
    for file in files:
        name = MethodName.of(file)
        blocks = _blocks(file.path, unusable)
        if blocks is None:
            continue
        if len(blocks) != len(rows):
            unusable.append(f"{file.path}: {len(blocks)} outputs for {len(rows)} references")
        else:
            outputs[name] = [replace(item, code=block) for item, block in zip(items, blocks, strict=True)]
    measuring = Measuring(folder=out, pool=root, plans=(root,), quiet=quiet)
    ours = [name for name in outputs if name.method == OURS]
    cut_to = {f"{name.method} with {name.model}": [output.code for output in outputs[name]] for name in ours}
    baselines = Baselines(rows=rows, items=items, samples=samples, seeds=seeds, cut_to=cut_to)
    measured = measuring.all_measured(outputs, "files") | measured_baselines(baselines, measuring)
    rivals = {
        name: [other for other in measured if other != name and (other.table == BASELINES or other.model == name.model)]
        for name in ours
    }
    return ArtifactScoring(tables=code_tables(measured, rivals, unusable=unusable), outputs=outputs)


def solutions(root: str) -> tuple[list[Solution], list[Solution]]:
    """The rows that have a reference, and the samples; rows have the category and plan of the sample for their
    requirement, since the evaluation set itself publishes neither."""
    samples = [
        Solution(
            requirement=sample.requirement,
            code=sample.code,
            category=sample.plan.canonical().task_category if sample.plan else "",
            plan=sample.plan.text() if sample.plan else "",
        )
        for sample in read_samples(root)
    ]
    unknown = Solution(requirement="", code="")
    known = {sample.requirement: sample for sample in samples if sample.requirement}
    rows = []
    for row in read_requirements(root):
        if row.reference is not None:
            same = known.get(row.requirement, unknown)
            rows.append(
                Solution(requirement=row.requirement, code=row.reference, category=same.category, plan=same.plan)
            )
    return rows, samples


def _blocks(path: str, unusable: list[str]) -> list[str] | None:
    try:
        return read_blocks(path)
    except DLCodeGenError as error:
        unusable.append(str(error))
        return None
