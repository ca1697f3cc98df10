"""How settings are read: defaults, then a YAML file, then `key=value` arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.config.settings import Settings, grouped, path_of, paths_of, put, short_words_of, word_for
from pipeline.errors import DLCodeGenError
from pipeline.storage.opening import open_input
from pipeline.yaml_text import yaml_value

S = TypeVar("S", bound=Settings)


def load_settings(kind: type[S], file: str | None = None, overrides: Iterable[str] = (), **given: object) -> S:
    """Settings of a kind: `given` over `key=value` overrides (dots reach into groups) over the YAML file.

    Raises DLCodeGenError that names the key at fault.
    """
    values = grouped(kind, _read_yaml(file)) if file else {}
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator or not key:
            raise DLCodeGenError(f"{override!r} is not a setting; write key=value, for example retrieval.top=3")
        try:
            put(kind, values, key.strip(), yaml_value(text))
        except ValueError as error:
            # The value is not repeated: it may be an address with a password.
            raise DLCodeGenError(f"{key}: its value cannot be read as YAML; put it in quotes") from error
    for word, value in given.items():
        put(kind, values, word, value)
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(_problem(kind, details) for details in error.errors())
        raise DLCodeGenError(f"settings{f' in {file}' if file else ''}: {problems}") from None


def _problem(kind: type[Settings], details: ErrorDetails) -> str:
    path = ".".join(map(str, details["loc"]))
    word = word_for(kind, path)
    if details["type"] == "missing":
        return f"{word} is missing; give {word}=..." + (" or --out DIR" if word == "out" else "")
    if details["type"] == "extra_forbidden":
        nearest = nearest_word(kind, path)
        return f"there is no setting {path}" + (f"; did you mean {nearest}?" if nearest else "")
    return f"{word}: {details['msg']}"


def nearest_word(kind: type[Settings], wrong: str) -> str | None:
    """The setting that a wrong word or path was probably meant for: one of the same name in another group, else the one
    that is written most like it."""
    paths = list(paths_of(kind))
    name = wrong.rpartition(".")[2]
    for path in paths:
        if path.rpartition(".")[2] == name:
            return path
    words = [word for word in short_words_of(kind) if path_of(kind, word) in paths]
    return next(iter(get_close_matches(wrong, [*words, *paths], n=1)), None)


def _read_yaml(file: str) -> dict[str, Any]:
    try:
        with open_input(file) as stream:
            values = yaml_value(stream) or {}
    except (OSError, ValueError) as error:
        raise DLCodeGenError(f"{file}: cannot be read as YAML settings ({error})") from error
    if not isinstance(values, Mapping):
        raise DLCodeGenError(f"{file}: settings are `key: value` lines, not a {type(values).__name__}")
    return dict(values)
