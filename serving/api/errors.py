"""What goes wrong, in the shape of the OpenAI API: {"error": {"message", "type", "param", "code"}}."""

from __future__ import annotations

import logging
import math
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from serving.store.connection import DatabaseFault
from serving.store.quotas import OverQuota

_log = logging.getLogger("dlcodegen.serving")

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
"""Of the other numbers those under 500 are `invalid_request_error`, the rest `server_error`."""


class ApiError(Exception):
    """An answer other than what was wanted. `retry_after` is in seconds."""

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.param, self.retry_after = status, code, param, retry_after


def over_quota(error: OverQuota) -> ApiError:
    """The answer to a key that has used up what it may."""
    return ApiError(429, error.code, str(error), retry_after=error.retry_after)


def error_body(status: int, code: str, message: str, param: str | None = None) -> dict[str, object]:
    """An error as clients read it."""
    kind = _TYPES.get(status) or ("invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def error_response(error: ApiError) -> JSONResponse:
    """An error as a response."""
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(error_body(error.status, error.code, str(error), error.param), error.status, headers)


def add_handlers(app: FastAPI) -> None:
    """Has the app answer every error in this shape."""

    @app.exception_handler(ApiError)
    async def known(request: Request, error: ApiError) -> JSONResponse:
        return error_response(error)

    @app.exception_handler(DatabaseFault)
    async def without_database(request: Request, error: DatabaseFault) -> JSONResponse:
        _log.warning("%s %s: %s", request.method, request.url.path, error)
        return error_response(
            ApiError(503, "database_unavailable", "the service's database is away; try again shortly", retry_after=5)
        )

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        problem = error.errors()[0]
        path = [str(part) for part in problem["loc"] if part not in ("body", "query", "path", "header")]
        param = ".".join(path) or None
        if problem["type"] == "json_invalid":
            return error_response(ApiError(400, "invalid_json", "the body is no JSON"))
        message = f"{param}: {problem['msg']}" if param else str(problem["msg"])
        return error_response(ApiError(400, "invalid_value", message, param=param))

    @app.exception_handler(HTTPException)
    async def of_the_framework(request: Request, error: HTTPException) -> JSONResponse:
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        message = f"{request.method} {request.url.path}: {HTTPStatus(error.status_code).phrase.lower()}"
        response = error_response(ApiError(error.status_code, code, message))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> JSONResponse:
        _log.exception("%s %s", request.method, request.url.path)
        return error_response(
            ApiError(500, "internal_error", "the service made a mistake; its operator finds it in the log")
        )
