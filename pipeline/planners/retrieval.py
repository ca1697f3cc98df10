"""The retrieval planner: a plan for a new requirement from the plans of the requirements most like it.

BM25 over requirement and attributes finds the neighbours; they vote, weighted by score, on the categorical fields and
give medians for the numbers; shapes, texts and layers are the nearest plan's. What the user states is left to the
repair (`pipeline.planners.repair`). No training, no weights, a few milliseconds a plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from statistics import median_low

import numpy as np

from pipeline.errors import StageFailure
from pipeline.plan.category_cues import category_cues
from pipeline.plan.dataset_facts import shapes_in
from pipeline.plan.shapes import plan_facts, shape_texts
from pipeline.plan.solution_plan import DatasetShape, Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.plan.vocabulary import OTHER
from pipeline.planners.repair.asked import Asked
from pipeline.planners.repair.networks import has_asked_network
from pipeline.records import Requirement
from pipeline.request.stated_category import corrected_category
from pipeline.retrieval.bm25 import Bm25Index, ranking
from pipeline.retrieval.firewall import Firewall, RowShingles, row_shingles
from pipeline.retrieval.sample_pool import KnownPlan
from pipeline.retrieval.tokenize import content_words
from pipeline.understanding import asked_of

CUE_WEIGHT = 0.6
"""How much a category cue of weight 1 counts against the neighbours' votes, which add up to 1."""

PRIOR_WEIGHTS = {"batch_size": 0.5, "epochs": 0.25, "learning_rate": 0.75}
"""How much the median of all known plans counts beside the neighbours' numbers, which add up to 1.

A few neighbours are little evidence. The best of six weights in cross-validation by sixths of the published known
plans; a batch size is off by 220 on average there, without the prior by 815.
"""


@dataclass(frozen=True, slots=True)
class _Neighbour:
    known: KnownPlan
    plan: SolutionPlan
    """The known plan, canonical."""
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
        self._usual: dict[str, float] = {}
        for name in PRIOR_WEIGHTS:
            numbers = [getattr(plan.hyperparameters, name) for plan in self._canonical]
            numbers = [number for number in numbers if number]
            if numbers:
                self._usual[name] = median_low(numbers)
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
        constraints = asked_of(record)
        cues = category_cues(record.requirement, record.attributes)
        category = _vote_category(nearest, cues)
        corrected = corrected_category(category, constraints)
        if corrected in self._by_category:
            category = corrected
        members = self._by_category.get(category, [])
        order = sorted(members, key=lambda number: (-scores[number], number))
        peers = self._nearest(order, scores, query) or nearest
        plan = _compose(category, peers, self._usual, Asked(constraints, record.data))
        return {"plan": plan, "plan_sources": tuple(peer.known.id for peer in peers)}

    def _nearest(self, order: Iterable[int], scores: np.ndarray, query: RowShingles) -> list[_Neighbour]:
        nearest: list[_Neighbour] = []
        for number in order:
            if len(nearest) == self._neighbours:
                break
            if self._firewall.reason(query, self._shingles[number]) is None:
                # Even a plan that shares no word is some evidence, once nothing better is there.
                weight = max(float(scores[number]), 0.0) + 1e-3
                nearest.append(_Neighbour(self._known[number], self._canonical[number], weight))
        return nearest


def _vote(pairs: Iterable[tuple[str, float]]) -> str:
    """The value with the highest summed weight; of equals the first to appear; "" where there is none."""
    totals: dict[str, float] = defaultdict(float)
    for value, weight in pairs:
        if value:
            totals[value] += weight
    return max(totals, key=lambda value: totals[value], default="")


def _vote_category(nearest: Sequence[_Neighbour], cues: Mapping[str, float]) -> str:
    total = _total(neighbour.weight for neighbour in nearest)
    votes: list[tuple[str, float]] = []
    for neighbour in nearest:
        if neighbour.plan.task_category != OTHER:
            votes.append((neighbour.plan.task_category, neighbour.weight / total))
    votes += [(category, CUE_WEIGHT * weight) for category, weight in cues.items()]
    return _vote(votes) or OTHER


def _total(weights: Iterable[float]) -> float:
    """The weights added one after another: from Python 3.12 on, `sum` would give another last digit."""
    return reduce(add, weights, 0.0)


def _median(name: str, peers: Sequence[_Neighbour], usual: Mapping[str, float]) -> float | None:
    """The weighted median of the peers' numbers and the usual one: a value that is really somebody's, unlike a mean."""
    known: list[tuple[float, float]] = []
    for peer in peers:
        number = getattr(peer.plan.hyperparameters, name)
        if number is not None:
            known.append((number, peer.weight))
    if name in usual:
        total = _total(weight for _, weight in known)
        known.append((usual[name], PRIOR_WEIGHTS[name] * (total or 1.0)))
    half, running = _total(weight for _, weight in known) / 2, 0.0
    for value, weight in sorted(known):
        running += weight
        if running >= half:
            return value
    return None


def _compose(category: str, peers: Sequence[_Neighbour], usual: Mapping[str, float], asked: Asked) -> SolutionPlan:
    """The plan of a category: voted settings, and shapes, texts and layers of the nearest peer that has the network
    that is asked for."""
    source = _source_plan(peers, asked)
    facts = plan_facts(source, category)
    loss = _vote((_loss_of(peer), peer.weight) for peer in peers)
    inputs, outputs = shape_texts(category, facts, single_output=_ends_in_one(source))
    return SolutionPlan(
        task_category=category,
        dataset=DatasetShape(input=inputs or source.dataset.input, output=outputs or source.dataset.output),
        preprocess=source.preprocess,
        architecture=ModelArchitecture(
            layers=source.layers,
            hyperparameters=Hyperparameters(
                optimizer=_vote((peer.plan.hyperparameters.optimizer, peer.weight) for peer in peers) or "Adam",
                loss=loss or "mean_squared_error",
                learning_rate=_median("learning_rate", peers, usual) or 1e-3,
                batch_size=int(_median("batch_size", peers, usual) or 32),
                epochs=int(_median("epochs", peers, usual) or 10),
                metric=_vote((peer.plan.hyperparameters.metric, peer.weight) for peer in peers),
            ),
        ),
    )


def _ends_in_one(plan: SolutionPlan) -> bool:
    """Whether the plan's output is one number, as of two classes."""
    return any(shape[-1] == 1 for shape in shapes_in(plan.dataset.output)[:1])


def _source_plan(peers: Sequence[_Neighbour], asked: Asked) -> SolutionPlan:
    """The plan of the nearest peer that has the network that is asked for, or else of the nearest."""
    for peer in peers:
        if has_asked_network(peer.plan.layers, asked, peer.plan.task_category):
            return peer.plan
    return peers[0].plan


def _loss_of(peer: _Neighbour) -> str:
    """Its canonical name, or what the plan calls one that Keras has not."""
    return peer.plan.hyperparameters.loss or peer.known.plan.hyperparameters.loss
