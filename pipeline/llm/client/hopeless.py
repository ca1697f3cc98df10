"""Refusals that no other request would escape, told by servers in many ways: a wrong key, no credit, no such model; and
those that will pass."""

from __future__ import annotations

import re

_KEY = re.compile(
    r"api[ _-]?key[^.]{0,40}(?:not valid|invalid|expired|not found|missing|required|revoked|disabled|incorrect|wrong)"
    r"|(?:invalid|incorrect|wrong|missing|expired|no|provide an?) (?:x-)?(?:api[ _-]?key|auth\w*|credentials|token\b)"
    r"|invalid_api_key|API_KEY_INVALID|unauthori[sz]ed|authentication[ _](?:error|fail|required)|not authenticated"
    r"|(?:organi[sz]ation|account|project|key)[^.]{0,30}(?:disabled|suspended|deactivated|blocked)"
    r"|(?:location|country|region)[^.]{0,40}not supported",
    re.IGNORECASE,
)
_UNPAID = re.compile(
    r"insufficient[ _](?:quota|balance|credit|fund)|credit balance|out of credits|no credits? left|payment required"
    r"|account is (?:in arrears|overdue)|arrearage|billing (?:hard )?limit"
    r"|balance is (?:not enough|insufficient|too low)"
    r"|free tier[^.]{0,40}exhausted",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model[^.]{0,80}(?:does not exist|not exist\b|not found|unknown)|(?:no such|unknown|invalid) model|model_not_found"
    r"|not a valid model|model[^.]{0,80}(?:decommissioned|no longer (?:supported|available)|has been retired)"
    r"|deployment[^.]{0,60}does not exist|not have access to (?:the )?model|no endpoints found|provide a model",
    re.IGNORECASE,
)

_BUSY = re.compile(
    r"rate[ _-]?limit|too many (?:concurrent )?requests|try again (?:later|in)|overloaded|temporarily unavailable"
    r"|server is busy|at capacity",
    re.IGNORECASE,
)
_AWAY = re.compile(
    r"(?:currently|still|is) loading|upstream connect|disconnect/reset|connection (?:refused|reset)"
    r"|no healthy upstream",
    re.IGNORECASE,
)

_WEB_PAGE = re.compile(r"\s*<(?:!doctype html|html)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,200}>(?P<title>[^<]{1,200})", re.IGNORECASE)


def hopeless_status(text: str) -> int | None:
    """The HTTP status that a refusal's words stand for where no other request would escape it: 401 for the key, 402 for
    an account without credit, 404 for a model that is not there. None for other refusals."""
    for status, pattern in ((402, _UNPAID), (401, _KEY), (404, _NO_MODEL)):
        if pattern.search(text):
            return status
    return None


def passing_status(text: str) -> int | None:
    """The HTTP status that a refusal's words stand for where the same request may be taken in a moment: 429 for a busy
    server, 503 for one that is not there yet. None for other refusals."""
    for status, pattern in ((429, _BUSY), (503, _AWAY)):
        if pattern.search(text):
            return status
    return None


def web_page(text: str) -> str | None:
    """What a web page is called that came in the place of an answer; None for what is no page."""
    if not _WEB_PAGE.match(text):
        return None
    title = _TITLE.search(text)
    named = f" ({' '.join(title['title'].split())})" if title else ""
    return f"a web page{named}"
