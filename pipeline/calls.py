"""A call to a language model as a row keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field

USELESS_REPLY = "useless: "
"""How the note of a reply begins that could not be used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallMeasures:
    """What differs between two runs that ask and get the same."""

    seconds: float
    """Of waiting for the reply."""

    cached: bool
    """Whether the response cache answered."""

    cached_tokens: int
    """Prompt tokens that the engine had in its prefix cache."""

    cost: float
    """What was paid, in the price list's currency; nothing where the response cache answered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LLMCall:
    """A call to a language model. Two calls are equal whatever was measured."""

    stage: str
    """The stage that made it."""

    prompt: str
    """The prompt's file in `pipeline/prompts`, without its ending."""

    model: str
    """The model that answered."""

    prompt_tokens: int
    """As the engine counted them."""

    completion_tokens: int
    """Tokens of the reply."""

    finish_reason: str
    """How the reply ended: `stop`, `length`, ..."""

    cut: tuple[str, ...] = ()
    """What was cut from a prompt that was longer than the context, in words."""

    key: str = ""
    """What the response cache keeps the prompt as it was sent, and the reply as it came, under."""

    reference_share: float | None = None
    """The share of the row's reference, in runs of five words, that stood in what was sent; None without a reference.
    The contamination audit reads it, nothing else."""

    measured: CallMeasures | None = field(default=None, compare=False)
    """Travels with the row, and is stored apart from the results, which are equal from run to run."""

    @property
    def gave_nothing(self) -> bool:
        """Whether its reply, the last one to its question, could not be used."""
        return any(words.startswith(USELESS_REPLY) for words in self.cut)
