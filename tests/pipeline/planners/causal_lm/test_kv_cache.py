"""The slots of a beam search hold what copying the whole cache would have put there."""

from __future__ import annotations

import random

import pytest

torch = pytest.importorskip("torch")

from pipeline.planners.causal_lm.kv_cache import SlotCache  # noqa: E402

CPU = torch.device("cpu")


def test_any_sequence_of_growing_and_choosing_equals_the_plain_way() -> None:
    draw = random.Random(0)
    for _ in range(30):
        cache, plain, rows = SlotCache(2, 6), [torch.zeros(2, 3, 0, 4) for _ in range(2)], 2
        for _ in range(12):
            new = draw.choice([1, 1, 3, 70])
            for layer in range(2):
                states = torch.randn(rows, 3, new, 4)
                plain[layer] = torch.cat([plain[layer], states], dim=2)
                keys, values = cache.update(states, -states, layer)
                assert torch.equal(keys, plain[layer])
                assert torch.equal(values, -plain[layer])
            sources = [draw.randrange(rows) for _ in range(draw.randint(1, 6))]
            slots = cache.rearrange(sources, CPU)
            assert sorted(slots) == list(range(len(sources)))
            source_of = dict(zip(slots, sources, strict=True))
            rows = len(sources)
            plain = [states[[source_of[slot] for slot in range(rows)]] for states in plain]


def test_a_hypothesis_keeps_its_slot_where_it_can() -> None:
    cache = SlotCache(1, 4)
    cache.update(torch.zeros(3, 1, 1, 2), torch.zeros(3, 1, 1, 2), 0)
    assert cache.rearrange([2, 0, 1], CPU) == [2, 0, 1]
    assert cache.rearrange([1, 1, 2], CPU) == [1, 0, 2]
    assert cache.rearrange([2, 0], CPU) == [1, 0]
