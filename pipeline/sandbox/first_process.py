"""The first process of a sandbox: lays the project's files, starts it, and ends and reads out what it leaves.

It lives where the project lives, so that the kernel ends all processes there when it ends, and trusts nothing there: it
is out of the project's reach (the first process of a namespace takes no signals from within, and may not be looked
into), and it reads a project's files only when no process of it runs any more. To the supervisor it says `Message`s, as
lines of JSON. Standard library only: see `supervisor`."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from pipeline.sandbox import confinement, results
from pipeline.sandbox.command import SupervisedCommand
from pipeline.sandbox.linux import root_folder, usage
from pipeline.sandbox.linux.control_group import ControlGroup

_POLL_SECONDS = 0.1
"""How often the writable folders are looked at."""

Begin = Callable[[SupervisedCommand], object]
"""What goes on as the project in a forked process, where nothing is executed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What the first process tells the supervisor; one with an exit code or an error is the last."""

    home_bytes: int = 0
    """What the project's files take now."""

    shared_bytes: int = 0
    """And what lies in /dev/shm."""

    sockets: int = 0
    """How many are open."""

    full: bool = False
    """Whether no more files fit."""

    user: int = -1
    """As whom the project runs; said in the last message."""

    exit_code: int | None = None

    error: str = ""
    """Why the project was not started."""

    results: list[results.ResultFile] = field(default_factory=list)


def run(
    command: SupervisedCommand, control: socket.socket, group: ControlGroup | None, folder: str, begin: Begin | None
) -> None:
    """Becomes the first process, runs the project to its end and exits.

    `folder` holds its files where the policy gives no namespaces. Told anything by the supervisor, or left by it, it
    ends the project."""
    try:
        _close_all_but({0, 1, 2, control.fileno()})
        if group is not None:
            group.join()
        confinement.enter(command.policy)
        home = root_folder.HOME if command.policy.namespaces else folder
        _lay_files(command, home)
        child = _start(command, home, control, begin)
    except Exception as error:  # whatever it is, somebody else has to be told
        _say(control, Message(error=f"{type(error).__name__}: {error}"))
        os._exit(1)
    exit_code = _watch(child, control, home, command.policy.namespaces)
    last = _measure(home, command.policy.namespaces)
    read = results.read_results(f"{home}/project", command.results, command.result_bytes)
    _say(
        control,
        Message(
            home_bytes=last.home_bytes,
            shared_bytes=last.shared_bytes,
            sockets=last.sockets,
            full=last.full,
            user=os.getuid(),
            exit_code=exit_code,
            results=read,
        ),
    )
    os._exit(0)


def _lay_files(command: SupervisedCommand, home: str) -> None:
    for path, text in command.files:
        place = os.path.join(home, "project", path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    if command.policy.namespaces:
        return
    for source, target in command.policy.root.readable:
        if target.startswith(f"{root_folder.PROJECT}/"):
            place = os.path.join(home, "project", target.removeprefix(f"{root_folder.PROJECT}/"))
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.symlink(source, place)


def _start(command: SupervisedCommand, home: str, control: socket.socket, begin: Begin | None) -> int:
    """Starts the project in a confined child, and gives the child's process id."""
    environment = {
        **command.environment,
        "HOME": f"{home}/home",
        "TMPDIR": f"{home}/tmp",
        "USER": root_folder.USER_NAME,
        "LOGNAME": root_folder.USER_NAME,
    }
    child = os.fork()
    if child:
        return child
    # Not sys.exit at any end of it: a forked child must not run what its parent has planned for its own end.
    try:
        os.setsid()
        os.chdir(f"{home}/project")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _close_all_but({0, 1, 2})
        confinement.confine(command.policy)
        if begin is None:
            os.execve(command.python, [command.python, command.entry], environment)
        os.environ.clear()
        os.environ.update(environment)
    except BaseException as error:
        os.write(2, f"the sandbox could not start {command.python}: {error}\n".encode())
        os._exit(127)  # the shells' code for a command that could not be started
    assert begin is not None
    os._exit(_call(begin, command))


def _call(begin: Begin, command: SupervisedCommand) -> int:
    """The exit code that Python would end with where this is its program."""
    code = 0
    try:
        begin(command)
    except SystemExit as exit:
        if isinstance(exit.code, int):
            code = exit.code & 0xFF
        elif exit.code is not None:
            print(exit.code, file=sys.stderr)
            code = 1
    except BaseException:
        import traceback  # dear at the start of each project

        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # a project may have closed or replaced it
            stream.flush()
    return code


def _watch(child: int, control: socket.socket, home: str, namespaces: bool) -> int:
    """Waits until the child ends or the supervisor says so, ends all that is left, and gives the child's exit code."""
    child_ended = os.pidfd_open(child)
    poller = select.poll()
    poller.register(child_ended, select.POLLIN)
    poller.register(control, select.POLLIN)
    said = Message()
    while not poller.poll(1000 * _POLL_SECONDS):
        now = _measure(home, namespaces)
        if now != said:
            said = now
            _say(control, said)
    return end_all(child, namespaces)


def end_all(child: int, namespaces: bool) -> int:
    """Kills the child and all others here, waits until there is none, and gives the child's exit code."""
    exit_code = 128 + signal.SIGKILL
    # Until there is none: what is forked between looking and killing is killed the next time.
    while True:
        with contextlib.suppress(ProcessLookupError):
            if namespaces:
                os.kill(-1, signal.SIGKILL)  # all of the namespace but this first process, at once
            else:
                for process in usage.descendants(usage.own_number()):
                    os.kill(process.pid, signal.SIGKILL)
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return exit_code
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            exit_code = code if code >= 0 else 128 - code  # as shells do: 128 + the signal's number
        elif pid == 0:
            time.sleep(0.005)  # killed processes need a moment to end


def _measure(home: str, namespaces: bool) -> Message:
    """How much lies in the writable folders."""
    if not namespaces:
        return Message()  # on a disk: the supervisor walks them
    in_home, shared = os.statvfs(home), os.statvfs("/dev/shm")
    return Message(
        home_bytes=(in_home.f_blocks - in_home.f_bfree) * in_home.f_frsize,
        shared_bytes=(shared.f_blocks - shared.f_bfree) * shared.f_frsize,
        sockets=usage.open_sockets(),
        full=in_home.f_bfree == 0 or in_home.f_ffree == 0,
    )


def _say(control: socket.socket, message: Message) -> None:
    with contextlib.suppress(OSError):  # the supervisor has gone, and all of this with it
        control.sendall(json.dumps(asdict(message)).encode() + b"\n")


def _close_all_but(kept: set[int]) -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):  # the one that the list was read with
                os.close(int(name))
