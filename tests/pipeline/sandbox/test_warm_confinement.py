"""What a project does to the process that it was forked from, and to the next one: nothing."""

from __future__ import annotations

import json
import mmap
import os
import runpy
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.records import SourceFile
from pipeline.sandbox.command import SupervisedCommand
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Execution, Limits
from tests.pipeline.sandbox.warm_process import WarmProcess

LIMITS = Limits(seconds=20, memory_bytes=2**30, processes=20)

# What the next project prints is all that it can see of what there was before it.
NEXT = """
import builtins, gc, hashlib, json, math, os, random, resource, signal, sys, threading
print(json.dumps({"b": 1, "a": [math.pi]}), hashlib.sha256(b"x").hexdigest(), len(builtins.__dict__))
print(random.random.__self__.__class__, len(sys.modules) > 30, len(sys.path), sys.path[-1])
print(sorted(os.environ.items()), os.getcwd(), os.listdir(), os.umask(0), os.listdir("/dev/shm"))
handlers = [signal.getsignal(number) for number in signal.valid_signals()]
print(threading.active_count(), [getattr(handler, "__name__", handler) for handler in handlers])
print([resource.getrlimit(kind) for kind in range(16)])
print(sorted(os.listdir("/proc/self/fd")), len([n for n in os.listdir("/proc") if n.isdigit()]))
print(open("/proc/self/oom_score_adj").read(), os.sched_getaffinity(0), os.nice(0), gc.isenabled())
print(sys.flags, sys.gettrace(), sys.excepthook is sys.__excepthook__, os.listdir("/sandbox/home"))
"""

POISONS = {
    "another json": "import json; json.dumps = lambda *a, **k: 'poisoned'; json.encoder.JSONEncoder.encode = json.dumps",
    "another built-in": "import builtins; builtins.print = builtins.len = lambda *a, **k: 0; builtins.poison = 1",
    "modules": "import sys; sys.modules.clear()",
    "math": "import math; math.pi = 3",
    "a search path": "import sys; sys.path[:] = ['/sandbox/home']; sys.path_importer_cache.clear()",
    "a trace": "import sys; sys.settrace(lambda *a: None); sys.excepthook = print; sys.setrecursionlimit(50)",
    "random numbers": "import random; random.seed(1); random.random = lambda: 0.5",
    "a thread": """
import threading, time
threading.Thread(target=lambda: time.sleep(60), daemon=True).start()
""",
    "a thread that ends late": "import threading, time; threading.Thread(target=time.sleep, args=(2,)).start()",
    "children left behind": """
import os, time
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
""",
    "files left behind": """
for folder in ('/sandbox/project', '/sandbox/home', '/sandbox/tmp', '/dev/shm'):
    open(f'{folder}/poison.py', 'w').write('x')
""",
    "shared memory": """
from multiprocessing import shared_memory
memory = shared_memory.SharedMemory('poison', create=True, size=1000)
memory.buf[:4] = b'evil'
import os
os._exit(0)
""",
    "descriptors closed": "import os; os.closerange(0, 100)",
    "descriptors of its own": "import os; [os.dup2(os.open('/dev/null', os.O_RDWR), 50 + n) for n in range(50)]",
    "the environment": "import os; os.environ['PYTHONPATH'] = '/sandbox/home'; os.environ['EVIL'] = '1'; os.umask(0o777)",
    "signals": "import signal; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 10, 12, 13, 15, 17)]",
    "limits": """
import resource
for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU):
    resource.setrlimit(kind, (1, 1))
""",
    "killing its parents": """
import os, signal
for pid in (os.getppid(), 1, -1, PARENT):
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
        try: os.kill(pid, number)
        except OSError: pass
""",
    "stopping its group": "import os; os.killpg(0, 9)",
    "no memory": "import gc; gc.disable(); x = []\nwhile True: x.append(b'x' * 10**7)",
    "a crash": "import ctypes; ctypes.string_at(0)",
    "priority and cores": "import os; os.nice(19); os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})",
    "what its own code was": """
import ctypes, sys
small = ctypes.c_long.from_address(id(7) + 24)
small.value = 8
""",
    "a forged report": """
import os
for fd in range(3, 100):
    try: os.write(fd, b'{"exit_code": 0, "stopped": "", "seconds": 0, "cpu_seconds": 0, "peak_memory_bytes": 0}\\n')
    except OSError: pass
raise SystemExit(3)
""",
    "output without end": "import os\nwhile True: os.write(1, b'x' * 65536)",
}


def begin(command: SupervisedCommand) -> None:
    sys.path.insert(0, os.getcwd())
    sys.argv = [command.entry]
    runpy.run_path(command.entry, run_name="__main__")


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmProcess]:
    try:
        ProcessSandbox()
    except DLCodeGenError as error:
        pytest.skip(str(error))
    with WarmProcess(begin) as process:
        yield process


def run(warm: WarmProcess, code: str, limits: Limits = LIMITS) -> Execution:
    text = f"PARENT = {warm.pid}\n{textwrap.dedent(code)}"
    return ProcessSandbox(starter=warm).run([SourceFile(path="project.py", text=text)], "project.py", limits)


def test_it_runs_as_a_program_does(warm: WarmProcess) -> None:
    good = run(warm, "import sys\nprint(__name__, sys.argv, 'ü')\nprint('e', file=sys.stderr)")
    assert (good.exit_code, good.stdout_tail, good.stderr_tail) == (0, "__main__ ['project.py'] ü\n", "e\n")
    assert run(warm, "raise SystemExit(5)").exit_code == 5
    assert run(warm, "raise SystemExit('no')").stderr_tail == "no\n"
    assert run(warm, "x = 1\n1 / 0").reason() == "ZeroDivisionError: division by zero"
    assert run(warm, "while True: pass", Limits(seconds=1)).stopped == "seconds"


@pytest.fixture(scope="module")
def untouched(warm: WarmProcess) -> Execution:
    """What the next project prints where nothing was before it."""
    with WarmProcess(begin) as fresh:
        return run(fresh, NEXT)


@pytest.mark.parametrize("poison", POISONS)
def test_the_next_project_sees_nothing_of_it(warm: WarmProcess, untouched: Execution, poison: str) -> None:
    run(warm, POISONS[poison], Limits(seconds=3, memory_bytes=300 * 10**6, processes=20))
    after = run(warm, NEXT)
    assert untouched.ok, untouched
    assert (after.exit_code, after.stderr_tail) == (0, "")
    assert after.stdout_tail == untouched.stdout_tail


@pytest.mark.check_sandbox
@pytest.mark.parametrize("poison", POISONS)
def test_the_same_process_would_see_it(warm: WarmProcess, untouched: Execution, poison: str) -> None:
    code = f"{textwrap.dedent(POISONS[poison])}\n{NEXT}"
    same = run(warm, code, Limits(seconds=3, memory_bytes=300 * 10**6, processes=20))
    assert (same.exit_code, same.stdout_tail) != (0, untouched.stdout_tail)


def test_a_poisoned_project_reports_its_own_end(warm: WarmProcess) -> None:
    assert run(warm, POISONS["a forged report"]).exit_code == 3
    assert run(warm, POISONS["stopping its group"]).exit_code == 128 + 9


def test_no_descriptor_of_the_warm_process_is_open(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("precious")

    def prepare() -> IO[str]:
        return open(tmp_path / "secret")

    code = """
        import os
        for fd in os.listdir('/proc/self/fd'):
            try: print(os.pread(int(fd), 100, 0))
            except OSError: pass
    """
    with WarmProcess(begin, prepare) as process:
        assert "precious" not in run(process, code).stdout_tail


def test_a_warm_process_that_shares_memory_is_refused() -> None:
    """What a project writes there, the next one would read."""

    def prepare() -> mmap.mmap:
        return mmap.mmap(-1, 4096)

    with WarmProcess(begin, prepare) as process, pytest.raises(StageFailure, match="shares memory") as raised:
        run(process, "print(1)")
    assert raised.value.kind == "sandbox_failed"


def test_what_is_registered_for_the_end_of_the_warm_process_is_not_run_in_a_project() -> None:
    with tempfile.TemporaryDirectory() as folder:

        def prepare() -> None:
            import atexit

            atexit.register(lambda: Path(folder, "ended").write_text(json.dumps(os.getpid())))

        with WarmProcess(begin, prepare) as process:
            assert run(process, "print(1)").ok
        assert not os.listdir(folder)
