"""Hears of what a candidate does to see or change its judge: an audit hook, which nobody takes off (PEP 578).

What the standard library does for somebody is his; what another library does for a candidate is the library's. So
`inspect.stack()` in a candidate is told of, and the frames that a candidate's logger looks at are not.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Sequence

_LOOKING = {
    "sys._getframe": "reads frames",
    "sys._current_frames": "reads frames",
    "sys._current_exceptions": "reads frames",
    "sys.settrace": "traces its process",
    "sys.setprofile": "traces its process",
    "gc.get_objects": "searches the objects of its process",
    "gc.get_referrers": "searches the objects of its process",
    "gc.get_referents": "searches the objects of its process",
    "ctypes.dlopen": "calls C by itself",
    "ctypes.dlsym": "calls C by itself",
    "ctypes.string_at": "reads memory",
    "os.kill": "sends signals",
    "os.exec": "replaces its process",
}
"""Events -> what is said of a candidate whose own code causes them."""

_FRAME_ATTRIBUTES = frozenset({"tb_frame", "gi_frame", "cr_frame", "ag_frame", "f_back", "f_locals"})

_CHANGING = frozenset(
    {"open", "os.remove", "os.rename", "os.chmod", "os.truncate", "os.link", "os.symlink", "os.rmdir"}
)
"""Events that carry a path."""

_INTROSPECTION = frozenset({"inspect.py", "traceback.py", "contextlib.py", "functools.py"})
"""Files of the standard library through which somebody looks."""

_MOST_FRAMES = 200


def watch(candidate: "Candidate", tell: Callable[[str], None], protected: Sequence[str]) -> None:
    """Installs the hook, for the rest of the process and what it forks. `tell` is called with what is done, once for
    each thing; `protected` are files and folders that a candidate has no business with."""
    getframe = sys._getframe
    guarded = (*(os.path.realpath(path) for path in protected), "/proc")
    realpath, fspath = os.path.realpath, os.fspath
    said: "set[str]" = set()
    busy = False

    def hook(event: str, arguments: Any) -> None:
        nonlocal busy
        if busy:
            return
        what = _LOOKING.get(event)
        if what is None and event == "object.__getattr__" and arguments[1] in _FRAME_ATTRIBUTES:
            what = "reads frames"
        if what is None and event not in _CHANGING:
            return
        busy = True
        try:
            if what is not None:
                if not candidate.calls(getframe(1)):
                    return
            else:
                what = _touched(arguments)
                if not what or not candidate.is_on(getframe(1)):
                    return
            if what not in said:
                said.add(what)
                tell(what)
        finally:
            busy = False

    def _touched(arguments: Any) -> str:
        for path in arguments[:2]:
            if not isinstance(path, (str, bytes, os.PathLike)):
                continue
            try:
                text = fspath(path)
                real = realpath(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)
            except (OSError, ValueError, TypeError):
                continue
            for guard in guarded:
                if real == guard or real.startswith(guard.rstrip("/") + "/"):
                    return f"opens or changes {os.path.basename(real) or real}, which belongs to its judge"
        return ""

    sys.addaudithook(hook)


class Candidate:
    """Tells a candidate's code by its file and lines."""

    def __init__(self, file: str, spans: "Sequence[Sequence[int]]") -> None:
        self._files = {file, os.path.realpath(file)}
        self._spans = [(int(first), int(last)) for first, last in spans]

    def wrote(self, code: Any) -> bool:
        """Whether a code object was compiled from the candidate's lines."""
        if code.co_filename not in self._files:
            return False
        line = code.co_firstlineno
        return any(first <= line <= last for first, last in self._spans)

    def at(self, frame: Any) -> bool:
        """Whether a frame stands in the candidate's lines: those it runs at import are in the module's own code."""
        if frame.f_code.co_filename not in self._files:
            return False
        line = frame.f_lineno or 0
        return any(first <= line <= last for first, last in self._spans)

    def calls(self, frame: Any) -> bool:
        """Whether the candidate itself is who calls, directly, by what it has executed as text, or through a part of
        the standard library that looks on somebody's behalf."""
        for _ in range(_MOST_FRAMES):
            if frame is None:
                return False
            name = frame.f_code.co_filename
            if self.at(frame):
                return True
            if not name.startswith("<") and os.path.basename(name) not in _INTROSPECTION:
                return False
            frame = frame.f_back
        return False

    def is_on(self, frame: Any) -> bool:
        """Whether the candidate is among the callers."""
        for _ in range(_MOST_FRAMES):
            if frame is None:
                return False
            if self.at(frame):
                return True
            frame = frame.f_back
        return False
