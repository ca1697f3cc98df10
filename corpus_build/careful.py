"""Work on one file of a corpus: whatever happens, it costs that file alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from corpus_build.drops import Drop
from pipeline.errors import StageFailure
from pipeline.sandbox.child_process import in_child

LONGEST_FILE_SECONDS = 600.0
"""What a file may take in a process of its own."""

P = ParamSpec("P")
R = TypeVar("R")


def carefully(work: Callable[P, R], suspicious: bool, *arguments: P.args, **keywords: P.kwargs) -> R:
    """What `work(...)` gives. A file of a shard that is `suspicious`, since its worker died, is worked on in a process
    of its own. Raises Drop (`crash`) where that dies or takes too long, and for every unforeseen error."""
    try:
        if suspicious:
            result: R = in_child(lambda: work(*arguments, **keywords), seconds=LONGEST_FILE_SECONDS)
            return result
        return work(*arguments, **keywords)
    except StageFailure as failure:
        raise Drop("crash", str(failure)) from failure
    except Exception as error:
        raise Drop("crash", f"{type(error).__name__}: {error}") from error
