"""C-CoT: representative requirements of each task category, and the chain of thought that is made from them once.

The paper's baseline (section IV.B): problems are clustered within their category, those nearest to
the clusters' centres stand for it, and zero-shot chain of thought ("Let's think step by step",
Kojima et al., 2022) gives the category's chain, which every requirement of the category then gets
(clustering after Zhang et al., Auto-CoT, 2023).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np
from pydantic import TypeAdapter

from pipeline.calls import CallMeasures, LLMCall
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.llm.asking.asker import Asker, Asking
from pipeline.plan.vocabulary import canonical_category
from pipeline.records import Requirement
from pipeline.retrieval.sample_pool import KnownPlan
from pipeline.retrieval.tokenize import content_words
from pipeline.storage.files import read_bytes, write_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class ThoughtChain:
    """A task category's chain of thought."""

    category: str
    """The task category."""

    problems: tuple[str, ...]
    """The requirements that stand for it."""

    chain: str
    """The model's words about how such problems are solved."""


class Categories:
    """The known requirements by task category, as TF-IDF vectors of their words."""

    def __init__(self, known: Sequence[KnownPlan]) -> None:
        # Here, since scikit-learn takes two seconds to import, and no other method needs it.
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._requirements = [plan.requirement for plan in known]
        self._vectorizer = TfidfVectorizer(analyzer=content_words)
        self._vectors = self._vectorizer.fit_transform(self._requirements)
        members: dict[str, list[int]] = defaultdict(list)
        for row, plan in enumerate(known):
            members[canonical_category(plan.plan.task_category)].append(row)
        self._rows_of = dict(sorted(members.items()))
        self.names = tuple(self._rows_of)
        centres = []
        for rows in self._rows_of.values():
            centres.append(np.asarray(self._vectors[rows].mean(axis=0)))
        self._centres = np.vstack(centres)

    def of(self, requirement: str) -> str:
        """The category whose requirements are, on average, most like this one (cosine)."""
        query = np.asarray(self._vectorizer.transform([requirement]).todense())[0]
        # The query's own norm is the same for all centres, so the cosines' order does not need it.
        norms = np.linalg.norm(self._centres, axis=1)
        return self.names[int(np.argmax(self._centres @ query / np.maximum(norms, 1e-12)))]

    def representatives(self, category: str, count: int) -> tuple[str, ...]:
        """The requirements nearest to the centres of `count` clusters (k-means) of a category, in input order."""
        from sklearn.cluster import KMeans

        rows = self._rows_of[category]
        vectors = self._vectors[rows].toarray()
        distinct = len(np.unique(vectors, axis=0))  # more clusters than these would be empty
        clusters = KMeans(n_clusters=min(count, distinct), n_init=4, random_state=0).fit(vectors)
        nearest: set[int] = set()  # one requirement may be the nearest to two centres
        for centre in clusters.cluster_centers_:
            distances = np.linalg.norm(vectors - centre, axis=1)
            nearest.add(int(np.argmin(distances)))
        return tuple(self._requirements[rows[member]] for member in sorted(nearest))


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeChains:
    """The chains of all categories."""

    chains: tuple[ThoughtChain, ...]
    """One a category."""

    calls: tuple[LLMCall, ...] = ()
    """The calls that made them."""


async def make_chains(asker: Asker, categories: Categories, problems: int) -> MadeChains:
    """A chain for each category, all asked for at once. Raises DLCodeGenError where the model gives none."""
    chosen: dict[str, tuple[str, ...]] = {}
    works = []
    for name in categories.names:
        chosen[name] = categories.representatives(name, problems)
        works.append(partial(_ask_for_chain, category=name, problems=chosen[name]))
    try:
        texts_of_chains, calls = await asker.ask("chains", Requirement(id="", row=0), *works)
    except StageFailure as failure:
        raise DLCodeGenError(f"C-CoT's chains of thought cannot be made: {failure}") from failure
    chains: list[ThoughtChain] = []
    for (name, texts), chain in zip(chosen.items(), texts_of_chains, strict=True):
        chains.append(ThoughtChain(category=name, problems=texts, chain=chain))
    return MadeChains(chains=tuple(chains), calls=calls)


async def _ask_for_chain(ask: Asking, category: str, problems: Sequence[str]) -> str:
    numbered = [f"{number}. {problem}" for number, problem in enumerate(problems, start=1)]
    return await ask.text("c_cot_chain", category=category, problems="\n".join(numbered))


def save_chains(url: str, model: str, made: MadeChains) -> None:
    """Keeps the chains with their calls as a file, whole or not at all."""
    body = {"model": model} | asdict(made)
    write_bytes(url, json.dumps(body, indent=2, ensure_ascii=False).encode() + b"\n")


def load_chains(url: str) -> dict[str, str]:
    """Chains by category. Raises DLCodeGenError for a file that holds none."""
    return {chain.category: chain.chain for chain in _read(url).chains}


def kept_calls(url: str) -> tuple[LLMCall, ...]:
    """The calls that made a file's chains, as calls of a run that reads the file: answered by a cache, at no cost.

    Raises DLCodeGenError as `load_chains`.
    """
    kept = CallMeasures(seconds=0.0, cached=True, cached_tokens=0, cost=0.0)
    return tuple(replace(call, measured=kept) for call in _read(url).calls)


def _read(url: str) -> MadeChains:
    try:
        body = json.loads(read_bytes(url))
        # `model` is there for readers; the type does not know it.
        known = {name: body[name] for name in ("chains", "calls") if name in body}
        return _FILE.validate_python(known)
    except (OSError, ValueError, TypeError) as error:
        raise DLCodeGenError(f"{url}: no chains of thought ({error}); remove the file, or set c_cot.chains") from error


_FILE = TypeAdapter(MadeChains)
