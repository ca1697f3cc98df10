"""Variants by a model: what it answers is taken only where all that must not change has not."""

from __future__ import annotations

from dataclasses import replace

from pipeline.dlbench.asking import rewrite_request
from pipeline.dlbench.mutation.kept import check_kept, kept_pieces
from pipeline.dlbench.mutation.operators import NAMING, ORIGINAL, Operator, Variant
from pipeline.dlbench.mutation.rules import mutated
from pipeline.errors import StageFailure
from pipeline.llm.asking.replies import clean_text
from pipeline.llm.protocol import LLM, Sampling

ATTEMPTS = 2
"""Times that a model is asked for a variant whose answers break what must be kept."""


async def mutated_by_model(llm: LLM, prompt: str, operator: str, name: str, sampling: Sampling) -> Variant:
    """The variant that the model writes. The naming operators are done by rule in any case: which name is telling may
    be a model's affair, where it stands is not. Raises StageFailure (`invariant_broken`) where no answer keeps what
    must be kept, and what the model raises."""
    if operator == ORIGINAL or operator in NAMING:
        return mutated(prompt, operator, name)
    failure: StageFailure | None = None
    for attempt in range(ATTEMPTS):
        seeded = replace(sampling, seed=(sampling.seed or 0) + attempt)
        reply = await llm.chat(rewrite_request(prompt, operator, seeded))
        text = clean_text(reply.text).strip("\n")
        try:
            # In upper case every word looks like an acronym; what was kept has to be in it all the same.
            check_kept(prompt, prompt if operator == Operator.UPPER_CASE and _holds(prompt, text) else text)
        except StageFailure as broken:
            failure = broken
            continue
        return Variant(operator=operator, prompt=text, changed=text != prompt)
    assert failure is not None
    raise failure


def _holds(prompt: str, text: str) -> bool:
    return all(piece in text for piece in kept_pieces(prompt))
