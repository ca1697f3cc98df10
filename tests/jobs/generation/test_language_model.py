"""What is said before a language model is asked."""

from __future__ import annotations

import pytest

from jobs.generation.language_model import language_model
from pipeline.config import LLMSettings

URL = "https://models.example/v1"


def _said(capsys: pytest.CaptureFixture[str], **settings: str) -> str:
    with language_model(LLMSettings(backend="openai", model="m", **settings)):
        return capsys.readouterr().err


def test_a_key_that_the_job_lacks_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELS_KEY", raising=False)
    said = _said(capsys, base_url=URL, api_key_env="MODELS_KEY")
    assert said.startswith("dlcodegen: warning: $MODELS_KEY is not set in this job, so models.example is asked without")
    assert len(said.splitlines()) == 1
    monkeypatch.setenv("MODELS_KEY", "sk-secret")
    assert _said(capsys, base_url=URL, api_key_env="MODELS_KEY") == ""


def test_an_endpoint_that_needs_none_is_no_reason_to_warn(capsys: pytest.CaptureFixture[str]) -> None:
    assert _said(capsys, base_url="http://127.0.0.1:8000/v1", api_key_env="NO_SUCH_KEY") == ""
    assert _said(capsys, base_url=URL, api_key_env="") == ""
