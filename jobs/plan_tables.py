"""Table IV and Fig. 4 from the released predictions, under protocol P and on the rows that a checkout holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from jobs.published import PredictionFile, Published
from pipeline.artifact import read_lines
from pipeline.errors import DLCodeGenError
from pipeline.plan import SolutionPlan
from pipeline.score.plan_metrics import (
    PlanMetrics,
    PlanScores,
    PredictedPlan,
    corpus_bleu,
    mean_scores,
    plan_part,
    read_predicted,
    score_plan,
)
from pipeline.score.statistics import holm, paired_bootstrap, paired_permutation_test
