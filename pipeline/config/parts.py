"""The settings that decide a row's result, and their digest."""

from __future__ import annotations

import hashlib
from typing import Any, Literal, Self

from pydantic import Field, field_validator
from pydantic_core import to_json

from pipeline.config.execution import ExecutionSettings
from pipeline.config.llm import LLMSettings
from pipeline.config.settings import AUTO, Settings
from pipeline.config.writing import WITHOUT_LLM, WritingSettings
from pipeline.inputs.artifact import is_artifact
from pipeline.starter import STARTER

_PLANNER_FOLDERS = {"retrieval": (False,), "hybrid": (False, True), "gpt2": (True,), "llm": (False,)}
"""The planners, and whether `:DIR` follows the name."""


_ONCE_DEFAULT = 1.5
"""The temperature of runs that named none, when all had one: those that ask no model still have it in their digest."""

_ONCE_EXAMPLES = 5
"""Examples of `planner=llm` when that number was set for all planners."""


class PlannerSettings(Settings):
    """Who plans, and from which known plans."""

    use: str = "retrieval"
    """`retrieval`, `hybrid`, `hybrid:DIR`, `gpt2:DIR` or `llm`. `planner=hybrid:DIR` says the same as
    `planner.use=hybrid:DIR`. In settings with a language model the default, `auto`, is `llm`."""

    neighbours: int = Field(12, ge=1)
    """Known plans that vote on a new one in `retrieval`."""

    examples: int = Field(3, ge=1)
    """Known plans that `llm` is shown (the paper: 3 and 5)."""

    plans: str = AUTO
    """The known plans' location: `starter`, a checkout of the published artifact, or a file; `auto` is the input itself
    where that is an artifact, else `starter`."""

    @property
    def kind(self) -> str:
        """The planner's name."""
        return self.use.partition(":")[0]

    @property
    def folder(self) -> str:
        """Where the planner was fitted or trained to, a path or fsspec URL; "" where it is made from known plans."""
        return self.use.partition(":")[2]

    @field_validator("use")
    @classmethod
    def _is_planner(cls, use: str) -> str:
        kind, _, folder = use.partition(":")
        if bool(folder) not in _PLANNER_FOLDERS.get(kind, ()):
            raise ValueError(f"{use!r} is no planner; write retrieval, hybrid, hybrid:DIR, gpt2:DIR or llm")
        return use


class RetrievalSettings(Settings):
    """Which samples a row gets, and which the contamination firewall keeps from it. A similarity above 1 keeps nothing
    out."""

    top: int = Field(2, ge=1)
    """Samples a row gets; the first is for Code RAG, the first two for Template RAG (paper, section III.B-C)."""

    requirement_similarity: float = Field(0.8, ge=0)
    """Firewall: Jaccard similarity of two-word shingles of requirements from which a sample or plan is kept out."""

    code_similarity: float = Field(0.5, ge=0)
    """Firewall: the same for five-word shingles of a sample's code and the reference code."""

    pool: str = AUTO
    """The sample pool's location, as `planner.plans`."""

    bm25: Literal["auto", "plus", "okapi"] = "auto"
    """How words are weighed. `okapi` is the paper's; `plus` gives none a weight below zero, as Okapi does in small
    pools about one thing. `auto` is `okapi` for the published artifact's pool and `plus` for all others."""

    @property
    def bm25_variant(self) -> Literal["plus", "okapi"]:
        """The variant with `auto` settled."""
        if self.bm25 != "auto":
            return self.bm25
        return "okapi" if is_artifact(self.pool.partition("#")[0]) else "plus"


class DataSettings(Settings):
    """The user's own data, for all rows that name none themselves."""

    path: str = ""
    """A local file or folder; "" for none."""

    target: tuple[str, ...] = ()
    """The column or array that is to be predicted, or several; by default it is told from names and values."""

    share_examples: bool = False
    """Whether a few rows of a table, cut short, are shown beside its description: in prompts and in the run's files."""

    @field_validator("target", mode="before")
    @classmethod
    def _one_or_several(cls, target: Any) -> Any:
        return (target,) if isinstance(target, str) and target else target or ()


class PipelineSettings(Settings):
    """What decides a row's result. Two runs with equal settings and input give equal bytes."""

    llm: LLMSettings = LLMSettings()
    """The language model."""

    writing: WritingSettings = WritingSettings()
    """The method, and how a language model is asked."""

    planner: PlannerSettings = PlannerSettings()
    """Who plans."""

    retrieval: RetrievalSettings = RetrievalSettings()
    """Samples and firewall."""

    data: DataSettings = DataSettings()
    """The user's own data."""

    execution: ExecutionSettings = ExecutionSettings()
    """Whether the projects are run."""

    def __init__(self, **settings: Any) -> None:
        """Takes groups (`writing=...`) and short words (`temperature=...`)."""
        super().__init__(**settings)

    @classmethod
    def _completed(cls, groups: dict[str, Any]) -> dict[str, Any]:
        """Where there is a language model, the method `auto` is DLCodeGen, and a planner that is not named is the model
        itself, for methods that ask one."""
        llm, writing = groups.get("llm", {}), groups.setdefault("writing", {})
        if not isinstance(llm, dict) or not isinstance(writing, dict):
            return groups
        has_model = llm.get("backend", "none") != "none"
        if writing.get("method", AUTO) == AUTO:
            writing["method"] = "dlcodegen" if has_model else "symbolic"
        planner = groups.setdefault("planner", {})
        if isinstance(planner, dict) and planner.get("use", AUTO) == AUTO:
            asks_model = has_model and writing["method"] not in WITHOUT_LLM
            planner["use"] = "llm" if asks_model else "retrieval"
        return groups

    @property
    def asks_model(self) -> bool:
        """Whether a language model writes, or plans."""
        return self.writing.method not in WITHOUT_LLM or self.planner.kind == "llm"

    def for_input(self, url: str) -> Self:
        """The settings with `auto` locations settled for an input."""
        own = url if is_artifact(url) else STARTER
        planner, retrieval = self.planner, self.retrieval
        if planner.plans == AUTO:
            planner = planner.model_copy(update={"plans": own})
        if retrieval.pool == AUTO:
            retrieval = retrieval.model_copy(update={"pool": own})
        return self.model_copy(update={"planner": planner, "retrieval": retrieval})

    def digest(self) -> str:
        """Twelve hexadecimal digits that name what these settings ask for."""
        llm, writing, planner, retrieval = self.llm, self.writing, self.planner, self.retrieval
        # Decides nothing but what `planner=llm` is shown; others have the number in their digest that it once was.
        examples = planner.examples if planner.kind == "llm" else _ONCE_EXAMPLES
        reached = LLMSettings()  # how a model is reached changes nothing about what it answers
        # The settings as they once were, flat and in this order: run folders that were begun then are still continued.
        # A setting that is new has to stay out while it has its default.
        flat = {
            "llm": llm.backend,
            "model": llm.model,
            "base_url": reached.base_url,
            "api_key_env": reached.api_key_env,
            "cache": reached.cache,
            "context_length": llm.context_length,
            "engine": reached.engine,
            "structured": reached.structured,
            "limits": reached.limits,
            "price": reached.price,
            "method": writing.method,
            "temperature": _ONCE_DEFAULT if writing.temperature is None else writing.temperature,
            "top_p": writing.top_p,
            "max_tokens": writing.max_tokens,
            "continuations": writing.continuations,
            "c_cot": writing.c_cot,
            "seed": writing.seed,
            "pool": retrieval.pool,
            "plans": planner.plans,
            "planner": planner.model_dump(include={"use", "neighbours"}) | {"examples": examples},
            "retrieval": retrieval.model_dump(include={"top", "requirement_similarity", "code_similarity"}),
        }
        if self.data != DataSettings():
            flat["data"] = self.data.model_dump()
        if writing.reading != "rules":
            flat["reading"] = writing.reading
        if writing.mend:
            flat["mend"] = writing.mend
        if writing.allow_substitutes:
            flat["allow_substitutes"] = True
        if retrieval.bm25 != "auto":
            flat["bm25"] = retrieval.bm25
        if self.execution.enabled:
            flat["execution"] = self.execution.deciding()
        return hashlib.sha256(to_json(flat)).hexdigest()[:12]
