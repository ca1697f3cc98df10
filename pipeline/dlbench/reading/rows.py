"""A task from named fields, whichever format they were read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.dlbench.reading.values import (
    is_test_code,
    place_values,
    pytest_nodes,
    repository_name,
    target_name,
    target_path,
)
from pipeline.dlbench.task import FunctionTask, Trap, TrapKind


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenTask:
    """A task's fields as they are written."""

    id: str
    repository: str
    ground_truth: str
    class_name: str
    function: str
    tests: object
    prompt: str
    stage: str
    task: str
    data: str
    recorded: Sequence[str] = ()
    source: str = ""


def task_of(written: WrittenTask) -> FunctionTask:
    """The task, with its traps by name. No field makes it raise."""
    slots, traps = place_values(written.stage, written.task, written.data)
    path, line = target_path(written.ground_truth)
    class_name, function = target_name(written.class_name, written.function)
    tests, node_traps = pytest_nodes(written.tests)
    repository = repository_name(written.repository)
    traps += node_traps
    if not repository:
        traps.append(Trap(kind=TrapKind.NO_REPOSITORY, message="no repository is given"))
    if not path or not function:
        traps.append(Trap(kind=TrapKind.NO_TARGET, message="no file or no function is given"))
    if is_test_code(path):
        traps.append(Trap(kind=TrapKind.TARGET_IN_TESTS, message=path))
    return FunctionTask(
        id=written.id,
        repository=repository,
        path=path,
        class_name=class_name,
        function=function,
        line=line,
        tests=tests,
        prompt=written.prompt.strip("\n"),
        stage=slots["stage"],
        task=slots["task"],
        data=slots["data"],
        traps=tuple(traps),
        recorded=tuple(written.recorded),
        source=written.source,
    )
