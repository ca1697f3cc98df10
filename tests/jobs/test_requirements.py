"""What a deployment installs can be installed together: its requirements are resolved, and nothing is installed.

The commands are read from the launcher files that deploy/ renders, the Dockerfile and the Makefile, so a changed
command is a checked one.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jobs.deployment.rendered import LAUNCHERS, rendered

ROOT = Path(__file__).parents[2]
INSTALL = "uv pip install"

pytestmark = pytest.mark.slow

Resolve = Callable[[str], None]


@pytest.fixture(scope="module")
def resolve(tmp_path_factory: pytest.TempPathFactory) -> Resolve:
    """Asserts that an install command's requirements have a solution for an empty environment, and that all of it is
    pinned where the command names constraints."""
    beside_python = str(Path(sys.executable).parent)
    uv = shutil.which("uv", path=beside_python) or shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed")
    environment = tmp_path_factory.mktemp("empty")
    venv.create(environment, with_pip=False)
    dry_run = [uv, "pip", "install", "--dry-run", "--python", str(environment / "bin" / "python")]

    def run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*dry_run, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)

    # Without the cache, or an index that is out of reach would go unnoticed.
    if run(["--no-cache", "packaging"]).returncode != 0:
        pytest.skip("the package index cannot be reached")

    def check(command: str) -> None:
        solution = run(_arguments(command))
        assert solution.returncode == 0, f"{command}\n{solution.stderr}"
        assert "does not have an extra" not in solution.stderr, f"{command}\n{solution.stderr}"
        packages = set(re.findall(r"^ \+ ([\w.-]+)==", solution.stderr, re.MULTILINE))
        assert packages, f"{command}\n{solution.stderr}"
        if "constraints.txt" in command:
            unpinned = packages - _pinned() - {"dlcodegen-ray"}
            assert not unpinned, f"{command}\nnot in constraints.txt: {sorted(unpinned)}"

    return check


def test_the_clusters_nodes(resolve: Resolve) -> None:
    commands = _cluster_commands()
    installed = {command.split()[-1].removeprefix("~/dlcodegen") for command in commands}
    assert installed == {"", "[s3]", "[gcs]", "[gpu,s3]", "[gpu,gcs]", "[cpu,s3]"}
    for command in commands:
        resolve(command)


def test_the_images(resolve: Resolve) -> None:
    commands = _image_commands()
    assert len(commands) == 3
    for command in commands:
        resolve(command)


def test_the_makefiles_environments(resolve: Resolve) -> None:
    commands = _make_commands()
    assert any("cpu" in command for command in commands)
    for command in commands:
        resolve(command)


@pytest.mark.parametrize(("engine", "other"), [("cpu", "gpu"), ("gpu", "cpu")])
def test_all_extras_together(resolve: Resolve, engine: str, other: str) -> None:
    """If all of them fit together, each fits alone. Only the two engines are one package and exclude each other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = ",".join(sorted(set(project["optional-dependencies"]) - {other}))
    if engine == "cpu":  # takes torch from elsewhere, as the Makefile says
        command = next(command for command in _make_commands() if ".[cpu" in command)
    else:
        command = f"{INSTALL} -c constraints.txt -e '.[gpu]'"
    resolve(re.sub(r"\.\[[^]]*\]", f".[{extras}]", command))


def test_a_conflict_is_noticed(resolve: Resolve) -> None:
    command = next(command for command in _cluster_commands() if "gpu" in command)
    with pytest.raises(AssertionError, match="No solution found"):
        resolve(command + " 'protobuf>=7'")


def _cluster_commands() -> list[str]:
    """The install commands of all launcher files, and of one with the engine for CPUs."""
    files = [rendered(description)["cluster.yaml"] for description in LAUNCHERS]
    files.append(rendered("aws", "cpu.engine=true", "gpu.max=0")["cluster.yaml"])
    commands: list[str] = []
    for line in "".join(files).splitlines():
        command = _with_local_wheels(line.strip().removeprefix("- "))
        if INSTALL in command and command not in commands:
            commands.append(command)
    return commands


def _image_commands() -> list[str]:
    """The install commands of the Dockerfile's variants."""
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    return [_with_local_wheels(line.removeprefix("RUN ")) for line in lines if line.startswith(f"RUN {INSTALL}")]


def _with_local_wheels(command: str) -> str:
    """Where a folder of wheels is configured, torch's build for CPUs comes from it, as the Makefile has it."""
    wheels = os.environ.get("PIP_FIND_LINKS")
    return command.replace("--torch-backend cpu", f"--find-links {wheels}") if wheels else command


def _make_commands() -> list[str]:
    """The install commands of all targets, as `make` would run them."""
    phony = re.search(r"^\.PHONY:(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    everything = ["make", "--dry-run", "--always-make", *phony[1].split()]
    printed = subprocess.run(everything, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = printed.replace("\\\n", " ").splitlines()
    return [line for line in lines if INSTALL in line]


def _arguments(command: str) -> list[str]:
    """What follows `uv pip install`, for this checkout: without the environment, and not silent about the packages."""
    words = shlex.split(command.replace("~/dlcodegen", "."))
    arguments = words[words.index("install") + 1 :]
    if "--python" in arguments:
        option = arguments.index("--python")
        del arguments[option : option + 2]
    return [argument for argument in arguments if argument not in ("-q", "--quiet")]


def _pinned() -> set[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {re.split("[=><]", line)[0] for line in lines if line and not line.startswith("#")}
