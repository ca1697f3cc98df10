"""How fast is the corpus build, does its cost stay linear, and does its memory stay flat?

    python -m benchmarks.corpus [--files 1000 10000 50000] [--folder DIR]

For each number of files (`benchmarks/corpus_files.py`), in one run:

- *scan*: read, filter and exact deduplication in one process, by CPU time, against a plain script: orjson.loads, a
  regular expression for the import, the digest of the code lines, a set. Both read the files from the page cache; few
  files are scanned several times, ours and theirs in turn, and the medians compared.
- *whole job*: `dlcodegen corpus build` on Ray with two workers: CPU time of all its processes (Ray's among them), CPU
  time per file, and the peak memory of the driver and of the largest worker.
- *MinHash*: our signatures and bands against datasketch's on the same rows, 128 permutations each.

Files and jobs that are in --folder already are not done again: remove job-* there to start over. With --minutes a job
is interrupted, its usage noted, and the next call goes on with it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

import orjson

from benchmarks.corpus_files import write_corpus
from benchmarks.usage import run_watched
from corpus_build.deduplicate.candidates import exact_groups, read_candidates
from corpus_build.deduplicate.minhash import BANDS, band_keys, minhash_signature, similar_pairs
from corpus_build.deduplicate.shingles import code_shingles
from corpus_build.read.scan import ScanStep
from corpus_build.read.sources import read_chosen
from corpus_build.read.stage_input import stage_listing
from corpus_build.records import Scanned
from corpus_build.store import CorpusStore

T = TypeVar("T")
_IMPORT = re.compile(r"^\s*(?:import|from)\s+(?:tensorflow|keras)\b", re.MULTILINE)
MINHASH_ROWS = 1000
WORKERS = 2


def cpu_seconds(work: Callable[[], T]) -> tuple[T, float]:
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def plain_script(folder: Path) -> int:
    """What one would write for the purpose: unique TensorFlow notebooks by their code."""
    seen = set()
    for path in sorted(folder.rglob("*.ipynb")):
        try:
            document = orjson.loads(path.read_bytes())
        except ValueError:
            continue
        cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
        sources = [cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"]) for cell in cells]
        if any(_IMPORT.search(source) for source in sources):
            lines = (line.rstrip() for source in sources for line in source.split("\n"))
            seen.add(hashlib.sha256("\n".join(line for line in lines if line).encode()).hexdigest())
    return len(seen)


def our_scan(folder: Path, out: Path) -> int:
    """Read, filter and exact deduplication, files of results and all."""
    store = CorpusStore(str(out))
    listing = stage_listing(store, str(folder), 256, "benchmark")
    step = ScanStep(store, str(folder), "tensorflow")
    for shard in range(listing.shards):
        step(shard)
    return len(exact_groups(read_candidates(store, listing.shards, None)))


def compare_scans(folder: Path, out: Path, files: int) -> tuple[float, float]:
    """CPU seconds of the plain script and of our scan: the median of several turns where there are few files."""
    plain, ours = [], []
    for _ in range(max(1, min(7, 10_000 // files))):
        shutil.rmtree(out, ignore_errors=True)
        ours.append(cpu_seconds(lambda: our_scan(folder, out))[1])
        plain.append(cpu_seconds(lambda: plain_script(folder))[1])
    return median(plain), median(ours)


@dataclass
class Job:
    """What a build used, over all calls that it took: CPU seconds of all processes, peak MB of driver and worker."""

    cpu: float = 0.0
    driver: float = 0.0
    worker: float = 0.0
    calls: int = 0
    done: bool = False


def whole_job(folder: Path, out: Path, minutes: float | None) -> Job:
    """Runs the job, or goes on with it; interrupts it after so many minutes."""
    notes = out.with_suffix(".json")
    job = Job(**json.loads(notes.read_text())) if notes.exists() else Job()
    if not job.done:
        command = [sys.executable, "-m", "jobs.cli", "corpus", "build", str(folder), "--out", str(out), "-q"]
        seconds = None if minutes is None else minutes * 60
        _, usage, job.done = run_watched([*command, f"workers={WORKERS}"], seconds=seconds)
        job.cpu, job.calls = job.cpu + usage.cpu_seconds, job.calls + 1
        job.driver, job.worker = max(job.driver, usage.driver), max(job.worker, usage.worker)
        notes.write_text(json.dumps(asdict(job)))
    return job


def minhash(folder: str, out: Path) -> None:
    """Ours and datasketch on the first rows of a scan."""
    from datasketch import MinHash, MinHashLSH

    store, codes = CorpusStore(str(out)), []
    for shard in range(stage_listing(store, folder, 256, "benchmark").shards):
        rows = [number for number, row in enumerate(store.read("scan", shard, Scanned)) if not row.reason]
        shard_codes = [raw.parsed().code for _, raw in read_chosen(store, folder, shard, rows)]
        codes += shard_codes[: MINHASH_ROWS - len(codes)]
        if len(codes) >= MINHASH_ROWS:
            break
    shingles = [code_shingles(code) for code in codes]

    def ours() -> set[tuple[int, int]]:
        import numpy as np

        signatures = np.array([minhash_signature(hashes) for hashes in shingles])
        pairs = set()
        for band in range(BANDS):
            for first, second, _ in similar_pairs(band_keys(signatures, band), signatures, 0.7):
                pairs.add((first, second))
        return pairs

    def theirs() -> set[tuple[int, int]]:
        index, pairs = MinHashLSH(threshold=0.7, num_perm=128), set()
        for number, hashes in enumerate(shingles):
            signature = MinHash(num_perm=128, hashfunc=int)
            signature.update_batch((hashes >> 32).tolist())  # the same shingles, hashed already: 32 bits, as it wants
            pairs |= {(other, number) for other in index.query(signature)}
            index.insert(number, signature)
        return pairs

    (our_pairs, our_time), (their_pairs, their_time) = cpu_seconds(ours), cpu_seconds(theirs)
    rows = [len({row for pair in pairs for row in pair}) for pairs in (our_pairs, their_pairs)]
    print(
        f"MinHash and LSH of {len(codes)} notebooks: ours {our_time:.2f} s, datasketch {their_time:.2f} s "
        f"({their_time / our_time:.1f} times); rows with a near-duplicate: {rows[0]} and {rows[1]}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, nargs="+", default=[1000, 10_000, 50_000])
    parser.add_argument("--folder", type=Path, help="where the corpus is written; by default a temporary folder")
    parser.add_argument("--no-job", action="store_true", help="the scan alone")
    parser.add_argument("--minutes", type=float, help="interrupt a job after so long; the next call goes on with it")
    arguments = parser.parse_args()
    root = arguments.folder or Path(tempfile.mkdtemp(prefix="dlcodegen-corpus-"))
    write_corpus(root / "warm-up", 0, 20)
    shutil.rmtree(root / "scan-warm-up", ignore_errors=True)
    our_scan(root / "warm-up", root / "scan-warm-up")  # schemas and patterns are made once, not per file
    heads = ("files", "GB", "plain files/CPU-s", "scan files/CPU-s", "ratio", "job CPU-s", "ms a file")
    heads += ("driver MB", "worker MB")
    print("".join(f"{head:>19}" for head in heads))
    try:
        for files in sorted(arguments.files):
            folder = root / f"notebooks-{files}"
            if len(paths := sorted(folder.rglob("*.ipynb"))) != files:
                write_corpus(folder, 0, files)
                paths = sorted(folder.rglob("*.ipynb"))
            size = sum(len(path.read_bytes()) for path in paths) / 1e9  # and so they are in the page cache
            plain, ours = compare_scans(folder, root / f"scan-{files}", files)
            figures = [f"{files}", f"{size:.2f}", f"{files / plain:.0f}", f"{files / ours:.0f}", f"{plain / ours:.2f}"]
            if not arguments.no_job:
                job = whole_job(folder, root / f"job-{files}", arguments.minutes)
                figures += [f"{job.cpu:.0f}", f"{job.cpu / files * 1e3:.1f}", f"{job.driver:.0f}", f"{job.worker:.0f}"]
                figures += ["" if job.done else "(not done: call again)"]
            print("".join(f"{figure:>19}" for figure in figures), flush=True)
        minhash(str(root / f"notebooks-{min(arguments.files)}"), root / f"scan-{min(arguments.files)}")
    finally:
        if arguments.folder is None:
            shutil.rmtree(root)


if __name__ == "__main__":
    main()
