"""The retrieval planner: a plan for a new requirement from the plans of the requirements most like it.

BM25 over requirement and attributes finds the neighbours; they vote, weighted by score, on the categorical fields and
give medians for the numbers; the layers are the nearest plan's, with input shape and class count adapted. Sizes,
counts, optimizer, batch size, epochs and learning rate that the user states win over them (images are scaled to a size
that models are trained at). No training, no weights, a few milliseconds a plan.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median_low

import numpy as np

from pipeline.errors import StageFailure
from pipeline.keras.facts import backbones
from pipeline.plan.category_cues import category_cues
from pipeline.plan.dataset_facts import DatasetFacts, read_facts
from pipeline.plan.shapes import CLASSIFICATION, REGRESSION, input_shape, plan_facts, shape_texts
from pipeline.plan.solution_plan import DatasetShape, Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.plan.vocabulary import OTHER, canonical_loss, canonical_metric, canonical_optimizer
from pipeline.records import Requirement
from pipeline.retrieval.bm25 import Bm25Index, ranking
from pipeline.retrieval.firewall import Firewall, RowShingles, row_shingles
from pipeline.retrieval.sample_pool import KnownPlan
from pipeline.retrieval.tokenize import content_words

CUE_WEIGHT = 0.6
"""How much a category cue of weight 1 counts against the neighbours' votes, which add up to 1."""

PRIOR_WEIGHTS = {"batch_size": 0.5, "epochs": 0.25, "learning_rate": 0.75}
"""How much the median of all known plans counts beside the neighbours' numbers, which add up to 1: a few neighbours are
little evidence. The best of six weights in cross-validation by sixths of the published known plans; a batch size is off
by 220 on average there, without the prior by 815."""

_STATED_LOSS = re.compile(
    r"\b(dice|tversky|focal|huber|log.?cosh|(?:sparse )?categorical cross.?entropy|binary cross.?entropy|"
    r"mean (?:squared|absolute) (?:percentage )?error|mse|mae|l1|l2|hinge)(?: loss)?\b"
)
_CELLS = ("GRU", "LSTM", "SimpleRNN")
_STATED_OPTIMIZER = re.compile(
    r"\b(adamw|adamax|nadam|adam|rmsprop|sgd|adagrad|adadelta|stochastic gradient descent)\b"
)


@dataclass(frozen=True, slots=True)
class _Neighbour:
    known: KnownPlan
    plan: SolutionPlan  # canonical
    weight: float


class RetrievalPlanner:
    """Plans from neighbours among known plans; near-copies of the requirement are kept out by the firewall."""

    def __init__(self, known: Sequence[KnownPlan], *, neighbours: int = 12, firewall: Firewall | None = None) -> None:
        self._known = known
        self._canonical = [item.plan.canonical() for item in known]
        self._neighbours = neighbours
        self._firewall = firewall or Firewall()
        self._shingles = [row_shingles(item.requirement, None) for item in known]
        self._index = Bm25Index([content_words(f"{item.requirement}\n{item.attributes}") for item in known])
        self._usual = {
            name: median_low(numbers)
            for name in PRIOR_WEIGHTS
            if (numbers := [value for plan in self._canonical if (value := getattr(plan.hyperparameters, name))])
        }
        self._by_category: dict[str, list[int]] = defaultdict(list)
        for number, plan in enumerate(self._canonical):
            self._by_category[plan.task_category].append(number)

    def __call__(self, record: Requirement) -> dict[str, object]:
        """The fields `plan` and `plan_sources`. Raises StageFailure where the firewall leaves no known plan."""
        text = f"{record.requirement}\n{record.attributes}"
        scores = self._index.scores(content_words(text))
        query = row_shingles(record.requirement, None)
        nearest = self._nearest(ranking(scores), scores, query)
        if not nearest:
            raise StageFailure("no_known_plan", "the firewall kept out every known plan")
        stated = read_facts(text)
        category = _vote_category(nearest, category_cues(record.requirement, record.attributes))
        members = self._by_category.get(category, [])
        order = sorted(members, key=lambda number: (-scores[number], number))
        peers = self._nearest(order, scores, query) or nearest
        plan = _compose(category, peers, self._usual, stated, text.lower())
        return {"plan": plan, "plan_sources": tuple(peer.known.id for peer in peers)}

    def _nearest(self, order: Iterable[int], scores: np.ndarray, query: RowShingles) -> list[_Neighbour]:
        found: list[_Neighbour] = []
        for number in order:
            if len(found) == self._neighbours:
                break
            if self._firewall.reason(query, self._shingles[number]) is None:
                # Even a plan that shares no word is some evidence, once nothing better is there.
                weight = max(float(scores[number]), 0.0) + 1e-3
                found.append(_Neighbour(self._known[number], self._canonical[number], weight))
        return found


def _vote(pairs: Iterable[tuple[str, float]]) -> str:
    """The value with the highest summed weight; of equals the first to appear; "" where there is none."""
    totals: dict[str, float] = defaultdict(float)
    for value, weight in pairs:
        if value:
            totals[value] += weight
    return max(totals, key=lambda value: totals[value], default="")


def _vote_category(nearest: Sequence[_Neighbour], cues: Mapping[str, float]) -> str:
    total = sum(neighbour.weight for neighbour in nearest)
    votes = [(item.plan.task_category, item.weight / total) for item in nearest if item.plan.task_category != OTHER]
    return _vote([*votes, *((category, CUE_WEIGHT * weight) for category, weight in cues.items())]) or OTHER


def _median(name: str, peers: Sequence[_Neighbour], usual: Mapping[str, float]) -> float | None:
    """The weighted median of the peers' numbers and the usual one: a value that is really somebody's, unlike a mean."""
    pairs = [(getattr(peer.plan.hyperparameters, name), peer.weight) for peer in peers]
    known: list[tuple[float, float]] = [(value, weight) for value, weight in pairs if value is not None]
    if name in usual:
        known.append((usual[name], PRIOR_WEIGHTS[name] * (sum(weight for _, weight in known) or 1.0)))
    half, running = sum(weight for _, weight in known) / 2, 0.0
    for value, weight in sorted(known):
        running += weight
        if running >= half:
            return value
    return None


def _compose(
    category: str, peers: Sequence[_Neighbour], usual: Mapping[str, float], stated: DatasetFacts, text: str
) -> SolutionPlan:
    named_layers = _named_layers(text)
    source = next((peer.plan for peer in peers if _has_layer(peer.plan, named_layers)), peers[0].plan)
    facts = _within_reach(category, stated.otherwise(plan_facts(source, category)))
    asked = _STATED_LOSS.search(text)
    voted = _vote((_loss(peer), peer.weight) for peer in peers)
    loss = _consistent_loss(category, (asked and canonical_loss(asked[1])) or voted, facts)
    single = loss in ("binary_crossentropy", "binary_focal_crossentropy") and facts.classes == 2
    inputs, outputs = shape_texts(category, facts, single_output=single)
    if category == "Audio Classification" and facts.sample_rate and facts.clip_seconds:
        inputs = f"Audio clips of {facts.clip_seconds} seconds, sampled at {facts.sample_rate} Hz."
    hypers = [(peer.plan.hyperparameters, peer.weight) for peer in peers]
    named = _STATED_OPTIMIZER.search(text)
    batch_size, epochs, rate = (
        getattr(stated, name) or _median(name, peers, usual) for name in ("batch_size", "epochs", "learning_rate")
    )
    return SolutionPlan(
        task_category=category,
        dataset=DatasetShape(input=inputs or source.dataset.input, output=outputs or source.dataset.output),
        preprocess=_sized(source.preprocess, facts),
        architecture=ModelArchitecture(
            layers=_adapted_layers(_with_named(source.layers, named_layers, category), category, facts, loss, single),
            hyperparameters=Hyperparameters(
                optimizer=canonical_optimizer(named[1])
                if named
                else _vote((hyper.optimizer, weight) for hyper, weight in hypers) or "Adam",
                loss=loss,
                learning_rate=rate or 1e-3,
                batch_size=int(batch_size or 32),
                epochs=int(epochs or 10),
                metric=_consistent_metric(category, _vote((hyper.metric, weight) for hyper, weight in hypers)),
            ),
        ),
    )


_LARGEST_SIDE = {
    "Image Super-Resolution": (128, 96),
    "Image Generation": (128, 128),
    "Video Classification": (112, 112),
}
"""Pixels a side up to which a stated size is kept, and what a larger one is scaled to; (320, 256) for all others."""


def _within_reach(category: str, facts: DatasetFacts) -> DatasetFacts:
    """The facts with image sizes a model is trained at, in proportion: photos of 4000x3000 pixels are resized.

    Super-resolution is trained on small patches, and what is generated pixel by pixel is small too.
    """
    if not facts.height or not facts.width:
        return facts
    longest = max(facts.height, facts.width)
    kept, scaled = _LARGEST_SIDE.get(category, (320, 256))
    if longest <= kept:
        return facts
    shrink = scaled / longest
    height, width = (max(8, round(side * shrink / 8) * 8) for side in (facts.height, facts.width))
    return replace(facts, height=height, width=width)


def _named_layers(text: str) -> tuple[str, ...]:
    """Backbones and recurrent cells that the user names ("use ResNet50", "with a GRU"); of two, the longer name."""
    folded = re.sub(r"[^a-z0-9]", "", text)
    found = [name for name in backbones() if re.sub(r"[^a-z0-9]", "", name.lower()) in folded]
    longest = [name for name in found if not any(name != other and name in other for other in found)]
    cells = [cell for cell in _CELLS if re.search(rf"\b{cell.lower()}s?\b", text)]
    return (*longest[:1], *cells[:1])


def _has_layer(plan: SolutionPlan, names: tuple[str, ...]) -> bool:
    return bool(names) and all(any(name in layer for layer in plan.layers) for name in names)


def _with_named(layers: tuple[str, ...], names: tuple[str, ...], category: str) -> tuple[str, ...]:
    """The layers with the network or cell that the user names in the place of another, or of plain convolutions."""
    for name in names:
        if any(name in layer for layer in layers):
            continue
        others = "|".join(_CELLS if name in _CELLS else backbones())
        swapped = tuple(re.sub(rf"\b(?:{others})\(", f"{name}(", layer) for layer in layers)
        if swapped == layers and name not in _CELLS and category in ("Image Classification", "Image Regression"):
            backbone = f"{name}(include_top=False, weights='imagenet')"
            swapped = (backbone, "GlobalAveragePooling2D()", "Dropout(0.2)", *layers[-1:])
        layers = swapped
    return layers


def _sized(text: str, facts: DatasetFacts) -> str:
    """A neighbour's text with this data's image size in the place of its own."""
    if not facts.height or not facts.width:
        return text
    return re.sub(r"\b\d{2,4} ?[x×] ?\d{2,4}\b", f"{facts.width}x{facts.height}", text)


def _loss(peer: _Neighbour) -> str:
    return peer.plan.hyperparameters.loss or peer.known.plan.hyperparameters.loss


_CLASS_LOSSES = frozenset(
    f"{kind}crossentropy"
    for kind in ("binary_", "categorical_", "sparse_categorical_", "binary_focal_", "categorical_focal_")
) | {"hinge", "squared_hinge", "categorical_hinge", "kl_divergence"}
_CLASS_METRICS = frozenset(
    "accuracy binary_accuracy categorical_accuracy sparse_categorical_accuracy top_k_categorical_accuracy "
    "AUC Precision Recall F1Score".split()
)


def _consistent_loss(category: str, voted: str, facts: DatasetFacts) -> str:
    """The voted loss, unless it cannot go with the category or with the number of classes."""
    if category in REGRESSION | {"Time Series Forecasting"} and canonical_loss(voted) in _CLASS_LOSSES | {""}:
        return "mean_squared_error"
    if category == "Image Segmentation" and (facts.classes or 2) > 2 and voted.startswith("binary"):
        return "categorical_crossentropy"
    if category in CLASSIFICATION:
        several = facts.classes is not None and facts.classes > 2
        if voted not in _CLASS_LOSSES or (several and voted.startswith("binary")) or (not several and "hinge" in voted):
            return "categorical_crossentropy" if several else "binary_crossentropy"
    return voted or "mean_squared_error"


def _consistent_metric(category: str, voted: str) -> str:
    if category in REGRESSION | {"Time Series Forecasting"} and canonical_metric(voted) in _CLASS_METRICS | {""}:
        return "mean_absolute_error"
    if category in CLASSIFICATION and voted not in _CLASS_METRICS:
        return "accuracy"
    return voted


_HEAD_ACTIVATION = {True: "sigmoid", False: "softmax"}


def _adapted_layers(
    layers: tuple[str, ...], category: str, facts: DatasetFacts, loss: str, single: bool
) -> tuple[str, ...]:
    """The layers with this data's input shape, and an output layer for its classes or targets."""
    shape = input_shape(category, facts)
    if shape and layers:
        text = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
        first = re.sub(r"(input_shape=|Input\(shape=)\([^()]*\)", lambda match: match[1] + text, layers[0], count=1)
        layers = (first, *layers[1:])
    if category.startswith("Text") and facts.vocabulary:
        layers = tuple(re.sub(r"\bEmbedding\(\d{3,}", f"Embedding({facts.vocabulary}", layer) for layer in layers)
    if category == "Image Segmentation" and facts.classes and layers:
        units = 1 if single else facts.classes
        return (*layers[:-1], re.sub(r"(?<=Conv2D\()\d+", str(units), layers[-1], count=1))
    head = _head(category, facts, loss, single)
    if head is None or not layers:
        return layers
    return (*layers[:-1], head) if re.search(r"dense|output", layers[-1], re.IGNORECASE) else (*layers, head)


def _head(category: str, facts: DatasetFacts, loss: str, single: bool) -> str | None:
    if category in CLASSIFICATION and facts.classes:
        units = 1 if single else facts.classes
        return f"Dense({units}, activation='{_HEAD_ACTIVATION[single or loss.startswith('binary')]}')"
    if category in REGRESSION:
        return f"Dense({facts.targets or 1})"
    if category == "Time Series Forecasting" and facts.horizon:
        return f"Dense({facts.horizon})"
    return None
