"""Has a language model seen the benchmark? Two signs, as the paper looked for them.

*Continuation*: the model gets the first half of a reference and writes on at temperature 0; the share of its 5-token
shingles that are also in the real second half, but not in the first, tells copying. *Min-K%* (Shi et al., 2024): the
mean log-probability of the k% least likely tokens; text that a model has seen has few that surprise it. The protocol
gives log-probabilities of the model's own tokens, so they are taken from the continuation: high ones together with a
high overlap speak for memory, not for easy text alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from corpus_build.deduplicate.shingles import code_shingles
from pipeline.errors import StageFailure
from pipeline.llm.protocol import LLM, ChatRequest, Message, Sampling

LEAST_LIKELY_SHARE = 0.2
"""The share of tokens that Min-K% takes: its k."""

CONTINUED_CHARACTERS = 1500
"""Of the reference, on either side of the cut."""

EXPOSED = 0.5
"""Overlap from which a reference counts as known to the model."""

_SYSTEM = "Continue the Python code exactly where it stops. Answer with code only."


@dataclass(frozen=True, kw_only=True, slots=True)
class Exposure:
    """The signs for one reference."""

    id: str
    overlap: float = 0.0
    """The share of the continuation's shingles that the real rest has, in [0, 1]."""
    min_k: float | None = None
    """In nats; None without log-probabilities."""
    failure: str = ""
    """The kind of the call's failure, if it failed."""

    @property
    def exposed(self) -> bool:
        return self.overlap >= EXPOSED


async def check_exposure(llm: LLM, references: Iterable[tuple[str, str]], at_once: int = 8) -> list[Exposure]:
    """Asks the model for every reference (id, code), so many at once; results in the order given."""
    free = asyncio.Semaphore(at_once)

    async def check(id: str, code: str) -> Exposure:
        async with free:
            return await _check(llm, id, code)

    checks = [check(id, code) for id, code in references]
    return list(await asyncio.gather(*checks))


async def _check(llm: LLM, id: str, code: str) -> Exposure:
    start, rest = halves(code)
    messages = (Message(role="system", content=_SYSTEM), Message(role="user", content=start))
    request = ChatRequest(messages=messages, sampling=Sampling(max_tokens=512), logprobs=True)
    try:
        reply = await llm.chat(request)
    except StageFailure as failure:
        return Exposure(id=id, failure=failure.kind)
    min_k = min_k_percent(reply.token_logprobs) if reply.token_logprobs else None
    return Exposure(id=id, overlap=continuation_overlap(start, rest, reply.text), min_k=min_k)


def halves(code: str) -> tuple[str, str]:
    """The code cut at the line end nearest its middle; at most CONTINUED_CHARACTERS on either side of the cut."""
    middle = len(code) // 2
    cut = code.find("\n", middle) + 1 or middle
    return code[max(0, cut - CONTINUED_CHARACTERS) : cut], code[cut : cut + CONTINUED_CHARACTERS]


def continuation_overlap(start: str, rest: str, continued: str) -> float:
    """The share of the continuation's shingles that the real rest has, those of the start left out; 0 without any."""
    known = code_shingles(start)
    without_fences = continued.replace("```python", "").replace("```", "")
    written = np.setdiff1d(code_shingles(without_fences), known)
    if not len(written):
        return 0.0
    recited = np.intersect1d(written, np.setdiff1d(code_shingles(rest), known))
    return round(len(recited) / len(written), 4)


def min_k_percent(logprobs: Sequence[float], k: float = LEAST_LIKELY_SHARE) -> float:
    """The mean of the lowest k of the log-probabilities, at least one of them."""
    lowest = sorted(logprobs)[: max(1, int(len(logprobs) * k))]
    return round(fmean(lowest), 4)
