"""What the baselines answer for a run: its own items, from the pool that it retrieved from."""

from __future__ import annotations

from jobs.scoring.baseline_outputs import COPY_SHOWN
from jobs.scoring.measuring import Baselines
from jobs.scoring.run_outputs import Run, output_of
from jobs.scoring.settings import ScoreConfig
from pipeline.measures.codebleu.baselines import Solution
from pipeline.measures.outputs import Output
from pipeline.records import Scored
from pipeline.retrieval.sample_pool import load_samples

MOST_PAIRS = 40_000
"""Pairs of reference and sample that the choices in hindsight look at, at most: each pair's CodeBLEU has to be
computed for them."""


def run_baselines(run: Run, config: ScoreConfig) -> Baselines | None:
    """The items of a run that have a reference, evenly spaced; None without references, or with nothing to choose."""
    pool = load_samples(run.pool)
    if len(pool) < 2:
        return None
    most_items = max(1, MOST_PAIRS // len(pool))
    chosen = _chosen_positions(run, min(config.baseline_items, most_items))
    if not chosen:
        return None
    codes = {sample.id: sample.code for sample in pool}
    number_of = {sample.id: number for number, sample in enumerate(pool)}
    rows: list[Solution] = []
    items: list[Output] = []
    copies: list[int] = []
    for position, record in enumerate(run.records()):
        if position not in chosen:
            continue
        rows.append(Solution.of(record.requirement, record.reference or "", record.plan))
        items.append(output_of(record, codes))
        sample = _best_retrieved(record, number_of)
        if sample is None:  # any will do, as long as it is the same each time
            sample = position % len(pool)
        copies.append(sample)
    return Baselines(
        rows=rows,
        items=items,
        samples=[Solution.of(sample.requirement, sample.code, sample.plan) for sample in pool],
        seeds=config.seeds,
        copies=copies,
        copy=COPY_SHOWN,
        cut_to={run.name.method: [item.code for item in items]},
    )


def _chosen_positions(run: Run, limit: int) -> set[int]:
    """The positions of at most `limit` records with a reference."""
    if not limit:
        return set()
    with_reference = []
    for position, record in enumerate(run.records()):
        if record.reference and record.reference.strip():
            with_reference.append(position)
    step = max(1, -(-len(with_reference) // limit))  # rounded up, so that no more than `limit` are chosen
    return set(with_reference[::step])


def _best_retrieved(record: Scored, number_of: dict[str, int]) -> int | None:
    """The number of the first retrieved sample that is still in the pool."""
    for sample in record.samples:
        if sample.id in number_of:
            return number_of[sample.id]
    return None
