"""Settings of the pipeline, and how they are read: defaults, then a YAML file, then `key=value` arguments."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self, TypeVar

import fsspec
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline.errors import DLCodeGenError
from pipeline.inputs.artifact import is_artifact
from pipeline.starter import STARTER

AUTO = "auto"


class Settings(BaseModel):
    """A group of settings. Unknown keys are errors, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_PLANNER_FOLDERS = {"retrieval": (False,), "hybrid": (False, True), "gpt2": (True,), "llm": (False,)}
"""The planners, and whether `:DIR` follows the name."""


class PlannerSettings(Settings):
    """`use`: the planner, `retrieval`, `hybrid`, `hybrid:DIR`, `gpt2:DIR` or `llm`; `planner=hybrid:DIR` says the same.
    `neighbours`: known plans that vote on a new one in `retrieval`; `examples`: those that `llm` is shown (the paper: 3
    and 5)."""

    use: str = "retrieval"
    neighbours: int = Field(12, ge=1)
    examples: int = Field(5, ge=1)

    @property
    def kind(self) -> str:
        return self.use.partition(":")[0]

    @property
    def folder(self) -> str:
        """Where the planner was fitted or trained to, a path or fsspec URL; "" where it is made from known plans."""
        return self.use.partition(":")[2]

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, values: Any) -> Any:
        return {"use": values} if isinstance(values, str) else values

    @field_validator("use")
    @classmethod
    def _is_planner(cls, use: str) -> str:
        kind, _, folder = use.partition(":")
        if bool(folder) not in _PLANNER_FOLDERS.get(kind, ()):
            raise ValueError(f"{use!r} is no planner; write retrieval, hybrid, hybrid:DIR, gpt2:DIR or llm")
        return use


class RetrievalSettings(Settings):
    """`top`: samples a row gets; the first is for Code RAG, the first two for Template RAG (paper, section III.B-C).

    The similarities are the contamination firewall's thresholds; above 1 nothing is kept out.
    """

    top: int = Field(2, ge=1)
    requirement_similarity: float = Field(0.8, ge=0)
    code_similarity: float = Field(0.5, ge=0)


class CCotSettings(Settings):
    """The chains of thought of C-CoT: `problems` representative requirements stand for a task category. `chains` is the
    file they are kept in, or with a / at its end the folder: there, and beside the run for `auto`, the file has a name
    that tells plans, model and settings apart."""

    problems: int = Field(3, ge=1)
    chains: str = AUTO

    def file_for(self, out: str, digest: str) -> str:
        """Where the chains of a run in the folder `out` are."""
        if self.chains != AUTO:
            return f"{self.chains}{digest}.json" if self.chains.endswith("/") else self.chains
        parent, _, _ = out.rstrip("/").rpartition("/")
        return f"{parent or '.'}/c-cot/{digest}.json"


class PriceSettings(Settings):
    """What tokens cost, in a currency of your own per million; `cached_input` is for prompt tokens that the engine
    had cached."""

    input: float = Field(0.0, ge=0)
    cached_input: float | None = Field(None, ge=0)
    output: float = Field(0.0, ge=0)


class LimitSettings(Settings):
    """How an endpoint is treated. Rates hold for the whole job, the rest for each process that calls.

    A call gets at most `call_seconds` of attempts and pauses, an attempt `attempt_seconds`; waiting for a free
    connection or for the rates does not count. After `breaker_failures` failures in a row the endpoint counts as down:
    it is only probed, and once it has been down for `outage_seconds`, rows fail without asking it.
    """

    requests_per_minute: int | None = Field(None, ge=1)
    tokens_per_minute: int | None = Field(None, ge=1)
    concurrency: int = Field(64, ge=1, le=4096)
    retries: int = Field(6, ge=0)
    attempt_seconds: float = Field(300.0, gt=0)
    call_seconds: float = Field(900.0, gt=0)
    breaker_failures: int = Field(10, ge=1)
    outage_seconds: float = Field(120.0, ge=0)


class LLMSettings(Settings):
    """Which language model writes, and how it is reached.

    `llm` is the backend: `none` writes symbolically; `openai` is any OpenAI-compatible endpoint at `base_url` (up to
    and with `/v1`), whose key is in the environment variable `api_key_env`; `vllm` an engine of our own on the cluster;
    `scripted` a function for tests, with `model` its `module:name`. `model` is a name that the backend knows, or for
    `vllm` also a local folder. `cache` is the response cache's location: `auto` lies beside the run, `off` is none.
    `context_length` counts prompt and reply, in tokens; by default the model preset's. `structured` is how the endpoint
    is asked for JSON of a schema; `auto` finds out. `engine` changes settings of the model's preset (`vllm`).
    """

    llm: Literal["none", "scripted", "openai", "vllm"] = "none"
    model: str = ""
    base_url: str = "https://api.openai.com/v1"
    api_key_env: str = "OPENAI_API_KEY"
    cache: str = AUTO
    context_length: int | None = Field(None, ge=64)
    engine: dict[str, Any] = Field(default_factory=dict)
    structured: Literal["auto", "json_schema", "guided_json", "json_object", "none"] = "auto"
    limits: LimitSettings = LimitSettings()
    price: PriceSettings = PriceSettings()

    def cache_for(self, out: str) -> str | None:
        """The response cache's location for a run in the folder `out`: runs side by side share one. None for none."""
        if self.cache == AUTO:
            parent, _, _ = out.rstrip("/").rpartition("/")
            return f"{parent or '.'}/llm-cache"
        return None if self.cache in ("off", "") else self.cache


_HOW_IT_IS_REACHED = ("api_key_env", "base_url", "cache", "engine", "limits", "price", "structured")
"""Settings of a model that change nothing about what it answers."""


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
]
"""How a project is written: DLCodeGen, the paper's baselines and ablations, follow-up checks, and what needs no
language model."""


class WritingSettings(LLMSettings):
    """How a language model is asked to write.

    `method` is by default `dlcodegen` where there is an `llm`, else `symbolic`. The temperature is the best one of the
    paper (section IV, RQ5, Fig. 5: CodeBLEU 27.96 at 1.5). A reply has at most `max_tokens`, and at most half of the
    context; one that is cut off is continued up to `continuations` times.
    """

    method: Method = "symbolic"
    temperature: float = Field(1.5, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    max_tokens: int = Field(4096, ge=16)
    continuations: int = Field(2, ge=0)
    c_cot: CCotSettings = CCotSettings()

    @model_validator(mode="before")
    @classmethod
    def _default_method(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("method", AUTO) == AUTO:
            return values | {"method": "symbolic" if values.get("llm", "none") == "none" else "dlcodegen"}
        return values


class PipelineSettings(WritingSettings):
    """What decides a row's result. Two runs with equal settings and input give equal bytes.

    `pool` and `plans` are locations: `starter`, a checkout of the published artifact, or a file; `auto` is the input
    itself where that is an artifact, else `starter`. `seed` is part of a run's identity; nothing in the symbolic
    default is random.
    """

    seed: int = 0
    pool: str = AUTO
    plans: str = AUTO
    planner: PlannerSettings = PlannerSettings()
    retrieval: RetrievalSettings = RetrievalSettings()

    def for_input(self, url: str) -> Self:
        """The settings with `auto` locations settled for an input."""
        own = url if is_artifact(url) else STARTER
        return self.model_copy(update={name: own for name in ("pool", "plans") if getattr(self, name) == AUTO})

    def digest(self) -> str:
        """Twelve hexadecimal digits that name these settings."""
        fields = PipelineSettings.model_fields
        chosen = {name: getattr(self, name) for name in fields if name not in _HOW_IT_IS_REACHED}
        return hashlib.sha256(PipelineSettings(**chosen).model_dump_json().encode()).hexdigest()[:12]


S = TypeVar("S", bound=Settings)


def load_settings(kind: type[S], file: str | None = None, overrides: Iterable[str] = (), **given: object) -> S:
    """Settings of a kind: `given` over `key=value` overrides (dots reach into groups) over the YAML file.

    Raises DLCodeGenError that names the key at fault.
    """
    values: dict[str, Any] = _read_yaml(file) if file else {}
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator or not key:
            raise DLCodeGenError(f"{override!r} is not a setting; write key=value, for example retrieval.top=3")
        try:
            _set(values, key.strip().split("."), yaml.safe_load(text))
        except yaml.YAMLError as error:
            raise DLCodeGenError(f"{override!r}: the value cannot be read ({error})") from error
    values |= given
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(
            _problem(".".join(map(str, item["loc"])), item["type"], item["msg"]) for item in error.errors()
        )
        raise DLCodeGenError(f"settings{f' in {file}' if file else ''}: {problems}") from None


def _problem(key: str, kind: str, message: str) -> str:
    if kind == "missing":
        return f"{key} is missing; give {key}=..." + (" or --out DIR" if key == "out" else "")
    return f"there is no setting {key}" if kind == "extra_forbidden" else f"{key}: {message}"


def _read_yaml(file: str) -> dict[str, Any]:
    try:
        with fsspec.open(file, "r") as stream:
            values = yaml.safe_load(stream) or {}
    except (OSError, yaml.YAMLError) as error:
        raise DLCodeGenError(f"{file}: cannot be read as YAML settings ({error})") from error
    if not isinstance(values, Mapping):
        raise DLCodeGenError(f"{file}: settings are `key: value` lines, not a {type(values).__name__}")
    return dict(values)


def _set(values: dict[str, Any], path: list[str], value: object) -> None:
    for name in path[:-1]:
        inner = values.setdefault(name, {})
        if not isinstance(inner, dict):
            raise DLCodeGenError(f"{'.'.join(path)}: {name} is not a group of settings")
        values = inner
    values[path[-1]] = value
