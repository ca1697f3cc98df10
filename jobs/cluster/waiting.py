"""Waiting for a place on a cluster, with a word about it: Ray itself would hang without one."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence

import ray
from ray.util.placement_group import placement_group, remove_placement_group

from jobs.runs.terminal import say
from pipeline.errors import DLCodeGenError

_SECONDS_BEFORE_A_WORD = 5
_SECONDS_BETWEEN_WORDS = 60


def wait_for_resources(wanted: Sequence[Mapping[str, float]], *, elastic: bool) -> None:
    """Returns when the cluster has room for each of `wanted` at the same time, such as `[{"CPU": 2}, {"CPU": 2}]` for
    two workers; says what it waits for after a few seconds, and once a minute then.

    Only asks: the room is free again afterwards, and another job may be quicker. A cluster that is not `elastic` must
    have it at all: raises DLCodeGenError where it has not. Needs an initialised Ray.
    """
    if not elastic:
        _require_enough(wanted)
    # A placement group is granted as workers are, and shows an autoscaler what is wanted, but starts no process.
    group = placement_group([dict(resources) for resources in wanted])
    try:
        patience = _SECONDS_BEFORE_A_WORD
        start = time.monotonic()
        while not group.wait(timeout_seconds=patience):
            say(f"{_wish(wanted)} ({time.monotonic() - start:.0f} s so far)", sys.stderr)
            patience = _SECONDS_BETWEEN_WORDS
    finally:
        remove_placement_group(group)


def _require_enough(wanted: Sequence[Mapping[str, float]]) -> None:
    there = ray.cluster_resources()
    for name in _names(wanted):
        needed, has = _total(wanted, name), there.get(name, 0)
        if needed > has:
            raise DLCodeGenError(
                f"{len(wanted)} workers want {needed:g} {name}s, this machine has {has:g}; ask for fewer workers"
            )


def _wish(wanted: Sequence[Mapping[str, float]]) -> str:
    """What is waited for, in words: "waiting for 4 CPUs, the cluster has 2 (0 free)"."""
    there, free = ray.cluster_resources(), ray.available_resources()
    parts = []
    for name in _names(wanted):
        total = _total(wanted, name)
        unit = name if total == 1 else f"{name}s"
        parts.append(f"{total:g} {unit}, the cluster has {there.get(name, 0):g} ({free.get(name, 0):g} free)")
    return f"waiting for {' and for '.join(parts)}"


def _names(wanted: Sequence[Mapping[str, float]]) -> list[str]:
    return sorted({name for resources in wanted for name in resources})


def _total(wanted: Sequence[Mapping[str, float]], name: str) -> float:
    return sum(resources.get(name, 0) for resources in wanted)
