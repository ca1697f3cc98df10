"""The doors through which others' texts enter our files."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import example, given

from pipeline.config import LLMSettings, PipelineSettings, load_settings
from pipeline.errors import DLCodeGenError
from pipeline.foreign_text import (
    json_line,
    markdown_cell,
    markdown_text,
    masked_url,
    secrets_in,
    spreadsheet_cell,
    storable,
    visible,
    without_secrets,
)
from tests.hostile_texts import hostile_texts

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@given(hostile_texts())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert not _OBEYED.search(visible(text))
    visible(text).encode()
    storable(text).encode()


@given(hostile_texts())
@example("\x9b31m \u202e \ud83d 😀 \u2028")
def test_json_says_the_same_and_hides_nothing(text: str) -> None:
    line = json_line({"text": text})
    assert json.loads(line) == {"text": text}
    assert not _OBEYED.search(line)
    assert len(line.splitlines()) == 1


@given(hostile_texts())
def test_no_cell_is_a_formula(text: str) -> None:
    cell = spreadsheet_cell(text)
    assert cell in (text, f"'{text}")
    assert len(cell) < 2 or cell[0] not in "=+-@\t\r\n"


@pytest.mark.parametrize("text", ["-", "-1.5", "+2", "1e-3", "-.5e+10", "a=b", "", "CNN - small"])
def test_numbers_and_plain_words_stay(text: str) -> None:
    assert spreadsheet_cell(text) == text


@pytest.mark.parametrize("text", ["=1+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "+A1", "\t=1", "＝1"])
def test_formulas_become_text(text: str) -> None:
    (row,) = csv.reader(io.StringIO(f'"{spreadsheet_cell(text)}"\n'))
    assert row == [f"'{text}"]


@given(hostile_texts())
def test_markdown_opens_no_element(text: str) -> None:
    assert not re.search(r"(?<!\\)<[A-Za-z/!?]", markdown_text(text))
    assert not re.search(r"(?<!\\)\]\((?!https?://|#)", markdown_text(text))
    cell = markdown_cell(text)
    assert "\n" not in cell
    assert not re.search(r"(?<!\\)\|", cell)


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://me:secret@host:80/v1", "https://***@host:80/v1"),
        ("https://token@host/v1/", "https://***@host/v1/"),
        ("https://host/v1?key=secret&v=1", "https://host/v1?key=***&v=***"),
        ("https://host/v1?secret", "https://host/v1?***"),
        ("https://host/v1#secret", "https://host/v1"),
        ("https://me:sec@ret@host/v1", "https://***@host/v1"),
        ("http://me:secret@[::1", "***"),
    ],
)
def test_an_address_shows_without_its_secrets(url: str, masked: str) -> None:
    assert masked_url(url) == masked
    assert masked_url(masked) == masked


def test_secrets_are_known_as_written_and_as_meant() -> None:
    found = set(secrets_in("https://me:p%40ss@host/v1?key=a%2Bb"))
    assert {"me", "p%40ss", "p@ss", "a%2Bb", "a+b"} <= found


def test_settings_show_no_secret_and_keep_it_for_the_call() -> None:
    settings = LLMSettings(backend="openai", base_url="https://me:secret@host/v1?key=token")
    assert settings.model_dump(mode="json")["base_url"] == "https://***@host/v1?key=***"
    assert "secret" not in settings.model_dump_json()
    assert settings.base_url.startswith("https://me:secret@")
    assert settings.model_dump()["base_url"] == settings.base_url


def test_a_key_in_the_place_of_its_variable_is_not_repeated() -> None:
    with pytest.raises(DLCodeGenError, match="no name of an environment variable") as error:
        load_settings(PipelineSettings, None, ["api_key_env=sk-secret-1"])
    assert "sk-secret" not in str(error.value)
    with pytest.raises(DLCodeGenError, match="base_url") as unread:
        load_settings(PipelineSettings, None, ["base_url=https://me:secret@h: {"])
    assert "secret" not in str(unread.value)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("https://ann:pw@host/x.jsonl: cannot be opened", "https://***@host/x.jsonl: cannot be opened"),
        ("get https://h/x.csv?X-Sig=abc%2F, or another", "get https://h/x.csv?X-Sig=***, or another"),
        ("zip://a.csv::https://u:p@h/x.zip?sig=1", "zip://a.csv::https://***@h/x.zip?sig=***"),
        ("s3://KEY:abc/d+f@bucket/x", "s3://***@bucket/x"),
        ('{"out": "sftp://u:p@h/x\\"y", "n": 1}', '{"out": "sftp://***@h/x\\"y", "n": 1}'),
        ("http://[::1]:8000/a@b and http://h:80/a@b.", "http://[::1]:8000/a@b and http://h:80/a@b."),
        ("s3://bucket/in/x.jsonl, line 3: not JSON", "s3://bucket/in/x.jsonl, line 3: not JSON"),
        ("a wish with a:b@c and ://", "a wish with a:b@c and ://"),
    ],
)
def test_messages_show_addresses_without_their_secrets(message: str, shown: str) -> None:
    assert without_secrets(message) == shown
