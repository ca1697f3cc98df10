"""A task: which function a candidate stands in for, what it is asked, and which tests decide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.records import SourceFile

STAGES = ("pre/post-processing", "model construction", "training", "inference", "evaluation")
"""The stages of a deep-learning pipeline, as DL-Bench divides it."""

TASK_KINDS = (
    "general",
    "classification",
    "detection",
    "segmentation",
    "prediction",
    "recommendation",
    "regression",
)

DATA_KINDS = ("image", "text", "tabular", "other")


class TrapKind(StrEnum):
    """What is wrong with a task as it was written, or is known to mislead a harness."""

    SWAPPED_VALUES = "values in each other's slots"
    UNKNOWN_VALUE = "a stage, task or data that is none"
    ONE_COLON = "node id with one colon"
    DIRECTORY = "a whole directory as node"
    NO_TEST = "no test"
    NO_REPOSITORY = "no repository"
    NO_TARGET = "no target"
    TARGET_IN_TESTS = "the target is a test helper"
    DUPLICATE = "the same target as another task"
    MISSPELT = "misspelt target"
    WITHOUT_CLASS = "a method without its class"
    NESTED = "a function inside another one"
    AMBIGUOUS = "several definitions of the target"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trap:
    """One such thing."""

    kind: TrapKind

    message: str
    """What was found, and what was made of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionTask:
    """One task."""

    id: str

    repository: str
    """The repository's name, in lower case; "" where the file gives none."""

    path: str
    """The target's file, from the root of the repository."""

    class_name: str = ""
    """The target's class as it was written; "" for a function."""

    function: str = ""
    """The target's name as it was written; placing resolves it."""

    line: int = 0
    """Where the target stood when the task was written; 0 where that is not known."""

    tests: tuple[str, ...] = ()
    """Pytest nodes that decide. Of a task with files of its own: names of functions in `hidden_tests`."""

    prompt: str = ""
    """What a model is asked."""

    stage: str = ""
    task: str = ""
    data: str = ""
    """Values of STAGES, TASK_KINDS and DATA_KINDS; "" where none was given."""

    traps: tuple[Trap, ...] = ()

    environment: str = ""
    """The environment that it runs in; "" for the one of its repository."""

    files: tuple[SourceFile, ...] = ()
    """The whole repository, where the task brings it along; () where it is a package or a checkout."""

    hidden_tests: str = ""
    """A module with the tests of a task that brings its files along; "" for pytest nodes of the repository."""

    mutants: tuple[str, ...] = ()
    """Wrong versions of the target that the tests have to tell from it."""

    recorded: tuple[str, ...] = ()
    """Candidates that came with the task: what a model once answered."""

    recorded_suites: tuple[str, ...] = ()
    """Suites of asserts that came with the task, in place of a model's."""

    source: str = ""
    """The file, and row, that it was read from."""

    @property
    def written_name(self) -> str:
        """The target as the task names it."""
        return f"{self.class_name}.{self.function}" if self.class_name else self.function

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What two tasks share that are the same."""
        return self.repository, self.path, self.class_name, self.function
