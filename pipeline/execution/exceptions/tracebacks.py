"""Python's tracebacks as records: frames, the exception's type and its message without the frameworks' wrapping."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_HEAD = "Traceback (most recent call last):"
_CHAINED = re.compile(
    r"^(?:During handling of the above exception, another exception occurred|"
    r"The above exception was the direct cause of the following exception):$",
    re.MULTILINE,
)
_FRAME = re.compile(r'^\s*File "(?P<path>[^"\n]{1,500})", line (?P<line>\d{1,9})(?:, in (?P<name>[^\n]{1,200}))?')
_EXCEPTION = re.compile(r"^(?P<type>(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(?:: ?(?P<message>.*))?$")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_INNER = re.compile(r"^\s*(?P<type>(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Warning)): (?P<message>.+)$")
_LIBRARY = re.compile(
    r"^<|/(?:site|dist)-packages/|/lib/python3|/(?:execution/|dlcodegen-)probe/|__autograph_generated_file|\.p[yx][xi]$"
)
_WRAPPING = re.compile(
    r"^(?:Exception encountered when calling .*|Graph execution error:|in user code:|Detected at node .*|"
    r"<stack traces unavailable>|Stack trace for op definition.*|File \".*|\[\[\{\{node.*|\d+ root error.*|"
    r"\(\d+\) .*:)?$"
)

_SYNTAX_ERROR = re.compile(r'^  File "[^"\n]+", line \d+\n(?:.*\n){0,3}(?:Syntax|Indentation|Tab)Error: ', re.MULTILINE)

_LONGEST = 60_000
_LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a traceback passes through."""

    path: str
    line: int
    code: str = ""

    @property
    def is_library(self) -> bool:
        """Whether it lies in an installed package, in Python, or in the probe."""
        return _LIBRARY.search(self.path) is not None

    @property
    def file(self) -> str:
        """The path inside of the project's folder."""
        return self.path.rpartition("/project/")[2] if "/project/" in self.path else self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Raised:
    """One exception of a chain."""

    type: str
    """Without its module."""
    message: str
    """What it says, without what frameworks put around it; at most 500 characters."""
    frames: tuple[Frame, ...]
    """From the outermost, those inside of graph code included."""


def chain(text: str) -> list[Raised]:
    """The exceptions of the last traceback in the text, the first cause first; none where there is no traceback."""
    text = _COLOURS.sub("", text[-_LONGEST:])
    parts = _CHAINED.split(text)
    # What stands before a traceback that no other led to is output, with tracebacks of its own perhaps.
    parts[0] = _from_last_head(parts[0])
    raised = [_raised(part) for part in parts]
    return [one for one in raised if one is not None]


def _from_last_head(text: str) -> str:
    start = text.rfind(_HEAD)
    if start >= 0:
        return text[start:]
    # A syntax error of the script itself has no head.
    error = re.search(
        r'^  File "[^"\n]+", line \d+\n(?:.*\n){0,3}(?:Syntax|Indentation|Tab)Error: ', text, re.MULTILINE
    )
    return text[error.start() :] if error else ""


def _raised(part: str) -> Raised | None:
    lines = part.strip("\n").splitlines()
    frames: list[Frame] = []
    for number, line in enumerate(lines):
        frame = _FRAME.match(line)
        if frame is not None:
            frames.append(Frame(frame["path"], int(frame["line"]), _code_after(lines, number)))
            continue
        exception = _EXCEPTION.match(line)
        if exception is None or line.startswith(_HEAD) or not frames:
            continue
        rest = [exception["message"] or "", *lines[number + 1 :]]
        frames += _frames_in(rest)
        type_name, message = _innermost(exception["type"], rest)
        return Raised(type_name.rpartition(".")[2], message[:_LONGEST_MESSAGE], tuple(frames))
    return None


def _code_after(lines: Sequence[str], number: int) -> str:
    if number + 1 < len(lines) and not _FRAME.match(lines[number + 1]) and lines[number + 1].startswith("    "):
        return lines[number + 1].strip()
    return ""


def _frames_in(message: Sequence[str]) -> list[Frame]:
    """Frames that a message itself holds: AutoGraph's "in user code", and the places where a graph's node was made."""
    frames = []
    for line in message:
        frame = _FRAME.match(line)
        if frame is not None:
            frames.append(Frame(frame["path"], int(frame["line"])))
    return frames


def _innermost(type_name: str, message: Sequence[str]) -> tuple[str, str]:
    """The type and the first line that says something."""
    if message[0].strip() == "in user code:":
        inner = [match for match in map(_INNER.match, message) if match]
        if inner:
            first = message.index(inner[-1].string)
            later = [inner[-1]["message"], *message[first + 1 :]]
            return inner[-1]["type"], _first_telling(later)
    return type_name, _first_telling(message)


def _first_telling(message: Sequence[str]) -> str:
    """The first line that is no wrapping; of a message of several lines that belong together, all up to a blank one."""
    told: list[str] = []
    for line in message[:200]:
        text = line.strip()
        if told and not text:
            break
        if not told and _WRAPPING.match(text):
            continue
        told.append(text)
    return " ".join(told)
