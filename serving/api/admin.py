"""Whether the service is up, what a key has used, and keys for those who may make them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from serving.api.access import ForAdmin, ForProjects, TheService
from serving.api.errors import ApiError
from serving.settings import QuotaSettings
from serving.store.keys import SCOPES, Key

router = APIRouter()


class NewKey(BaseModel):
    """A key that somebody is to get."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    scopes: list[str] = ["projects", "completions"]
    days: float | None = Field(None, gt=0)
    quotas: QuotaSettings | None = None


@router.get("/healthz", tags=["operation"])
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", tags=["operation"])
async def readyz(service: TheService) -> Response:
    """Whether it takes projects."""
    if service.runs.draining:
        return JSONResponse({"status": "shutting down"}, 503, {"Retry-After": "5"})
    service.database.value("SELECT 1")
    return JSONResponse({"status": "ready", "under_way": service.runs.under_way})


@router.get("/v1/usage", tags=["keys"])
async def usage(caller: ForProjects, service: TheService) -> dict[str, Any]:
    """What the key has used, in all and a day an entry, and what it may use."""
    used = service.quotas.used(caller.key.id)
    total = {
        "projects": used.projects,
        "completions": used.completions,
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": used.completion_tokens,
    }
    quotas = caller.key.quotas.model_dump()
    return {"object": "usage", "total": total, "days": service.quotas.by_day(caller.key.id), "quotas": quotas}


@router.get("/admin/keys", tags=["keys"])
async def list_keys(caller: ForAdmin, service: TheService) -> dict[str, Any]:
    """All keys, without their secrets."""
    return {"object": "list", "data": [key_view(key) for key in service.keys.all()]}


@router.post("/admin/keys", status_code=201, tags=["keys"])
async def add_key(asked: NewKey, caller: ForAdmin, service: TheService) -> dict[str, Any]:
    """A new key, with its secret, which is told this once."""
    unknown = set(asked.scopes) - set(SCOPES)
    if unknown:
        raise ApiError(400, "invalid_value", f"scopes: there are {', '.join(SCOPES)}", param="scopes")
    key, secret = service.keys.add(asked.name, asked.quotas or service.settings.quotas, asked.scopes, asked.days)
    return key_view(key) | {"secret": secret}


@router.delete("/admin/keys/{id}", status_code=204, tags=["keys"])
async def revoke_key(id: str, caller: ForAdmin, service: TheService) -> Response:
    """Ends a key and its sessions."""
    if not service.keys.revoke(id):
        raise ApiError(404, "key_not_found", f"there is no key {id[:40]}")
    return Response(status_code=204)


def key_view(key: Key) -> dict[str, Any]:
    """A key as JSON."""
    return {
        "id": key.id,
        "object": "key",
        "name": key.name,
        "scopes": list(key.scopes),
        "created": key.created,
        "expires": key.expires,
        "revoked": key.revoked,
        "quotas": key.quotas.model_dump(),
    }
