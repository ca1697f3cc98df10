"""Who asks: a key in the Authorization header, or a session of the page; and that it may ask so often."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response

from serving.api.errors import ApiError, over_quota
from serving.api.forms import form_of
from serving.api.service import Service
from serving.settings import OnlineSettings
from serving.store.keys import Key
from serving.store.quotas import OverQuota

COOKIE = "dlcodegen_session"

CSRF_HEADER = "x-csrf-token"

CSRF_FIELD = "csrf"

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who asks."""

    key: Key
    csrf: str
    """What a form of the page carries; "" for a caller with a key."""


def service_of(request: Request) -> Service:
    """The service behind the app."""
    service: Service = request.app.state.service
    return service


async def identify(request: Request) -> Caller | None:
    """Who asks; None for nobody. Raises ApiError for a key that is not valid, and for a page of another site that uses
    somebody's session."""
    service = service_of(request)
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret:
        key = service.keys.find(secret.strip())
        if key is None:
            raise ApiError(401, "invalid_api_key", "this key does not exist, has expired or was revoked")
        return Caller(key=key, csrf="")
    token = request.cookies.get(COOKIE)
    session = service.keys.session(token) if token else None
    if session is None:
        return None
    if request.method not in _SAFE_METHODS:
        require_own_page(request, service.settings)
        given = request.headers.get(CSRF_HEADER) or (await form_of(request)).text(CSRF_FIELD)
        if not hmac.compare_digest(given.encode(), session.csrf.encode()):
            raise ApiError(403, "csrf", "this form is not from the page as it is now; load the page again")
    return Caller(key=session.key, csrf=session.csrf)


def require_own_page(request: Request, settings: OnlineSettings) -> None:
    """Raises ApiError for a form that another site's page sends."""
    origin = request.headers.get("origin")
    own = {f"{scheme}://{request.headers.get('host', '')}" for scheme in ("http", "https")}
    if origin is None or origin not in own | set(settings.origins):
        raise ApiError(403, "foreign_origin", "this was sent by a page of another site")


def caller(scope: str) -> Callable[[Request, Response], Awaitable[Caller]]:
    """A dependency: the caller, whose key has the scope. Counts the request."""

    async def known(request: Request, response: Response) -> Caller:
        found = await identify(request)
        if found is None:
            raise ApiError(401, "missing_api_key", "send a key: Authorization: Bearer dlc_...")
        if scope not in found.key.scopes:
            raise ApiError(403, "missing_scope", f"this key is not for {scope}")
        try:
            room = service_of(request).quotas.count_request(found.key)
        except OverQuota as error:
            service_of(request).runs.metrics.rejected(error.code)
            raise over_quota(error) from error
        if room.limit is not None:
            response.headers["x-ratelimit-limit-requests"] = str(room.limit)
            response.headers["x-ratelimit-remaining-requests"] = str(room.remaining)
            response.headers["x-ratelimit-reset-requests"] = f"{room.reset:.0f}s"
        service_of(request).audit(request.method, request.url.path, found.key.id)
        return found

    return known


ForProjects = Annotated[Caller, Depends(caller("projects"))]
ForCompletions = Annotated[Caller, Depends(caller("completions"))]
ForAdmin = Annotated[Caller, Depends(caller("admin"))]


async def _the_service(request: Request) -> Service:
    return service_of(request)  # a dependency that is not async runs in a thread


TheService = Annotated[Service, Depends(_the_service)]
