"""Tables II and V and Fig. 5 computed anew, with the baselines that need no model.

Work goes to Ray tasks: a file's texts made ready, a reference against every sample, a file scored. The functions that
score are the pure ones of `pipeline.score`, so no value depends on how the work is spread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import ray

from jobs.code_rows import (
    BASELINES,
    CodeItem,
    CodeRow,
    Comparison,
    Name,
    code_items,
    code_rows,
    comparisons,
    mean_over_seeds,
)
from jobs.parallel import in_parallel
from jobs.published import OURS, OutputFile
from pipeline.artifact import read_blocks, read_requirements, read_samples
from pipeline.score.baselines import (
    Solution,
    best_in_hindsight,
    nearest,
    neighbours,
    one_for_all,
    others,
    random_of_category,
)
from pipeline.score.code_outputs import CodeScores, score_outputs
from pipeline.score.codebleu import code_bleu, words
from pipeline.score.length_control import cut
from pipeline.score.paper_text import PROTOCOLS

RANDOM = "random sample of the category"


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeTables:
    """`unusable`: output files that do not hold a block for each reference, in words."""

    rows: tuple[CodeRow, ...]
    items: tuple[CodeItem, ...]
    comparisons: tuple[Comparison, ...]
    unusable: tuple[str, ...]


def code_tables(root: str, files: Sequence[OutputFile], *, seeds: int = 5, quiet: bool = False) -> CodeTables:
    """Everything about generated code, under every protocol. Needs an initialised Ray. `seeds`: draws of the random
    baseline."""
    rows, samples = solutions(root)
    outputs, unusable = {}, []
    for file in files:
        blocks = read_blocks(file.path)
        if len(blocks) == len(rows):
            outputs[Name(file.table, file.model, file.method)] = blocks
        else:
            unusable.append(f"{file.path}: {len(blocks)} outputs for {len(rows)} references")
    corpora: list[CodeRow] = []
    items: list[CodeItem] = []
    compared: list[Comparison] = []
    for protocol in PROTOCOLS:
        scored = _scored(protocol, rows, samples, outputs, seeds, quiet)
        found = list(code_rows(protocol, scored))
        draws = [row for row in found if row.method.startswith(RANDOM)]
        corpora += [row for row in found if row not in draws]
        if draws:
            corpora.append(mean_over_seeds(RANDOM, draws))
        items += code_items(protocol, scored)
        # One draw stands for the random baseline: five of them would be five tests in Holm's correction.
        compared += comparisons(protocol, {name: scores for name, scores in scored.items() if not _redrawn(name)})
    return CodeTables(rows=tuple(corpora), items=tuple(items), comparisons=tuple(compared), unusable=tuple(unusable))


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


def _scored(
    protocol: str,
    rows: Sequence[Solution],
    samples: Sequence[Solution],
    outputs: Mapping[Name, Sequence[str]],
    seeds: int,
    quiet: bool,
) -> dict[Name, CodeScores]:
    """Every output file and every baseline, scored under one protocol."""
    texts = [[row.code for row in rows], [sample.code for sample in samples], *outputs.values()]
    ready = in_parallel(f"{protocol}: texts", _ready, [(protocol, part) for part in texts], quiet=quiet)
    references, pool, *candidates = ready
    placed_pool, placed_references = ray.put(pool), ray.put(references)
    matrix = in_parallel(
        f"{protocol}: samples", _sample_scores, [(placed_pool, text) for text in references], quiet=quiet
    )
    ours = dict(zip(outputs, candidates, strict=True))
    named = ours | _baselines(rows, samples, np.array(matrix), pool, ours, seeds)
    scored = in_parallel(
        f"{protocol}: files", _file_scores, [(part, placed_references) for part in named.values()], quiet=quiet
    )
    return dict(zip(named, scored, strict=True))


def _baselines(
    rows: Sequence[Solution],
    samples: Sequence[Solution],
    matrix: npt.NDArray[np.float64],
    pool: Sequence[str],
    outputs: Mapping[Name, Sequence[str]],
    seeds: int,
) -> dict[Name, list[str]]:
    """The candidates of each baseline, taken from the pool's texts. `matrix`: CodeBLEU of each row with each sample."""
    allowed = np.array(
        [[number in kept for number in range(len(samples))] for kept in (others(row, samples) for row in rows)]
    )
    matrix = np.where(allowed, matrix, np.nan)
    chosen = {
        "neighbour": neighbours(rows, samples),
        "nearest requirement (BM25)": nearest(rows, samples, _requirement, _requirement),
        "nearest code to the requirement (BM25)": nearest(rows, samples, _requirement, _code),
        "nearest plan of the category (BM25)": nearest(rows, samples, _plan, _plan, same_category=True),
        **{f"{RANDOM}, seed {seed}": random_of_category(rows, samples, seed) for seed in range(seeds)},
        "one file for every task, in hindsight": one_for_all(matrix),
        "best sample, in hindsight": best_in_hindsight(matrix),
    }
    found = {Name(BASELINES, "", name): [pool[number] for number in numbers] for name, numbers in chosen.items()}
    for name, texts in outputs.items():
        if name.method == OURS:
            cut_texts = [
                cut(pool[number], len(words(text))) for number, text in zip(chosen["neighbour"], texts, strict=True)
            ]
            found[Name(BASELINES, "", f"neighbour, cut to {OURS}'s length with {name.model}")] = cut_texts
    return found


def _redrawn(name: Name) -> bool:
    return name.method.startswith(RANDOM) and not name.method.endswith(" 0")


def _requirement(solution: Solution) -> str:
    return solution.requirement


def _code(solution: Solution) -> str:
    return solution.code


def _plan(solution: Solution) -> str:
    return solution.plan


def _ready(protocol: str, texts: Sequence[str]) -> list[str]:
    return [PROTOCOLS[protocol](text) for text in texts]


def _sample_scores(pool: Sequence[str], reference: str) -> list[float]:
    """CodeBLEU of every sample as the answer; NaN beyond the limits."""
    found = [code_bleu(sample, reference) for sample in pool]
    return [item.codebleu if item is not None else np.nan for item in found]


def _file_scores(candidates: Sequence[str], references: Sequence[str]) -> CodeScores:
    return score_outputs(candidates, references)
