"""Plans against known plans: the fields of the paper's Table IV under one protocol, and what they
leave unsaid.

The published table cannot be recomputed from the published predictions, so planners are compared by
this code on equal rows (protocol P): a plan is read leniently (`pipeline.plan.reading`: both
schemas, cut-off JSON repaired), a missing field is wrong, a missing number is 0, a missing text or
layer is "". Two measures need company. The mean error of the learning rate hangs on a few extreme
known values, so the median error in powers of ten stands beside it; and no layers at all come close
to real ones in edit distance, so the agreement of layer types and the number of layers do.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import fmean, median
from typing import Any

from rapidfuzz.distance import Indel, Levenshtein
from sacrebleu.metrics.bleu import BLEU

from pipeline.keras.layers import parse_layers
from pipeline.plan.fields import NUMBER_FIELDS, TABLE_IV, FieldMeasure
from pipeline.plan.reading import UnreadablePlanError, read_plan
from pipeline.plan.solution_plan import SolutionPlan

_SENTENCE_BLEU = BLEU(effective_order=True)
_WORDS_BLEU = BLEU(tokenize="none")
_PLAN_KEY = re.compile(r'"\s*code\s+plan\s*"\s*:', re.I)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanScores:
    """One plan against the known one: Table IV's columns in its order (`PlanField.column`), then
    their companions.

    A match is of letters and digits, case aside. BLEU is sacrebleu's sentence BLEU-4 in [0, 100]
    (13a tokens, exponential smoothing). An error is absolute, None where the known plan has no
    number.
    """

    task_category: bool
    input_bleu: float
    output_bleu: float
    layers_distance: float
    """Character edits a layer, see the function of that name."""
    learning_rate_error: float | None
    loss: bool
    optimizer: bool
    batch_size_error: float | None
    epochs_error: float | None
    metric: bool
    learning_rate_decades: float | None
    """|log10(predicted / known)|, None unless both are there."""
    compared: tuple[str, ...]
    """Names of the number fields that both plans have."""
    layer_type_f1: float
    """The shared subsequence of layer types, in [0, 1]."""
    layer_count_error: int
    """Layers too many or too few."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanMetrics:
    """`PlanScores` over all rows: exact matches in percent, BLEU and distances as means, errors as
    means over the rows with a known number. NaN where there is nothing to take a mean of."""

    rows: int
    task_category: float
    input_bleu: float
    output_bleu: float
    layers_distance: float
    learning_rate_error: float
    loss: float
    optimizer: float
    batch_size_error: float
    epochs_error: float
    metric: float
    learning_rate_decades: float
    """A median: a mean would hang on a few extreme known values."""
    layer_type_f1: float
    layer_count_error: float
    learning_rate_coverage: float
    """Share of all rows, in [0, 1], in which both plans have the number; so the other two."""
    batch_size_coverage: float
    epochs_coverage: float


@dataclass(frozen=True, slots=True)
class PredictedPlan:
    """A model's answer: the plan read leniently, None where there is none, and whether the answer
    is JSON with a plan as it stands, so that it could be used without repair."""

    plan: SolutionPlan | None
    is_json: bool


def read_predicted(text: str) -> PredictedPlan:
    """An answer as the models give it: a plan, or an object that repeats the prompt
    and holds it as `Code Plan`."""
    try:
        plan = read_plan(text)
    except UnreadablePlanError:
        return PredictedPlan(None, False)
    try:
        return PredictedPlan(plan, isinstance(json.loads(text), dict))
    except (ValueError, RecursionError):
        return PredictedPlan(plan, False)


def score_plan(predicted: SolutionPlan | None, known: SolutionPlan) -> PlanScores:
    """Every measure of one plan; None is a plan with nothing in it."""
    plan = predicted
    if plan is None:
        plan = SolutionPlan()
    columns: dict[str, Any] = {}
    for field in TABLE_IV:
        columns[field.column] = _MEASURES[field.measure](field.of(plan), field.of(known))
    compared = []
    for field in NUMBER_FIELDS:
        if field.of(plan) is not None and field.of(known) is not None:
            compared.append(field.name)
    rate = plan.hyperparameters.learning_rate
    known_rate = known.hyperparameters.learning_rate
    decades = None
    if rate and known_rate:
        decades = abs(math.log10(rate / known_rate))
    layer_types = layer_type_sequence(plan.layers)
    known_types = layer_type_sequence(known.layers)
    return PlanScores(
        **columns,
        learning_rate_decades=decades,
        compared=tuple(compared),
        # Indel's similarity is 2 * LCS / (both lengths): the F1 of the longest common subsequence.
        layer_type_f1=Indel.normalized_similarity(layer_types, known_types),
        layer_count_error=abs(len(plan.layers) - len(known.layers)),
    )


def layers_distance(layers: Sequence[str], known: Sequence[str]) -> float:
    """Mean Levenshtein distance in characters between layers in equal places, "" where the shorter
    list has ended, over the longer list's length (paper, section IV.C). 0 for two empty lists."""
    edits = []
    for layer, known_layer in zip_longest(layers, known, fillvalue=""):
        edits.append(Levenshtein.distance(layer, known_layer))
    if not edits:
        return 0.0
    return fmean(edits)


def layer_type_sequence(layers: Sequence[str]) -> list[str]:
    """The Keras classes of a plan's layers in order; an entry that names none stands for itself."""
    types = []
    for entry in layers:
        classes = [call.name for call in parse_layers(entry)]
        types += classes or [entry.lower()]
    return types


def mean_scores(scores: Sequence[PlanScores]) -> PlanMetrics:
    """The metrics over all rows. Raises ValueError without any."""
    if not scores:
        raise ValueError("no rows to take a mean over")
    means: dict[str, float] = {}
    for field in TABLE_IV:
        percent = 100 if field.measure is FieldMeasure.EXACT_MATCH else 1
        means[field.column] = percent * _mean_of(scores, field.column)
    for field in NUMBER_FIELDS:
        means[f"{field.name}_coverage"] = fmean(field.name in score.compared for score in scores)
    decades = _known_values(scores, "learning_rate_decades")
    median_decades = math.nan
    if decades:
        median_decades = median(decades)
    return PlanMetrics(
        rows=len(scores),
        **means,
        learning_rate_decades=median_decades,
        layer_type_f1=_mean_of(scores, "layer_type_f1"),
        layer_count_error=_mean_of(scores, "layer_count_error"),
    )


def _mean_of(scores: Sequence[PlanScores], column: str) -> float:
    """The mean over the rows that have the column; NaN where none has it."""
    values = _known_values(scores, column)
    if not values:
        return math.nan
    return fmean(values)


def _known_values(scores: Sequence[PlanScores], column: str) -> list[float]:
    values = [getattr(score, column) for score in scores]
    return [value for value in values if value is not None]


def corpus_bleu(predicted: Sequence[str], known: Sequence[str]) -> float:
    """BLEU-4 in [0, 100] over all texts at once (Papineni et al., 2002; sacrebleu, words split at
    blanks): the paper's Fig. 4 when given raw lines, which repeat the prompt and so match in part
    whatever the plan says."""
    return float(_WORDS_BLEU.corpus_score(list(predicted), [list(known)]).score)


def plan_part(line: str) -> str:
    """What a raw line says after its `Code Plan` key; the whole line where it has none."""
    key = _PLAN_KEY.search(line)
    if key is None:
        return line
    return line[key.end() :].strip()


def _same(predicted: str, known: str) -> bool:
    """Whether two texts have the same letters and digits; a known text without any
    is matched by none."""
    wanted = _plain(known)
    return bool(wanted) and _plain(predicted) == wanted


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _bleu(predicted: str, known: str) -> float:
    return float(_SENTENCE_BLEU.sentence_score(predicted, [known]).score)


def _error(predicted: float | None, known: float | None) -> float | None:
    if known is None:
        return None
    return abs((predicted or 0) - known)


_MEASURES: Mapping[FieldMeasure, Callable[[Any, Any], Any]] = {
    FieldMeasure.EXACT_MATCH: _same,
    FieldMeasure.BLEU: _bleu,
    FieldMeasure.EDIT_DISTANCE: layers_distance,
    FieldMeasure.ABSOLUTE_ERROR: _error,
}
"""Each takes a field's predicted and known value."""
