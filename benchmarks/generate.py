"""How fast is generation, what does Ray cost, and does memory grow with the rows?

    python -m benchmarks.generate [--plans DLPlanData/Train.txt] [--rows 1000 3300 10000]

For each number of rows, in one run: `dlcodegen generate` on Ray with two workers against `run_local` on the same rows
in one process. Rows come from `--plans` (3,299 published ones), repeated under new ids as often as needed, else from
the starter requirements. Prints rows/s, what share of the ideal (local rate x workers) is left on Ray, and peak memory
of the driver and of the largest worker.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from benchmarks.usage import Usage, run_watched
from pipeline.config import PipelineSettings
from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.stage import run_local

WORKERS = 2


def source_rows(plans: str | None) -> Iterator[dict[str, str]]:
    rows = [(row.requirement, row.attributes) for row in read_requirements(plans or "starter") if not row.failure]
    for number, (requirement, attributes) in enumerate(cycle(rows)):
        yield {"id": f"r{number:06d}", "requirement": requirement, "attributes": attributes}


def write_input(path: Path, plans: str | None, rows: int) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for row in islice(source_rows(plans), rows):
            stream.write(json.dumps(row) + "\n")


def measure_local(path: Path) -> float:
    """Seconds of `run_local`, the building of its stages included."""
    start = time.perf_counter()
    for _ in run_local(generation_stages(PipelineSettings()), read_requirements(str(path))):
        pass
    return time.perf_counter() - start


def measure_ray(path: Path, out: Path) -> tuple[dict[str, float], float, Usage]:
    """The run's manifest, the command's wall seconds (start of Ray, report and all), and its peak memory."""
    command = [
        sys.executable,
        "-m",
        "jobs.cli",
        "generate",
        str(path),
        "--out",
        str(out),
        "-q",
        "--workers",
        str(WORKERS),
    ]
    wall, memory, _ = run_watched(command)
    return json.loads((out / "manifest.json").read_text()), wall, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", help="a file of requirements, for example Datasets/DLPlanData/Train.txt")
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 3300, 10_000])
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="dlcodegen-bench-"))
    heads = ("local rows/s", "Ray rows/s", "of ideal", "whole command")
    print(f"{'rows':>7} {heads[0]:>13} {heads[1]:>11} {heads[2]:>9} {heads[3]:>14} {'driver':>9} {'worker':>9}")
    try:
        for rows in arguments.rows:
            path = folder / f"{rows}.jsonl"
            write_input(path, arguments.plans, rows)
            local = rows / measure_local(path)
            manifest, wall, memory = measure_ray(path, folder / f"out-{rows}")
            rate = manifest["rows_per_second"]
            print(
                f"{rows:>7} {local:>13.1f} {rate:>11.1f} {rate / (local * WORKERS):>9.0%} {rows / wall:>7.1f} rows/s "
                f"{memory.driver:>6.0f} MB {memory.worker:>6.0f} MB",
                flush=True,
            )
        print(f"this process (run_local, all sizes): {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
