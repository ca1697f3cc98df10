"""A repository of one function with pytest tests, in an environment of Python and pytest alone."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.dlbench.placing.target import find_target
from pipeline.dlbench.running.repository import Located
from pipeline.dlbench.running.sandboxes import SuiteSandboxes
from pipeline.dlbench.task import FunctionTask
from pipeline.environments.building import build
from pipeline.environments.catalogue import Environment
from pipeline.errors import DLCodeGenError
from pipeline.sandbox.process import ProcessSandbox
from tests.plain_environment import PLAIN

_PYTEST = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "py")

MODULE = '''\
"""A module."""


def mean_of(values, weights=None):
    """The weighted mean."""
    if weights is None:
        weights = [1.0] * len(values)
    return sum(v * w for v, w in zip(values, weights)) / sum(weights)


def other():
    return 1
'''

TESTS = """\
import pytest

from pkg.stats import mean_of, other

EXPECTED = 2.0


def check(result, expected):
    assert result == expected


@pytest.mark.parametrize("scale", [1, 10])
def test_plain(scale):
    expected = EXPECTED * scale
    check(mean_of([1.0 * scale, 3.0 * scale]), expected)


def test_weights():
    assert mean_of([1.0, 4.0], [1.0, 2.0]) == pytest.approx(3.0)


def test_other():
    assert other() == 1


@pytest.mark.skip
def test_skipped():
    assert False
"""


@pytest.fixture(scope="session")
def with_pytest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Callable[[str], Environment]]:
    """Where the environment lies, and what its name means."""
    try:
        ProcessSandbox()
    except DLCodeGenError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("environments")
    environment = replace(PLAIN, name="plain", preload=("pytest", "_pytest.python", "_pytest.assertion.rewrite"))
    built = build(environment, folder)
    version = ".".join(built.python_version.split(".")[:2])
    packages = Path(built.folder, "lib", f"python{version}", "site-packages")
    for name in _PYTEST:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin)
        if source.name == "__init__.py":
            shutil.copytree(source.parent, packages / name, dirs_exist_ok=True)
        else:
            shutil.copy(source, packages)
    return folder, lambda name: replace(environment, name=name)


@pytest.fixture(scope="session")
def sandboxes(with_pytest: tuple[Path, Callable[[str], Environment]]) -> Iterator[SuiteSandboxes]:
    folder, named = with_pytest
    made = SuiteSandboxes(folder=folder, named=named)
    yield made
    made.close()


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    root.chmod(0o755)
    (root / "pkg" / "tests").mkdir(parents=True)
    for name, text in (("__init__", ""), ("stats", MODULE), ("tests/__init__", ""), ("tests/test_stats", TESTS)):
        (root / "pkg" / f"{name}.py").write_text(text)
    return root


@pytest.fixture(scope="session")
def located(repository: Path) -> Located:
    task = FunctionTask(
        id="mean",
        repository="pkg",
        path="pkg/stats.py",
        function="mean_of",
        tests=("pkg/tests/test_stats.py",),
    )
    return Located(
        task=task,
        environment="plain",
        root=str(repository),
        tops=(),
        path="pkg/stats.py",
        source=MODULE,
        target=find_target(MODULE, "", "mean_of"),
    )
