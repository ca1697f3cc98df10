"""Building environments: with uv, from packages of one's own that need no network and can be made to wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.environments.building import (
    FOLDER_VARIABLE,
    BuiltEnvironment,
    EnvironmentBuildError,
    build,
    environments_folder,
    find_built,
)
from pipeline.environments.catalogue import Environment
from tests.full_disks import needs_mounts, on_tmpfs
from tests.waiting import wait_until

HERE = ".".join(map(str, sys.version_info[:2]))
PLAIN = Environment(name="plain", about="Python alone", requirements="", pythons=(HERE,))

_PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "waits"
version = "1.0"
"""

# A wheel is made by hand, once the file `go` is there.
_BACKEND = """\
import pathlib, time, zipfile

HERE = pathlib.Path(__file__).parent

def build_wheel(folder, config_settings=None, metadata_directory=None):
    (HERE / "begun").touch()
    while not (HERE / "go").exists():
        time.sleep(0.02)
    name = "waits-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.writestr("waits.py", "value = 42\\n" + "#" * FILLING + "\\n")
        wheel.writestr("waits-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: waits\\nVersion: 1.0\\n")
        wheel.writestr("waits-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("waits-1.0.dist-info/RECORD", "")
    return name
"""


def _waiting(folder: Path, filling: int = 0) -> Environment:
    """An environment whose one package is built only when there is a file `go` in the folder."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(_PROJECT)
    (folder / "backend.py").write_text(_BACKEND.replace("FILLING", str(filling)))
    return replace(PLAIN, name="waiting", requirements=f"waits @ file://{folder}\n")


def _builder(environment: Environment, folder: Path) -> list[str]:
    """The command of a process that builds it."""
    program = (
        "import sys; from pathlib import Path\n"
        "from pipeline.environments.building import build; from pipeline.environments.catalogue import Environment\n"
        f"print(build({environment!r}, Path({str(folder)!r})).python)"
    )
    return [sys.executable, "-c", program]


def _value_of(built: BuiltEnvironment) -> str:
    asked = [built.python, "-I", "-c", "import waits; print(waits.value)"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def test_an_environment_is_built_once_and_is_not_the_jobs_own(tmp_path: Path) -> None:
    assert find_built(PLAIN, tmp_path) is None
    built = build(PLAIN, tmp_path)
    again = build(PLAIN, tmp_path)
    assert again == built == find_built(PLAIN, tmp_path)
    asked = [built.python, "-c", "import sys; print(sys.prefix); import pydantic"]
    told = subprocess.run(asked, capture_output=True, text=True, cwd="/", env={})
    assert told.stdout.strip() == built.folder
    assert "No module named 'pydantic'" in told.stderr
    assert built.bytes > 0
    assert built.versions(()) == f"Python {sys.version.split()[0]}"


def test_other_pins_are_another_environment_beside_the_old_one(tmp_path: Path) -> None:
    old = build(PLAIN, tmp_path)
    new = build(replace(PLAIN, requirements="# nothing yet\n"), tmp_path)
    assert new.folder != old.folder
    assert find_built(PLAIN, tmp_path) == old


def test_one_whose_python_has_gone_is_built_anew(tmp_path: Path) -> None:
    built = build(PLAIN, tmp_path)
    Path(built.python).unlink()
    assert find_built(PLAIN, tmp_path) is None
    assert os.access(build(PLAIN, tmp_path).python, os.X_OK)


def test_of_two_who_build_at_once_one_does_and_both_have_it(tmp_path: Path) -> None:
    package = tmp_path / "package"
    waiting = _waiting(package)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(build, waiting, tmp_path / "environments") for _ in range(2)]
        assert wait_until((package / "begun").exists, 30)
        (package / "go").touch()
        first, second = (future.result() for future in both)
    assert first == second  # seconds and all: it was built once
    assert _value_of(first) == "42"
    assert first.packages["waits"] == "1.0"
    left = sorted(path.name for path in (tmp_path / "environments").iterdir())
    assert left == [f".{Path(first.folder).name}.lock", Path(first.folder).name]


def test_a_builder_killed_in_the_middle_leaves_nothing_that_counts(tmp_path: Path) -> None:
    """The uv that it had started goes on for a while; the next builder waits for that, and starts over."""
    package, environments = tmp_path / "package", tmp_path / "environments"
    waiting = _waiting(package)
    first = subprocess.Popen(_builder(waiting, environments), stdout=subprocess.PIPE)
    assert wait_until((package / "begun").exists, 30)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert find_built(waiting, environments) is None
    built: list[BuiltEnvironment] = []
    second = threading.Thread(target=lambda: built.append(build(waiting, environments)))
    second.start()
    (package / "go").touch()
    second.join(60)
    assert _value_of(built[0]) == "42"


def test_a_package_that_is_not_to_be_had_is_told_in_one_line(tmp_path: Path) -> None:
    missing = replace(PLAIN, requirements=f"gone @ file://{tmp_path}/gone\n")
    with pytest.raises(EnvironmentBuildError) as caught:
        build(missing, tmp_path / "environments")
    told = str(caught.value)
    assert told.startswith(f"env=plain cannot be built in {tmp_path}/environments: ")
    assert "gone" in told
    assert "\n" not in told
    assert find_built(missing, tmp_path / "environments") is None


@needs_mounts
def test_a_full_disk_is_told_with_the_way_out(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = on_tmpfs(disk, "size=24k", _builder(PLAIN, disk))
    told = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"UV_LINK_MODE": "copy"})
    last = told.stderr.strip().splitlines()[-1]
    assert "EnvironmentBuildError: env=plain cannot be built" in last
    assert last.endswith(f"make room there, or set {FOLDER_VARIABLE} to a folder on another disk")


def test_a_python_that_is_not_there_is_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(
        EnvironmentBuildError, match=r"needs Python 3\.2, and there is none on this machine; install it"
    ):
        build(replace(PLAIN, pythons=("3.2",)), tmp_path)
    assert find_built(replace(PLAIN, pythons=("3.2",)), tmp_path) is None


def test_the_folder_is_the_users_cache_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert environments_folder() == Path("/somewhere/dlcodegen/environments")
    monkeypatch.setenv(FOLDER_VARIABLE, "/elsewhere")
    assert environments_folder() == Path("/elsewhere")
