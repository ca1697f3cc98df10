"""How fast do the planners without weights plan?

    python -m benchmarks.planner_lookup [--fitted out/planner] [--plans starter] [--rows 1 100 1000]

Seconds until the first plan, loading included, and plans/s, for `retrieval` and `hybrid` over the same requirements in
the same run; their ratio is what to compare, since rates differ between machines.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from itertools import cycle, islice

from pipeline.config import PipelineSettings, load_settings
from pipeline.planners.factory import build_planner
from pipeline.records import Requirement
from pipeline.retrieval.sample_pool import load_known_plans


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fitted", help="a folder of `dlcodegen fit-planner`; else hybrid is fitted when it is loaded")
    parser.add_argument("--plans", default="starter", help="known plans, whose requirements are planned too")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 100, 1000])
    arguments = parser.parse_args()
    measure_lookup(arguments.plans, arguments.rows, arguments.fitted)


def measure_lookup(plans: str, rows: Sequence[int], fitted: str | None = None) -> None:
    """Prints both planners for each number of rows."""
    known = load_known_plans(plans)
    print(f"{'planner':<24} {'rows':>6} {'first plan':>11} {'plans/s':>9} {'of retrieval':>13}")
    rates: dict[int, float] = {}
    for name in ("retrieval", f"hybrid:{fitted}" if fitted else "hybrid"):
        settings = load_settings(PipelineSettings, None, [f"planner={name}"], plans=plans)
        for count in rows:
            start = time.perf_counter()
            planner = build_planner(settings.planner, settings.retrieval.requirement_similarity)
            first = 0.0
            for row, item in enumerate(islice(cycle(known), count)):
                planner(Requirement(id=str(row), row=row, requirement=item.requirement, attributes=item.attributes))
                first = first or time.perf_counter() - start
            rate = (count - 1) / max(time.perf_counter() - start - first, 1e-9) if count > 1 else 1 / first
            rates.setdefault(count, rate)
            print(f"{name:<24} {count:>6} {first:>9.2f} s {rate:>9.1f} {100 * rate / rates[count]:>12.0f}%")


if __name__ == "__main__":
    main()
