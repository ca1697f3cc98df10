"""The prompts: a Jinja file a call, with a block for each message. A part that is needed and not given is an error.

Order decides what an engine's prefix cache can share, so every prompt goes from what most calls have in common to what
one call has alone: the system prompt (all calls of all methods), then the row (requirement, what is said of the data,
what was read in both, plan, nearest sample), then what the call has alone, and last what is to be done.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, meta

from pipeline.errors import DLCodeGenError
from pipeline.llm.protocol import Message, Role

_FOLDER = Path(__file__).parents[2] / "prompts"
_ROLES: tuple[Role, ...] = ("system", "user")
_FIRST_COMMENT = re.compile(r"\A\{#\s*(.*?)\s*#\}", re.DOTALL)


def prompt_names() -> tuple[str, ...]:
    """All prompts, in alphabetical order; parts that several share (their names start with `_`) are none."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.jinja") if not path.name.startswith("_")))


@cache
def prompts_version() -> str:
    """Sixteen hexadecimal digits that name what all prompts say, shared parts included."""
    digest = hashlib.sha256()
    for path in sorted(_FOLDER.glob("*.jinja")):
        digest.update(f"{path.name}\0{path.read_text(encoding='utf-8')}\0".encode())
    return digest.hexdigest()[:16]


def prompt_source(name: str) -> str:
    """A prompt's file as it is. Raises DLCodeGenError for an unknown name."""
    if name not in prompt_names():
        raise DLCodeGenError(f"there is no prompt {name!r}; there are {', '.join(prompt_names())}")
    return (_FOLDER / f"{name}.jinja").read_text(encoding="utf-8")


def prompt_text(name: str) -> str:
    """A prompt's messages under their roles, shared parts filled in, with `{{ names }}` for the parts of a row. Raises
    DLCodeGenError for an unknown name."""
    prompt_source(name)
    return "\n\n".join(f"[{message.role}]\n{message.content}" for message in render(name, **_names_of(name)))


def _names_of(name: str) -> dict[str, _Name]:
    """Each part that a prompt takes, those of the shared parts it includes as well, as its own name."""
    environment = _environment()
    parts: set[str] = set()
    files = [f"{name}.jinja"]
    while files:
        tree = environment.parse((_FOLDER / files.pop()).read_text(encoding="utf-8"))
        parts |= meta.find_undeclared_variables(tree)
        files += [file for file in meta.find_referenced_templates(tree) if file is not None]
    return {part: _Name(part) for part in parts}


class _Name:
    """Stands for a part of a row: shown as `{{ name }}`, its items as `{{ name[0] }}`, its fields as `{{ name.x }}`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __str__(self) -> str:
        return f"{{{{ {self._name} }}}}"

    def __iter__(self) -> Iterator[_Name]:
        yield _Name(f"{self._name}[0]")

    def __getattr__(self, field: str) -> _Name:
        if field.startswith("__"):
            raise AttributeError(field)
        return _Name(f"{self._name}.{field}")


def prompt_purpose(name: str) -> str:
    """What a prompt's first comment says about it."""
    comment = _FIRST_COMMENT.match(prompt_source(name))
    return comment[1] if comment else ""


def render(name: str, **parts: object) -> tuple[Message, ...]:
    """The prompt's messages. Raises jinja2.UndefinedError where a part is missing."""
    template = _prompt_file(name)
    messages = []
    for role in _ROLES:
        if role in template.blocks:
            text = "".join(template.blocks[role](template.new_context(dict(parts))))
            messages.append(Message(role=role, content=text.strip()))
    return tuple(messages)


@cache
def _prompt_file(name: str) -> Template:
    return _environment().get_template(f"{name}.jinja")


@cache
def _environment() -> Environment:
    # Nothing is escaped: a prompt is plain text, and code in it must stay code.
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
