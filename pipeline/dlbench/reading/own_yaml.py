"""Our own YAML: a list of tasks, which may bring the file that the target is in and their tests along.

- id: smooth-labels
  stage: training
  task: classification
  data: image
  repository: scikit-learn            # or, for a task that brings its files along:
  environment: torch
  path: labels.py
  function: smooth_labels             # or Class.method
  prompt: ...
  tests: [tests/test_labels.py::test_x]
  source: ...                         # the file at `path`, with the reference in it
  hidden_tests: ...                   # a module of functions test_...
  mutants: [...]                      # wrong definitions of the target, or `old => new` in the reference
  candidates: [...]                   # answers to try
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.dlbench.placing.target import Target, find_target
from pipeline.dlbench.reading.rows import WrittenTask, task_of
from pipeline.dlbench.task import FunctionTask
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.records import SourceFile
from pipeline.yaml_text import yaml_value


class YamlTask(BaseModel):
    """A task as YAML has it."""

    model_config = ConfigDict(extra="forbid")

    id: str
    stage: str = ""
    task: str = ""
    data: str = ""
    repository: str = ""
    environment: str = ""
    path: str
    class_name: str = ""
    function: str
    prompt: str
    tests: list[str] = []
    source: str = ""
    hidden_tests: str = ""
    mutants: list[str] = []
    candidates: list[str] = []
    suites: str = ""


def read_yaml(text: str, name: str) -> Iterator[FunctionTask]:
    """The tasks of a YAML file. Raises DLCodeGenError, naming the task and field, for what fits none."""
    try:
        rows = yaml_value(text)
    except ValueError as error:
        raise DLCodeGenError(f"{name}: no YAML ({error})") from error
    if not isinstance(rows, list):
        raise DLCodeGenError(f"{name}: is no list of tasks; each begins with `- id: ...`")
    for number, row in enumerate(rows):
        yield yaml_task(row, f"{name}, task {number + 1}")


def yaml_task(row: Any, source: str) -> FunctionTask:
    """One of them."""
    try:
        fields = YamlTask.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise DLCodeGenError(f"{source}: {field}: {first['msg']}") from error
    hidden = names_of_tests(fields.hidden_tests, source) if fields.hidden_tests else []
    written = WrittenTask(
        id=fields.id,
        repository=fields.repository or ("own" if fields.source else ""),
        ground_truth=fields.path,
        class_name=fields.class_name,
        function=fields.function,
        tests=fields.tests,
        prompt=fields.prompt,
        stage=fields.stage,
        task=fields.task,
        data=fields.data,
        recorded=fields.candidates,
        source=source,
    )
    task = task_of(written)
    if not fields.source:
        return task
    mutants = tuple(_edited(edit, fields, task, source) for edit in fields.mutants)
    return replace(
        task,
        tests=tuple(hidden),
        traps=(),
        environment=fields.environment,
        files=(SourceFile(path=task.path, text=fields.source),),
        hidden_tests=fields.hidden_tests,
        mutants=mutants,
        recorded=tuple(_candidate(written, fields, task, mutants, source) for written in fields.candidates),
        recorded_suites=tuple(
            part.strip("\n") + "\n" for part in re.split(r"\n[ \t]*\n", fields.suites) if part.strip()
        ),
    )


def names_of_tests(module: str, source: str) -> list[str]:
    """The functions `test_...` of a module of tests."""
    try:
        tree = ast.parse(module)
    except SyntaxError as error:
        raise DLCodeGenError(f"{source}: hidden_tests is no Python ({error})") from error
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def _candidate(written: str, fields: YamlTask, task: FunctionTask, mutants: tuple[str, ...], source: str) -> str:
    """A candidate: `reference`, `mutant N`, a change to the reference, or a definition as it is written."""
    if written == "reference":
        return _target(fields, task, source).text
    if found := re.fullmatch(r"mutant (\d)", written):
        return mutants[int(found.group(1)) - 1]
    return _edited(written, fields, task, source)


def _edited(edit: str, fields: YamlTask, task: FunctionTask, source: str) -> str:
    """A definition: as it is written, or the reference with `old => new`."""
    old, arrow, new = edit.partition(" => ")
    if not arrow:
        return edit
    text = _target(fields, task, source).text
    if text.count(old) != 1:
        raise DLCodeGenError(f"{source}: {old!r} stands {text.count(old)} times in the reference, not once")
    return text.replace(old, new)


def _target(fields: YamlTask, task: FunctionTask, source: str) -> Target:
    try:
        return find_target(fields.source, task.class_name, task.function)
    except StageFailure as failure:
        raise DLCodeGenError(f"{source}: {failure}") from failure
