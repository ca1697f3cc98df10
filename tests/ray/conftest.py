"""One local Ray for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import ray

from jobs.cluster.access import use_own_token


@pytest.fixture(scope="package", autouse=True)
def local_ray() -> Iterator[None]:
    """Ends with this folder: the tests of the engine start a Ray of their own."""
    # Where Python is told to write no bytecode, each of some hundred workers would compile the sources anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    use_own_token()
    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()
