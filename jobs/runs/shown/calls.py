"""A row's calls as they were made: each prompt as it was sent and each reply as it came, from the response cache."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pipeline.calls import LLMCall
from pipeline.config import LLMSettings
from pipeline.errors import DLCodeGenError
from pipeline.llm.spending.cache import ResponseCache
from pipeline.records import Scored
from pipeline.storage.files import join, read_bytes, write_bytes

NOT_KEPT = "(not in the response cache: cache=off, removed since, or a reply that did not end by itself)"
NO_PROMPT = "(kept by an earlier version, which kept replies alone)"


def cache_of_run(run: str) -> ResponseCache | None:
    """The response cache that a run's manifest names; None for `cache=off` and for a run without a language model.
    Raises DLCodeGenError where the run has no manifest."""
    try:
        settings = json.loads(read_bytes(join(run, "manifest.json")))["settings"]["llm"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DLCodeGenError(
            f"{run}: no manifest.json that names its response cache ({error}); finish the run"
        ) from error
    if not isinstance(settings, dict):
        return None  # of a run that was made before settings lay in groups
    known = {name: settings[name] for name in ("backend", "cache") if name in settings}
    location = LLMSettings.model_validate(known).cache_for(run)
    return ResponseCache(location) if location else None


def call_texts(record: Scored, cache: ResponseCache | None) -> Iterator[str]:
    """Each call as a text: what it was, what was sent, and what came."""
    for number, call in enumerate(record.calls, start=1):
        yield f"{_heading(number, call)}\n\n{_exchange(call, cache)}"


def calls_text(record: Scored, cache: ResponseCache | None) -> str:
    """All calls of a row in one text, as it is shown and as its file is written."""
    if not record.calls:
        return f"{record.id}: no language model was asked\n"
    return "\n\n".join(call_texts(record, cache)) + "\n"


def write_calls(record: Scored, cache: ResponseCache | None, folder: str) -> str:
    """Writes the row's calls as one file, and gives its path."""
    # An id is a file name of a run's projects already.
    path = str(Path(folder) / f"{record.id}.calls.txt")
    write_bytes(path, calls_text(record, cache).encode())
    return path


def _heading(number: int, call: LLMCall) -> str:
    tokens = f"{call.prompt_tokens:,} tokens in, {call.completion_tokens:,} out"
    parts = [
        f"call {number}: {call.stage}",
        f"prompt {call.prompt}",
        call.model,
        tokens,
        f"ended by {call.finish_reason}",
    ]
    return f"===== {', '.join(parts)}{''.join(f'; {note}' for note in call.cut)}"


def _exchange(call: LLMCall, cache: ResponseCache | None) -> str:
    kept = cache.exchange(call.key) if cache is not None and call.key else None
    if kept is None:
        return NOT_KEPT
    sent = [f"----- sent: {message.role}\n{message.content}" for message in kept.messages]
    return "\n\n".join([*(sent or [NO_PROMPT]), f"----- received\n{kept.reply.text}"])
