"""Which lines of a file are executed: a trace function for frames of that file alone."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any


def traced_lines(file: str) -> "set[int]":
    """A set that grows with the lines that are executed from now on."""
    files = {file, os.path.realpath(file)}
    lines: "set[int]" = set()

    def local(frame: Any, event: str, argument: Any) -> Any:
        if event == "line":
            lines.add(frame.f_lineno)
        return local

    def trace(frame: Any, event: str, argument: Any) -> Any:
        return local if frame.f_code.co_filename in files else None

    sys.settrace(trace)
    threading.settrace(trace)
    return lines
