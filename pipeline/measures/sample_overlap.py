"""Copying: how much of a generated project stood in a sample that its generator saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.measures.outputs import SampleOverlap, Shown
from pipeline.retrieval.tokenize import jaccard, shingles, words

DUPLICATE_SIMILARITY = 0.9
"""Jaccard similarity of five-word shingles from which a candidate is a duplicate of a sample."""


def sample_overlap(code: str, samples: Sequence[Shown]) -> SampleOverlap | None:
    """Of the samples the one with most of the candidate's lines; None without code or a sample."""
    ours = _lines(code)
    if not ours or not samples:
        return None
    mine = shingles(words(code), 5)
    found = []
    for sample in samples:
        share = (ours & _lines(sample.code)).total() / ours.total()
        found.append((share, jaccard(mine, shingles(words(sample.code), 5)), sample.id))
    share, similarity, name = max(found, key=lambda each: each[:2])
    return SampleOverlap(
        sample=name, lines_in_common=share, similarity=similarity, duplicate=similarity >= DUPLICATE_SIMILARITY
    )


def _lines(code: str) -> Counter[str]:
    """Lines without their indentation and what follows a `#`; blank ones are none."""
    stripped = (line.partition("#")[0].strip() for line in code.splitlines())
    return Counter(line for line in stripped if line)
