"""Where a task's repository lies on this machine, and what its target's file is called there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pipeline.dlbench.environments.recipes import OWN, Recipe, recipe_of
from pipeline.dlbench.placing.target import NOT_PLACED, Target, find_target
from pipeline.dlbench.task import FunctionTask
from pipeline.environments.building import BuiltEnvironment
from pipeline.errors import StageFailure
from pipeline.records import SourceFile

NO_SOURCE = "no_source"
"""The kind of failure of a task whose repository is not here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Located:
    """A task with its sources found."""

    task: FunctionTask

    environment: str

    root: str
    """The folder that holds the repository; "" for a task that brings its files along."""

    tops: tuple[str, ...]
    """What of `root` belongs to the repository: the package of a wheel; () for all of it."""

    path: str
    """The target's file below `root`."""

    source: str
    """Its text."""

    target: Target

    search: str = ""
    """Below `root`, where imports are found."""

    files: tuple[SourceFile, ...] = ()

    @property
    def module(self) -> str:
        """What the target's file is imported as."""
        below = PurePosixPath(self.path).relative_to(self.search or ".")
        parts = list(below.with_suffix("").parts)
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        return ".".join(parts)


def environment_name(task: FunctionTask) -> str:
    """The environment that a task runs in. Raises StageFailure (`no_source`) where nothing says which."""
    if task.environment:
        return task.environment
    recipe = recipe_of(task.repository)
    if recipe is None:
        raise StageFailure(NO_SOURCE, f"there is no environment for {task.repository or 'a task without repository'}")
    return recipe.environment.name


def locate(task: FunctionTask, built: BuiltEnvironment, checkouts: Mapping[str, str]) -> Located:
    """Finds a task's files: its own, its checkout's, or those of the installed wheel. Raises StageFailure: `no_source`
    where they are not here, `not_placed` where the target is not in them."""
    if task.files:
        return _own(task)
    recipe = recipe_of(task.repository)
    if recipe is None:
        raise StageFailure(NO_SOURCE, f"there is no environment for {task.repository or 'a task without repository'}")
    checkout = checkouts.get(task.repository, "")
    if not checkout and not recipe.wheel:
        raise StageFailure(
            NO_SOURCE, f"the wheel of {task.repository} ships no tests; give --checkout {task.repository}=FOLDER"
        )
    root = Path(checkout).resolve() if checkout else _packages(built)
    search = recipe.source_folder if checkout else ""
    path = _existing(task.path, root, recipe, search)
    source = (root / path).read_text("utf-8", errors="surrogateescape")
    target = find_target(source, task.class_name, task.function, task.line)
    tests = tuple(_existing_node(node, root, search, recipe) for node in task.tests)
    return Located(
        task=replace(task, tests=tests, traps=(*task.traps, *target.traps)),
        environment=recipe.environment.name,
        root=str(root),
        tops=() if checkout else (recipe.package, *_shared_libraries(root)),
        path=path,
        source=source,
        target=target,
        search=search,
    )


def _own(task: FunctionTask) -> Located:
    source = next((file.text for file in task.files if file.path == task.path), None)
    if source is None:
        raise StageFailure(NOT_PLACED, f"{task.path} is not among the task's files")
    target = find_target(source, task.class_name, task.function, task.line)
    return Located(
        task=task,
        environment=task.environment or OWN,
        root="",
        tops=(),
        path=task.path,
        source=source,
        target=target,
        files=task.files,
    )


def _packages(built: BuiltEnvironment) -> Path:
    version = ".".join(built.python_version.split(".")[:2])
    return Path(built.folder, "lib", f"python{version}", "site-packages")


def _shared_libraries(packages: Path) -> list[str]:
    """Folders of libraries that wheels bring along: extension modules look for them beside their own package."""
    return sorted(entry.name for entry in os.scandir(packages) if entry.name.endswith(".libs"))


def _existing(path: str, root: Path, recipe: Recipe, search: str) -> str:
    """The path as it is below the root: as written, below the source folder, or from the package on."""
    tried = [path, f"{search}/{path}" if search else path]
    parts = PurePosixPath(path).parts
    if recipe.package in parts:
        tried.append("/".join(parts[parts.index(recipe.package) :]))
    for one in tried:
        if (root / one).is_file() and ".." not in PurePosixPath(one).parts:
            return one
    raise StageFailure(NOT_PLACED, f"there is no file {path} in {recipe.repository} {recipe.commit}".rstrip())


def _existing_node(node: str, root: Path, search: str, recipe: Recipe) -> str:
    file, colons, rest = node.partition("::")
    parts = PurePosixPath(file).parts
    tried = [file, f"{search}/{file}" if search else file]
    if recipe.package in parts:
        tried.append("/".join(parts[parts.index(recipe.package) :]))
    for one in tried:
        if os.path.exists(root / one):
            return f"{one}{colons}{rest}"
    return node
