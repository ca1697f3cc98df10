"""YAML that says nothing is one kind of error, whatever Python calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import PipelineSettings, load_settings
from pipeline.dlbench.reading.own_yaml import read_yaml
from pipeline.errors import DLCodeGenError
from pipeline.yaml_text import yaml_value

SAYS_NOTHING = {
    "thirteenth month": "2024-13-01",
    "many digits": "7" * 5_000,
    "deep": "[" * 3_000,
    "two colons": "a: b: c",
    "a tag of Python": "!!python/object/apply:os.getcwd []",
}


@pytest.mark.parametrize("text", SAYS_NOTHING.values(), ids=SAYS_NOTHING)
def test_it_is_one_line_everywhere(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]{1,200}$"):
        yaml_value(text)
    with pytest.raises(DLCodeGenError, match=r"writing\.seed: its value cannot be read as YAML"):
        load_settings(PipelineSettings, None, [f"writing.seed={text}"])
    file = tmp_path / "settings.yaml"
    file.write_text(f"seed: {text}\n")
    with pytest.raises(DLCodeGenError, match="cannot be read as YAML settings"):
        load_settings(PipelineSettings, str(file))
    with pytest.raises(DLCodeGenError, match=r"tasks\.yaml: no YAML"):
        list(read_yaml(text, "tasks.yaml"))


def test_what_says_something_is_read() -> None:
    assert yaml_value("[1, 0x10, 2024-12-01, off]")[1] == 16
