"""The FastAPI app: our routes, those of the OpenAI API, the page, errors, guard."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from serving.api import admin, errors, projects
from serving.api.guard import Guard
from serving.api.service import Service
from serving.openai import routes as openai
from serving.web.pages import add_pages

_log = logging.getLogger("dlcodegen.serving")

_CLEAN_UP_SECONDS = 600.0


def build_app(service: Service) -> FastAPI:
    """The app of a service. Its lifespan goes on with what an earlier process left, and deletes what has expired."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        left = service.resume()
        if left:
            _log.warning("goes on with %d projects that an earlier process had under way", left)
        cleaning = asyncio.create_task(_clean_up(service))
        yield
        cleaning.cancel()

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


async def _clean_up(service: Service) -> None:
    while True:
        deleted = service.projects.delete_expired(service.settings.retention_days)
        if deleted:
            _log.info("deleted %d projects that were older than retention_days", deleted)
        await asyncio.sleep(_CLEAN_UP_SECONDS)
