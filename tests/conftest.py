"""Shared fixtures: the published artifact where it is there, and rows to start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.records import Requirement

ARTIFACT = Path(__file__).resolve().parents[2] / "shared" / "dlcodegen-artifact"


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
