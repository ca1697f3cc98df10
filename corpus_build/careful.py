"""Work on one file of a corpus: whatever happens, it costs that file alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from corpus_build.drops import Drop
from pipeline.errors import StageFailure
from pipeline.sandbox.child_process import in_child
from pipeline.time_limit import fatal_limit, time_limit

LONGEST_FILE_SECONDS = 600.0
"""What a file may take in a process of its own by the clock, whatever it waits for."""

P = ParamSpec("P")
R = TypeVar("R")


def carefully(work: Callable[P, R], suspicious: bool, seconds: float, *arguments: P.args, **keywords: P.kwargs) -> R:
    """What `work(...)` gives within `seconds` of processor time. A file of a shard that is `suspicious`, since its
    worker died, is worked on in a process of its own. Raises Drop: `timeout` where it takes longer, `crash` where its
    process dies and for every unforeseen error."""

    def limited_work() -> R:
        with fatal_limit(seconds), time_limit(seconds):
            return work(*arguments, **keywords)

    try:
        if suspicious:
            result: R = in_child(limited_work, seconds=LONGEST_FILE_SECONDS)
            return result
        return limited_work()
    except StageFailure as failure:
        raise Drop("timeout" if failure.kind == "timeout" else "crash", str(failure)) from failure
    except Exception as error:
        raise Drop("crash", f"{type(error).__name__}: {error}") from error
