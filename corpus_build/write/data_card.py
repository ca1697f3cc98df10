"""The data card: what the sets hold, how they came about, and what to know before using them. Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from corpus_build.deduplicate.minhash import BANDS, PERMUTATIONS, ROWS
from corpus_build.deduplicate.shingles import CODE_TOKENS
from corpus_build.divide.split import SETS
from corpus_build.drops import REASONS
from corpus_build.extract.quality import WEIGHTS
from corpus_build.settings import CorpusSettings
from corpus_build.store import CorpusStore
from corpus_build.write.audit import Audit
from corpus_build.write.report import OutcomeCounts
from pipeline.storage.files import write_bytes

CARD_FILE = "card.md"


def write_data_card(store: CorpusStore, settings: CorpusSettings, counts: OutcomeCounts, audit: Audit) -> None:
    """Writes the card; equal builds give equal bytes."""
    write_bytes(store.path(CARD_FILE), "\n".join(_lines(settings, counts, audit)).encode() + b"\n")


def _lines(settings: CorpusSettings, counts: OutcomeCounts, audit: Audit) -> Iterable[str]:
    split = settings.split
    yield "# Data card"
    yield ""
    yield f"{counts.read:,} files of {counts.bytes:,} bytes were read; {sum(counts.kept.values()):,} notebooks that"
    yield f"import {settings.framework} were kept, one of each cluster of near-duplicates."
    yield ""
    yield from _table(("set", "rows"), {name: counts.kept.get(name, 0) for name in SETS})
    yield ""
    yield "## How the sets were made"
    yield ""
    yield f"- *DLCodeEval*: executed on or after {split.since} by the time stamps of the cells, or else the creation"
    yield "  date in Meta Kaggle; notebooks without a date are never in it, nor those of which layers, loss,"
    yield "  optimizer or a task in words are not stated in code that parses: they are in the other sets."
    if split.eval_size is not None:
        yield f"  At most the {split.eval_size:,} best of them; later ones beyond that are left out of every set."
    yield f"- *DLSamplePool*: the best {split.quota} of each task category, at most {split.pool_share:.0%} of what"
    yield "  DLCodeEval leaves of it (one of a few), by the quality score, a weighted sum of"
    yield f"  {', '.join(f'{name} {weight:g}' for name, weight in WEIGHTS.items())}."
    yield "- *DLPlanData*: the rest, divided by a hash of the near-duplicate cluster (and of nearly equal"
    yield "  requirements)."
    bands = f"{BANDS} bands of {ROWS}"
    yield f"- *Near-duplicates*: {CODE_TOKENS}-token shingles of code, {PERMUTATIONS} permutations, {bands}"
    yield f"  rows, estimated Jaccard similarity {settings.dedup.similarity:g} or more; of equals the newest is kept,"
    yield "  then the most voted."
    yield f"- *Between sets*: no two rows with a requirement similarity of {split.requirement_similarity:g} (2-word"
    yield f"  shingles) or a code similarity of {split.code_similarity:g} (5-word shingles) or more, nor of"
    yield f"  {settings.dedup.similarity:g} (tokens without comments); all three compared exactly."
    yield ""
    yield "## Audit"
    yield ""
    yield "No leak between any two sets." if audit.clean else "**The sets leak:**"
    if not audit.clean:
        yield ""
        yield from _table(("pair", "leaks"), audit.counts)
    yield ""
    yield "## Dropped"
    yield ""
    dropped = {}
    for reason, meaning in REASONS.items():
        if counts.dropped.get(reason):
            dropped[reason] = (counts.dropped[reason], meaning)
    yield from _table(("reason", "files", "meaning"), dropped)
    yield ""
    yield "## What to know"
    yield ""
    yield "- Requirements, attributes and plans are read from notebooks by rules; `confidence` says field by field how"
    yield "  surely, from 0 (not found) to 1 (stated in the code). A default of Keras is marked 0.4."
    yield "- Where a notebook compiles several models, the plan holds the one that is fit last, with its longest"
    yield "  training; `other_models` names the layers of the others."
    yield "- The code is its authors'. `provenance` has author, version, data sources and, where Meta Kaggle knows the"
    yield "  notebook, the licence; without a licence nothing is granted."


def _table(header: tuple[str, ...], rows: Mapping[str, object]) -> Iterable[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for name, values in rows.items():
        cells = values if isinstance(values, tuple) else (values,)
        yield f"| {name} | {' | '.join(map(_cell_text, cells))} |"


def _cell_text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
