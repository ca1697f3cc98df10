"""The environments that a job's projects run in, built before its work begins."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.runs.terminal import say
from pipeline.environments.building import build, find_built
from pipeline.environments.catalogue import environment_named
from pipeline.errors import FaultError


def build_environments(names: Sequence[str], *, quiet: bool) -> None:
    """Builds here what every worker then finds, or builds on its own machine. One environment of several that cannot
    be built costs its projects alone: they say so. Raises FaultError where none can be built."""
    failures: list[FaultError] = []
    for name in names:
        environment = environment_named(name)
        if not quiet and find_built(environment) is None:
            say(f"building the environment {name} ({environment.about}), once: some minutes", sys.stderr)
        try:
            build(environment)
        except FaultError as error:
            failures.append(error)
            say(f"dlcodegen: {error}", sys.stderr)
    if failures and len(failures) == len(names):
        raise failures[0]
