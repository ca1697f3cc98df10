"""What servers say of a request that is longer than their model's context: how long that is, and the prompt."""

from __future__ import annotations

import re
from dataclasses import dataclass

TOO_LONG = re.compile(
    r"context[_ ]length[_ ]exceeded|exceed_context|context (?:length|window|size|limit)|maximum length|max_model_len"
    r"|prompt is too long|too many tokens|input token count|too large for model with|must be <= \d+\. Given",
    re.IGNORECASE,
)
"""What says that a prompt, or a prompt with its reply, is too long. Messages of vLLM, SGLang, TGI, llama.cpp, OpenAI's,
DeepSeek's, Mistral's, Anthropic's and Google's APIs."""

_CONTEXT = re.compile(
    r"context limit: \d+ \+ \d+ > (?P<sum>\d{2,9})|context (?:length|window|size|limit)[^\d.]{0,30}(?P<behind>\d{2,9})"
    r"|(?P<before>\d{2,9}) maximum context|> (?P<more>\d{2,9}) maximum|must be <= (?P<most>\d{2,9})"
    r"|tokens allowed \((?P<allowed>\d{2,9})",
    re.IGNORECASE,
)
_PROMPT = re.compile(
    r"(?<!at least )\b(?P<behind>\d{1,9})(?: tokens)?(?: of (?:text )?input| input tokens| in the messages"
    r"| prompt tokens| `inputs` tokens| from the input)"
    r"|(?:input|request|count) \((?P<brackets>\d{1,9})|prompt contains (?P<prompt>\d{1,9}) tokens"
    r"|too long: (?P<long>\d{1,9})|resulted in (?P<messages>\d{1,9})|context limit: (?P<sum>\d{1,9}) \+",
    re.IGNORECASE,
)
"""vLLM's "at least 6193 input tokens" is where it stopped counting, and no length of the prompt."""

_REPLY = re.compile(r"requested (?P<tokens>\d{1,9}) output tokens", re.IGNORECASE)

_LEAST_ROOM, _LEAST_SHARE = 128, 8
"""Tokens, or one part in so many of a short context: for a shorter reply it is better to shorten the prompt."""


@dataclass(frozen=True, slots=True)
class ContextCounts:
    """Tokens as a server counts them."""

    context: int
    """Of its model's context."""

    prompt: int
    """Of the prompt."""


def context_counts(reason: str) -> ContextCounts | None:
    """How long a server says its context and the prompt are; None where it does not say both."""
    context, prompt = _number(_CONTEXT, reason), _number(_PROMPT, reason)
    if context is None or prompt is None:
        return None
    return ContextCounts(context, prompt)


def room_for_reply(reason: str) -> int | None:
    """The tokens that a reply may have, where a server says that prompt and reply together are too long and the prompt
    leaves room; None where it does not say so, or leaves none to speak of."""
    counts = context_counts(reason)
    if counts is not None:
        room = counts.context - counts.prompt
        return room if room >= min(_LEAST_ROOM, counts.context // _LEAST_SHARE) else None
    # A server that took the longest reply off first did not count the prompt: half of the context lets it.
    context, reply = _number(_CONTEXT, reason), _number(_REPLY, reason)
    if context is not None and reply is not None and reply > context // 2:
        return context // 2
    return None


def _number(pattern: re.Pattern[str], reason: str) -> int | None:
    match = pattern.search(reason)
    if match is None:
        return None
    return int(next(group for group in match.groups() if group))
