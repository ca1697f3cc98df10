"""What all groups of settings have in common, and the short words for those that lie in a group.

A setting is named by its path (`writing.temperature=1.0`) or, where the table below has one, by its short word
(`temperature=1.0`): on the command line, in YAML, and as an argument in Python (`GenerateConfig(temperature=1.0)`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from pipeline.errors import DLCodeGenError

AUTO = "auto"

SHORT_WORDS = {
    "llm": "llm.backend",
    "llm.llm": "llm.backend",
    "model": "llm.model",
    "base_url": "llm.base_url",
    "api_key_env": "llm.api_key_env",
    "cache": "llm.cache",
    "context_length": "llm.context_length",
    "engine": "llm.engine",
    "structured": "llm.structured",
    "limits": "llm.limits",
    "price": "llm.price",
    "method": "writing.method",
    "allow_substitutes": "writing.allow_substitutes",
    "temperature": "writing.temperature",
    "top_p": "writing.top_p",
    "max_tokens": "writing.max_tokens",
    "continuations": "writing.continuations",
    "reading": "writing.reading",
    "mend": "writing.mend",
    "c_cot": "writing.c_cot",
    "seed": "writing.seed",
    "planner": "planner.use",
    "plans": "planner.plans",
    "pool": "retrieval.pool",
    "data": "data.path",
    "target": "data.target",
    "share_examples": "data.share_examples",
    "execute": "execution.enabled",
    "input": "run.input",
    "out": "run.out",
    "shard_rows": "run.shard_rows",
    "workers": "run.workers",
    "llm_workers": "run.llm_workers",
    "rows_in_flight": "run.rows_in_flight",
    "row_seconds": "run.row_seconds",
    "budget": "run.budget",
    "projects": "run.projects",
    "report_items": "run.report_items",
    "address": "run.address",
    "quiet": "run.quiet",
    "sweep": "run.sweep",
}
"""Short words and the paths they stand for. All settings were flat under these words once, so old YAML files, old
commands and the manifests of old runs are read by them. A word holds for settings that have the group it leads into:
`model` for `dlcodegen generate`, and for a judge, which has `llm` as well, but no `writing`."""


class Settings(BaseModel):
    """A group of settings. Unknown keys are errors, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _in_groups(cls, values: Any) -> Any:
        return cls._completed(grouped(cls, values)) if isinstance(values, Mapping) else values

    @classmethod
    def _completed(cls, groups: dict[str, Any]) -> dict[str, Any]:
        """The values, in their groups, with what one group decides in another. A group may still be no mapping: its
        field's own check says so later."""
        return groups


@cache
def groups_of(kind: type[Settings]) -> frozenset[str]:
    """The fields that are groups of settings themselves."""
    types = {name: field.annotation for name, field in kind.model_fields.items()}
    return frozenset(name for name, type_ in types.items() if isinstance(type_, type) and issubclass(type_, Settings))


@cache
def short_words_of(kind: type[Settings]) -> dict[str, str]:
    """The short words that hold for these settings, with their paths."""
    groups = groups_of(kind)
    return {word: path for word, path in SHORT_WORDS.items() if path.partition(".")[0] in groups}


def paths_of(kind: type[Settings]) -> Iterator[str]:
    """The paths of all settings, groups included."""
    for name, field in kind.model_fields.items():
        yield name
        if name in groups_of(kind):
            assert isinstance(field.annotation, type)
            yield from (f"{name}.{path}" for path in paths_of(field.annotation))


def path_of(kind: type[Settings], word: str) -> str:
    """The path that a word stands for: `price.output` is `llm.price.output`."""
    words = short_words_of(kind)
    if word in words:
        return words[word]
    first, dot, rest = word.partition(".")
    if first in groups_of(kind):  # `llm.model` begins with a group, not with the word `llm`
        return word
    return words.get(first, first) + dot + rest


def word_for(kind: type[Settings], path: str) -> str:
    """The shortest word for a path: `price.output` for `llm.price.output`, the path itself where there is none."""
    for word, longer in short_words_of(kind).items():
        if path == longer or path.startswith(f"{longer}."):
            return word + path.removeprefix(longer)
    return path


def grouped(kind: type[Settings], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values in their groups: {"temperature": 1.0} becomes {"writing": {"temperature": 1.0}}."""
    result: dict[str, Any] = {}
    for word, value in values.items():
        put(kind, result, str(word), value)
    for name in groups_of(kind):
        if kind.model_fields[name].is_required():
            result.setdefault(name, {})  # so that it is the setting in the group that is missing, not the group
    return result


def put(kind: type[Settings], values: dict[str, Any], word: str, value: object) -> None:
    """Puts a value where its path or short word says. A group that is given whole is put field by field: what was put
    into it by other words stays."""
    if word in groups_of(kind) and isinstance(value, Mapping | Settings):
        values.setdefault(word, {})
        for name, inner in _given_fields(value).items():
            put(kind, values, f"{word}.{name}", inner)
        return
    *groups, name = path_of(kind, word).split(".")
    for group in groups:
        values = values.setdefault(group, {})
        if not isinstance(values, dict):
            raise DLCodeGenError(f"{word}: {group} is not a group of settings")
    values[name] = dict(value) if isinstance(value, Mapping) else value


def _given_fields(group: Mapping[str, Any] | Settings) -> Mapping[str, Any]:
    """A group's fields, without those that were left to their defaults."""
    if isinstance(group, Settings):
        return {name: getattr(group, name) for name in sorted(group.model_fields_set)}
    return group
