"""The answers of the baselines that need no model, for any items with references and any pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from jobs.scoring.item_shards import Measurement, measure_items
from pipeline.comparison.code_rows import BASELINES
from pipeline.measures.codebleu.baselines import (
    Solution,
    best_in_hindsight,
    copyable_samples,
    nearest,
    neighbours,
    one_for_all,
    random_of_category,
)
from pipeline.measures.codebleu.paper_text import PROTOCOLS
from pipeline.measures.output_measures import SampleScores, score_samples
from pipeline.measures.outputs import Measured, MethodName, Output

COPY = "copy of the neighbour"
COPY_SHOWN = "copy of the retrieved sample"
RANDOM = "random sample of the category"
ONE_FOR_ALL = "one file for every task, in hindsight"
BEST = "best sample, in hindsight"
HINDSIGHT = (ONE_FOR_ALL, BEST)

OutputsByMethod = dict[MethodName, list[Output]]


def baseline_name(method: str) -> MethodName:
    return MethodName(BASELINES, "", method)


def chosen_outputs(
    rows: Sequence[Solution],
    items: Sequence[Output],
    samples: Sequence[Solution],
    *,
    seeds: int,
    copies: Sequence[int] | None = None,
    copy: str = COPY,
    cut_to: Mapping[str, Sequence[str]] | None = None,
) -> OutputsByMethod:
    """What copying a sample answers, chosen without looking at the reference.

    `rows` and `items` are the same items, as a task and as an output of any method. `copies`: the sample each item's
    method would copy, by default the one in the item's own place; `copy` is what that baseline is called. `cut_to`:
    texts to whose lengths the copies are cut as well, by the name of their method.
    """
    copies = list(copies) if copies is not None else neighbours(rows, samples)
    chosen = {
        copy: copies,
        "nearest requirement (BM25)": nearest(rows, samples, _requirement, _requirement),
        "nearest code to the requirement (BM25)": nearest(rows, samples, _requirement, _code),
        "nearest plan of the category (BM25)": nearest(rows, samples, _plan, _plan, same_category=True),
        **{f"{RANDOM}, seed {seed}": random_of_category(rows, samples, seed) for seed in range(seeds)},
    }
    answers = {baseline_name(name): _copies(items, samples, numbers) for name, numbers in chosen.items()}
    for method, texts in (cut_to or {}).items():
        cut = [replace(output, cut_to=text) for output, text in zip(answers[baseline_name(copy)], texts, strict=True)]
        answers[baseline_name(f"{copy}, cut to the length of {method}")] = cut
    return answers


def hindsight_outputs(
    rows: Sequence[Solution],
    items: Sequence[Output],
    samples: Sequence[Solution],
    folder: str,
    *,
    quiet: bool = False,
) -> dict[str, OutputsByMethod]:
    """What the best choice would have been had the reference been known, by protocol. Needs an initialised Ray."""
    codes = tuple(sample.code for sample in samples)
    measurement = Measurement(
        label="samples",
        work=partial(score_samples, samples=codes),
        failed=lambda *_: SampleScores(raw=(None,) * len(codes), paper=(None,) * len(codes)),
        record=SampleScores,
    )
    references = [item.reference or "" for item in items]
    found = measure_items(measurement, references, len(references), folder, shard=4, quiet=quiet)
    allowed = [set(copyable_samples(row, samples)) for row in rows]
    answers: dict[str, OutputsByMethod] = {}
    for protocol in PROTOCOLS:
        scores = np.array([getattr(item, protocol) for item in found], dtype=np.float64)
        matrix = np.where([[number in kept for number in range(len(samples))] for kept in allowed], scores, np.nan)
        answers[protocol] = {
            baseline_name(ONE_FOR_ALL): _copies(items, samples, one_for_all(matrix)),
            baseline_name(BEST): _copies(items, samples, best_in_hindsight(matrix)),
        }
    return answers


def under_each_protocol(by_protocol: Mapping[str, Sequence[Measured]]) -> list[Measured]:
    """One list from those of a choice that was made under each protocol anew: each gives the values of its own."""
    return [
        replace(items[0], **{name: getattr(item, name) for name, item in zip(by_protocol, items, strict=True)})
        for items in zip(*by_protocol.values(), strict=True)
    ]


def _copies(items: Sequence[Output], samples: Sequence[Solution], numbers: Sequence[int]) -> list[Output]:
    return [
        replace(item, code=samples[number].code, plan=None, shown=(), failure=None, cut_to=None)
        for item, number in zip(items, numbers, strict=True)
    ]


def _requirement(solution: Solution) -> str:
    return solution.requirement


def _code(solution: Solution) -> str:
    return solution.code


def _plan(solution: Solution) -> str:
    return solution.plan
