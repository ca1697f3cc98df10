"""Shared fixtures: the published artifact where it is there, and rows to start from; limits that grow with the load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from pipeline.records import Requirement
from tests.waiting import scaled

ARTIFACT = Path(__file__).resolve().parents[2] / "shared" / "dlcodegen-artifact"

# Hypothesis's own limit of 200 ms an example is wall time: a busy machine would fail tests by it. Time is what
# pytest-timeout watches.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before pytest-timeout's own, which reads the marker
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A test's limit is that of its marker, or of pyproject.toml, on an idle machine. `--timeout` is taken as it is."""
    if item.config.getoption("timeout") is None:
        marker = item.get_closest_marker("timeout")
        limit = float(marker.args[0] if marker else item.config.getini("timeout"))
        item.add_marker(pytest.mark.timeout(scaled(limit)), append=False)
    return (yield)


@pytest.fixture(scope="session")
def artifact() -> str:
    """The folder of the published artifact; tests that need it are skipped elsewhere."""
    if not ARTIFACT.is_dir():
        pytest.skip("needs the published artifact in ../shared")
    return str(ARTIFACT)


@pytest.fixture
def requirement() -> Requirement:
    return Requirement(
        id="mushrooms",
        row=0,
        requirement="I want to tell seven mushroom genera apart in photos.",
        attributes="4,000 RGB photos of 96x96 pixels in a folder per genus.",
    )
