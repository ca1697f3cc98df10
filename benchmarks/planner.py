r"""How fast is planning, and training a planner?

    python -m benchmarks.planner [--model out/gpt2] [--fitted out/planner] [--rows 100] [--data starter] \
        [--size scratch:4x256]

Planners without weights: seconds to the first plan and plans/s at 1, 100 and 10,000 requirements (`planner_lookup.py`).
Training: tokens/s and model FLOPs utilisation of `train-planner` against a plain loop. Decoding: time to the first
plan and plans/s of constrained beams against plain `transformers.generate`; without `--model` on the model that the
training part has just made (a few steps old: its plans are long and plain decoding never ends them). All in one run.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from itertools import cycle, islice
from pathlib import Path

from benchmarks.planner_decoding import measure_decoding
from benchmarks.planner_lookup import measure_lookup
from benchmarks.planner_training import measure_training
from pipeline.planners.causal_lm.planner import BEAMS
from pipeline.retrieval.sample_pool import load_known_plans


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a trained planner's folder")
    parser.add_argument("--fitted", help="a folder of `dlcodegen fit-planner`; else hybrid is fitted when it is loaded")
    parser.add_argument("--data", default="starter", help="plans to train on, and whose requirements are planned")
    parser.add_argument("--size", default="scratch:4x256", help="the model that is trained")
    parser.add_argument("--rows", type=int, default=100)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="dlcodegen-bench-"))
    try:
        measure_lookup(arguments.data, [1, 100, 10_000], arguments.fitted)
        measure_training(arguments.data, arguments.size, folder / "run")
        rows = list(islice(cycle(load_known_plans(arguments.data)), arguments.rows))
        for beams in (1, BEAMS):
            measure_decoding(arguments.model or str(folder / "run"), rows, beams)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
