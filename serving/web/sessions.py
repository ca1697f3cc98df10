"""Signing in to the page with a key, and out again."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from serving.api.access import COOKIE, identify, require_own_page, service_of
from serving.api.forms import form_of
from serving.store.keys import SESSION_SECONDS
from serving.web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def login_page(request: Request) -> Response:
    """The form that asks for a key."""
    return render(request, "login.html.jinja", problem="")


@router.post("/login")
async def login(request: Request) -> Response:
    """Opens a session for a valid key."""
    service = service_of(request)
    require_own_page(request, service.settings)
    key = service.keys.find((await form_of(request)).text("secret").strip())
    if key is None or "projects" not in key.scopes:
        problem = "This key does not exist, has expired, was revoked, or is not for projects."
        return render(request, "login.html.jinja", status=401, problem=problem)
    token, _ = service.keys.open_session(key)
    response = RedirectResponse("/", 303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(SESSION_SECONDS),
        httponly=True,
        samesite="strict",
        secure=request.headers.get("origin", "").startswith("https://"),
    )
    return response


@router.post("/logout")
async def logout(request: Request) -> Response:
    """Ends the session."""
    await identify(request)  # checks that the form is ours
    service_of(request).keys.close_session(request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    return response
