"""A whole service in this process: the app over ASGI, the stages in a process of their own, no Ray."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from pipeline.methods import generation_stages
from pipeline.records import Requirement
from serving.api.service import Service
from serving.app import build_app
from serving.settings import QuotaSettings, ServeConfig
from serving.store.database import Database
from serving.store.keys import SCOPES
from serving.work.events import outline
from serving.work.runs import Runs
from serving.work.stages import Advanced, StagesServer

ASKED = (
    "Classify mushroom photos into nine genera with SGD and a batch size of 8. RGB photos of 80x80 pixels, no dropout."
)


def serve_config(**settings: Any) -> ServeConfig:
    """The settings with nothing left to `auto`, as the gateway gets them."""
    return ServeConfig(**settings).for_input("starter")


@dataclass
class Online:
    """A service that runs, and a client with a key."""

    client: httpx.AsyncClient
    service: Service
    secret: str

    def key(self, **quotas: Any) -> dict[str, str]:
        """The header of a new key."""
        _, secret = self.service.keys.add("another", QuotaSettings(**quotas))
        return {"Authorization": f"Bearer {secret}"}

    async def project(self, **asked: Any) -> dict[str, Any]:
        answer = await self.client.post("/v1/projects", json=asked)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


def service_on(database: Path | str, stages: StagesServer, config: ServeConfig, code_model: Any = None) -> Service:
    """A service on a database, with the stages that the tests share."""
    opened = Database(str(database))

    async def work(record: Requirement, begin: int, end: int | None) -> AsyncIterator[list[Advanced]]:
        async for rows in stages.work(record, begin, end):
            yield rows

    runs = Runs(opened, config.serve, outline(generation_stages(config)), work)
    return Service(config, opened, runs, code_model)


@asynccontextmanager
async def online(
    database: Path | str, stages: StagesServer, config: ServeConfig | None = None, code_model: Any = None
) -> AsyncIterator[Online]:
    """The service as it runs."""
    service = service_on(database, stages, config or serve_config(), code_model)
    app = build_app(service)
    _, secret = service.keys.add("tests", service.settings.quotas, SCOPES)
    headers = {"Authorization": f"Bearer {secret}"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers, timeout=120) as client,
    ):
        yield Online(client, service, secret)
    service.database.close()


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a test's work in an event loop."""
    asyncio.run(work())
