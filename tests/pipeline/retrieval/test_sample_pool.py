"""Parts of a pool: what an experiment swaps."""

from __future__ import annotations

from collections import Counter

import pytest

from pipeline.errors import DLCodeGenError
from pipeline.retrieval.sample_pool import Sample, load_samples, whole_pool


def _categories(samples: tuple[Sample, ...]) -> Counter[str]:
    return Counter(sample.plan.canonical().task_category for sample in samples if sample.plan)


@pytest.mark.parametrize("parts", [2, 3, 40])
def test_parts_make_up_the_pool_and_share_nothing(parts: int) -> None:
    parts_of_pool = [load_samples(f"starter#{part}/{parts}") for part in range(1, parts + 1)]
    ids = [sample.id for samples in parts_of_pool for sample in samples]
    assert sorted(ids) == sorted(sample.id for sample in load_samples("starter"))
    assert max(map(len, parts_of_pool)) - min(map(len, parts_of_pool)) <= 1


def test_halves_are_alike_in_their_categories() -> None:
    first, second = (_categories(load_samples(f"starter#{part}/2")) for part in (1, 2))
    assert all(abs(first[name] - second[name]) <= 1 for name in first | second)


def test_a_part_belongs_to_a_pool() -> None:
    assert whole_pool("s3://here/pool.parquet#3/10") == "s3://here/pool.parquet"
    assert whole_pool("starter") == "starter"
    for wrong in ("starter#0/2", "starter#3/2", "starter#1/41"):
        with pytest.raises(DLCodeGenError, match="the pool has 40 samples"):
            load_samples(wrong)
