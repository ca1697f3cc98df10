"""Settings of writing a project: by which method, and how a language model is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from pipeline.config.settings import AUTO, Settings

Method = Literal[
    "symbolic",
    "dlcodegen",
    "direct",
    "ps",
    "c-cot",
    "cedar",
    "copy",
    "wo-cr",
    "wo-tr",
    "wo-comparison-cr",
    "wo-comparison-tr",
    "wo-cr-tr",
    "isolated-1",
    "isolated-2",
    "plain-template",
    "keep-useful",
    "direct-bare",
    "template-if-alike",
    "compare-if-unmet",
]
"""How a project is written: DLCodeGen, the paper's baselines and ablations, follow-up checks, and what needs no
language model."""

WITHOUT_LLM = ("symbolic", "copy")
"""Methods that ask no language model."""

PLAIN_TEMPERATURE = 0.6
"""Where neither a setting nor the model's preset names one: what Llama 3 and DeepSeek-R1 are published with. At the
paper's 1.5 (RQ5, Fig. 5) small models write word salad."""


class CCotSettings(Settings):
    """The chains of thought of C-CoT."""

    problems: int = Field(3, ge=1)
    """Representative requirements that stand for a task category."""

    chains: str = AUTO
    """The file the chains are kept in, or with a / at its end the folder. There, and beside the run for `auto`, the
    file's name is a digest of known plans, model and `problems`."""

    def file_for(self, out: str, digest: str) -> str:
        """Where the chains of a run in the folder `out` are."""
        if self.chains.endswith("/"):
            return f"{self.chains}{digest}.json"
        if self.chains != AUTO:
            return self.chains
        parent, _, _ = out.rstrip("/").rpartition("/")
        return f"{parent or '.'}/c-cot/{digest}.json"


class WritingSettings(Settings):
    """How a project is written, and what a language model is asked with."""

    method: Method = "symbolic"
    """In YAML and on the command line `auto`, the default, is `dlcodegen` where there is a language model, else
    `symbolic`."""

    allow_substitutes: bool = False
    """For methods without a language model: whether a row whose framework or task no sample has gets the nearest
    project, which says so at its top, instead of a failure."""

    temperature: float | None = Field(None, ge=0, le=2)
    """None, or `auto`, is what the model's preset says, else 0.6. The experiments of the paper name its own (1.5)."""

    top_p: float | None = Field(1.0, gt=0, le=1)
    """Share of the probability that tokens are drawn from (nucleus sampling)."""

    max_tokens: int = Field(4096, ge=16)
    """Tokens of a reply; never more than half of the context."""

    continuations: int = Field(2, ge=0)
    """How often a reply that was cut off by its length is continued."""

    reading: Literal["rules", "model"] = "rules"
    """Who reads what a request asks for: rules alone, or the language model too, with one more call a row. The rules
    know English, and in other languages numbers, names and loan words."""

    mend: int = Field(0, ge=0, le=5)
    """How often a finished project is sent back to the language model with what was found in it (names never defined,
    wrong calls, what was asked for and is not done), as long as something is found. Each time is one more call."""

    c_cot: CCotSettings = CCotSettings()
    """What C-CoT, and ablations that draw on it, need besides."""

    seed: int | None = 0
    """Each call has a seed of its own, made from this one, the row, the prompt and the attempt. Part of a run's
    identity; nothing in the symbolic default is random."""

    @field_validator("temperature", mode="before")
    @classmethod
    def _left_to_the_model(cls, value: object) -> object:
        return None if value == AUTO else value
