"""How much of a plan is read from real code without a language model?

    python -m benchmarks.extract_coverage ../shared/dlcodegen-artifact

Reads the 46 reference solutions of the published benchmark (27 of them parse as Python 3) and counts for how many each
field is recovered: stated in the code, or Keras' default where the code leaves it out. Where DLPlanData has a plan for
the same requirement, tells how often the task category is the same (two references belong to another requirement).
"""

from __future__ import annotations

import sys

from corpus_build.extract.static_plan import DEFAULT, read_plan_from_code
from corpus_build.read.cell_code import parse
from pipeline.inputs.artifact import read_benchmark, read_plans
from pipeline.plan.fields import FIELD_NAMES
from pipeline.plan.vocabulary import canonical_category

FIELDS = [name for name in FIELD_NAMES if name != "task_category"]  # it is compared with DLPlanData's, below


def main(root: str) -> None:
    rows = [row for row in read_benchmark(root) if row.reference]
    plans = {}
    for part in ("Test", "Evaluation", "Train"):
        for row in read_plans(f"{root}/Datasets/DLPlanData/{part}.txt").plans:
            plans[row.requirement] = row.plan
    static_plans = [read_plan_from_code([row.reference or ""], row.requirement, row.attributes) for row in rows]
    clean = [parse(row.reference or "") is not None for row in rows]
    print(f"{len(rows)} references, {sum(clean)} parse as Python 3")
    print(f"{'field':<14} {'stated':>7} {'default':>8} {'missing':>8} {'stated, of the others':>22}")
    for field in FIELDS:
        values = [plan.confidence[field] for plan in static_plans]
        stated = [value > DEFAULT for value in values]
        defaults = sum(value == DEFAULT for value in values)
        broken = sum(yes for yes, whole in zip(stated, clean, strict=True) if not whole)
        missing = len(rows) - sum(stated) - defaults
        print(f"{field:<14} {sum(stated):>7} {defaults:>8} {missing:>8} {broken:>15} of {clean.count(False)}")
    known = same = 0
    for static, row in zip(static_plans, rows, strict=True):
        published = plans.get(row.requirement)
        if published is not None:
            known += 1
            same += static.plan.task_category == canonical_category(published.task_category)
    print(f"task category as in DLPlanData: {same} of {known}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "../shared/dlcodegen-artifact")
