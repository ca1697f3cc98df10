"""One engine for the tests of this folder, served by Ray: a tiny model with random weights on the CPU."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray import serve

from jobs.generation.model_presets import engine_settings
from pipeline.config import LimitSettings, LLMSettings
from serving.code_llm import APP, deploy, deployment_name, served_name
from serving.serve_llm import ServeLLM

os.environ.setdefault("HF_HUB_OFFLINE", "1")

ENGINE = {"kv_cache_gb": 0.25, "max_sequences": 32, "cpus": 1, "options": {"enforce_eager": True, "block_size": 32}}
"""Small and quick to start; a block of the prefix cache holds 32 tokens, not 128, for short prompts to share."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.vllm)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny DeepSeek-V2 with random weights: latent attention, experts."""
    from tests.vllm import tiny_models  # needs torch: the modules that use this are skipped without it

    return tiny_models.deepseek_v2(tmp_path_factory.mktemp("models") / "tiny-deepseek-v2")


@pytest.fixture(scope="session")
def settings(checkpoint: Path) -> LLMSettings:
    return LLMSettings(backend="vllm", model=str(checkpoint), engine=ENGINE, cache="off")


@pytest.fixture(scope="session")
def port() -> Iterator[int]:
    """Ray with Serve's HTTP on a free port of loopback, which is given."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    ray.init(address="local", num_cpus=6, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    serve.start(http_options={"host": "127.0.0.1", "port": number})
    yield number
    serve.shutdown()
    ray.shutdown()


@pytest.fixture(scope="session")
def base_url(port: int, settings: LLMSettings) -> str:
    """The engine, up, and where it speaks HTTP."""
    deploy(engine_settings(settings), route="/")
    return f"http://127.0.0.1:{port}/v1"


@pytest.fixture(scope="session")
def llm(base_url: str, checkpoint: Path) -> ServeLLM:
    """The engine by handle."""
    name = served_name(str(checkpoint))
    return ServeLLM(name, name, APP, LimitSettings(), deployment=deployment_name(str(checkpoint)))
