"""All tasks of a file or folder, whatever its format."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

from pipeline.dlbench.reading.own_yaml import read_yaml
from pipeline.dlbench.reading.rows import task_of
from pipeline.dlbench.reading.tables import read_csv, read_json_rows
from pipeline.dlbench.reading.text_files import looks_like_task, read_text
from pipeline.dlbench.task import FunctionTask, Trap, TrapKind
from pipeline.errors import DLCodeGenError
from pipeline.storage.files import join, read_bytes
from pipeline.storage.opening import located

BUNDLED = "bundled"
"""What the command line calls the tasks of this project."""

_TABLES = (".csv", ".json", ".jsonl")
_YAML = (".yaml", ".yml")
_LARGEST_FILE = 2**28


def read_tasks(sources: Sequence[str]) -> list[FunctionTask]:
    """The tasks of files and folders, in order, with unique ids; a target that an earlier task has is a trap. Raises
    DLCodeGenError for what holds no task."""
    tasks: list[FunctionTask] = []
    for source in sources:
        found = list(_of_source(source))
        if not found:
            raise DLCodeGenError(
                f"{source}: holds no task; give text files with `prompt:` and `ground Truth:`, a CSV, harness JSON or "
                "YAML (docs/dlbench.md)"
            )
        tasks += found
    return _marked(tasks)


def _of_source(source: str) -> Iterator[FunctionTask]:
    if source == BUNDLED:
        yield from bundled_tasks()
        return
    filesystem, path = located(source)
    if not filesystem.exists(path):
        raise DLCodeGenError(f"{source}: no such file or folder; give the tasks, or `{BUNDLED}`")
    if not filesystem.isdir(path):
        yield from _of_file(source, Path(path).name, only_this=True)
        return
    for inner in sorted(map(str, filesystem.find(path))):
        name = inner[len(path.rstrip("/")) + 1 :]
        if not os.path.basename(name).startswith("."):
            yield from _of_file(join(source, name), name, only_this=False)


def bundled_tasks() -> Iterator[FunctionTask]:
    """The tasks of this project, file by file in the order of their names."""
    folder = resources.files(f"{__package__.rpartition('.')[0]}.bundled") / "tasks"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            yield from read_yaml(file.read_text("utf-8"), f"bundled/{file.name}")


def _of_file(url: str, name: str, *, only_this: bool) -> Iterator[FunctionTask]:
    """The tasks of one file. In a folder, what is no task (a README, a licence) is passed over."""
    ending = os.path.splitext(name)[1].lower()
    if ending not in (*_TABLES, *_YAML, ".txt", ".md", "") and not only_this:
        return
    data = read_bytes(url)
    if len(data) > _LARGEST_FILE:
        raise DLCodeGenError(f"{url}: {len(data) // 2**20} MB are too large for a file of tasks")
    text = data.decode("utf-8-sig", "replace")
    if ending in _YAML:
        yield from read_yaml(text, name)
    elif ending == ".csv":
        yield from map(task_of, read_csv(text, name))
    elif ending in _TABLES:
        yield from map(task_of, read_json_rows(text, name))
    elif looks_like_task(text):
        yield task_of(read_text(text, os.path.splitext(name)[0]))
    elif only_this:
        raise DLCodeGenError(f"{url}: is no task; a text file has the lines `prompt:` and `ground Truth:`")


def _marked(tasks: Iterable[FunctionTask]) -> list[FunctionTask]:
    marked: list[FunctionTask] = []
    ids: dict[str, int] = {}
    first_of_key: dict[tuple[str, str, str, str], str] = {}
    for task in tasks:
        count = ids.get(task.id, 0)
        ids[task.id] = count + 1
        if count:
            task = replace(task, id=f"{task.id}~{count + 1}")
        earlier = first_of_key.get(task.key) if task.path and not task.files else None
        if earlier is not None:
            trap = Trap(kind=TrapKind.DUPLICATE, message=f"as {earlier}")
            task = replace(task, traps=(*task.traps, trap))
        first_of_key.setdefault(task.key, task.id)
        marked.append(task)
    return marked
