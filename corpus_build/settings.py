"""What decides the result of a corpus build. Equal settings and equal input give equal bytes."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import Literal

from pydantic import Field

from pipeline.config import LLMSettings, Settings

MOST_BY_SHARE = 2000
"""Rows of an evaluation set that is given as a share: more would cost memory and time, and tell no more."""


class DedupSettings(Settings):
    """Which notebooks count as the same work."""

    similarity: float = Field(0.7, gt=0, le=1)
    """Estimated Jaccard similarity of code shingles from which two notebooks are near-duplicates; the bands of
    `corpus_build.deduplicate.minhash` are cut for this default."""


class PlanDataSizes(Settings):
    """The parts of DLPlanData: shares where below 1, else numbers of rows; the defaults are the paper's proportions
    (3,300 / 100 / 400). Shares of eval and test end at MOST_BY_SHARE rows."""

    train: float | None = Field(None, ge=0)
    """Left out, it takes what is left."""
    eval: float = Field(100 / 3800, ge=0)
    test: float = Field(400 / 3800, ge=0)


class SplitSettings(Settings):
    """Which row goes into which set. The similarities are those of the contamination firewall (`retrieval.*`): rows of
    two sets are never as alike."""

    since: date = date(2024, 1, 1)
    """DLCodeEval holds what was executed on or after this day."""
    fresh: bool = False
    """Whether also its near-duplicates must have been."""
    eval_size: int | None = Field(1000, ge=0)
    """Bounds DLCodeEval, best first; without it, all are taken and held in memory."""
    quota: int = Field(40, ge=0)
    """Samples a task category in the pool."""
    pool_share: float = Field(0.2, gt=0, le=1)
    """The most of a category's notebooks, of those that DLCodeEval leaves, that the pool takes."""
    plan_data: PlanDataSizes = PlanDataSizes()
    requirement_similarity: float = Field(0.8, gt=0, le=1)
    code_similarity: float = Field(0.5, gt=0, le=1)

    @property
    def since_seconds(self) -> float:
        """The first second of the day, UTC, since 1970."""
        return datetime(self.since.year, self.since.month, self.since.day, tzinfo=UTC).timestamp()


class CorpusSettings(Settings):
    """Everything that decides the result."""

    framework: Literal["tensorflow", "pytorch", "jax"] = "tensorflow"
    llm: LLMSettings = LLMSettings()
    """The language model that extraction asks too (`llm.llm=openai llm.model=NAME`); without one, plans are read from
    the code alone."""
    dedup: DedupSettings = DedupSettings()
    split: SplitSettings = SplitSettings()
    seed: int = 0
    """Varies the hash by which DLPlanData is divided."""

    def read_digest(self) -> str:
        """Names what decides reading, filtering, deduplication and extraction."""
        asked_model = ""
        if self.llm.backend != "none":
            asked_model = f" {self.llm.backend} {self.llm.model} {self.llm.context_length}"
        return _digest(f"{self.framework} {self.dedup.model_dump_json()}{asked_model}")

    def split_digest(self, approvals: str) -> str:
        """Names what decides the split, the approvals of a review among it."""
        return _digest(f"{self.split.model_dump_json()} {self.seed} {approvals}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
