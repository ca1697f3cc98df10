"""The contamination audit: was an item's reference, or its requirement, known to what answered it?

In the published data all 46 references are the sample pool, and 42 of their requirements are in the
planner's training data. The firewall keeps such samples from this project's generators; the audit
says how many items would have been touched, and how many were, whatever the method.

Four sources are looked at: the pool, the samples that were shown, the prompts as they were sent
(how much of the reference stood in one is in the row's calls), and the plans that the planner knows
or was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pipeline.measures.outputs import Contamination, Output, Shown
from pipeline.retrieval.firewall import RowShingles, row_shingles
from pipeline.retrieval.sample_pool import load_known_plans, load_samples
from pipeline.retrieval.tokenize import jaccard

CODE_SIMILARITY = 0.5
REQUIREMENT_SIMILARITY = 0.8
"""From here on an item counts as contaminated; the firewall's own thresholds
(`pipeline.retrieval.firewall`)."""

PROMPT_SHARE = 0.5
"""Share of the reference's five-word sequences in one prompt from which the item
counts as contaminated by it."""


def contamination_of(output: Output, pool: str, plans: tuple[str, ...]) -> Contamination:
    """`pool` and `plans` are locations as in the settings; "" for no pool."""
    in_pool, in_plans = _known_similarities(output.requirement, output.reference, pool, plans)
    reference = row_shingles("", output.reference)
    shown = [_of_sample(sample) for sample in output.shown]
    return Contamination(
        pool=in_pool,
        shown=_highest_code(reference, shown),
        prompts=output.prompted,
        plans=in_plans,
    )


def contamination_sources(contamination: Contamination) -> tuple[str, ...]:
    """What an item is contaminated by: `pool`, `shown`, `prompts`, `plans`; () for a clean one."""
    sources = []
    if contamination.pool >= CODE_SIMILARITY:
        sources.append("pool")
    if contamination.shown >= CODE_SIMILARITY:
        sources.append("shown")
    if contamination.prompts >= PROMPT_SHARE:
        sources.append("prompts")
    if contamination.plans >= REQUIREMENT_SIMILARITY:
        sources.append("plans")
    return tuple(sources)


def _highest_code(reference: RowShingles, samples: Sequence[RowShingles]) -> float:
    similarities = [jaccard(reference.code, sample.code) for sample in samples]
    return max(similarities, default=0.0)


@lru_cache(maxsize=4096)
def _known_similarities(
    requirement: str, reference: str | None, pool: str, plans: tuple[str, ...]
) -> tuple[float, float]:
    """The highest similarities in pool and plans: the same for every method that is
    asked for the item."""
    own = row_shingles(requirement, reference)
    in_pool = 0.0
    if pool:
        in_pool = _highest_code(own, _pool(pool))
    in_plans = 0.0
    for location in plans:
        for plan in _plans(location):
            in_plans = max(in_plans, jaccard(own.requirement, plan.requirement))
    return in_pool, in_plans


@lru_cache(maxsize=2)
def _pool(location: str) -> tuple[RowShingles, ...]:
    return tuple(row_shingles(sample.requirement, sample.code) for sample in load_samples(location))


@lru_cache(maxsize=4)
def _plans(location: str) -> tuple[RowShingles, ...]:
    return tuple(row_shingles(plan.requirement, None) for plan in load_known_plans(location))


@lru_cache(maxsize=256)
def _of_sample(sample: Shown) -> RowShingles:
    return row_shingles("", sample.code)
