"""Programs that use more than they may, and hide it: `python -m tests.pipeline.sandbox.exhaustion NAME ...`.

Prints, as JSON, how each run ended, for a test that runs them as another user.
"""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass, replace

from pipeline.records import SourceFile
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Execution, Limits

_LIMITS = Limits(seconds=60, memory_bytes=200 * 2**20, file_bytes=64 * 2**20, processes=20, files=2000)

_START = """
import array, ctypes, mmap, os, signal, socket, sys, threading, time
MB = 2**20
LIBC = ctypes.CDLL(None, use_errno=True)
"""

# The first thread ends, as by pthread_exit: the process is a zombie with threads that run on.
_WITHOUT_FIRST_THREAD = """
def hidden(work):
    threading.Thread(target=work).start()
    time.sleep(0.2)
    LIBC.syscall(60, 0)
"""


@dataclass(frozen=True)
class Exhaustion:
    """A program, and what may come of it: one that ends well was not held."""

    code: str
    stopped: tuple[str, ...]
    """The limits of which one may stop it; and "refused" where the program may see an error and say "held"."""
    limits: Limits = _LIMITS


EXHAUSTIONS = {
    "memory of threads whose first thread has ended": Exhaustion(
        _WITHOUT_FIRST_THREAD
        + """
def work():
    kept = []
    while len(kept) < 60:
        kept.append(b"x" * 10 * MB)
        time.sleep(0.02)
    time.sleep(2)
    os._exit(0)
hidden(work)
""",
        ("memory_bytes",),
    ),
    "children of threads whose first thread has ended": Exhaustion(
        _WITHOUT_FIRST_THREAD
        + """
def work():
    for _ in range(100):
        if os.fork() == 0:
            time.sleep(3)
            os._exit(0)
    time.sleep(3)
    os._exit(0)
hidden(work)
""",
        ("processes",),
    ),
    "memory of processes that have moved away": Exhaustion(
        """
for _ in range(6):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            kept = b"x" * 60 * MB
            time.sleep(5)
        os._exit(0)
time.sleep(5)
""",
        ("memory_bytes",),
    ),
    "memory files": Exhaustion(
        """
files = []
try:
    for _ in range(60):
        files.append(os.memfd_create("hidden"))
        for _ in range(10):
            os.write(files[-1], bytes(MB))
except PermissionError:
    sys.exit("held")
time.sleep(2)
""",
        ("memory_bytes", "refused"),
    ),
    "System V shared memory": Exhaustion(
        """
LIBC.shmat.restype = ctypes.c_void_p
for _ in range(60):
    number = LIBC.shmget(0, 10 * MB, 0o1600)
    if number == -1:
        sys.exit("held")
    place = LIBC.shmat(number, None, 0)
    ctypes.memset(place, 1, 10 * MB)
    LIBC.shmdt(ctypes.c_void_p(place))
time.sleep(2)
""",
        ("memory_bytes", "refused"),
    ),
    "shared memory that is mapped": Exhaustion(
        """
kept = []
for _ in range(60):
    kept.append(mmap.mmap(-1, 10 * MB))
    kept[-1].write(bytes(10 * MB))
time.sleep(2)
""",
        ("memory_bytes",),
    ),
    "shared memory of a child": Exhaustion(
        """
kept = [mmap.mmap(-1, 10 * MB) for _ in range(60)]
if os.fork() == 0:
    for part in kept:
        part.write(bytes(10 * MB))
    os._exit(0)
os.wait()
time.sleep(2)
""",
        ("memory_bytes",),
    ),
    "files in /dev/shm": Exhaustion(
        """
try:
    for number in range(60):
        with open(f"/dev/shm/{number}", "wb") as file:
            file.write(bytes(10 * MB))
except OSError:
    sys.exit("held")
time.sleep(2)
""",
        ("memory_bytes", "refused"),
    ),
    "buffers of sockets": Exhaustion(
        """
kept = []
def fill():
    while True:
        pair = socket.socketpair()
        kept.extend(pair)
        for end in pair:
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MB)
            try:
                while True:
                    end.send(bytes(65536))
            except BlockingIOError:
                pass
for _ in range(15):
    if os.fork() == 0:
        try:
            fill()
        except OSError:
            time.sleep(20)
time.sleep(20)
""",
        ("memory_bytes",),
    ),
    "threads": Exhaustion(
        """
def wait():
    time.sleep(30)
try:
    for _ in range(20_000):
        threading.Thread(target=wait, daemon=True).start()
except RuntimeError:
    os.write(2, b"held")
    os._exit(1)
""",
        ("refused",),
        replace(_LIMITS, processes=4, memory_bytes=2**30),
    ),
    "files that have no name": Exhaustion(
        """
kept = []
try:
    for _ in range(20):
        kept.append(open("f", "wb"))
        os.unlink("f")
        kept[-1].write(bytes(10 * MB))
        kept[-1].flush()
except OSError:
    sys.exit("held")
""",
        ("file_bytes", "refused"),
    ),
    "files that are on their way through a socket": Exhaustion(
        """
ours, theirs = socket.socketpair()
try:
    for _ in range(20):
        file = os.open("f", os.O_RDWR | os.O_CREAT)
        os.unlink("f")
        for _ in range(10):
            os.write(file, bytes(MB))
        socket.send_fds(ours, [b"x"], [file])
        os.close(file)
except OSError:
    sys.exit("held")
""",
        ("file_bytes", "refused"),
    ),
    "a file that is mapped": Exhaustion(
        """
with open("f", "wb") as file:
    file.truncate(60 * MB)
kept = []
for number in range(5):
    with open(f"f{number}", "wb+") as file:
        file.truncate(60 * MB)
        os.unlink(f"f{number}")
        kept.append(mmap.mmap(file.fileno(), 60 * MB))
        kept[-1].write(bytes(60 * MB))
""",
        ("file_bytes", "memory_bytes", "no room for a page"),
    ),
    "a flood of files": Exhaustion(
        """
try:
    for number in range(100_000):
        os.close(os.open(f"../tmp/{number}", os.O_CREAT))
except OSError:
    sys.exit("held")
""",
        ("file_bytes",),
    ),
    "a flood of folders, links and pipes": Exhaustion(
        """
try:
    for number in range(100_000):
        os.mkdir(f"d{number}")
        os.symlink("x" * 200, f"s{number}")
        os.mkfifo(f"p{number}")
except OSError:
    sys.exit("held")
""",
        ("file_bytes",),
    ),
    "a flood of files in /dev/shm": Exhaustion(
        """
try:
    for number in range(100_000):
        os.close(os.open(f"/dev/shm/{number}", os.O_CREAT))
except OSError:
    sys.exit("held")
""",
        ("refused",),
    ),
    "processor time of many short processes": Exhaustion(
        """
while True:
    if os.fork() == 0:
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
        os._exit(0)
    os.wait()
""",
        ("cpu_seconds",),
        replace(_LIMITS, cpu_seconds=1),
    ),
    "a project that has stopped itself": Exhaustion(
        """
if os.fork() == 0:
    os.kill(os.getppid(), signal.SIGSTOP)
    time.sleep(60)
time.sleep(60)
""",
        ("seconds",),
        replace(_LIMITS, seconds=2),
    ),
    "a flood of processes that end at once": Exhaustion(
        """
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
def work():
    while True:
        if os.fork() == 0:
            os._exit(0)
for _ in range(4):
    if os.fork() == 0:
        work()
work()
""",
        ("seconds", "processes"),
        replace(_LIMITS, seconds=2),
    ),
}


def run(name: str, sandbox: ProcessSandbox) -> Execution:
    exhaustion = EXHAUSTIONS[name]
    return sandbox.run([SourceFile(path="p.py", text=_START + exhaustion.code)], "p.py", exhaustion.limits)


def is_held(name: str, execution: Execution) -> bool:
    exhaustion = EXHAUSTIONS[name]
    if execution.stopped:
        return execution.stopped in exhaustion.stopped
    if "no room for a page" in exhaustion.stopped and execution.exit_code == 128 + signal.SIGBUS:
        return True
    return "refused" in exhaustion.stopped and execution.exit_code == 1 and "held" in execution.stderr_tail


if __name__ == "__main__":
    one_sandbox = ProcessSandbox()
    for one in sys.argv[1:] or EXHAUSTIONS:
        execution = run(one, one_sandbox)
        print(
            json.dumps(
                [
                    one,
                    is_held(one, execution),
                    execution.stopped,
                    execution.stderr_tail[-300:],
                    execution.seconds,
                    execution.exit_code,
                    execution.peak_memory_bytes,
                ]
            ),
            flush=True,
        )
