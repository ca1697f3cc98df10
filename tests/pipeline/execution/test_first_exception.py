"""What ended a project, in the field's terms: real tracebacks, and what leaves none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.execution.exceptions.kinds import exception_kind
from pipeline.execution.first_exception import first_exception
from pipeline.execution.ladder import FirstException
from pipeline.execution.observation import Observation
from pipeline.sandbox.sandbox import Execution

TRACEBACKS = [json.loads(line) for line in Path(__file__).with_name("tracebacks.jsonl").read_text().splitlines()]
"""Of programs written for this, one mistake each, run with Keras 3, Keras 2 and PyTorch. `kind` was written down
before, but for two: Keras 2 says "type" of what was meant as "shape", and "gradient" was no kind then. Frames in the
middle of long stacks are left out."""


def of(text: str, *, script: str = "", observation: Observation | None = None) -> FirstException:
    found = first_exception(Execution(exit_code=1, stderr_tail=text), observation or Observation(), script)
    assert found is not None
    return found


@pytest.mark.parametrize("case", TRACEBACKS, ids=[f"{case['framework']}-{case['name']}" for case in TRACEBACKS])
def test_real_tracebacks(case: dict[str, str]) -> None:
    script = "def build(a): ...\nclass Net: ..."
    found = of(case["traceback"], script=script)
    assert found.kind == case["kind"], found
    assert found.file == "project.py"
    assert found.line is not None
    assert "\x1b" not in found.message
    assert len(found.message) <= 500


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("input_width", "to have value 7"),
        ("matmul_loop", "Dimensions must be equal"),
        ("label_range", "Received a label value of"),
        ("linear", "mat1 and mat2 shapes cannot be multiplied"),
    ],
)
def test_messages_without_what_frameworks_put_around_them(name: str, message: str) -> None:
    case = next(case for case in TRACEBACKS if case["name"] == name)
    found = of(case["traceback"])
    assert message.replace(" ", "") in found.message.replace(" ", "")
    assert not found.message.startswith(("Exception encountered", "Graph execution error", "in user code"))


FRAME = '  File "/sandbox/project/project.py", line 7, in <module>\n    load()\n'
LIBRARY = '  File "/usr/lib/python3.11/site-packages/pandas/core/frame.py", line 3, in get\n    x\n'
HEAD = "Traceback (most recent call last):\n"


def test_of_a_chain_the_first_cause() -> None:
    text = (
        f"{HEAD}{LIBRARY}KeyError: 'price'\n\n"
        "The above exception was the direct cause of the following exception:\n\n"
        f"{HEAD}{FRAME}{LIBRARY}RuntimeError: could not load\n"
    )
    found = of(text)
    assert (found.kind, found.type, found.subject) == ("missing_column", "KeyError", "price")
    # The line is the project's, which only the later exception passes through.
    assert (found.file, found.line, found.code) == ("project.py", 7, "load()")


def test_a_traceback_that_was_handled_is_not_the_one_that_ended_it() -> None:
    handled = f"{HEAD}{FRAME}FileNotFoundError: [Errno 2] No such file or directory: 'a.csv'\ngoing on\n"
    assert of(f"{handled}{HEAD}{FRAME}NameError: name 'x' is not defined\n").kind == "name"


def test_what_the_probe_saw_comes_before_a_cut_output() -> None:
    seen = Observation(began=True, traceback=f"{HEAD}{FRAME}MemoryError\n")
    found = of("y" * 100, observation=seen)
    assert (found.kind, found.line) == ("memory", 7)


def test_what_leaves_no_traceback() -> None:
    def ended(**values: object) -> FirstException | None:
        return first_exception(Execution(**{"exit_code": 1, **values}), Observation(exit_line=4), "")  # type: ignore[arg-type]

    assert ended(exit_code=0) is None
    kinds = {
        "time": ended(stopped="cpu_seconds", exit_code=137),
        "memory": ended(stopped="memory_bytes", exit_code=137),
        "other": ended(stopped="file_bytes", exit_code=137),
        "killed": ended(exit_code=139),
        "exit": ended(stderr_tail="warning: x\nno data found, giving up\n"),
    }
    assert {kind: found.kind for kind, found in kinds.items() if found is not None} == {kind: kind for kind in kinds}
    assert kinds["killed"] is not None
    assert kinds["killed"].message == "ended by SIGSEGV"
    assert kinds["exit"] is not None
    assert (kinds["exit"].message, kinds["exit"].line) == ("no data found, giving up", 4)


@pytest.mark.parametrize(
    ("type_name", "message", "kind"),
    [
        ("AttributeError", "module 'numpy' has no attribute 'bool8'", "api_gone"),
        ("AttributeError", "'NoneType' object has no attribute 'shape'", "type"),
        ("AttributeError", "'Adam' object has no attribute 'get_updates'", "api_gone"),
        ("AttributeError", "'Net' object has no attribute 'fc2'", "name"),
        ("KeyError", "'val_acc'", "api_gone"),
        ("KeyError", "'loss2'", "key"),
        ("TypeError", "build() got an unexpected keyword argument 'x'", "type"),
        ("TypeError", "Adam.__init__() got an unexpected keyword argument 'lr'", "api_gone"),
        ("OSError", "Can't load tokenizer for 'bert-base-uncased'", "download"),
        ("LookupError", "Resource punkt not found. Please use the NLTK Downloader: nltk.download('punkt')", "download"),
        ("RuntimeError", "No CUDA GPUs are available", "device"),
        ("ValueError", "num_samples should be a positive integer value, but got num_samples=0", "missing_file"),
        ("ResourceExhaustedError", "OOM when allocating tensor with shape[64,512]", "memory"),
        ("EOFError", "EOF when reading a line", "input"),
        ("RecursionError", "maximum recursion depth exceeded", "other"),
    ],
)
def test_kinds_by_type_and_message(type_name: str, message: str, kind: str) -> None:
    assert exception_kind(type_name, message, own_names=frozenset({"build", "Net"}), in_pandas=False) == kind


@pytest.mark.parametrize(
    "text", ["", "Traceback (most recent call last):\n", "x" * 200_000, "\n" * 5000, '  File "a", line 1\n']
)
def test_what_is_no_traceback_is_an_exit(text: str) -> None:
    assert of(text).kind == "exit"
