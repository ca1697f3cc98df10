"""Which versions a job ran with, for its manifest."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version


def versions_of(distributions: Iterable[str]) -> dict[str, str]:
    """The installed versions by name; this project itself may have come by --working-dir, without being installed."""
    versions = {}
    for name in distributions:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return versions
