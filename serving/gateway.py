"""The `Gateway` deployment: the FastAPI app as Serve's ingress, in front of `Stages` and the code model."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence

from fastapi import FastAPI
from ray.serve.handle import DeploymentHandle

from pipeline.records import Requirement
from serving.api.code_model import CodeModel, CodeModelAddress
from serving.api.service import Service
from serving.app import build_app
from serving.settings import ServeConfig
from serving.store.database import Database
from serving.work.events import StageOutline
from serving.work.metrics import RayMetrics
from serving.work.runs import Runs
from serving.work.stages import Advanced


class Gateway:
    """Serve makes one of these a replica, and asks it for its app."""

    def __init__(
        self,
        config: ServeConfig,
        stages: DeploymentHandle,
        outlines: Sequence[StageOutline],
        code_model: CodeModelAddress | None = None,
    ) -> None:
        own = logging.getLogger("dlcodegen")
        own.setLevel(logging.INFO)
        for handler in logging.getLogger("ray.serve").handlers:  # into the log that Serve keeps of this replica
            own.addHandler(handler)
        self._stages = stages.options(stream=True)
        database = Database(config.serve.database)
        self._runs = Runs(database, config.serve, outlines, self._work, RayMetrics())
        model = None if code_model is None else CodeModel(code_model)
        self._service = Service(config, database, self._runs, model)

    def __serve_build_asgi_app__(self) -> FastAPI:
        return build_app(self._service)

    async def drain(self) -> None:
        """Takes no further projects, and returns when those under way have had their time."""
        await self._runs.drain()

    async def _work(self, record: Requirement, begin: int, end: int | None) -> AsyncIterator[list[Advanced]]:
        response = self._stages.work.remote(record, begin, end)
        try:
            async for rows in response:
                yield rows
        finally:
            response.cancel()  # of no effect on one that has ended
