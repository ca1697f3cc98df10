"""The FastAPI app: our routes, those of the OpenAI API, the page, errors, guard."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from fastapi import FastAPI

from serving.api import admin, errors, projects
from serving.api.guard import Guard
from serving.api.service import Service
from serving.openai import routes as openai
from serving.store.connection import DatabaseFault
from serving.store.gateways import BEAT_SECONDS
from serving.web.pages import add_pages

_log = logging.getLogger("dlcodegen.serving")

_CLEAN_UP_SECONDS = 600.0


def build_app(service: Service) -> FastAPI:
    """The app of a service. Its lifespan goes on with what other processes left, and deletes what has expired."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        left = service.start()
        if left:
            _log.warning("goes on with %d projects that an earlier process had under way", left)
        chores = [
            asyncio.create_task(_repeat(service.look_after, BEAT_SECONDS)),
            asyncio.create_task(_repeat(service.delete_expired, _CLEAN_UP_SECONDS)),
        ]
        yield
        for chore in chores:
            chore.cancel()
        with suppress(DatabaseFault):
            service.leave()

    app = FastAPI(
        title="DLCodeGen",
        version=version("dlcodegen-ray"),
        description="Plain-words requirements to finished deep-learning projects.",
        lifespan=lifespan,
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.service = service
    app.add_middleware(Guard, body_bytes=service.settings.body_bytes)
    errors.add_handlers(app)
    for router in (projects.router, openai.router, admin.router):
        app.include_router(router)
    add_pages(app)
    return app


async def _repeat(chore: Callable[[], int], seconds: float) -> None:
    """Does it now and then; while the database is away it is not done."""
    while True:
        await asyncio.sleep(seconds)
        try:
            chore()
        except DatabaseFault as fault:
            _log.warning("%s", fault)
