"""The answers of the baselines that need no model, for any items with references and any pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from jobs.scoring.item_shards import Measurement, measure_items
from pipeline.comparison.code_rows import BASELINES
from pipeline.errors import FaultError
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
from pipeline.time_limit import ROW_SECONDS

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

    `rows` and `items` are the same items, as a task and as an output of any method. `copies`: the number of the sample
    that each item's method would copy, by default the item's own number; `copy` is what that baseline is called.
    `cut_to`: texts to whose lengths the copies are cut as well, by the name of their method.
    """
    if copies is None:
        copies = neighbours(rows, samples)
    chosen = {
        copy: list(copies),
        "nearest requirement (BM25)": nearest(rows, samples, _requirement, _requirement),
        "nearest code to the requirement (BM25)": nearest(rows, samples, _requirement, _code),
        "nearest plan of the category (BM25)": nearest(rows, samples, _plan, _plan, same_category=True),
    }
    for seed in range(seeds):
        chosen[f"{RANDOM}, seed {seed}"] = random_of_category(rows, samples, seed)
    outputs: OutputsByMethod = {}
    for name, numbers in chosen.items():
        outputs[baseline_name(name)] = _copies(items, samples, numbers)
    whole = outputs[baseline_name(copy)]
    for method, texts in (cut_to or {}).items():
        cut = [replace(output, cut_to=text) for output, text in zip(whole, texts, strict=True)]
        outputs[baseline_name(f"{copy}, cut to the length of {method}")] = cut
    return outputs


def hindsight_outputs(
    rows: Sequence[Solution],
    items: Sequence[Output],
    samples: Sequence[Solution],
    folder: str,
    *,
    quiet: bool = False,
) -> dict[str, OutputsByMethod]:
    """What the best choice would have been had the reference been known, by protocol. Needs an initialised Ray."""
    scores_of = _sample_scores(items, samples, folder, quiet)
    allowed = np.zeros((len(rows), len(samples)), dtype=bool)
    for number, row in enumerate(rows):
        allowed[number, copyable_samples(row, samples)] = True
    outputs: dict[str, OutputsByMethod] = {}
    for protocol in PROTOCOLS:
        # A row an item, a column a sample; NaN, too, where a pair was not measured.
        scores = np.array([getattr(item, protocol) for item in scores_of], dtype=np.float64)
        matrix = np.where(allowed, scores, np.nan)
        outputs[protocol] = {
            baseline_name(ONE_FOR_ALL): _copies(items, samples, one_for_all(matrix)),
            baseline_name(BEST): _copies(items, samples, best_in_hindsight(matrix)),
        }
    return outputs


def _sample_scores(
    items: Sequence[Output], samples: Sequence[Solution], folder: str, quiet: bool
) -> list[SampleScores]:
    """For each item the CodeBLEU of every sample against its reference."""
    codes = tuple(sample.code for sample in samples)
    measurement = Measurement(
        label="samples",
        work=partial(score_samples, samples=codes),
        failed=_not_compared,
        record=SampleScores,
        # An item is all samples of a pool, of any size, under two protocols.
        item_seconds=ROW_SECONDS + len(codes),
    )
    references = [item.reference or "" for item in items]
    # Small shards: an item meets every sample of the pool.
    return measure_items(measurement, references, len(references), folder, shard=4, quiet=quiet)


def _not_compared(reference: str, kind: str, message: str) -> SampleScores:
    """One sample for all, and the best for each: without an item both would be chosen from fewer, silently."""
    raise FaultError(
        f"an item could not be compared with the pool's samples ({kind}: {message}), and without it the baselines "
        f"chosen in hindsight would be wrong: {reference[:60]!r}...; the same command measures it again"
    )


def under_each_protocol(by_protocol: Mapping[str, Sequence[Measured]]) -> list[Measured]:
    """The measured outputs of a method that chooses anew under each protocol: each protocol's values are those of its
    own choice, and all else is the first's."""
    merged = []
    for choices in zip(*by_protocol.values(), strict=True):
        own_values = {name: getattr(choice, name) for name, choice in zip(by_protocol, choices, strict=True)}
        merged.append(replace(choices[0], **own_values))
    return merged


def _copies(items: Sequence[Output], samples: Sequence[Solution], numbers: Sequence[int]) -> list[Output]:
    """The items answered by the samples of these numbers: a copy keeps no plan and was shown nothing."""
    copies = []
    for item, number in zip(items, numbers, strict=True):
        copies.append(replace(item, code=samples[number].code, plan=None, shown=(), failure=None, cut_to=None))
    return copies


def _requirement(solution: Solution) -> str:
    return solution.requirement


def _code(solution: Solution) -> str:
    return solution.code


def _plan(solution: Solution) -> str:
    return solution.plan
