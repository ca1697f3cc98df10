"""The columns of tables about planners: Table IV's, which are plan fields, and what
stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.plan.fields import TABLE_IV


@dataclass(frozen=True, slots=True)
class PlanColumn:
    """One measure of plans, as it is named in result files and shown in tables."""

    name: str
    title: str
    lower_is_better: bool = False
    digits: int = 2
    """Decimals that are shown."""

    @property
    def heading(self) -> str:
        if self.lower_is_better:
            return f"{self.title} ↓"
        return self.title


FIELD_COLUMNS: tuple[PlanColumn, ...] = tuple(
    PlanColumn(field.column, field.title, field.lower_is_better, digits=3 if field.name == "learning_rate" else 2)
    for field in TABLE_IV
)
"""Table IV."""

COMPANIONS: tuple[PlanColumn, ...] = (
    PlanColumn("learning_rate_decades", "LR, median decades", lower_is_better=True, digits=3),
    PlanColumn("layer_type_f1", "layer types F1", digits=3),
    PlanColumn("layer_count_error", "layer count error", lower_is_better=True),
    PlanColumn("learning_rate_coverage", "LR coverage", digits=3),
    PlanColumn("batch_size_coverage", "batch coverage"),
    PlanColumn("epochs_coverage", "epochs coverage"),
)
"""What Table IV leaves unsaid, see `pipeline.measures.plan_metrics`."""

WHOLE_PLANS: tuple[PlanColumn, ...] = (
    PlanColumn("line_bleu", "BLEU-4, lines (Fig. 4)"),
    PlanColumn("plan_bleu", "BLEU-4, plans"),
    PlanColumn("validity_lenient", "valid, read leniently"),
    PlanColumn("validity_strict", "valid as it stands"),
)
"""Of whole answers, which only all rows together have."""

COLUMNS: Mapping[str, PlanColumn] = {column.name: column for column in (*FIELD_COLUMNS, *COMPANIONS, *WHOLE_PLANS)}
"""By name."""
