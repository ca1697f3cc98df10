"""Settings of a language model: which one, how it is reached, and what it costs."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_serializer, field_validator

from pipeline.config.endpoints import ENDPOINTS, Prefill
from pipeline.config.settings import AUTO, Settings
from pipeline.foreign_text import masked_url


class PriceSettings(Settings):
    """What a million tokens cost, in a currency of your own."""

    input: float = Field(0.0, ge=0)
    """Tokens of prompts."""

    cached_input: float | None = Field(None, ge=0)
    """Prompt tokens that the engine had cached; by default as `input`."""

    output: float = Field(0.0, ge=0)
    """Tokens of replies."""


class LimitSettings(Settings):
    """How an endpoint is treated. The two rates hold for the whole job, the rest for each process that calls."""

    requests_per_minute: int | None = Field(None, ge=1)
    """Calls a minute; by default as many as come."""

    tokens_per_minute: int | None = Field(None, ge=1)
    """Tokens a minute, of prompts and replies together."""

    concurrency: int = Field(64, ge=1, le=4096)
    """Calls under way at once."""

    retries: int = Field(6, ge=0)
    """How often a call is made again after an attempt that failed. In an outage it is made again as long as that is
    waited for, unless this is 0."""

    attempt_seconds: float = Field(300.0, gt=0)
    """Longest time of one attempt."""

    call_seconds: float = Field(900.0, gt=0)
    """Longest time of all attempts of a call and the pauses between them. Waiting for a free connection, for the rates
    or for an endpoint that is down does not count."""

    breaker_failures: int = Field(10, ge=1)
    """Failures in a row after which the endpoint counts as down, and is only probed."""

    outage_seconds: float = Field(120.0, ge=0)
    """How long calls wait for an endpoint that is down (no connection, 5xx), counted from the first that it did not
    answer; later rows fail at once."""


class LLMSettings(Settings):
    """Which language model writes, and how it is reached."""

    backend: Literal["none", "scripted", "openai", "vllm"] = "none"
    """`none` writes symbolically. `openai` is any OpenAI-compatible endpoint, `vllm` an engine of our own on the
    cluster, `scripted` a function for tests. `llm=openai` says the same as `llm.backend=openai`. The name of a common
    server or API (`pipeline.config.endpoints`) is `openai` with its address and its key's variable."""

    model: str = ""
    """A name that the backend knows; for `vllm` also a local folder, for `scripted` a function as `module:name`."""

    base_url: str = "https://api.openai.com/v1"
    """The endpoint's address up to and with `/v1`. What follows `?` is sent with each call. No file of ours has user,
    password and the query's values."""

    api_key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the endpoint's key."""

    cache: str = AUTO
    """The response cache's location; `auto` lies beside the run, `off` is none."""

    context_length: int | None = Field(None, ge=64)
    """Tokens of prompt and reply together; by default the model preset's."""

    engine: dict[str, Any] = Field(default_factory=dict)
    """Changes to the model's preset (`vllm`)."""

    structured: Literal["auto", "json_schema", "guided_json", "json_object", "none"] = "auto"
    """How the endpoint is asked for JSON of a schema; `auto` finds out."""

    temperature: float | None = Field(None, ge=0, le=2)
    """What the model's provider advises, for runs that name no temperature."""

    prefill: Prefill = "auto"
    """How the endpoint is asked to go on with a reply that was cut off."""

    limits: LimitSettings = LimitSettings()
    """Rates, retries and times."""

    price: PriceSettings = PriceSettings()
    """What tokens cost."""

    @classmethod
    def _completed(cls, groups: dict[str, Any]) -> dict[str, Any]:
        """The name of a common endpoint stands for what is known of it; what is given besides goes before."""
        endpoint = ENDPOINTS.get(str(groups.get("backend")))
        if endpoint is None:
            return groups
        known = {name: getattr(endpoint, name) for name in ("base_url", "api_key_env", "temperature", "prefill")}
        return {**known, **groups, "backend": "openai"}

    @field_validator("backend", mode="before")
    @classmethod
    def _is_known(cls, name: object) -> object:
        kinds = ("none", "scripted", "openai", "vllm")
        if isinstance(name, str) and name not in kinds:
            raise ValueError(f"{name} is none of {', '.join([*kinds, *ENDPOINTS])}")
        return name

    @field_validator("model", "cache", "api_key_env", mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        """To YAML `off` is no word but false, a model called 123 a number, and nothing (`api_key_env=`) no text."""
        if value is False:
            return "off"
        if value is None:
            return ""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        return value

    @field_validator("api_key_env")
    @classmethod
    def _names_a_variable(cls, name: str) -> str:
        """A key in its place would be in the manifest, so the message does not repeat it."""
        if not re.fullmatch(r"([A-Za-z_]\w*)?", name, re.ASCII):
            raise ValueError("this is no name of an environment variable; put the key into one and give its name")
        return name

    @field_serializer("base_url", when_used="json")
    def _without_secrets(self, url: str) -> str:
        """As manifests and reports have it."""
        return masked_url(url)

    def cache_for(self, out: str) -> str | None:
        """The response cache's location for a run in the folder `out`: runs side by side share one. None for none."""
        if self.cache == AUTO:
            parent, _, _ = out.rstrip("/").rpartition("/")
            return f"{parent or '.'}/llm-cache"
        return None if self.cache in ("off", "") else self.cache

    def with_cache_for(self, out: str) -> LLMSettings:
        """The settings with `cache_for(out)` as the cache's location."""
        return self.model_copy(update={"cache": self.cache_for(out) or "off"})
