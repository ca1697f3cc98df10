"""A pure function over many arguments as Ray tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ray

from jobs.cluster.progress import RowProgress


def in_parallel(
    label: str, work: Callable[..., Any], calls: Sequence[tuple[Any, ...]], *, quiet: bool = False
) -> list[Any]:
    """`work(*arguments)` for each call, a one-CPU task each; results in the calls' order. Needs an initialised Ray. An
    argument that is the reference of a `ray.put` is sent to each machine once."""
    task = ray.remote(num_cpus=1)(work)
    tasks = [task.remote(*arguments) for arguments in calls]
    with RowProgress(label, len(calls), quiet=quiet) as progress:
        waiting = tasks
        while waiting:
            done, waiting = ray.wait(waiting, num_returns=1)
            progress.advance(len(done), 0)
    return list(ray.get(tasks))
