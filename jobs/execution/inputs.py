"""What `dlcodegen execute` is given, as projects: runs of `generate`, folders of projects, single files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.runs.store import RunStore
from pipeline.environments.choice import environment_for
from pipeline.errors import DLCodeGenError
from pipeline.execution.running.execute_stage import project_of
from pipeline.execution.running.rows import ProjectRow
from pipeline.inputs.ids import UniqueIds, safe_id
from pipeline.records import NOTEBOOK, SCRIPT, SourceFile

_LARGEST_FILE = 2**20
"""Bytes of a file that goes along with a project; data are given by `data=`."""

_MOST_FILES = 200
"""Files of a project: more are a data folder, or an environment, that lies beside the script."""

_NO_PART = frozenset({"__pycache__", NOTEBOOK, "node_modules"})


@dataclass(slots=True)
class Inputs:
    """The projects of all inputs, and what was counted while they were read."""

    paths: Sequence[str]
    env: str
    """The environment, or `auto`."""

    rows_without_project: int = 0
    """Rows of runs that have no project to run."""

    def projects(self) -> Iterator[ProjectRow]:
        """In the order of the inputs. Raises DLCodeGenError for one that holds no project."""
        ids = UniqueIds()
        self.rows_without_project = 0
        row = 0
        for path in self.paths:
            count = 0
            for project in self._read(path):
                unique = ids.take(safe_id(project.id, row))
                yield replace(project, id=unique, row=row, environment=environment_for(project.files, self.env))
                row += 1
                count += 1
            if not count:
                raise DLCodeGenError(
                    f"{path}: holds no project; give a run of `dlcodegen generate`, a folder with Python files or "
                    f"<name>/{SCRIPT}, or a Python file"
                )

    def _read(self, path: str) -> Iterator[ProjectRow]:
        if RunStore(path).exists():
            yield from self._of_run(path)
        elif Path(path).is_dir():
            yield from _of_folder(path, Path(path))
        elif path.endswith(".py") and Path(path).is_file():
            yield _single_file(path, Path(path))
        else:
            raise DLCodeGenError(f"{path}: no such run, folder or Python file")

    def _of_run(self, path: str) -> Iterator[ProjectRow]:
        for record in RunStore(path).results():
            project = project_of(record, path, self.env)
            if project is None:
                self.rows_without_project += 1
            else:
                yield project


def _of_folder(path: str, folder: Path) -> Iterator[ProjectRow]:
    """`<name>/project.py` is a project of several files; any other Python file in the folder is one of its own."""
    if (folder / SCRIPT).is_file():
        yield _project_folder(path, folder)
        return
    scripts = sorted(folder.glob(f"*/{SCRIPT}")) or sorted(folder.glob(f"projects/*/{SCRIPT}"))
    for script in scripts:
        yield _project_folder(path, script.parent)
    if not scripts:
        for script in sorted(folder.glob("*.py")):
            yield _single_file(path, script)


def _project_folder(path: str, folder: Path) -> ProjectRow:
    return ProjectRow(id=folder.absolute().name, row=0, source=path, environment="", files=tuple(_files(folder)))


def _single_file(path: str, script: Path) -> ProjectRow:
    file = SourceFile(path=SCRIPT, text=_text(script))
    return ProjectRow(id=script.stem, row=0, source=path, environment="", files=(file,))


def _files(folder: Path) -> Iterator[SourceFile]:
    """The script first, then the small texts beside it: modules, settings, tables of a few rows."""
    yield SourceFile(path=SCRIPT, text=_text(folder / SCRIPT))
    count = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if any(part.startswith(".") or part in _NO_PART for part in name.parts) or name.as_posix() == SCRIPT:
            continue
        if not path.is_file() or path.is_symlink() or path.stat().st_size > _LARGEST_FILE:
            continue
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
        count += 1
        if count > _MOST_FILES:
            return
        yield SourceFile(path=name.as_posix(), text=text)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise DLCodeGenError(f"{path}: cannot be read ({error.strerror})") from error
