"""The bundled tasks, read from the YAML files beside this module."""

from __future__ import annotations

from importlib import resources

from pipeline.dlbench.reading.own_yaml import read_yaml
from pipeline.dlbench.task import FunctionTask


def bundled_tasks() -> list[FunctionTask]:
    """All of them, file by file in the order of their names."""
    tasks: list[FunctionTask] = []
    folder = resources.files(__package__) / "tasks"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            tasks += read_yaml(file.read_text("utf-8"), f"bundled/{file.name}")
    return tasks
