"""The contamination audit: was an item's reference, or its requirement, known to what answered it?

In the published data all 46 references are the sample pool, and 42 of their requirements are in the planner's training
data. The firewall keeps such samples from this project's generators; the audit says how many items would have been
touched, and how many were, whatever the method.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pipeline.retrieval.firewall import Fingerprint, fingerprint
from pipeline.retrieval.sample_pool import load_known_plans, load_samples
from pipeline.retrieval.tokenize import jaccard
from pipeline.score.outputs import Contamination, Output, Shown

CODE_SIMILARITY = 0.5
REQUIREMENT_SIMILARITY = 0.8
"""From here on an item counts as contaminated; the firewall's own thresholds (`pipeline.retrieval.firewall`)."""


def audit(output: Output, pool: str, plans: str) -> Contamination:
    """`pool` and `plans` are locations as in the settings; "" for none."""
    in_pool, in_plans = _known(output.requirement, output.reference, pool, plans)
    own = fingerprint("", output.reference)
    return Contamination(
        pool=in_pool, shown=_highest_code(own, [_of_sample(sample) for sample in output.shown]), plans=in_plans
    )


def reasons(found: Contamination) -> tuple[str, ...]:
    """What an item is contaminated by: `pool`, `shown`, `plans`; () for a clean one."""
    touched = {
        "pool": found.pool >= CODE_SIMILARITY,
        "shown": found.shown >= CODE_SIMILARITY,
        "plans": found.plans >= REQUIREMENT_SIMILARITY,
    }
    return tuple(name for name, is_touched in touched.items() if is_touched)


def _highest_code(own: Fingerprint, known: Sequence[Fingerprint]) -> float:
    return max((jaccard(own.code, sample.code) for sample in known), default=0.0)


@lru_cache(maxsize=4096)
def _known(requirement: str, reference: str | None, pool: str, plans: str) -> tuple[float, float]:
    """The highest similarities in pool and plans: the same for every method that is asked for the item."""
    own = fingerprint(requirement, reference)
    in_pool = _highest_code(own, _pool(pool)) if pool else 0.0
    known = _plans(plans) if plans else ()
    return in_pool, max((jaccard(own.requirement, plan.requirement) for plan in known), default=0.0)


@lru_cache(maxsize=2)
def _pool(location: str) -> tuple[Fingerprint, ...]:
    return tuple(fingerprint(sample.requirement, sample.code) for sample in load_samples(location))


@lru_cache(maxsize=2)
def _plans(location: str) -> tuple[Fingerprint, ...]:
    return tuple(fingerprint(plan.requirement, None) for plan in load_known_plans(location))


@lru_cache(maxsize=256)
def _of_sample(sample: Shown) -> Fingerprint:
    return fingerprint("", sample.code)
