"""Plans against known plans: the fields of the paper's Table IV under one protocol, and what they leave unsaid.

The published table cannot be recomputed from the published predictions, so planners are compared by this code on equal
rows (protocol P): a plan is read leniently (`pipeline.plan.reading`: both schemas, cut-off JSON repaired), a missing
field is wrong, a missing number is 0, a missing text or layer is "". Two measures need company. The mean error of the
learning rate hangs on a few extreme known values, so the median error in powers of ten stands beside it; and no layers
at all come close to real ones in edit distance, so the agreement of layer types and the number of layers do.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import zip_longest
from statistics import fmean, median

from rapidfuzz.distance import Indel, Levenshtein
from sacrebleu.metrics.bleu import BLEU

from pipeline.keras.layers import parse_layers
from pipeline.plan.reading import UnreadablePlanError, read_plan
from pipeline.plan.solution_plan import SolutionPlan

_SENTENCE_BLEU = BLEU(effective_order=True)
_WORDS_BLEU = BLEU(tokenize="none")
_PLAN_KEY = re.compile(r'"\s*code\s+plan\s*"\s*:', re.I)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanScores:
    """One plan against the known one.

    `task_category`, `loss`, `optimizer`, `metric`: whether letters and digits are the same, case aside. BLEU in
    [0, 100] (sacrebleu's sentence BLEU-4, 13a tokens, exponential smoothing). `layers_distance`: character edits a
    layer, see `layers_distance`. `*_error`: absolute, None where the known plan has no number. `learning_rate_decades`:
    |log10(predicted / known)|, None unless both are there. `compared`: of the numbers that the known plan has, those
    predicted. `layer_type_f1` in [0, 1]: shared subsequence of layer types; `layer_count_error`: layers too many or
    too few.
    """

    task_category: bool
    input_bleu: float
    output_bleu: float
    layers_distance: float
    learning_rate_error: float | None
    loss: bool
    optimizer: bool
    batch_size_error: float | None
    epochs_error: float | None
    metric: bool
    learning_rate_decades: float | None
    compared: tuple[str, ...]
    layer_type_f1: float
    layer_count_error: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanMetrics:
    """`PlanScores` over all rows: exact matches in percent, BLEU and distances as means, errors as means over the rows
    with a known number. `learning_rate_decades` is a median. `*_coverage`: share of all rows, in [0, 1], in which both
    plans have the number. NaN where there is nothing to take a mean of."""

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
    layer_type_f1: float
    layer_count_error: float
    learning_rate_coverage: float
    batch_size_coverage: float
    epochs_coverage: float


@dataclass(frozen=True, slots=True)
class PredictedPlan:
    """A model's answer: the plan read leniently, None where there is none, and whether the answer is JSON with a plan
    as it stands, so that it could be used without repair."""

    plan: SolutionPlan | None
    is_json: bool


def read_predicted(text: str) -> PredictedPlan:
    """An answer as the models give it: a plan, or an object that repeats the prompt and holds it as `Code Plan`."""
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
    plan = predicted if predicted is not None else SolutionPlan()
    ours, theirs = plan.hyperparameters, known.hyperparameters
    types, known_types = layer_types(plan.layers), layer_types(known.layers)
    numbers = {
        "learning_rate": (ours.learning_rate, theirs.learning_rate),
        "batch_size": (ours.batch_size, theirs.batch_size),
        "epochs": (ours.epochs, theirs.epochs),
    }
    rates = ours.learning_rate, theirs.learning_rate
    return PlanScores(
        task_category=_same(plan.task_category, known.task_category),
        input_bleu=_bleu(plan.dataset.input, known.dataset.input),
        output_bleu=_bleu(plan.dataset.output, known.dataset.output),
        layers_distance=layers_distance(plan.layers, known.layers),
        learning_rate_error=_error(*numbers["learning_rate"]),
        loss=_same(ours.loss, theirs.loss),
        optimizer=_same(ours.optimizer, theirs.optimizer),
        batch_size_error=_error(*numbers["batch_size"]),
        epochs_error=_error(*numbers["epochs"]),
        metric=_same(ours.metric, theirs.metric),
        learning_rate_decades=abs(math.log10(rates[0] / rates[1])) if rates[0] and rates[1] else None,
        compared=tuple(name for name, (number, wanted) in numbers.items() if number is not None and wanted is not None),
        layer_type_f1=Indel.normalized_similarity(types, known_types),
        layer_count_error=abs(len(plan.layers) - len(known.layers)),
    )


def layers_distance(layers: Sequence[str], known: Sequence[str]) -> float:
    """Mean Levenshtein distance in characters between layers in equal places, "" where the shorter list has ended,
    over the longer list's length (paper, section IV.C). 0 for two empty lists."""
    edits = [Levenshtein.distance(one, other) for one, other in zip_longest(layers, known, fillvalue="")]
    return fmean(edits) if edits else 0.0


def layer_types(layers: Sequence[str]) -> list[str]:
    """The Keras classes of a plan's layers in order; an entry that names none stands for itself."""
    types = []
    for entry in layers:
        types += [call.name for call in parse_layers(entry)] or [entry.lower()]
    return types


def mean_scores(scores: Sequence[PlanScores]) -> PlanMetrics:
    """The metrics over all rows. Raises ValueError without any."""
    if not scores:
        raise ValueError("no rows to take a mean over")
    values: dict[str, float] = {}
    for field in fields(PlanScores):
        found = [value for score in scores if (value := getattr(score, field.name)) is not None]
        if field.name == "compared":
            for name in ("learning_rate", "batch_size", "epochs"):
                values[f"{name}_coverage"] = fmean(name in compared for compared in found)
        elif field.name == "learning_rate_decades":
            values[field.name] = median(found) if found else math.nan
        else:
            percent = 100 if field.type == "bool" else 1
            values[field.name] = percent * fmean(found) if found else math.nan
    return PlanMetrics(rows=len(scores), **values)


def corpus_bleu(predicted: Sequence[str], known: Sequence[str]) -> float:
    """BLEU-4 in [0, 100] over all texts at once (Papineni et al., 2002; sacrebleu, words split at blanks): the paper's
    Fig. 4 when given raw lines, which repeat the prompt and so match in part whatever the plan says."""
    return float(_WORDS_BLEU.corpus_score(list(predicted), [list(known)]).score)


def plan_part(line: str) -> str:
    """What a raw line says after its `Code Plan` key; the whole line where it has none."""
    found = _PLAN_KEY.search(line)
    return line[found.end() :].strip() if found else line


def _same(predicted: str, known: str) -> bool:
    wanted = _plain(known)
    return bool(wanted) and _plain(predicted) == wanted


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _bleu(predicted: str, known: str) -> float:
    return float(_SENTENCE_BLEU.sentence_score(predicted, [known]).score)


def _error(predicted: float | None, known: float | None) -> float | None:
    return None if known is None else abs((predicted or 0) - known)
