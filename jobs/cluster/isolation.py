"""A row in a child process of its own: what kills or hangs its process costs that row only.

A shard of a run that was begun and never finished is suspicious: its worker died, or the whole run was killed. Each of
its rows is then worked on in a child of its own, so that a row that brings its process down (a segmentation fault, out
of memory) becomes a failure of its own. Scoring does the same with a shard that took its worker down or too long.
"""

from __future__ import annotations

from pipeline.errors import StageFailure
from pipeline.records import Failure, Requirement
from pipeline.sandbox.child_process import in_child
from pipeline.stage import Chain, widen
from pipeline.time_limit import fatal_limit

LONGEST_SECONDS = 600.0
"""What a row may take in a child of its own by the clock, whatever it waits for."""


def run_limited(chain: Chain, record: Requirement) -> tuple[Requirement, dict[str, float]]:
    """What `chain(record)` gives, in a process that may end of it: a row that does not come back to Python."""
    with fatal_limit(chain.row_seconds):
        return chain(record)


def run_isolated(chain: Chain, record: Requirement) -> tuple[Requirement, dict[str, float]]:
    """What `chain(record)` gives; the row with a failure of kind `crash` or `timeout` where its process does not."""
    try:
        done: tuple[Requirement, dict[str, float]] = in_child(run_limited, chain, record, seconds=LONGEST_SECONDS)
        return done
    except StageFailure as error:
        failure = Failure(stage=chain.name, kind=error.kind, message=str(error))
        return widen(record, chain.returns, failure=failure), {}
