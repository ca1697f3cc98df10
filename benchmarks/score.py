"""How fast is CodeBLEU through the job, are its values those of the package, does memory grow, what do hostile texts
do?

    python -m benchmarks.score [--artifact DIR] [--pairs 230] [--memory 10000]

In one run, on the same pairs: the plain loop over `codebleu.calc_codebleu` in this process against the job with two
workers, both warm. The pairs are the released outputs of a checkout of the artifact with their references, else the
bundled samples with one another; each candidate occurs once, references as often as methods answered them. Then hostile
texts with the time each takes, and with `--memory` the job on that many pairs with its memory by quarters. The values
of the n-gram, weighted n-gram and syntax parts have to be equal bit for bit; data flow may differ by the package's hash
order.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import codebleu
import psutil

from jobs.cluster.ray_start import start_ray
from jobs.scoring.item_shards import Measurement, measure_items
from pipeline.inputs.artifact import read_blocks
from pipeline.measures.codebleu.codebleu import from_counts, pair_counts
from pipeline.measures.output_measures import measure_all, unmeasured
from pipeline.measures.outputs import Measured, Output, PairScore
from pipeline.starter import sample_rows

WORKERS = 2
EXACT = ("ngram_match", "weighted_ngram_match", "syntax_match")

Pair = tuple[str, str]


def artifact_pairs(root: Path) -> list[Pair]:
    references = read_blocks(str(root / "Datasets/DLCodeEval/Test_Code.txt"))
    files = sorted((root / "Results").glob("RQ[14]/**/*.txt"))
    pairs: list[Pair] = []
    for file in files:
        pairs += zip(read_blocks(str(file)), references, strict=False)
    return pairs


def starter_pairs() -> list[Pair]:
    codes = [code for _, code in sample_rows()]
    pairs: list[Pair] = []
    for step in range(1, 6):
        pairs += zip(codes, codes[step:] + codes[:step], strict=True)
    return pairs


def score_pairs(pairs: Sequence[Pair]) -> list[PairScore]:
    return [PairScore(counts=pair_counts(candidate, reference)) for candidate, reference in pairs]


def not_scored(pair: Pair, kind: str, message: str) -> PairScore:
    return PairScore()


def compare_speed(pairs: Sequence[Pair]) -> None:
    start = time.perf_counter()
    plain = [codebleu.calc_codebleu([reference], [candidate], "python") for candidate, reference in pairs]
    loop = time.perf_counter() - start
    measurement = Measurement(label="pairs", work=score_pairs, failed=not_scored, record=PairScore)
    with tempfile.TemporaryDirectory() as folder:
        # Both sides start warm: the loop's imports are done, and so are the workers'.
        warm = [("x = 1", f"y = {number}") for number in range(WORKERS)]
        measure_items(measurement, warm, len(warm), folder, shard=1, quiet=True)
        start = time.perf_counter()
        ours = measure_items(measurement, pairs, len(pairs), folder, quiet=True)
        job = time.perf_counter() - start
    worst = dict.fromkeys((*EXACT, "dataflow_match", "codebleu"), 0.0)
    for theirs, pair in zip(plain, ours, strict=True):
        if pair.counts is None:
            continue
        scores = from_counts([pair.counts])
        for name in worst:
            key = name if name == "codebleu" else f"{name}_score"
            worst[name] = max(worst[name], abs(getattr(scores, name) - theirs[key]))
    rates = f"plain loop {len(pairs) / loop:.1f} pairs/s   job ({WORKERS} workers) {len(pairs) / job:.1f} pairs/s"
    print(f"{rates}   ratio {loop / job:.2f}", flush=True)
    print("largest difference from the package:", ", ".join(f"{name} {value:.2g}" for name, value in worst.items()))
    print("NOT identical" if any(worst[name] for name in EXACT) else "identical")


def compare_memory(pairs: Sequence[Pair], count: int) -> None:
    """Every candidate is a text of its own, so that nothing is remembered that a real run would have to read."""
    own = ((f"{candidate}\n# {number}", reference) for number, (candidate, reference) in enumerate(cycle(pairs)))
    measurement = Measurement(label="memory", work=score_pairs, failed=not_scored, record=PairScore)
    start, peaks = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as folder:
        scores = measure_items(measurement, watched(islice(own, count), count, peaks), count, folder, quiet=True)
    assert len(scores) == count
    quarters = "   ".join(f"{driver:.0f} / {worker:.0f}" for driver, worker in peaks)
    print(f"{count} pairs in {time.perf_counter() - start:.0f} s; MB after each quarter, driver / worker: {quarters}")


def watched(items: Iterator[Pair], count: int, peaks: list[tuple[float, float]]) -> Iterator[Pair]:
    for number, item in enumerate(items, start=1):
        yield item
        if number % (count // 4) == 0:
            peaks.append(memory())


def memory() -> tuple[float, float]:
    """MB of this process, and of the largest worker that runs tasks of ours."""
    process = psutil.Process()
    workers = [0.0]
    for child in process.children(recursive=True):
        try:
            if child.name().startswith("ray::") or "default_worker" in " ".join(child.cmdline()):
                workers.append(child.memory_info().rss / 1e6)
        except psutil.Error:
            continue
    return process.memory_info().rss / 1e6, max(workers)


def hostile_texts() -> dict[str, str]:
    return {
        "2 MB file": ("value = compute(value, 1)\n" * 80_000)[:2_000_000],
        "10,000 nested brackets": "x = " + "[" * 10_000 + "]" * 10_000,
        "one line of 500 KB": "x = [" + "1, " * 166_000 + "]",
        "100 KB of quotes": "\"'" * 50_000,
        "90 KB of nested blocks": "".join(" " * depth + "if x:\n" for depth in range(400)) + " " * 400 + "pass\n",
    }


def measure_hostile(reference: str) -> None:
    measurement = Measurement(label="hostile", work=measure_all, failed=unmeasured, record=Measured)
    for name, text in hostile_texts().items():
        for candidate, known in ((text, reference), (reference, text)):
            output = Output(item=name, code=candidate, reference=known)
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                measured = measure_items(measurement, [output], 1, folder, quiet=True)[0]
            seconds = time.perf_counter() - start
            role = "candidate" if candidate is text else "reference"
            outcome = "measured"
            if measured.failure:
                outcome = f"{measured.failure.stage}: {measured.failure.kind}"
            machinery = f"machinery {measured.machinery_failed}"
            print(f"{name:24} as {role:10} {seconds:6.2f} s   {outcome}, {machinery}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifact", type=Path, help="a checkout of the published artifact")
    parser.add_argument("--pairs", type=int, default=230, help="pairs to compare the speed on")
    parser.add_argument("--memory", type=int, default=0, help="pairs to watch the memory on, for example 10000")
    arguments = parser.parse_args()
    pairs = artifact_pairs(arguments.artifact) if arguments.artifact else starter_pairs()
    start_ray(None, WORKERS)
    compare_speed(pairs[: arguments.pairs])
    measure_hostile(pairs[0][1])
    if arguments.memory:
        compare_memory(pairs, arguments.memory)


if __name__ == "__main__":
    main()
