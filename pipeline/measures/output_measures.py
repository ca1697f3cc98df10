"""Everything that is measured on one output, in one pass: what its code says, how near it comes to the reference under
each protocol, what it copied, and what was known before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.analysis.parsing import parsed
from pipeline.llm.asking.replies import ReplyError, read_program
from pipeline.measures.codebleu.codebleu import code_bleu, code_words, pair_counts
from pipeline.measures.codebleu.length_control import cut, cut_to_equal_length
from pipeline.measures.codebleu.paper_text import PROTOCOLS
from pipeline.measures.contamination import contamination_of
from pipeline.measures.imports import unknown_imports
from pipeline.measures.outputs import Measured, Output, PairScore
from pipeline.measures.project_scores import read_code
from pipeline.measures.sample_overlap import sample_overlap
from pipeline.records import Failure

LONGEST = 300_000
"""Characters of a candidate beyond which nothing is read in it."""


def measure_all(outputs: Sequence[Output], pool: str = "", plans: tuple[str, ...] = ()) -> list[Measured]:
    """`measure` for each; `pool` and `plans` are the locations that the contamination audit looks through."""
    return [measure(output, pool, plans) for output in outputs]


def measure(output: Output, pool: str = "", plans: tuple[str, ...] = ()) -> Measured:
    """An item without code counts with the lowest value of every measure, unless the machinery failed: left out of an
    average it would raise it."""
    found = {"raw": None, "paper": None} if not _has_reference(output) else _pairs(output)
    beyond = any(pair is not None and pair.counts is None for pair in found.values())
    failure = output.failure
    if failure is None and not output.code.strip():
        failure = Failure(stage="generate", kind="no_code", message="the method gave no code")
    if failure is None and (beyond or len(output.code) > LONGEST):
        message = f"{len(output.code):,} characters, or too deeply nested: beyond the limits of what is measured"
        failure = Failure(stage="score", kind="beyond_limits", message=message)
    program = program_of(output.code) if len(output.code) <= LONGEST else None
    scores = read_code(program, output.plan) if program is not None else None
    tree = parsed(program) if program is not None and scores is not None and scores.parses else None
    return Measured(
        item=output.item,
        category=output.category,
        failure=failure,
        generated=bool(output.code.strip()),
        scores=scores,
        unknown_imports=unknown_imports(tree) if tree is not None else (),
        copying=sample_overlap(program, output.shown) if program is not None else None,
        contamination=contamination_of(output, pool, plans),
        raw=found["raw"],
        paper=found["paper"],
    )


def program_of(text: str) -> str:
    """What is read of a candidate: the text, or, of a model's reply as it was released, the program in its fences."""
    if "```" not in text or parsed(text) is not None:
        return text
    try:
        return read_program(text).text
    except ReplyError:
        return text


def compare_texts(candidate: str, reference: str) -> PairScore:
    """A pair that a protocol has made ready."""
    counts = pair_counts(candidate, reference)
    # Texts cut to each other's length meet no second time: their features need not be kept.
    equal = pair_counts(*cut_to_equal_length(candidate, reference), keep=False) if counts is not None else None
    return PairScore(
        counts=counts,
        equal_length=equal,
        candidate_words=len(code_words(candidate)),
        reference_words=len(code_words(reference)),
    )


@lru_cache(maxsize=384)
def protocol_text(protocol: str, source: str) -> str:
    """The source under a protocol, kept for the next method that meets it."""
    return PROTOCOLS[protocol](source)


def unmeasured(output: Output, kind: str, message: str) -> Measured:
    """An output that could not be measured at all, since that ended its process or its time."""
    failure = Failure(stage="score", kind=kind, message=message)
    return Measured(item=output.item, category=output.category, failure=failure, generated=bool(output.code.strip()))


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleScores:
    """CodeBLEU in [0, 1] of each sample as the answer to one item, by protocol; None where it was not measured."""

    raw: tuple[float | None, ...] = ()
    paper: tuple[float | None, ...] = ()


def score_samples(references: Sequence[str], samples: Sequence[str]) -> list[SampleScores]:
    """Each sample against each reference."""
    return [
        SampleScores(**{name: tuple(_sample_scores(name, samples, reference)) for name in PROTOCOLS})
        for reference in references
    ]


def _sample_scores(protocol: str, samples: Sequence[str], reference: str) -> Iterator[float | None]:
    for sample in samples:
        found = code_bleu(protocol_text(protocol, sample), protocol_text(protocol, reference))
        yield found.codebleu if found is not None else None


def _has_reference(output: Output) -> bool:
    return bool(output.reference and output.reference.strip())


def _pairs(output: Output) -> dict[str, PairScore | None]:
    assert output.reference is not None
    found: dict[str, PairScore | None] = {}
    for name in PROTOCOLS:
        candidate = protocol_text(name, output.code)
        if output.cut_to is not None:
            candidate = cut(candidate, len(code_words(protocol_text(name, output.cut_to))))
        found[name] = compare_texts(candidate, protocol_text(name, output.reference))
    return found
