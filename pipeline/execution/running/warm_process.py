"""A warm process: an interpreter of an environment that has the framework imported, and forks for each project.

Run as `PYTHON warm_process.py FD PROBE MODULE...` by `warm_parent`, with the repository on PYTHONPATH. FD is a socket.
When the modules are imported, a line of JSON goes out on it; from then on each message that comes in brings the three
descriptors of a run, for which a child is forked, and is answered with a descriptor of that child. When the other side
closes or dies, this process ends.

It runs no project itself and reads nothing of one, so no project can change it: the child is a copy, and becomes the
supervisor of its project (`pipeline.sandbox.supervisor.serve`), which confines a child of its own exactly as it does
for a cold run. Standard library only, beside the environment's packages.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import importlib.util
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from typing import Any

EVENTS = ".dlcodegen-events.jsonl"
"""The file, in the project's folder, that the probe writes to."""

_OWN_PACKAGE = "pipeline"


def main(control_fd: int, probe_folder: str, modules: list[str]) -> None:
    """Imports the modules, then forks for each run that is asked for."""
    from pipeline.sandbox.supervisor import serve

    control = socket.socket(fileno=control_fd)
    probe = load_probe(probe_folder)
    start = time.monotonic()
    for module in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    seconds = time.monotonic() - start
    # Objects that the collector never visits lie on pages that no child has to copy.
    gc.collect()
    gc.freeze()
    # Nobody here waits for children: the system forgets them when they end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    threads = len(os.listdir("/proc/self/task"))
    control.sendall(json.dumps({"seconds": round(seconds, 3), "threads": threads}).encode() + b"\n")
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 3)
        if not message:
            return
        child = os.fork()
        if child == 0:
            # From here on nothing comes back to the loop.
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                control.close()
                stdout, stderr, peer = descriptors
                serve(socket.socket(fileno=peer), stdout, stderr, begin=lambda command: _run(probe, command.entry))
            finally:
                os._exit(70)
        for descriptor in descriptors:
            os.close(descriptor)
        _answer(control, child)


def _answer(control: socket.socket, child: int) -> None:
    """Sends a descriptor of the child, which stays its own whatever becomes of its number; none if it has ended."""
    try:
        descriptor = os.pidfd_open(child)
    except ProcessLookupError:
        control.sendall(b"0")
        return
    socket.send_fds(control, [b"1"], [descriptor])
    os.close(descriptor)


def _run(probe: Any, entry: str) -> None:
    """The project in its confined process, to the end of a Python program: threads waited for, exit handlers run."""
    _start_afresh()
    code = probe.run(EVENTS, entry)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.__stdout__, sys.__stderr__):  # the project may have put others in their places
        with contextlib.suppress(Exception):
            stream.flush()  # type: ignore[union-attr]
    sys.exit(code)


def _start_afresh() -> None:
    """Undoes what makes this process another one than an interpreter that was just started, for the project's eyes."""
    for name in list(sys.modules):
        # A project may have a module of the same name as ours.
        if name == _OWN_PACKAGE or name.startswith(f"{_OWN_PACKAGE}."):
            del sys.modules[name]
    ours = (os.path.dirname(os.path.abspath(__file__)), os.path.abspath(os.path.join(__file__, *[os.pardir] * 4)))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) not in ours]
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[assignment, misc]
    # Both were found out for this process' own home and user, and are kept by the libraries.
    tempfile.tempdir = None
    keras_home = os.path.join(os.path.expanduser("~"), ".keras")
    if "keras" in sys.modules:
        # Importing Keras makes it; without it, what is downloaded is put into /tmp, which a project cannot write.
        with contextlib.suppress(OSError):
            os.makedirs(keras_home, exist_ok=True)
    keras = sys.modules.get("keras.src.backend.config")
    if keras is not None:
        keras._KERAS_DIR = keras_home  # type: ignore[attr-defined]
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        # A process that is started draws its seed from the system; copies of one process would all have the same.
        numpy.random.seed()
    # What the libraries registered is for the warm process' own end.
    atexit._clear()


def load_probe(folder: str) -> Any:
    """The probe's folder as a package of a name that no project has."""
    name = "_dlcodegen_probe"
    spec = importlib.util.spec_from_file_location(
        name, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None
    assert spec.loader is not None
    probe = importlib.util.module_from_spec(spec)
    sys.modules[name] = probe
    spec.loader.exec_module(probe)
    return probe


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
