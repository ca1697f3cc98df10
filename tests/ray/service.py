"""The online service on a loopback Ray Serve, with a code model that speaks without an engine."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from ray import serve

from jobs.serve import settled
from pipeline.methods import generation_stages
from pipeline.records import Requirement
from pipeline.stage import Fields, Stage, Step
from serving.api.code_model import CodeModelAddress
from serving.application import application, listen, start
from serving.settings import ServeConfig
from serving.store.database import Database
from serving.store.keys import SCOPES, Keys
from tests.waiting import scaled

ASKED = "Classify mushroom photos into nine genera with SGD and a batch size of 8."

STUCK = "Classify photos of snails, slowly."


class Echo:
    """Speaks as `CodeLLMServer` does: the last words again, a word every 50 ms."""

    def __init__(self) -> None:
        self._open = 0

    async def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        words = body["messages"][-1]["content"]
        message = {"role": "assistant", "content": f"{words} ({self._open} open)"}
        usage = {"prompt_tokens": 3, "completion_tokens": len(words.split())}
        return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}

    async def stream(self, body: dict[str, Any]) -> Any:
        self._open += 1
        try:
            for count, word in enumerate(body["messages"][-1]["content"].split(), start=1):
                choices = [{"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}]
                yield {"choices": choices, "usage": {"prompt_tokens": 3, "completion_tokens": count}}
                await asyncio.sleep(0.05)
        finally:
            self._open -= 1


def _slow() -> Step:
    def step(record: Requirement) -> Fields:
        end = time.monotonic() + (120 if record.requirement == STUCK else 0)
        while time.monotonic() < end:
            pass
        return {}

    return step


def online_stages(config: ServeConfig) -> tuple[Stage, ...]:
    """The method's stages, the first of which is stuck for one request."""
    stuck = Stage(name="wait", accepts=Requirement, returns=Requirement, build=_slow)
    return (stuck, *generation_stages(config))


class Online:
    """The service's address, and a key."""

    def __init__(self, address: str, secret: str, config: ServeConfig) -> None:
        self.config = config
        self.client = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {secret}"}, timeout=scaled(60))


@contextmanager
def running_service(folder: Path, **settings: Any) -> Iterator[Online]:
    """The service with its database in the folder; `settings` are further ones of `serve`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    database = str(folder / "db.sqlite")
    stages = {"cpus": 0.1, "min": 1, "max": 1}
    given = {"database": database, "port": port, "stages": stages, "drain_seconds": 5, **settings}
    config = settled(ServeConfig(serve=given))
    _, secret = Keys(Database(database)).add("tests", config.serve.quotas, SCOPES)
    options = {"num_replicas": 1, "ray_actor_options": {"num_cpus": 0.1}}
    listen("127.0.0.1", port)
    serve.run(serve.deployment(Echo, **options).bind(), name="echo", route_prefix=None)  # type: ignore[arg-type]
    address = CodeModelAddress(name="echo", app="echo", deployment="Echo", context_length=1_000)
    start(application(config, online_stages(config), address))
    running = Online(f"http://127.0.0.1:{port}", secret, config)
    yield running
    running.client.close()
    serve.shutdown()
