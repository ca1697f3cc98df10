"""One local Ray for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from jobs.cluster.access import use_own_token
from pipeline.environments.building import FOLDER_VARIABLE


@pytest.fixture(scope="package")
def worker_environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this Ray's workers look for environments; empty until a test fills it."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(scope="package", autouse=True)
def local_ray(worker_environments: Path) -> Iterator[None]:
    """Ends with this folder: the tests of the engine start a Ray of their own."""
    # Where Python is told to write no bytecode, each of some hundred workers would compile the sources anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    use_own_token()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, str(worker_environments))  # its workers get the variables of now
        ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()
