"""One writer an output: a claim in its folder, on disk or any fsspec URL, which others see and which ends with it.

    .writer-<number>.json     who writes: machine, process, since when, when last heard of

Object stores have no way to create a file only where there is none, so nothing here needs one. A writer writes its own
claim, then looks for those of others: of two who come at once each has written before it looks, so at least one sees
the other (Lamport, The Mutual Exclusion Problem, 1986: the one-bit solution). Whoever sees a lower number, or a claim
that holds, gives way; the lowest waits until the higher ones have done so.

What it guarantees: two living writers that see each other's files never both hold a folder. A dead one needs no hand:
a process of this machine that is gone is known by its number and start time, and taken over at once; one of another
machine once it was silent for SILENT_SECONDS by the clocks of both. A writer that was only asleep for so long finds out
at its next beat that it was taken over, and ends; what it wrote until then is whole files of the same work.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

import psutil

from pipeline.errors import DLCodeGenError
from pipeline.foreign_text import masked_url
from pipeline.storage.files import join, names_in, read_json, remove, remove_leftovers, write_json

CLAIM = ".writer-"
"""How the name of a claim starts."""

BEAT_SECONDS = 20.0
"""Between two signs of life."""

SILENT_SECONDS = 180.0
"""A writer of another machine that was silent for so long is taken to be dead: nine beats, so that neither a slow store
nor clocks a minute apart end a living one."""

_CONTEST_SECONDS = 10.0
"""How long the lowest of several who came at once waits for the others to give way."""

_START_TOLERANCE = 5.0
"""Seconds by which two looks at a process may tell its start apart: the clock that it is told by can be set."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """One writer's claim on a folder."""

    number: str
    """32 hexadecimal digits; the lowest of several who come at once gets the folder."""

    host: str
    """The machine's name, for people."""

    machine: str
    """What tells whose process numbers these are: machine, its start, and the container on it."""

    pid: int

    process_start: float
    """When the process was started, in seconds since 1970: numbers of processes are used again."""

    since: float
    """When the claim was made, in seconds since 1970."""

    heard: float
    """When its writer was last heard of, likewise."""

    holds: bool = False
    """Whether the folder is its writer's; False while that is still contested."""

    took_over: tuple[str, ...] = ()
    """The numbers of the claims that were in its way and taken to be dead."""

    @property
    def writer(self) -> str:
        return f"host {self.host}, process {self.pid}, since {_clock(self.since)}"

    def is_alive(self) -> bool:
        """Whether its writer still runs, as far as can be told from here."""
        if self.machine != _machine():
            return time.time() - self.heard < SILENT_SECONDS
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            started: float = process.create_time()
        except psutil.NoSuchProcess:
            return False
        return abs(started - self.process_start) < _START_TOLERANCE


@contextmanager
def one_writer(folder: str) -> Iterator[None]:
    """Holds a folder for as long as the block takes. What a writer before was killed over is removed.

    Raises DLCodeGenError where another writer holds the folder, where it cannot be written, and at the end of a block
    during which another one took it over.
    """
    holding = _Holding(folder)
    try:
        holding.acquire()
        yield
    except KeyboardInterrupt:
        if holding.lost is None:
            raise
    finally:
        holding.release()
    if holding.lost is not None:
        raise DLCodeGenError(holding.lost)


def writer_of(folder: str) -> str | None:
    """Who writes to a folder just now, in words; None where nobody does. Changes nothing there."""
    for claim in _claims(folder):
        if claim.holds and claim.is_alive():
            return claim.writer
    return None


def _claims(folder: str) -> list[Claim]:
    claims = []
    for name in names_in(folder):
        if name.startswith(CLAIM):
            values = read_json(join(folder, name))
            if values is not None:  # given back since it was listed
                claims.append(Claim(**values | {"took_over": tuple(values["took_over"])}))
    return claims


class _Holding:
    """This process' claim on a folder, and the thread that keeps it alive."""

    def __init__(self, folder: str) -> None:
        self.lost: str | None = None
        """Why the folder is no longer this writer's; None while it is."""

        self._folder = folder
        self._mine = _new_claim()
        self._ended = threading.Event()
        self._beats = threading.Thread(target=self._beat, name="one-writer", daemon=True)

    def acquire(self) -> None:
        self._write_first()
        contested_until = time.monotonic() + _CONTEST_SECONDS
        while others := self._living_others():
            strongest = max(others, key=lambda claim: (claim.holds, claim.number < self._mine.number))
            if strongest.holds or strongest.number < self._mine.number or time.monotonic() > contested_until:
                raise DLCodeGenError(_refusal(self._folder, strongest))
            time.sleep(0.1)
        self._mine = replace(self._mine, holds=True)
        self._write()
        if self._mine.took_over:
            remove_leftovers(self._folder)
        self._beats.start()

    def release(self) -> None:
        self._ended.set()
        if self._beats.is_alive():
            self._beats.join()
        with suppress(Exception):  # a disk that went away must not hide why the block ended
            remove(self._url(self._mine))

    def _write_first(self) -> None:
        """The first thing that is written to an output, so whatever is wrong with its place is found out here."""
        try:
            self._write()
        except Exception as error:  # each fsspec file system has exceptions of its own
            cause = error.__cause__ or error
            reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
            raise DLCodeGenError(
                f"--out {self._folder}: cannot be written ({reason}); choose another folder"
            ) from error

    def _write(self) -> None:
        self._mine = replace(self._mine, heard=time.time())
        write_json(self._url(self._mine), asdict(self._mine))

    def _url(self, claim: Claim) -> str:
        return join(self._folder, f"{CLAIM}{claim.number}.json")

    def _others(self) -> list[Claim]:
        return [claim for claim in _claims(self._folder) if claim.number != self._mine.number]

    def _living_others(self) -> list[Claim]:
        """The claims of writers that live; those of dead ones are removed."""
        living = []
        for claim in self._others():
            if claim.is_alive():
                living.append(claim)
                continue
            if claim.machine != self._mine.machine:
                log.warning(
                    "dlcodegen: %s was being written (%s) and nothing was heard of that writer since %s; taken over",
                    masked_url(self._folder),
                    claim.writer,
                    _clock(claim.heard),
                )
            self._mine = replace(self._mine, took_over=(*self._mine.took_over, claim.number))
            remove(self._url(claim))
        return living

    def _beat(self) -> None:
        """Signs of life, and a look whether another writer has taken this one to be dead."""
        while not self._ended.wait(BEAT_SECONDS):
            try:
                for claim in self._others():
                    if self._mine.number in claim.took_over:
                        self.lost = f"{self._folder} was taken over by another run ({claim.writer}); this one ends"
                        # A real signal: it also ends what the main thread waits for.
                        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                        return
                self._write()
            except Exception as error:  # storage that comes back in time does no harm
                log.debug("no sign of life in %s: %s", self._folder, error)


def _new_claim() -> Claim:
    now = time.time()
    return Claim(
        number=uuid.uuid4().hex,
        host=socket.gethostname(),
        machine=_machine(),
        pid=os.getpid(),
        process_start=psutil.Process().create_time(),
        since=now,
        heard=now,
    )


@cache
def _machine() -> str:
    """Containers may share a host's name, and count their processes anew."""
    parts = [socket.gethostname()]
    with suppress(OSError):  # not Linux
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def _refusal(folder: str, claim: Claim) -> str:
    way_out = "wait until it has ended, end it, or choose another --out"
    if claim.machine != _machine():
        way_out += f"; if it was killed, this works {SILENT_SECONDS / 60:.0f} minutes after that"
    return f"{folder} is being written by another run ({claim.writer}); {way_out}"


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")
