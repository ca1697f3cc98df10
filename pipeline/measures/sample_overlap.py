"""Copying of samples: how much of a generated project stood in a sample that its generator saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.measures.outputs import SampleOverlap, Shown
from pipeline.retrieval.tokenize import jaccard, shingles, words

DUPLICATE_SIMILARITY = 0.9
"""Jaccard similarity of five-word shingles from which a candidate is a duplicate of a sample."""


def sample_overlap(code: str, samples: Sequence[Shown]) -> SampleOverlap | None:
    """Of the samples the one with most of the candidate's lines; None without code or a sample."""
    candidate_lines = _lines(code)
    if not candidate_lines or not samples:
        return None
    candidate_shingles = shingles(words(code), 5)
    overlaps = []
    for sample in samples:
        lines_in_common = (candidate_lines & _lines(sample.code)).total() / candidate_lines.total()
        similarity = jaccard(candidate_shingles, shingles(words(sample.code), 5))
        overlaps.append(
            SampleOverlap(
                sample=sample.id,
                lines_in_common=lines_in_common,
                similarity=similarity,
                duplicate=similarity >= DUPLICATE_SIMILARITY,
            )
        )
    return max(overlaps, key=lambda overlap: (overlap.lines_in_common, overlap.similarity))


def _lines(code: str) -> Counter[str]:
    """Lines without their indentation and what follows a `#`; blank ones are none."""
    lines: Counter[str] = Counter()
    for line in code.splitlines():
        # A `#` inside a string cuts the line too: a rough cut, but the same on both sides.
        stripped = line.partition("#")[0].strip()
        if stripped:
            lines[stripped] += 1
    return lines
