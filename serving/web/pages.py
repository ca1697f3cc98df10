"""The page's routes: what is needed goes in by a form, and a project is looked at, changed, rated and taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError

from pipeline.measures.judge import ASPECTS
from pipeline.pages.rating import QUESTIONS
from serving.api.access import Caller, identify, service_of
from serving.api.asked import NewProject
from serving.api.errors import ApiError, error_response, over_quota
from serving.api.forms import form_of
from serving.api.projects import Rating
from serving.store.quotas import OverQuota
from serving.web import sessions
from serving.web.edits import edited_plan, places_left_out
from serving.web.project_page import project_page
from serving.web.rendering import render

router = APIRouter(include_in_schema=False)

_STATIC = Path(__file__).parent / "static"

_STYLES = Path(__file__).parents[2] / "pipeline" / "pages" / "report.css"
"""The report's own: the page and the report of a run look the same."""

_HISTORY = 30


def add_pages(app: FastAPI) -> None:
    """Adds the page to the API's app."""
    app.include_router(sessions.router)
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")

    @app.get("/static-report.css", include_in_schema=False)
    async def report_styles() -> Response:
        return Response(_STYLES.read_text(encoding="utf-8"), media_type="text/css")

    @app.exception_handler(ApiError)
    async def in_plain_words(request: Request, error: ApiError) -> Response:
        """A person gets a page, a program JSON."""
        is_page = not request.url.path.startswith(("/v1/", "/admin/"))
        if not is_page or "text/html" not in request.headers.get("accept", ""):
            return error_response(error)
        if error.status == 401:
            return RedirectResponse("/login", 303)
        return render(request, "error.html.jinja", status=error.status, message=str(error))


@router.get("/")
async def home(request: Request) -> Response:
    """The form, and what was made before."""
    caller = await _person(request)
    service = service_of(request)
    history = service.projects.of_key(caller.key.id, _HISTORY)
    return render(
        request,
        "home.html.jinja",
        caller=caller,
        history=history,
        requirement="",
        attributes="",
        problem="",
        longest=service.settings.requirement_characters,
    )


@router.post("/projects")
async def make(request: Request) -> Response:
    """Begins a project, and goes to its page; says on the form what keeps it from that."""
    caller = await _person(request)
    service = service_of(request)
    form = await form_of(request)
    requirement, attributes = form.text("requirement"), form.text("attributes")
    try:
        submitted = _submit(request, caller, {"requirement": requirement, "attributes": attributes})
    except ApiError as error:
        history = service.projects.of_key(caller.key.id, _HISTORY)
        return render(
            request,
            "home.html.jinja",
            status=error.status,
            caller=caller,
            history=history,
            requirement=requirement,
            attributes=attributes,
            problem=str(error),
            longest=service.settings.requirement_characters,
        )
    return RedirectResponse(f"/projects/{submitted}", 303)


@router.get("/projects/{id}")
async def look(id: str, request: Request) -> Response:
    """A project, as far as it is; with `?part` what is inside of the page, for its script."""
    caller = await _person(request)
    service = service_of(request)
    project = service.find(caller.key, id)
    view = project_page(project, service.row_of(project), service.projects.rating_of(project.id))
    template = "project_part.html.jinja" if "part" in request.query_params else "project.html.jinja"
    questions = [(aspect, QUESTIONS[aspect]) for aspect in ASPECTS]
    return render(request, template, caller=caller, view=view, questions=questions)


@router.post("/projects/{id}/understood")
async def understood_otherwise(id: str, request: Request) -> Response:
    """Goes on from what was understood, as somebody corrected it."""
    caller = await _person(request)
    form = await form_of(request)
    project = service_of(request).find(caller.key, id)
    row = service_of(request).row_of(project)
    values = {"from": id, "without": places_left_out(row, form), "also": form.text("also")}
    return RedirectResponse(f"/projects/{_submit(request, caller, values)}", 303)


@router.post("/projects/{id}/plan")
async def planned_otherwise(id: str, request: Request) -> Response:
    """Goes on from the plan as somebody edited it."""
    caller = await _person(request)
    plan = edited_plan(await form_of(request))
    return RedirectResponse(f"/projects/{_submit(request, caller, {'from': id, 'plan': plan})}", 303)


@router.post("/projects/{id}/end")
async def end(id: str, request: Request) -> Response:
    """Cancels a project, or deletes it from the history."""
    caller = await _person(request)
    service = service_of(request)
    project = service.find(caller.key, id)
    service.cancel(project)
    await service.runs.finished(id)
    return RedirectResponse("/" if service.status_of(id) is None else f"/projects/{id}", 303)


@router.post("/projects/{id}/rating")
async def rate(id: str, request: Request) -> Response:
    """Keeps a rating."""
    caller = await _person(request)
    service = service_of(request)
    project = service.find(caller.key, id)
    form = await form_of(request)
    given = {name: form.text(name) or None for name in ASPECTS} | {"comment": form.text("comment")}
    try:
        rating = Rating.model_validate(given)
    except ValidationError as error:
        raise ApiError(400, "invalid_value", "a rating goes from 0 to 10, its comment up to 5,000 letters") from error
    if project.status != "completed":
        raise ApiError(409, "not_finished", "only a finished project can be rated")
    service.projects.rate(project.id, rating.model_dump())
    return RedirectResponse(f"/projects/{id}#rating", 303)


async def _person(request: Request) -> Caller:
    """Who looks at the page. Raises ApiError (401, which leads to the form) for nobody."""
    caller = await identify(request)
    if caller is None or not caller.csrf:
        raise ApiError(401, "missing_session", "sign in with a key")
    service_of(request).audit(request.method, request.url.path, caller.key.id)
    return caller


def _submit(request: Request, caller: Caller, values: dict[str, Any]) -> str:
    try:
        asked = NewProject.model_validate(values)
    except ValidationError as error:
        raise ApiError(400, "invalid_value", error.errors()[0]["msg"]) from error
    service = service_of(request)
    try:
        service.quotas.count_request(caller.key)
    except OverQuota as error:
        raise over_quota(error) from error
    return service.submit(caller.key, asked).project.id
