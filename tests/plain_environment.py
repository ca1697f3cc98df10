"""Environments of Python alone, for what does not depend on a framework."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.environments.building import build, environment_location
from pipeline.environments.catalogue import Environment, environment_named
from pipeline.errors import DLCodeGenError
from pipeline.sandbox.process import ProcessSandbox

PLAIN = Environment(
    name="plain",
    about="Python alone",
    requirements="",
    pythons=(".".join(map(str, sys.version_info[:2])),),
    preload=("json", "decimal", "no_such_module"),
)


def plain_environment(name: str) -> Environment:
    """What every name means where there is no other environment."""
    return replace(PLAIN, name=name)


def build_in_place_of(name: str, folder: Path) -> None:
    """Puts Python alone where the environment of that name belongs, so that a job takes it for that."""
    built = build(PLAIN, folder / "plain")
    location = environment_location(environment_named(name), platform.python_version(), folder)
    shutil.copytree(built.folder, location, symlinks=True)
    description = json.loads((location / "environment.json").read_text())
    (location / "environment.json").write_text(json.dumps(description | {"name": name}))


def plain_environments(folder: Path) -> Path:
    """The folder, with Python alone in the place of `keras3`. Skips the test where there is no sandbox."""
    try:
        ProcessSandbox()
    except DLCodeGenError as error:
        pytest.skip(str(error))
    build_in_place_of("keras3", folder)
    return folder
