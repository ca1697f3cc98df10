"""Common servers and APIs by name: where they are, and what is given besides goes before."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from jobs.generation.settings import GenerateConfig
from pipeline.config import load_settings
from pipeline.config.endpoints import ENDPOINTS
from pipeline.errors import DLCodeGenError

DOCS = (Path(__file__).parents[3] / "docs" / "llm.md").read_text()


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_endpoint_s_name_is_its_address_and_its_key_s_variable(name: str) -> None:
    endpoint = ENDPOINTS[name]
    config = load_settings(GenerateConfig, None, [f"llm={name}", "model=m"], input="a", out="b")
    assert (config.llm.backend, config.llm.base_url) == ("openai", endpoint.base_url)
    assert config.llm.api_key_env == endpoint.api_key_env
    assert config.writing.method == "dlcodegen"
    link, day = re.fullmatch(r"(https://\S+) \((\d{4}-\d\d-\d\d)[^)]*\)", endpoint.reference).groups()  # type: ignore[union-attr]
    assert link
    assert date.fromisoformat(day)
    assert f"`{name}`" in DOCS


def test_what_is_given_besides_goes_before() -> None:
    words = ["llm=ollama", "model=m", "base_url=http://elsewhere:1/v1", "api_key_env=MY_KEY"]
    config = load_settings(GenerateConfig, None, words, input="a", out="b")
    assert (config.llm.base_url, config.llm.api_key_env) == ("http://elsewhere:1/v1", "MY_KEY")


def test_no_key_is_said_by_nothing() -> None:
    config = load_settings(GenerateConfig, None, ["llm=openai", "model=m", "api_key_env="], input="a", out="b")
    assert config.llm.api_key_env == ""


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(DLCodeGenError, match=r"llm: .*deepseek"):
        load_settings(GenerateConfig, None, ["llm=deepseak", "model=m"], input="a", out="b")
