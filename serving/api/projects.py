"""Our own routes: plans and projects."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncGenerator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from pipeline.records import Delivered, Planned, Requirement, Retrieved, Scored, SourceFile, Understood
from serving.api.access import ForProjects, TheService
from serving.api.asked import NewProject, new_request
from serving.api.errors import ApiError
from serving.api.service import Service
from serving.api.streams import event_lines, event_stream
from serving.store.projects import Project
from serving.work.events import delivery_view, plan_view, samples_view, understood_view, used_by

router = APIRouter(prefix="/v1", tags=["projects"])


class NewPlan(BaseModel):
    """A plan that a client wants."""

    model_config = ConfigDict(extra="forbid")

    requirement: str
    """What is needed, in plain words."""

    attributes: str = ""
    """What is known about the data."""


class Rating(BaseModel):
    """What somebody thinks of a project; the questions are those of `score rate`, from 0 to 10."""

    model_config = ConfigDict(extra="forbid")

    compliance: float | None = Field(None, ge=0, le=10)
    usefulness: float | None = Field(None, ge=0, le=10)
    idiomaticity: float | None = Field(None, ge=0, le=10)
    comment: str = Field("", max_length=5_000)


@router.post("/plans")
async def make_plan(asked: NewPlan, caller: ForProjects, service: TheService) -> dict[str, Any]:
    """A solution plan for a requirement, without a project."""
    stages = service.runs.stages
    names = [stage.name for stage in stages]
    if "plan" not in names:
        raise ApiError(400, "unsupported", f"method={service.config.writing.method} has no plan")
    service.require_room()
    if max(len(asked.requirement), len(asked.attributes)) > service.settings.requirement_characters:
        longest = service.settings.requirement_characters
        raise ApiError(400, "too_long", f"up to {longest:,} characters are read", param="requirement")
    record = await service.runs.partly(new_request(asked.requirement, asked.attributes), names.index("plan") + 1)
    failure = None if record.failure is None else asdict(record.failure)
    planned = plan_view(record) if isinstance(record, Planned) else {}
    understood = understood_view(record) if isinstance(record, Understood) else {}
    return {"object": "plan", "understood": understood, **planned, "failure": failure}


@router.post("/projects")
async def make_project(
    asked: NewProject,
    request: Request,
    caller: ForProjects,
    service: TheService,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    prefer: Annotated[str, Header()] = "",
    accept: Annotated[str, Header()] = "",
) -> Response:
    """A project: as JSON when it is finished, as events (`Accept: text/event-stream`), or at once (`Prefer:
    respond-async`), to be asked for later. A client that goes away before the end of the first two ends its project."""
    submitted = service.submit(caller.key, asked, idempotency_key)
    project = submitted.project
    headers = {"Location": f"/v1/projects/{project.id}"}
    if submitted.repeated:
        headers["Idempotency-Replayed"] = "true"
    if "respond-async" in prefer.lower():
        view = project_view(service, project)
        return JSONResponse(view, 202, headers | {"Preference-Applied": "respond-async"})
    if "text/event-stream" in accept.lower():
        return event_stream(_ending_with_client(service, project), headers)
    try:
        while not await _finished_in(service, project, 1.0):
            if await request.is_disconnected():
                service.runs.cancel(project.id)
    except asyncio.CancelledError:
        service.runs.cancel(project.id)
        raise
    return JSONResponse(project_view(service, service.find(caller.key, project.id)), 201, headers)


@router.get("/projects")
async def list_projects(
    caller: ForProjects, service: TheService, limit: int = 50, before: float | None = None
) -> dict[str, Any]:
    """The key's projects, the newest first; `before` is the `created` of the last one of the page before."""
    found = service.projects.of_key(caller.key.id, min(max(limit, 1), 200), before)
    return {"object": "list", "data": [_short_view(project) for project in found]}


@router.get("/projects/{id}")
async def get_project(id: str, caller: ForProjects, service: TheService) -> dict[str, Any]:
    """A project, as far as it is."""
    return project_view(service, service.find(caller.key, id))


@router.get("/projects/{id}/events")
async def project_events(
    id: str,
    caller: ForProjects,
    service: TheService,
    last_event_id: Annotated[int, Header(ge=0)] = 0,
    after: int = 0,
) -> Response:
    """The project's events as they come, behind the one that the client has had (`Last-Event-ID`, or `after`)."""
    project = service.find(caller.key, id)
    return event_stream(_events(service, project, max(last_event_id, after)))


@router.get("/projects/{id}/files/{path:path}")
async def project_file(id: str, path: str, caller: ForProjects, service: TheService) -> Response:
    """A file of a finished project, as an attachment: it is somebody's program, and no page of ours."""
    for file in files_of(service, service.find(caller.key, id)):
        if file.path == path:
            name = path.rpartition("/")[2]
            return _attachment(file.text.encode(), "text/plain; charset=utf-8", name)
    raise ApiError(404, "file_not_found", f"the project has no file {path[:100]}")


@router.get("/projects/{id}/archive.zip")
async def project_archive(id: str, caller: ForProjects, service: TheService) -> Response:
    """All files of a finished project."""
    files = files_of(service, service.find(caller.key, id))
    if not files:
        raise ApiError(404, "no_files", "the project has no files")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            # A fixed date: equal projects are equal archives.
            archive.writestr(zipfile.ZipInfo(f"project/{file.path}"), file.text, zipfile.ZIP_DEFLATED)
    return _attachment(stream.getvalue(), "application/zip", f"{id}.zip")


@router.delete("/projects/{id}", status_code=204)
async def end_project(id: str, caller: ForProjects, service: TheService) -> Response:
    """Cancels a project that is under way; deletes one that has ended."""
    service.cancel(service.find(caller.key, id))
    return Response(status_code=204)


@router.post("/projects/{id}/feedback", status_code=204)
async def rate_project(id: str, rating: Rating, caller: ForProjects, service: TheService) -> Response:
    """Keeps what somebody thinks of a finished project."""
    project = service.find(caller.key, id)
    if project.status != "completed":
        raise ApiError(409, "not_finished", "only a finished project can be rated")
    service.projects.rate(project.id, rating.model_dump())
    return Response(status_code=204)


def files_of(service: Service, project: Project) -> tuple[SourceFile, ...]:
    """The files of a finished project; none for any other."""
    record = service.projects.record_of(project.id)
    return () if record is None else record.files


def project_view(service: Service, project: Project) -> dict[str, Any]:
    """A project as JSON, with everything but the texts of its files."""
    record = service.row_of(project)
    view = _short_view(project) | {"rating": service.projects.rating_of(project.id)}
    return view if record is None else view | _row_view(record, project.id)


def _short_view(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "object": "project",
        "status": project.status,
        "title": project.title,
        "parent": project.parent,
        "created": round(project.created, 3),
        "finished": None if project.finished is None else round(project.finished, 3),
    }


def _row_view(record: Requirement, id: str) -> dict[str, Any]:
    view: dict[str, Any] = {"requirement": record.requirement, "attributes": record.attributes}
    if isinstance(record, Understood):
        view["understood"] = understood_view(record)
    if isinstance(record, Planned):
        view |= plan_view(record)
    if isinstance(record, Retrieved):
        view |= samples_view(record)
    if isinstance(record, Delivered):
        view["delivery"] = delivery_view(record)
        base = f"/v1/projects/{id}/files"
        view["files"] = [
            {"path": file.path, "bytes": len(file.text.encode()), "url": f"{base}/{file.path}"} for file in record.files
        ]
    if isinstance(record, Scored) and record.scores is not None:
        view["scores"] = asdict(record.scores)
    view["failure"] = None if record.failure is None else asdict(record.failure)
    used = used_by(record)
    view["usage"] = {"prompt_tokens": used.prompt_tokens, "completion_tokens": used.completion_tokens}
    return view


async def _finished_in(service: Service, project: Project, seconds: float) -> bool:
    try:
        await asyncio.wait_for(service.runs.finished(project.id), seconds)
    except TimeoutError:
        return False
    return service.status_of(project.id) != "under_way"


async def _events(service: Service, project: Project, after: int) -> AsyncGenerator[str, None]:
    async for event in service.runs.events(project.id, after):
        yield event_lines(event.data, name=event.name, number=event.number)


async def _ending_with_client(service: Service, project: Project) -> AsyncGenerator[str, None]:
    try:
        async for event in _events(service, project, 0):
            yield event
    finally:
        service.runs.cancel(project.id)  # of no effect on one that has ended


def _attachment(data: bytes, kind: str, name: str) -> Response:
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{safe}"'})
