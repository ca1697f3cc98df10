"""More than a hundred attempts to get out of the sandbox, each seen to get through where there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from pipeline.errors import DLCodeGenError
from pipeline.sandbox.machine import protection
from pipeline.sandbox.process import ProcessSandbox
from tests.pipeline.sandbox.exhaustion import EXHAUSTIONS, is_held, run
from tests.pipeline.sandbox.probes import TABLE

ROOT = Path(__file__).parents[3]
_SYSTEM_PYTHON = "/usr/bin/python3"
_NOBODY = 65534


@pytest.fixture(scope="module")
def sandbox() -> ProcessSandbox:
    try:
        return ProcessSandbox()
    except DLCodeGenError as error:
        pytest.skip(str(error))


@cache
def attack(mode: str) -> dict[str, str]:
    """What came of each probe, by name."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.sandbox.attack", mode], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, str] = json.loads(done.stdout)
    return said


def as_nobody(module: str, arguments: Sequence[str]) -> str:
    """The output of a module that the user nobody runs, with the system's Python: this one's may lie out of sight."""
    packages = [path for path in sys.path if path.endswith("site-packages")]
    environment = {"PATH": os.defpath, "HOME": "/tmp", "PYTHONPATH": os.pathsep.join([str(ROOT), *packages])}
    nobody = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    command = [_SYSTEM_PYTHON, "-m", module, *arguments]
    tried = subprocess.run(
        [_SYSTEM_PYTHON, "-c", "import pydantic, pipeline.records, sys; print(sys.version_info[:2])"],
        capture_output=True,
        text=True,
        cwd="/",
        env=environment,
        **nobody,  # type: ignore[call-overload]
    )
    if tried.returncode != 0 or tried.stdout.strip() != str(sys.version_info[:2]):
        pytest.skip("the system's Python is another one, or nobody may not read this program")
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", env=environment, **nobody)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@cache
def attack_as_nobody() -> dict[str, str]:
    said: dict[str, str] = json.loads(as_nobody("tests.pipeline.sandbox.attack", ["cold"]))
    return said


@pytest.fixture
def rights(sandbox: ProcessSandbox) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: nobody else gets through to much of this on the machine itself")


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("mode", ["cold", "warm"])
def test_it_is_held(sandbox: ProcessSandbox, name: str, mode: str) -> None:
    assert attack(mode)[name] != "through"


@pytest.mark.parametrize("name", TABLE)
def test_it_is_held_where_nobody_runs_this_program(rights: None, name: str) -> None:
    assert attack_as_nobody()[name] != "through"


@pytest.mark.parametrize("name", TABLE)
def test_it_gets_through_where_there_is_no_sandbox(rights: None, name: str) -> None:
    assert attack("bare")[name] == "through"


@pytest.mark.parametrize("name", EXHAUSTIONS)
def test_no_more_is_used_than_may_be(sandbox: ProcessSandbox, name: str) -> None:
    execution = run(name, sandbox)
    assert is_held(name, execution), execution
    # What is over the limit when it is noticed is what was taken in a poll.
    assert execution.peak_memory_bytes < 2 * EXHAUSTIONS[name].limits.memory_bytes


@pytest.mark.check_sandbox
@pytest.mark.parametrize("name", EXHAUSTIONS)
def test_no_more_is_used_than_may_be_where_nobody_runs_this_program(rights: None, name: str) -> None:
    """Without control groups, which nobody may make."""
    _, held, *how = json.loads(as_nobody("tests.pipeline.sandbox.exhaustion", [name]))
    assert held, how


def test_what_holds_here_is_said_in_a_line(sandbox: ProcessSandbox) -> None:
    held = protection()
    assert held.missing() == ""
    said = attack("cold")
    assert ("a user of its own" in held.described()) == (said["rights: being root"] != "through" and os.geteuid() == 0)
    assert "NO" not in held.described()
