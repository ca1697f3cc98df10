"""Projects forked from a warm process: the same as those of an interpreter of their own, and no project changes the
next one. In an environment of Python alone; `test_frameworks` has the real ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.execution.running.environment_sandboxes import EnvironmentSandbox, EnvironmentSandboxes
from pipeline.records import SCRIPT, SourceFile
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Execution, Limits
from tests.pipeline.execution.running.programs import ATTACKS, PROGRAMS
from tests.plain_environment import plain_environment
from tests.waiting import scaled, wait_until

LIMITS = Limits(seconds=scaled(60), cpu_seconds=30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        ProcessSandbox()
    except DLCodeGenError as error:
        pytest.skip(str(error))
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(scope="module")
def cold(folder: Path) -> EnvironmentSandbox:
    return EnvironmentSandboxes(warm=False, folder=folder, named=plain_environment).of("plain")


@pytest.fixture(scope="module")
def warm(folder: Path) -> Iterator[EnvironmentSandbox]:
    sandboxes = EnvironmentSandboxes(folder=folder, named=plain_environment)
    yield sandboxes.of("plain")
    sandboxes.close()


def _run(sandbox: EnvironmentSandbox, script: str, *modules: tuple[str, str]) -> Execution:
    files = [SourceFile(path=path, text=text) for path, text in ((SCRIPT, script), *modules)]
    execution, _ = sandbox.run(files, SCRIPT, LIMITS)
    return execution


def _pid(sandbox: EnvironmentSandbox) -> int:
    assert sandbox.warm_pid is not None
    return sandbox.warm_pid


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_forked_project_ends_like_one_with_an_interpreter_of_its_own(
    name: str, cold: EnvironmentSandbox, warm: EnvironmentSandbox
) -> None:
    started, forked = _run(cold, PROGRAMS[name]), _run(warm, PROGRAMS[name])
    assert (forked.exit_code, forked.stdout_tail, forked.stderr_tail) == (
        started.exit_code,
        started.stdout_tail,
        started.stderr_tail,
    )


def test_a_module_of_the_project_with_our_name_is_the_projects(warm: EnvironmentSandbox) -> None:
    execution = _run(warm, "import pipeline; print(pipeline.value)", ("pipeline.py", "value = 7"))
    assert execution.stdout_tail == "7\n"


def test_what_was_imported_beforehand_is_there(warm: EnvironmentSandbox) -> None:
    assert _run(warm, "import sys; print('decimal' in sys.modules)").stdout_tail == "True\n"


# All that a project could find changed by the one before it.
_STATE = """\
import decimal, json, os, random, resource, signal, sys, threading
state = {
    "modules": sorted(sys.modules),
    "variables": dict(os.environ),
    "path": sys.path,
    "signals": [str(signal.getsignal(number)) for number in range(1, 32)],
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "descriptors": sorted(os.listdir("/proc/self/fd")),
    "threads": len(os.listdir("/proc/self/task")),
    "limits": [resource.getrlimit(number) for number in range(16)],
    "dumps": json.dumps({"a": 1}),
    "decimal": str(decimal.Decimal(1) / 3),
    "builtins": print.__module__ + len.__name__,
    "files": [sorted(os.listdir(place)) for place in (".", os.environ["HOME"], os.environ["TMPDIR"])],
    "shared": sorted(os.listdir("/dev/shm")),
    "umask": os.umask(0o22),
    "nice": os.nice(0),
    "cores": sorted(os.sched_getaffinity(0)),
    "recursion": sys.getrecursionlimit(),
    "oom": open("/proc/self/oom_score_adj").read(),
    "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
    "keys": open("/proc/self/maps").read().count("rw-s"),
}
print(json.dumps(state))
"""


@pytest.mark.parametrize("name", ATTACKS)
def test_no_project_changes_the_next_one(name: str, warm: EnvironmentSandbox) -> None:
    before = json.loads(_run(warm, _STATE).stdout_tail)
    process = _pid(warm)
    _run(warm, ATTACKS[name])
    after = json.loads(_run(warm, _STATE).stdout_tail)
    assert after == before
    assert _pid(warm) == process


def test_a_limit_ends_a_forked_project_alone(warm: EnvironmentSandbox) -> None:
    execution, _ = warm.run(
        [SourceFile(path=SCRIPT, text="while True: pass")], SCRIPT, Limits(seconds=scaled(60), cpu_seconds=0.5)
    )
    assert execution.stopped == "cpu_seconds"
    assert _run(warm, "print(1)").stdout_tail == "1\n"


def test_random_numbers_differ_from_project_to_project(warm: EnvironmentSandbox) -> None:
    drawn = {_run(warm, "import random; print(random.random())").stdout_tail for _ in range(2)}
    assert len(drawn) == 2


def test_a_dead_warm_process_is_noticed_and_replaced(warm: EnvironmentSandbox) -> None:
    _run(warm, "print(1)")
    os.kill(_pid(warm), signal.SIGKILL)
    with pytest.raises(StageFailure, match="the warm process of plain is dead") as caught:
        _run(warm, "print(1)")
    assert caught.value.kind == "sandbox_failed"
    assert _run(warm, "print(2)").stdout_tail == "2\n"


def test_a_project_outlives_the_warm_process_it_came_from(warm: EnvironmentSandbox, tmp_path: Path) -> None:
    _run(warm, "print(1)")
    program = "import time\nprint('begun', flush=True)\ntime.sleep(1)\nprint('done')"
    killer = subprocess.Popen(["sh", "-c", f"sleep 0.7; kill -9 {_pid(warm)}"])
    execution = _run(warm, program)
    killer.wait()
    assert execution.stdout_tail == "begun\ndone\n"
    with pytest.raises(StageFailure):
        _run(warm, "print(1)")


def test_with_this_program_goes_the_warm_process(folder: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from tests.plain_environment import plain_environment\n"
        "from pipeline.execution.running.environment_sandboxes import EnvironmentSandboxes\n"
        "from pipeline.records import SourceFile; from pipeline.sandbox.sandbox import Limits\n"
        f"sandbox = EnvironmentSandboxes(folder=Path({str(folder)!r}), named=plain_environment).of('plain')\n"
        "for text in ('1', 'import time; time.sleep(600)'):\n"
        "    print(sandbox.warm_pid, flush=True)\n"
        "    sandbox.run([SourceFile(path='project.py', text=text)], 'project.py', Limits(seconds=600))\n"
    )
    host = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    assert host.stdout.readline() == "None\n"
    warm_pid = int(host.stdout.readline())
    assert wait_until(lambda: _children(warm_pid), 20)
    children = _children(warm_pid)
    host.kill()
    host.communicate()
    assert wait_until(lambda: not any(map(_runs, [warm_pid, *children])), 20)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
