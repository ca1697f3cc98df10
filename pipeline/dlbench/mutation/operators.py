"""The seven operators of the DL-Bench thesis: three lexical, two grammatical, two of naming."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.dlbench.placing.edits import renamed
from pipeline.llm.asking.replies import ReplyError, read_program


class Operator(StrEnum):
    """What is done to a prompt."""

    SIMILAR_VERB = "similar verb"
    UPPER_CASE = "upper case"
    REPHRASED = "rephrased"
    PASSIVE = "passive"
    QUESTION = "question"
    TELLING_NAME = "telling name"
    MISLEADING_NAME = "misleading name"


ORIGINAL = "original"
"""The prompt as it is."""

LEXICAL = (Operator.SIMILAR_VERB, Operator.UPPER_CASE, Operator.REPHRASED)
GRAMMATICAL = (Operator.PASSIVE, Operator.QUESTION)
NAMING = (Operator.TELLING_NAME, Operator.MISLEADING_NAME)

BROKEN = "invariant_broken"
"""The kind of failure of a variant that changes what must not change."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """A prompt in another way."""

    operator: str
    prompt: str

    renamed_to: str = ""
    """What the target is called in it; "" for its own name."""

    changed: bool = True
    """Whether anything is different: a prompt may have nothing that an operator works on."""


def mapped_back(answer: str, variant: Variant, name: str) -> str:
    """An answer with the target under its own name again: by the syntax tree, so that strings and attributes stay. What
    is no program comes back as it is."""
    if not variant.renamed_to or variant.renamed_to == name:
        return answer
    try:
        code = read_program(answer).code
        return renamed(code, {variant.renamed_to: name})
    except (ReplyError, SyntaxError, ValueError):
        return answer
