"""The environments that a job's projects run in, built before its work begins."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.runs.terminal import say
from pipeline.environments.building import build, find_built
from pipeline.environments.catalogue import Environment
from pipeline.errors import FaultError


def build_environments(environments: Sequence[Environment], *, quiet: bool) -> None:
    """Builds here what every worker then finds, or builds on its own machine. One environment of several that cannot
    be built costs what is to run in it alone, which says so. Raises FaultError where none can be built."""
    failures: list[FaultError] = []
    for environment in environments:
        if not quiet and find_built(environment) is None:
            say(f"building the environment {environment.name} ({environment.about}), once: some minutes", sys.stderr)
        try:
            build(environment)
        except FaultError as error:
            failures.append(error)
            say(f"dlcodegen: {error}", sys.stderr)
    if failures and len(failures) == len(environments):
        raise failures[0]
