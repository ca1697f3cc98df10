"""The reference solutions: plain programs of `references`, with a task's facts as their constants."""

from __future__ import annotations

import re
from importlib.resources import files

from pipeline.hidden_tests.task import Task, TaskData
from pipeline.records import SCRIPT, SourceFile


def reference_of(task: Task, data: TaskData) -> SourceFile:
    """The task's reference as a project of one file. Beside the task's own constants it is told the id's column, the
    targets and the kind of answer. Raises ValueError for a constant that the program does not have."""
    program = (files("pipeline.hidden_tests") / "references" / f"{task.reference.program}.py").read_text("utf-8")
    facts = {"ID": data.id_column, "TARGETS": data.targets, "KIND": task.kind}
    for name, value in {**facts, **task.reference.constants}.items():
        constant = re.search(rf"^{name} = .*$", program, re.MULTILINE)
        if constant is not None:
            program = f"{program[: constant.start()]}{name} = {value!r}{program[constant.end() :]}"
        elif name not in facts:
            raise ValueError(f"{task.id}: the reference {task.reference.program} has no constant {name}")
    return SourceFile(path=SCRIPT, text=program)
