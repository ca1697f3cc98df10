"""One process of stages for all tests of this folder: it takes seconds to start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from pipeline.methods import generation_stages
from serving.work.stages import StagesServer
from tests.serving.service import serve_config


@pytest.fixture(scope="package")
def stages() -> Iterator[StagesServer]:
    server = StagesServer(generation_stages(serve_config()))
    yield server
    server.close()


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner
