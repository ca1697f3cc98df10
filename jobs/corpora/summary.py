"""What a corpus build came to: for the caller, and as the build's manifest."""

from __future__ import annotations

from dataclasses import dataclass, field

from corpus_build.read.stage_input import Listing
from corpus_build.write.audit import Audit
from corpus_build.write.report import OutcomeCounts
from jobs.corpora.settings import CorpusConfig
from jobs.runs.versions import versions_of

_VERSIONED = ("dlcodegen-ray", "ray", "pyarrow", "numpy", "msgspec")


@dataclass(frozen=True, kw_only=True, slots=True)
class CorpusSummary:
    """What a build came to."""

    counts: OutcomeCounts
    audit: Audit
    seconds: dict[str, float] = field(default_factory=dict)
    """By step, of this call."""
    out: str = ""
    below_floor: int = 0
    """Rows that are new enough for DLCodeEval and not complete enough."""

    def manifest(self, config: CorpusConfig, listing: Listing) -> dict[str, object]:
        """Versions, settings, input and counts: what manifest.json holds."""
        counts = self.counts
        return {
            "versions": versions_of(_VERSIONED),
            "settings": config.model_dump(mode="json"),
            "seed": config.seed,
            "input_digest": listing.digest,
            "sources": listing.sources,
            "shards": listing.shards,
            "files_in": counts.read,
            "bytes_in": counts.bytes,
            "kept": sum(counts.kept.values()),
            "kept_by_set": dict(sorted(counts.kept.items())),
            "dropped": sum(counts.dropped.values()),
            "dropped_by_reason": dict(sorted(counts.dropped.items())),
            "below_the_floor_of_DLCodeEval": self.below_floor,
            "audit_clean": self.audit.clean,
            "seconds": self.seconds,
        }
