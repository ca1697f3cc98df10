"""A job: a module with a candidate in it is imported once, and forked for each suite of tests."""

from __future__ import annotations

import importlib
import json
import os
import random
import resource
import select
import signal
import sys
import time
import traceback
import types
from typing import Any

from .function_suite import run_functions
from .integrity import Integrity, guarded
from .pytest_suite import run_pytest
from .records import Write, signed_writer
from .tracing import traced_lines
from .watchman import Candidate, watch

_OWN = "_dlcodegen_probe"


def run(events: str, entry: str) -> int:
    """Does the job that the file `entry` describes; what happens is written to `events`. The file goes at once: it
    holds the key that records are signed with."""
    with open(entry, encoding="utf-8") as file:
        job = json.load(file)
    os.remove(entry)
    events = os.path.abspath(events)
    key = job.pop("key")
    for name in ("root", "file"):
        job[name] = os.path.abspath(job[name])
    for name in ("search", "protected"):
        job[name] = [os.path.abspath(path) for path in job[name]]
    write = signed_writer(events, key, "main")
    signers = [signed_writer(events, key, f"suite {number}") for number in range(len(job["suites"]))]
    del key
    _prepare(job)
    candidate = Candidate(job["file"], job["spans"])
    integrity = Integrity(candidate, job["allowed"], job["own_names"])
    tellers = [write]
    watch(candidate, lambda what: tellers[-1]("flag", what=what), [events, *job["protected"]])
    for name in list(sys.modules):
        if name == _OWN or name.startswith(_OWN + "."):
            del sys.modules[name]
    start = time.process_time()
    try:
        module = importlib.import_module(job["module"])
    except BaseException as error:
        write("not imported", error=_said(error))
        return 1
    if os.path.realpath(str(module.__file__)) != os.path.realpath(job["file"]):
        write("not imported", error=f"{job['module']} was taken from {module.__file__}")
        return 1
    changed = integrity.changed()
    if changed:
        write("flag", what=changed)
    write("imported", cpu_seconds=round(time.process_time() - start, 3))
    for number, suite in enumerate(job["suites"]):
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            try:
                tellers.append(signers[number])
                _run_suite(job, suite, module, integrity, signers[number])
            finally:
                os._exit(0)
        _wait(child, number, suite, write)
    write("finished", suites=len(job["suites"]))
    return 0


def _prepare(job: "dict[str, Any]") -> None:
    """The same start for every candidate: where modules are found, seeds, and warnings left to the tests."""
    sys.path[:0] = job["search"]
    importlib.invalidate_caches()
    _seed()
    # Its records are of no use for a comparison, and numpy's and scipy's warnings are many.
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ["TZ"] = "UTC"
    time.tzset()


def _seed() -> None:
    random.seed(0)
    for name, seed in (("numpy", "random.seed"), ("torch", "manual_seed"), ("tensorflow", "random.set_seed")):
        module = sys.modules.get(name)
        if module is not None:
            function: Any = module
            for part in seed.split("."):
                function = getattr(function, part)
            function(0)


def _run_suite(job: "dict[str, Any]", suite: "dict[str, Any]", module: Any, integrity: Integrity, write: Write) -> None:
    seconds = int(suite["cpu_seconds"]) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    _seed()
    counts = {"tests": 0}

    def outcome(test: str, state: str, why: str) -> None:
        counts["tests"] += 1
        integrity.look()
        write("test", test=test, state=state, why=why)

    lines = traced_lines(job["file"]) if suite["trace"] else None
    modules: "list[Any]" = []
    try:
        if suite["nodes"]:
            _, modules = run_pytest(suite["nodes"], job["root"], outcome)
        else:
            _guard(module, job["target"])
            run_functions(suite["code"], suite["names"], vars(module), suite["test_seconds"], outcome)
    except BaseException as error:
        outcome("suite", "error", _said(error))
    if lines is not None:
        sys.settrace(None)
        write("lines", lines=sorted(lines))
    changed = integrity.changed()
    if changed:
        write("flag", what=changed)
    del modules
    write("end", tests=counts["tests"])


def _guard(module: Any, target: str) -> None:
    """Looks at what a plain function returns; what else a target may be stays as it is."""
    function = vars(module).get(target)
    if isinstance(function, types.FunctionType):
        setattr(module, target, guarded(function))


def _wait(child: int, number: int, suite: "dict[str, Any]", write: Write) -> None:
    """Waits for a suite's process, ends it at its wall-clock limit, and writes down how it ended and what it took."""
    start = time.monotonic()
    descriptor = os.pidfd_open(child)
    ready, _, _ = select.select([descriptor], [], [], suite["wall_seconds"])
    late = not ready
    if late:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    os.close(descriptor)
    write(
        "ended",
        suite=number,
        code=os.waitstatus_to_exitcode(status),
        late=late,
        cpu_seconds=round(usage.ru_utime + usage.ru_stime, 3),
        seconds=round(time.monotonic() - start, 3),
    )


def _said(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(type(error), error)).strip()[-400:]
