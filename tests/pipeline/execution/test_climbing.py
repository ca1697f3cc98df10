"""A run told as a ladder, from how it ended and what was observed."""

from __future__ import annotations

import json

import pytest

from pipeline.execution.climbing import climb, infra_climb
from pipeline.execution.ladder import RUNGS, Climb, Rung
from pipeline.sandbox.sandbox import Execution

SCRIPT = """\
import numpy as np
import pandas as pd

data = pd.read_csv("train.csv")
model = build(data)
model.fit(data)
"""
BEGAN = {"event": "began"}
IMPORTED = {"event": "imported"}
FILE = {"event": "file", "path": "train.csv", "found": True}
MISSING = {"event": "file", "path": "train.csv", "found": False}
NETWORK = {"event": "network", "id": 0, "framework": "keras", "kind": "Sequential", "parameters": 178, "ready": True}
TRAINING = {"event": "training", "id": 0, "network": 0, "by": "fit", "optimizer": "Adam", "steps": 50}
EPOCH = {"event": "epoch", "training": 0, "logs": {"loss": 0.2}}
TARGETS = {
    "event": "training", "id": 0, "loss": "sparse_categorical_crossentropy",
    "targets": {"count": 100, "classes": 2, "majority": 0.5, "entropy": 0.693},
}  # fmt: skip


def raised(error: str, line: int) -> str:
    frame = f'  File "/sandbox/project/project.py", line {line}, in <module>'
    return f"Traceback (most recent call last):\n{frame}\n{error}\n"


def told(execution: Execution, *events: dict[str, object], script: str = SCRIPT) -> Climb:
    return climb(execution, "".join(json.dumps(event) + "\n" for event in events), script)


def outcomes(climbed: Climb) -> str:
    """A letter a rung: r(eached), f(ailed), t: not tried, m: not measurable."""
    letters = {"reached": "r", "failed": "f", "not_tried": "t", "not_measurable": "m"}
    return "".join(letters[evidence.outcome] for evidence in climbed.rungs)


OK = Execution(exit_code=0)


def failed(error: str, line: int) -> Execution:
    return Execution(exit_code=1, stderr_tail=raised(error, line))


@pytest.mark.parametrize(
    ("execution", "events", "letters", "reached"),
    [
        (OK, (BEGAN, FILE, NETWORK, TRAINING, TARGETS, EPOCH), "rrrrrrrrm", Rung.LEARNS),
        (OK, (BEGAN, FILE, NETWORK, TRAINING, EPOCH), "rrrrrrrmm", Rung.FINISHES),
        (OK, (BEGAN, NETWORK, TRAINING), "rrrrrrrmm", Rung.FINISHES),
        (failed("SyntaxError: invalid syntax", 3), (BEGAN,), "ftttttttt", None),
        (failed("ModuleNotFoundError: No module named 'pandas'", 2), (BEGAN,), "rfttttttt", Rung.PARSES),
        # Before the last import another exception says nothing about the imports after it.
        (failed("AttributeError: module 'numpy' has no attribute 'x'", 1), (BEGAN,), "rfttttttt", Rung.PARSES),
        (failed("NameError: name 'build' is not defined", 5), (BEGAN, FILE), "rrrfttttt", Rung.DATA_FOUND),
        (
            failed("FileNotFoundError: [Errno 2] No such file or directory: 'train.csv'", 4), (BEGAN, MISSING),
            "rrftttttt", Rung.IMPORTS_RESOLVE,
        ),
        # A network that was built before the data were looked for.
        (
            failed("FileNotFoundError: [Errno 2] No such file or directory: 'train.csv'", 4), (BEGAN, NETWORK, MISSING),
            "rrfrttttt", Rung.IMPORTS_RESOLVE,
        ),
        (failed("ValueError: shapes (3,), (4,) differ", 6), (BEGAN, FILE, NETWORK), "rrrrftttt", Rung.MODEL_BUILDS),
        (failed("KeyError: 'x'", 6), (BEGAN, FILE, NETWORK, TRAINING), "rrrrrftmm", Rung.ONE_STEP),
        (failed("KeyError: 'x'", 6), (BEGAN, FILE, NETWORK, TRAINING, TARGETS, EPOCH), "rrrrrrfrm", Rung.EPOCH_ENDS),
        # It says that the file is not there, and ends as if all were well.
        (OK, (BEGAN, MISSING), "rrftttrtt", Rung.IMPORTS_RESOLVE),
        # It only asks whether the file is there.
        (OK, (BEGAN, IMPORTED), "rrftttrtt", Rung.IMPORTS_RESOLVE),
        # Nothing of a network was seen in a run that ended well: it has none.
        (OK, (BEGAN, FILE), "rrrfttrtt", Rung.DATA_FOUND),
        # Not observed at all: what happened inside is not known.
        (OK, (), "rrmmmmrmm", Rung.FINISHES),
    ],
)  # fmt: skip
def test_how_far_a_run_came(
    execution: Execution, events: tuple[dict[str, object], ...], letters: str, reached: Rung | None
) -> None:
    climbed = told(execution, *events)
    assert outcomes(climbed) == letters
    assert climbed.reached is reached
    assert [evidence.rung for evidence in climbed.rungs] == list(RUNGS)


@pytest.mark.parametrize("limit", ["cpu_seconds", "seconds"])
def test_a_budget_that_ends_while_it_trains_is_no_failure(limit: str) -> None:
    stopped = Execution(exit_code=137, stopped=limit, seconds=60)
    climbed = told(stopped, BEGAN, FILE, NETWORK, TRAINING, TARGETS, EPOCH)
    assert outcomes(climbed) == "rrrrrrmrm"
    assert climbed.budget_spent
    assert climbed.first_exception is None
    assert climbed.reached is Rung.LEARNS
    # Before an epoch ended, whether one would end is not known.
    assert outcomes(told(stopped, BEGAN, FILE, NETWORK, TRAINING)) == "rrrrrmmmm"


def test_a_budget_that_ends_before_it_trains_is_one() -> None:
    climbed = told(Execution(exit_code=137, stopped="cpu_seconds", seconds=60), BEGAN, IMPORTED, FILE)
    assert outcomes(climbed) == "rrrfttttt"
    assert climbed.first_exception is not None
    assert climbed.first_exception.kind == "time"
    assert not climbed.budget_spent


def test_a_limit_that_ends_it_among_its_imports_is_told_from_one_after_them() -> None:
    stopped = Execution(exit_code=137, stopped="memory_bytes")
    assert told(stopped, BEGAN).reached is Rung.PARSES
    assert told(stopped, BEGAN, IMPORTED).reached is Rung.IMPORTS_RESOLVE


def test_the_memory_limit_is_a_failure_even_while_it_trains() -> None:
    climbed = told(Execution(exit_code=137, stopped="memory_bytes"), BEGAN, FILE, NETWORK, TRAINING, EPOCH)
    assert climbed.reached is Rung.EPOCH_ENDS
    assert climbed.first_exception is not None
    assert climbed.first_exception.kind == "memory"


@pytest.mark.parametrize(
    "execution",
    [
        Execution(exit_code=127, stderr_tail="the sandbox could not start /x/python: no such file\n"),
        Execution(exit_code=132),  # SIGILL
        failed("ImportError: libcudart.so.12: cannot open shared object file: No such file or directory", 1),
        failed("OSError: [Errno 28] No space left on device", 4),
    ],
)
def test_defects_of_the_machinery_say_nothing_about_the_project(execution: Execution) -> None:
    climbed = told(execution, BEGAN)
    assert climbed.infra
    assert climbed.reached is None
    assert set(outcomes(climbed)) == {"m"}


def test_a_caller_s_own_defect_counts() -> None:
    assert climb(OK, "", SCRIPT, infra="the warm parent died").infra == "the warm parent died"
    assert infra_climb("no environment").first_exception is None


def test_the_failed_rung_names_line_and_cause() -> None:
    evidence = told(failed("NameError: name 'build' is not defined", 5), BEGAN, FILE).of(Rung.MODEL_BUILDS)
    assert (evidence.file, evidence.line) == ("project.py", 5)
    assert evidence.seen.endswith("name: NameError: name 'build' is not defined")


def test_the_project_s_own_word_on_held_out_data_decides() -> None:
    line = "held-out accuracy: 0.5 (baseline, always the most frequent class: 0.5)\n"
    climbed = told(Execution(exit_code=0, stdout_tail=line), BEGAN, FILE, NETWORK, TRAINING, TARGETS, EPOCH)
    assert climbed.of(Rung.LEARNS).outcome == "failed"
    assert climbed.reached is Rung.FINISHES
