"""Everything that is measured on one output, in one pass: what its code says, how near it comes to
the reference under each protocol, what it copied, and what was known before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pipeline.analysis.parsing import LONGEST, parsed
from pipeline.llm.asking.replies import ReplyError, read_program
from pipeline.measures.codebleu.codebleu import code_bleu, code_words, pair_counts
from pipeline.measures.codebleu.length_control import cut, cut_to_equal_length
from pipeline.measures.codebleu.paper_text import PROTOCOLS
from pipeline.measures.contamination import contamination_of
from pipeline.measures.delivery.check import check_delivery, satisfaction_of_row
from pipeline.measures.imports import unknown_imports
from pipeline.measures.outputs import Measured, Output, PairScore
from pipeline.measures.project_scores import read_code
from pipeline.measures.sample_overlap import sample_overlap
from pipeline.records import Failure


def measure_all(outputs: Sequence[Output], pool: str = "", plans: tuple[str, ...] = ()) -> list[Measured]:
    """`measure` for each; `pool` and `plans` are the locations that the
    contamination audit looks through."""
    return [measure(output, pool, plans) for output in outputs]


def measure(output: Output, pool: str = "", plans: tuple[str, ...] = ()) -> Measured:
    """Everything about one output. One without code counts with the lowest value of every measure,
    unless the machinery failed: left out of an average it would raise it."""
    pairs = _pairs(output)
    measured = Measured(
        item=output.item,
        category=output.category,
        failure=_failure(output, pairs),
        generated=bool(output.code.strip()),
        asked=satisfaction_of_row(output.constraints, None),
        contamination=contamination_of(output, pool, plans),
        raw=pairs.get("raw"),
        paper=pairs.get("paper"),
    )
    if len(output.code) > LONGEST:
        return measured
    program = program_of(output.code)
    unknown: tuple[str, ...] = ()
    tree = parsed(program)
    if tree is not None:
        unknown = unknown_imports(tree)
    return replace(
        measured,
        scores=read_code(program, output.plan),
        asked=satisfaction_of_row(output.constraints, check_delivery(output.constraints, program)),
        unknown_imports=unknown,
        copying=sample_overlap(program, output.shown),
    )


def _failure(output: Output, pairs: Mapping[str, PairScore]) -> Failure | None:
    """What kept the output from being made, or from being measured."""
    if output.failure is not None:
        return output.failure
    if not output.code.strip():
        return Failure(stage="generate", kind="no_code", message="the method gave no code")
    unmeasured_pairs = [pair for pair in pairs.values() if pair.counts is None]
    if len(output.code) > LONGEST or unmeasured_pairs:
        message = f"{len(output.code):,} characters, or too deeply nested: beyond the limits of what is measured"
        return Failure(stage="score", kind="beyond_limits", message=message)
    return None


def program_of(text: str) -> str:
    """What is read of a candidate: the text, or, of a model's reply as it was
    released, the program in its fences."""
    if "```" not in text or parsed(text) is not None:
        return text
    try:
        return read_program(text).text
    except ReplyError:
        return text


def compare_texts(candidate: str, reference: str) -> PairScore:
    """A pair that a protocol has made ready."""
    counts = pair_counts(candidate, reference)
    equal = None
    if counts is not None:
        cut_candidate, cut_reference = cut_to_equal_length(candidate, reference)
        # Texts cut to each other's length meet no second time: their features need not be kept.
        equal = pair_counts(cut_candidate, cut_reference, keep=False)
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
    """CodeBLEU in [0, 1] of each sample as the answer to one item, by protocol;
    None where it was not measured."""

    raw: tuple[float | None, ...] = ()
    paper: tuple[float | None, ...] = ()


def score_samples(references: Sequence[str], samples: Sequence[str]) -> list[SampleScores]:
    """Each sample against each reference."""
    scores = []
    for reference in references:
        raw = tuple(_sample_scores("raw", samples, reference))
        paper = tuple(_sample_scores("paper", samples, reference))
        scores.append(SampleScores(raw=raw, paper=paper))
    return scores


def _sample_scores(protocol: str, samples: Sequence[str], reference: str) -> Iterator[float | None]:
    for sample in samples:
        score = code_bleu(protocol_text(protocol, sample), protocol_text(protocol, reference))
        if score is None:
            yield None
        else:
            yield score.codebleu


def _pairs(output: Output) -> dict[str, PairScore]:
    """The output against its reference under each protocol; {} without a reference."""
    if output.reference is None or not output.reference.strip():
        return {}
    pairs = {}
    for protocol in PROTOCOLS:
        candidate = protocol_text(protocol, output.code)
        if output.cut_to is not None:
            candidate = cut(candidate, len(code_words(protocol_text(protocol, output.cut_to))))
        pairs[protocol] = compare_texts(candidate, protocol_text(protocol, output.reference))
    return pairs
