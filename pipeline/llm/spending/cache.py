"""The response cache: every reply once, under the digest of what was asked, on disk or any fsspec URL.

    <location>/ab/c/abc123....json     the sha256 of what follows, a line break, prompt and reply as JSON

These hold what was asked for in someone's name, so a location on disk is its owner's alone: folder 0700, files 0600.
Entries are written whole or not at all and never changed, so any number of jobs may share a location. An entry whose
digest does not fit (a torn upload, a bad disk) counts as missing and is replaced by the next reply.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import DLCodeGenError
from pipeline.llm.protocol import ChatReply, ChatRequest, Message, Usage
from pipeline.storage.files import TEMPORARY, join, read_bytes, remove, write_bytes
from pipeline.storage.layout_version import UNNAMED_VERSION, check_version
from pipeline.storage.opening import located

CACHE_VERSION = 2
"""The layout of an entry; from 2 on the prompt is kept as well. Raise it when a field goes or comes to mean something
else; then `read_entry` has to take the older entries along."""

_KEY_VERSION = 1
"""Part of every key. Raising it means that no reply that was kept before is found again."""

_ABANDONED_SECONDS = 3600.0
"""A file that has been in writing for that long has lost its writer."""

_IS_OURS = re.compile(r"[0-9a-f]{2}")
"""The folders of a cache."""

log = logging.getLogger(__name__)


def request_key(model: str, request: ChatRequest) -> str:
    """The sha256, in 64 hexadecimal digits, of all that decides a reply: model, messages, sampling, seed, schema."""
    sampling = request.sampling
    # As floats: a temperature of 1 from YAML and one of 1.0 are the same request.
    top_p = None if sampling.top_p is None else float(sampling.top_p)
    decides: list[Any] = [
        _KEY_VERSION,
        model,
        [[message.role, message.content] for message in request.messages],
        [float(sampling.temperature), top_p, sampling.max_tokens, sampling.seed, list(sampling.stop)],
        request.schema,
        request.logprobs,
    ]
    if request.continues:  # not in the key of others, so that what was kept before it came is found
        decides.append("continues")
    return hashlib.sha256(json.dumps(decides, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry's file."""

    url: str
    """Its address."""

    size: int
    """In bytes."""

    written: float
    """When, in seconds since 1970."""

    @property
    def key(self) -> str:
        return self.url.rsplit("/", 1)[-1].removesuffix(".json")


@dataclass(frozen=True, slots=True)
class KeptExchange:
    """A prompt as it was sent, and the reply as it came."""

    messages: tuple[Message, ...]
    """None in entries of earlier versions, which kept replies alone."""

    reply: ChatReply


class ResponseCache:
    """Replies by key. Raises DLCodeGenError for a location that cannot be used."""

    def __init__(self, location: str) -> None:
        self.location = location.rstrip("/")
        try:
            self._filesystem, self._root = located(self.location)
        except DLCodeGenError as error:
            raise DLCodeGenError(f"cache={error}") from error
        self._warned = False
        self._is_local = isinstance(self._filesystem, LocalFileSystem)
        if self._is_local:
            self._keep_private()

    def _keep_private(self) -> None:
        """Takes the folder away from all others; one that is not there is made when the first reply is kept. Where that
        cannot be, it is said in the log."""
        if not os.path.isdir(self._root) or not os.stat(self._root).st_mode & 0o077:
            return
        reason = ""
        try:
            if all(_IS_OURS.fullmatch(name) for name in os.listdir(self._root)):
                os.chmod(self._root, 0o700)
            else:
                reason = "other files lie there; choose a folder of its own"
        except OSError as error:
            reason = str(error.strerror)
        if reason:
            log.warning("cache=%s: others can read the replies (%s)", self.location, reason)

    def url(self, key: str) -> str:
        return join(self.location, key[:2], key[2], f"{key}.json")

    def get(self, key: str) -> ChatReply | None:
        """The reply under a key, marked as cached; None where there is none, or only a damaged one."""
        try:
            return read_entry(read_bytes(self.url(key)), key)
        except (FileNotFoundError, ValueError):
            return None
        except OSError as error:
            raise DLCodeGenError(f"cache={self.location}: cannot be read ({error}); cache=off goes without") from error

    def exchange(self, key: str) -> KeptExchange | None:
        """The prompt and the reply under a key; None where there is no entry, or only a damaged one."""
        try:
            data = read_bytes(self.url(key))
            reply = read_entry(data, key)
        except (FileNotFoundError, ValueError):
            return None
        except OSError as error:
            raise DLCodeGenError(f"cache={self.location}: cannot be read ({error})") from error
        sent = json.loads(data.partition(b"\n")[2]).get("messages", ())
        return KeptExchange(tuple(Message(role=role, content=content) for role, content in sent), reply)

    def put(self, key: str, model: str, reply: ChatReply, request: ChatRequest | None = None) -> None:
        """Keeps a reply, and the request's messages for people to read. Where that fails (a full disk), the reply is
        still good: it is said once in the log."""
        body = {"version": CACHE_VERSION, "key": key, "model": model} | asdict(reply)
        if request is not None:
            body["messages"] = [[message.role, message.content] for message in request.messages]
        if not reply.goes_on:  # earlier programs that share the cache do not know it
            del body["goes_on"]
        text = json.dumps(body, separators=(",", ":")).encode()
        try:
            if self._is_local:
                os.makedirs(self._root, mode=0o700, exist_ok=True)
            write_bytes(self.url(key), hashlib.sha256(text).hexdigest().encode() + b"\n" + text, private=True)
        except OSError as error:
            if not self._warned:
                log.warning("cache=%s: replies cannot be kept (%s)", self.location, error)
            self._warned = True

    def entries(self) -> Iterator[Entry]:
        """All entries, in no particular order. What is still being written is none."""
        for path, info in self._files().items():
            if path.endswith(".json") and TEMPORARY not in path:
                yield Entry(self._filesystem.unstrip_protocol(path), int(info.get("size") or 0), _written(info))

    def model_of(self, entry: Entry) -> str | None:
        """The model whose reply an entry holds; None for a damaged entry."""
        try:
            data = read_bytes(entry.url)
            read_entry(data, entry.key)
        except (OSError, ValueError):
            return None
        return str(json.loads(data.partition(b"\n")[2])["model"])

    def collect(self, *, older_than: float | None = None, keep_bytes: int | None = None) -> list[Entry]:
        """Removes entries written more than `older_than` seconds ago, then the oldest ones until the rest has at most
        `keep_bytes`; also what killed writers left. Gives the removed entries."""
        now, removed = time.time(), []
        entries = sorted(self.entries(), key=lambda entry: entry.written)
        total = sum(entry.size for entry in entries)
        for entry in entries:
            too_old = older_than is not None and now - entry.written > older_than
            if not too_old and (keep_bytes is None or total <= keep_bytes):
                continue
            remove(entry.url)
            removed.append(entry)
            total -= entry.size
        for path, info in self._files().items():
            if TEMPORARY in path and now - _written(info) > _ABANDONED_SECONDS:
                remove(self._filesystem.unstrip_protocol(path))
        return removed

    def _files(self) -> dict[str, dict[str, Any]]:
        self._filesystem.invalidate_cache()  # other jobs write here, and fsspec remembers listings
        files: dict[str, dict[str, Any]] = self._filesystem.find(self._root, detail=True)
        return files


def read_entry(data: bytes, key: str) -> ChatReply:
    """The reply in an entry's bytes. Raises ValueError for a damaged entry or another key's, and DLCodeGenError for one
    that a newer version of this program has written."""
    digest, _, text = data.partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        raise ValueError("the digest does not fit")
    body = json.loads(text)
    version = body.pop("version", UNNAMED_VERSION)
    check_version(version, CACHE_VERSION, f"the response cache's entry {key[:12]}", "choose another cache=LOCATION")
    if body.pop("key") != key:
        raise ValueError("the entry lies under another key")
    body.pop("messages", None)
    del body["model"], body["cached"]  # the first is for people, the second is not what it was
    logprobs = body.pop("token_logprobs")
    return ChatReply(
        **body | {"usage": Usage(**body["usage"])},
        cached=True,
        token_logprobs=None if logprobs is None else tuple(logprobs),
    )


def _written(info: dict[str, Any]) -> float:
    """When a file was written, by whatever its file system calls that; now, where it does not tell."""
    for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = info.get(name)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, str):
            return datetime.fromisoformat(value).timestamp()
        if value:
            return float(value)
    return time.time()
