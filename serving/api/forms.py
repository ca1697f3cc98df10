"""Forms that the page sends. URL-encoded, they need but the standard library; Starlette wants a package for it."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import Request

from serving.api.errors import ApiError

_MOST_FIELDS = 1_000


class Form:
    """The fields of a form, each with its values."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """A field's value; "" where there is none. Line breaks are Python's: browsers send those of HTTP."""
        return self._fields.get(name, [""])[0].replace("\r\n", "\n")

    def texts(self, name: str) -> list[str]:
        """All values of a field."""
        return self._fields.get(name, [])


async def form_of(request: Request) -> Form:
    """The form that a request carries; an empty one where it carries something else. Raises ApiError for too many
    fields."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return Form({})
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return Form(parse_qs(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="replace"))
    except ValueError as error:
        raise ApiError(400, "too_many_fields", f"a form may have {_MOST_FIELDS} fields") from error
