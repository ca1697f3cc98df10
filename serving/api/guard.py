"""What every request passes before anything reads it: how large its body may be, and what browsers are told."""

from __future__ import annotations

from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.errors import ApiError, error_response

_SAFE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""No page of ours has a script or style in it, or may be shown inside another; what a user asked for is in no cache.
There are no CORS headers: pages of other sites cannot read anything."""


class _TooLong(Exception):
    """More came than may."""


class Guard:
    """ASGI middleware. A body that says that it is too long is refused unread; one that does not say so, when it is."""

    def __init__(self, app: ASGIApp, body_bytes: int) -> None:
        self._app, self._body_bytes = app, body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = too_long = refusing = False
        read = 0

        async def counted() -> Message:
            nonlocal read, too_long
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._body_bytes:
                too_long = True
                raise _TooLong
            return message

        async def guarded(message: Message) -> None:
            nonlocal started
            if too_long and not started and not refusing:
                return  # what the app says of a body that it could not read
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _SAFE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = ApiError(413, "body_too_large", f"a request's body may have {self._body_bytes:,} bytes")
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > self._body_bytes:
            refusing = True
            await error_response(refused)(scope, receive, guarded)
            return
        with suppress(_TooLong):
            await self._app(scope, counted, guarded)
        if too_long and not started:
            refusing = True
            await error_response(refused)(scope, receive, guarded)
