"""Events as JSON lines, written at once so that a killed project leaves what it had reached."""

from __future__ import annotations

import functools
import json
import os
import threading
import time
import traceback
from typing import Any, Callable, Optional

_MOST_BYTES = 2**20
"""What an honest project writes at most; later events are dropped, but for the last ones (`final`)."""

_LONGEST_TEXT = 20_000


class EventWriter:
    """Writes to a descriptor or a file. Children that the project forks write nothing."""

    def __init__(self, target: str) -> None:
        if target.startswith("fd:"):
            self._fd = int(target[3:])
        else:
            self._fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.set_inheritable(self._fd, False)
        self._pid = os.getpid()
        self._written = 0
        self._lock = threading.Lock()

    @property
    def is_mine(self) -> bool:
        """Whether this is the process that the probe was started in."""
        return os.getpid() == self._pid

    def write(self, event: str, *, final: bool = False, **values: Any) -> None:
        """One event; nothing where the other side is gone or too much was written."""
        if not self.is_mine or self._fd < 0:
            return
        values = {"event": event, "cpu": round(time.process_time(), 2), **values}
        line = json.dumps(values, default=_as_text).encode() + b"\n"
        with self._lock:
            if self._written + len(line) > (2 if final else 1) * _MOST_BYTES:
                return
            self._written += len(line)
            try:
                while line:
                    line = line[os.write(self._fd, line) :]
            except OSError:
                self._fd = -1


def shortened(text: str) -> str:
    """A text with its middle left out where it is long."""
    if len(text) <= _LONGEST_TEXT:
        return text
    half = _LONGEST_TEXT // 2
    return text[:half] + "\n...\n" + text[-half:]


def quietly(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose exceptions cost what it would have seen and nothing else. With DLCODEGEN_PROBE_ERRORS in the
    environment they are shown, for whoever works on the probe."""

    @functools.wraps(function)
    def tried(*arguments: Any, **keywords: Any) -> Any:
        try:
            return function(*arguments, **keywords)
        except Exception:
            if "DLCODEGEN_PROBE_ERRORS" in os.environ:
                traceback.print_exc()
            return None

    return tried


def number(value: Any) -> Optional[float]:
    """A scalar of any framework as a Python number; None where it is none."""
    for read in (lambda: value.detach().cpu().item(), lambda: value.numpy().item(), lambda: float(value)):
        try:
            return float(read())
        except Exception:
            continue
    return None


def _as_text(value: Any) -> Any:
    as_number = number(value)
    return as_number if as_number is not None else str(value)[:200]
