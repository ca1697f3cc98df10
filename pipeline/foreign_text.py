"""Text that others wrote, made harmless for where it goes: one function a door.

A requirement, a model's reply, a file's or a run's name are data. In a file of ours they must not become code, markup,
a formula or a command for the terminal. HTML has Jinja's autoescape and `pipeline.pages.report_items.script_json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def storable(text: str) -> str:
    """The text as UTF-8 can hold it: half of a surrogate pair becomes U+FFFD."""
    if text.isascii():
        return text
    return _SURROGATE.sub("\ufffd", text)


def visible(text: str) -> str:
    """The text with every character that a browser or terminal obeys or drops, or that reorders its neighbours, as a
    symbol.

    Control characters become their pictures (NUL: U+2400), lone surrogates U+FFFD, bidirectional
    overrides their number: code must not read differently from what it does (Boucher and Anderson,
    Trojan Source, 2021).
    """
    return _HIDDEN.sub(_symbol, text.replace("\r\n", "\n"))


def _symbol(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"⟦U+{code:04X}⟧"


def json_line(value: object) -> str:
    """The value as JSON in one line, hidden characters escaped: a terminal may show it, and it says the same to a
    program."""
    return _HIDDEN.sub(lambda match: f"\\u{ord(match.group()):04x}", json.dumps(value, ensure_ascii=False))


_TAG = re.compile(r"<(?=[A-Za-z/!?])")
"""What opens an element, a comment or an autolink in Markdown; `x < 3` opens nothing."""

_LINK = re.compile(r"\](?=\((?!https?://|#)|:(?!\s*https?://))")
"""The end of a link's words before an address of another kind than a web page's or a place in the same text."""


def markdown_text(text: str) -> str:
    """Markdown without HTML, images, and links other than to web pages; these show as they were written."""
    text = _TAG.sub(r"\\<", text)
    return _LINK.sub(r"\\]", text.replace("![", r"!\["))


def markdown_cell(text: str) -> str:
    """The text as one cell of a Markdown table."""
    return markdown_text(" ".join(visible(text).split())).replace("|", r"\|")


_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠](?=.)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def spreadsheet_cell(text: str) -> str:
    """The text as a cell that no spreadsheet works out as a formula: an apostrophe before it, where it is no number
    (OWASP, CSV Injection)."""
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def plot_text(text: str) -> str:
    """The text as a label of a plot: a dollar sign opens no formula, whose mistakes matplotlib raises."""
    return visible(text).replace("$", r"\$")


MASK = "***"


_CHAINED = re.compile(r"::(?=[A-Za-z][A-Za-z0-9+.\-]*://)")
"""Between the addresses of a chain as fsspec has it: `zip://rows.csv::https://host/rows.zip`."""


def masked_url(url: str) -> str:
    """The address without what may be secret in it: user, password, values of the query, what follows `#`."""
    return "::".join(map(_masked, _CHAINED.split(url)))


def _masked(url: str) -> str:
    if login := _slashed_login(url):
        url = url.replace(login, MASK, 1)
    try:
        parts = urlsplit(url)
        values = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:  # no address, which whoever opens it says
        return MASK if "@" in url or "?" in url else url
    if not (parts.query or parts.fragment or "@" in parts.netloc):
        return url  # as it was written
    _, at, host = parts.netloc.rpartition("@")
    netloc = f"{MASK}@{host}" if at else host
    # A query without names may be nothing but a key.
    query = "&".join(f"{name}={MASK}" if value else MASK for name, value in values) or (MASK if parts.query else "")
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def _slashed_login(url: str) -> str:
    """User and password before an address, where one holds a slash as keys of object stores do; "" where none does."""
    _, _, rest = url.partition("://")
    login, _, _ = rest.partition("?")[0].partition("#")[0].rpartition("@")
    first, slash, _ = login.partition("/")
    user, colon, start = first.partition(":")
    is_port = not start or start.isdigit()
    return login if slash and colon and not is_port and not user.startswith("[") else ""


_ADDRESS = re.compile(r"(?<![A-Za-z0-9+.\-])[A-Za-z][A-Za-z0-9+.\-]{0,19}://[^\s\\\"'<>]*[^\s\\\"'<>.,;:!?()]")


def without_secrets(text: str) -> str:
    """The text with `masked_url` of each address in it: for messages, and for files that say where something lies."""
    return _ADDRESS.sub(lambda match: masked_url(match.group()), text)


def secrets_in(url: str) -> Iterator[str]:
    """What `masked_url` leaves out of an address, as it is written and as it is meant."""
    try:
        parts = urlsplit(url)
        values = [value for _, value in parse_qsl(parts.query)]
    except ValueError:
        return
    login, _, _ = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    for secret in (login, password, user, parts.fragment, *values):
        yield from {secret, unquote(secret)} - {""}
    for pair in parts.query.split("&"):
        if value := pair.partition("=")[2]:
            yield value
