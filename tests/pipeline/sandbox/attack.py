"""Runs the table of probes and prints, as JSON, what came of each: `python -m tests.pipeline.sandbox.attack MODE`.

MODE is `cold` or `warm` for a project in the sandbox, or `bare` for the machine itself: a probe that gets through
nowhere tests nothing. What the probes are after (files, sockets, a key, a process) is made for them, and goes with this
process.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import runpy
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.records import SourceFile
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Limits
from tests.pipeline.sandbox.probes import RUNNER, TABLE
from tests.pipeline.sandbox.warm_process import WarmProcess

ROOT = Path(__file__).parents[3]
_JOIN_SESSION_KEYRING, _SESSION_KEYRING = 1, -3
_ADD_KEY, _KEYCTL = 248, 250


def main(mode: str) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(["sleep", "600"]) as victim:
        try:
            facts, kept = _facts(Path(folder), victim.pid)
            files = {"facts.json": json.dumps(facts), "table.json": json.dumps(TABLE), "runner.py": RUNNER}
            text = _on_this_machine(files, Path(folder)) if mode == "bare" else _in_sandbox(mode, files)
            for listener in kept:
                listener.close()
        finally:
            victim.kill()
    said: dict[str, str] = json.loads(text)
    return said


def _facts(folder: Path, victim: int) -> tuple[dict[str, object], list[socket.socket]]:
    libc = ctypes.CDLL(None)
    libc.syscall(_KEYCTL, _JOIN_SESSION_KEYRING, None)
    libc.syscall(_ADD_KEY, b"user", b"dlcodegen-probe", b"precious", 8, ctypes.c_long(_SESSION_KEYRING))
    folder.chmod(0o777)
    secret = folder / "secret.txt"
    secret.write_text("precious")
    os.mkfifo(folder / "fifo", 0o666)
    by_name, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    by_name.bind(str(folder / "socket"))
    (folder / "socket").chmod(0o777)
    abstract.bind(f"\0dlcodegen-{os.getpid()}")
    for listener in (by_name, abstract):
        listener.listen()
    tcp = socket.create_server(("127.0.0.1", 0))
    devices = [Path("/dev", name) for name in sorted(os.listdir("/dev"))]
    block = next(path for path in devices if stat.S_ISBLK(path.stat().st_mode) and _opens(path))
    number = block.stat().st_rdev
    facts: dict[str, object] = {
        "secret": str(secret),
        "fifo": str(folder / "fifo"),
        "socket": str(folder / "socket"),
        "abstract": f"dlcodegen-{os.getpid()}",
        "port": tcp.getsockname()[1],
        "victim": victim,
        "traced": victim,
        "block_device": str(block),
        "block_numbers": [os.major(number), os.minor(number)],
        "repository": str(ROOT),
        "host_name": os.uname().nodename,
    }
    return facts, [by_name, abstract, tcp]


def _on_this_machine(files: dict[str, str], folder: Path) -> str:
    scratch = folder / "scratch"
    scratch.mkdir()
    for name, text in files.items():
        (scratch / name).write_text(text)
    # A descriptor that the program has not opened itself, as one that was forgotten in a sandbox would be.
    with socket.socket() as forgotten:
        command = [sys.executable, "runner.py"]
        return subprocess.run(
            command, cwd=scratch, stdout=subprocess.PIPE, pass_fds=[forgotten.fileno()], text=True
        ).stdout


def _opens(device: Path) -> bool:
    """Whether its rights alone decide; some machines keep root itself off some of their disks."""
    try:
        os.close(os.open(device, os.O_RDONLY))
    except OSError as error:
        return os.geteuid() != 0 and error.errno == errno.EACCES
    return True


def _in_sandbox(mode: str, files: dict[str, str]) -> str:
    facts = json.loads(files["facts.json"])
    facts["traced"] = 1  # the process next to the project, which it can at least name
    files = {**files, "facts.json": json.dumps(facts)}
    sources = [SourceFile(path=name, text=text) for name, text in files.items()]
    limits = Limits(seconds=120, output_bytes=2**20)
    if mode == "warm":
        with WarmProcess(lambda command: runpy.run_path(command.entry, run_name="__main__")) as warm:
            execution = ProcessSandbox(starter=warm).run(sources, "runner.py", limits)
    else:
        execution = ProcessSandbox().run(sources, "runner.py", limits)
    if not execution.ok:
        sys.exit(f"the probes did not end: {execution}")
    return execution.stdout_tail


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
