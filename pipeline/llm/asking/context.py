"""Prompts within a model's context: what is cut from one that is too long, in a stated order."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.errors import StageFailure
from pipeline.llm.asking.prompt_files import render
from pipeline.llm.protocol import ChatRequest, Message, Sampling
from pipeline.llm.tokens import estimate_prompt

CUT_ORDER = (
    "template",
    "template_draft",
    "second_sample",
    "sample",
    "code_draft",
    "chain",
    "examples",
    "attributes",
)
"""What may be cut, and in which order: the template and the draft made from it, then samples and the draft made from
them (a chain of thought or examples stand in a sample's place), then the attributes. Requirement and plan never are."""

_CHARACTERS_PER_TOKEN = 3.0
"""Fewer than a token has on average, so that one cut is usually enough."""


def fit(
    name: str, parts: Mapping[str, str], sampling: Sampling, room: int | None, schema: str | None = None
) -> tuple[ChatRequest, tuple[str, ...]]:
    """The request for a prompt, with at most `room` estimated tokens, and what was cut for that, in words.

    Texts are cut at their end, by whole lines. Raises StageFailure `prompt_too_long` where all that may be cut is not
    enough.
    """
    parts = dict(parts)
    characters: dict[str, tuple[int, int]] = {}  # of each part that was cut: before, and now
    request = _request(render(name, **parts), sampling, schema)
    if room is None:
        return request, ()
    for part in CUT_ORDER:
        while (excess := estimate_prompt(request) - room) > 0 and parts.get(part):
            whole = parts[part]
            parts[part] = _shorter(whole, int(excess * _CHARACTERS_PER_TOKEN) + 1)
            request = _request(render(name, **parts), sampling, schema)
            before, _ = characters.get(part, (len(whole), 0))
            characters[part] = before, len(parts[part])
    if (excess := estimate_prompt(request) - room) > 0:
        raise StageFailure(
            "prompt_too_long",
            f"prompt {name} is about {excess} tokens longer than the {room} that the context leaves it, even without "
            "what may be cut; set a larger context_length or a smaller max_tokens",
        )
    cut = [f"{part}: {now} of {before} characters kept" for part, (before, now) in characters.items()]
    return request, tuple(cut)


def _request(messages: tuple[Message, ...], sampling: Sampling, schema: str | None) -> ChatRequest:
    return ChatRequest(messages=messages, sampling=sampling, schema=schema)


def _shorter(text: str, excess: int) -> str:
    """The text without at least `excess` characters at its end; whole lines, unless its first line is too long."""
    kept = text[: max(0, len(text) - excess)]
    whole, line_break, _ = kept.rpartition("\n")
    return whole if line_break else kept
