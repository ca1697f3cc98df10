"""What a task is: a request, data with hidden answers, and how predictions are measured."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import DLCodeGenError
from pipeline.hidden_tests.draw import Draw

Category = Literal["table", "image", "text", "series", "audio", "recommendation", "pairs", "graph", "video"]

AnswerKind = Literal["label", "score", "numbers", "labels", "tags", "mask"]
"""What stands in a row of `predictions.csv` beside the id: a class; a number that is the higher the surer the answer is
yes; one or several numbers; a 0 or 1 per label; tags between blanks; the run lengths of a mask."""

ANSWERS_SEED = 20_261_130
"""The data of all tasks are drawn with it, and with the task's id."""


class Reference(BaseModel):
    """A plain solution: a program of `references`, and its constants for the task."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    program: str
    """The file's name without its ending."""

    constants: dict[str, Any] = Field(default_factory=dict)
    """Values for constants at the top of the program, beside those that `TaskData` tells."""


class Task(BaseModel):
    """A task as it stands in `tasks/*.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    category: Category
    """The kind of data; results are printed by it."""

    family: str
    """The function that makes the data: `tables.mixed` is `mixed` of `families/tables.py`."""

    parameters: dict[str, Any] = Field(default_factory=dict)
    """Its arguments."""

    kind: AnswerKind
    metric: str
    """A name of `metrics.METRICS`."""

    reference: Reference
    requirement: str
    """In a person's words: names files and columns, says what to predict and the form of `predictions.csv`."""

    def data(self, *, control: int = 0) -> TaskData:
        """The task's data, equal each time. In a random-label `control`, which are numbered from 1, the targets of the
        training examples change places, so that there is nothing to learn; the test examples stay."""
        module, _, name = self.family.partition(".")
        family = getattr(import_module(f"pipeline.hidden_tests.families.{module}"), name)
        digest = hashlib.sha256(self.id.encode()).digest()
        draw = Draw(seed=(ANSWERS_SEED, int.from_bytes(digest[:4], "big")), control=control)
        made: TaskData = family(draw, **self.parameters)
        return made


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskData:
    """What a project is given, and what is kept from it."""

    files: Mapping[str, bytes]
    """By path in the data folder. No answer is among them."""

    answers: pd.DataFrame
    """The id of each test example, then its answers; columns are named as those of `predictions.csv`."""

    train_answers: pd.DataFrame
    """The answers of the training examples, which the trivial rules take their constants from."""

    further_trivial: tuple[pd.DataFrame, ...] = ()
    """Predictions of rules that need no learning and yet know more than constants: the last value of a series."""

    sizes: tuple[int, int] | None = None
    """Height and width of a mask."""

    def write(self, folder: Path) -> None:
        """Writes the files into a folder, which every user of this machine can then read, as the sandbox's does."""
        for path, content in self.files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        for inner in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
            inner.chmod(0o755)

    @property
    def id_column(self) -> str:
        return str(self.answers.columns[0])

    @property
    def targets(self) -> list[str]:
        return [str(name) for name in self.answers.columns[1:]]

    def digest(self) -> str:
        """Sixteen hexadecimal digits that change when a file or an answer does: bounds hold for these data alone."""
        digest = hashlib.sha256()
        for path, content in sorted(self.files.items()):
            digest.update(f"{path}\0{len(content)}\0".encode())
            digest.update(content)
        digest.update(self.answers.to_csv(index=False).encode())
        return digest.hexdigest()[:16]


@cache
def all_tasks() -> tuple[Task, ...]:
    """The tasks of all files, by file and in their order."""
    tasks: list[Task] = []
    folder = files("pipeline.hidden_tests") / "tasks"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            tasks += [Task.model_validate(entry) for entry in yaml.safe_load(file.read_text("utf-8"))]
    return tuple(tasks)


def chosen_tasks(names: Iterable[str]) -> list[Task]:
    """The tasks of these ids or categories, in their order; all where none is named. Raises DLCodeGenError for a name
    that is neither."""
    wanted = list(names)
    known = {task.id for task in all_tasks()} | {task.category for task in all_tasks()}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        categories = ", ".join(dict.fromkeys(task.category for task in all_tasks()))
        raise DLCodeGenError(f"no task or category {unknown[0]!r}; categories: {categories}; --list names the tasks")
    return [task for task in all_tasks() if not wanted or task.id in wanted or task.category in wanted]
