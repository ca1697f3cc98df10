"""What a project opens and lists as its data, and what it tries to reach over the network: CPython's audit events."""

from __future__ import annotations

import os
import sys
import sysconfig
from typing import Any, Dict, Set

from .writing import EventWriter

_MOST_PATHS = 300

_NO_DATA = (
    ".py",
    ".pyc",
    ".pyi",
    ".so",
    ".pth",
    ".mo",
    ".pem",
    ".ttf",
    ".mplstyle",
    ".dist-info",
    ".egg-info",
    ".lock",
)

_MACHINE = ("/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/bin", "/run", "/var", "/sbin", "/opt")


class FileWatcher:
    """Notes each path once, with whether it is there; files that the project wrote before are none of its data."""

    def __init__(self, writer: EventWriter) -> None:
        self._writer = writer
        self._seen: Set[str] = set()
        self._written: Set[str] = set()
        self._hosts: Dict[str, None] = {}
        home = os.path.expanduser("~")
        installed = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), os.path.dirname(__file__)}
        hidden = [os.path.join(home, name) for name in (".cache", ".config", ".local", ".matplotlib")]
        temporary = os.environ.get("TMPDIR")
        if temporary and not os.getcwd().startswith(temporary):
            hidden.append(temporary)  # what libraries put down for a moment
        # The first entry of the path is the project's own folder.
        others = {os.path.abspath(path) for path in sys.path[1:]}
        self._outside = tuple(path.rstrip("/") + "/" for path in {*installed, *hidden, *others, *_MACHINE})

    def install(self) -> None:
        """For good: an audit hook cannot be taken away."""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: Any) -> None:
        # Called for every import and compilation too, so it is left as soon as possible.
        if event == "open":
            self._opened(arguments)
        elif event in ("os.listdir", "os.scandir"):
            self._listed(arguments)
        elif event in ("socket.getaddrinfo", "urllib.Request"):
            self._reached(arguments)

    def _opened(self, arguments: Any) -> None:
        path, mode, flags = arguments
        if isinstance(path, int):
            return
        reads = flags & os.O_ACCMODE == os.O_RDONLY if mode is None else not set(mode) & set("wax")
        try:
            full = os.path.abspath(os.fsdecode(path))
        except (TypeError, ValueError):
            return
        if reads:
            self._note(os.fsdecode(path), full)
        elif len(self._written) < 10 * _MOST_PATHS:
            self._written.add(full)

    def _listed(self, arguments: Any) -> None:
        path = arguments[0]
        if path is None or isinstance(path, int):
            return
        try:
            self._note(os.fsdecode(path), os.path.abspath(os.fsdecode(path)))
        except (TypeError, ValueError):
            return

    def _note(self, path: str, full: str) -> None:
        if full in self._seen or full in self._written or len(self._seen) >= _MOST_PATHS:
            return
        # A file whose name begins with a dot or that belongs to an installed package is settings, no data.
        name = os.path.basename(full)
        if full.endswith(_NO_DATA) or name.startswith(".") or name == "keras.json":
            return
        if (full + "/").startswith(self._outside):
            return
        if _is_importing():
            return
        self._seen.add(full)
        found = os.path.exists(full)
        if found and os.path.isdir(full) and full == os.getcwd():
            return  # looking around where it stands
        self._writer.write("file", path=path[:300], found=found)

    def _reached(self, arguments: Any) -> None:
        host = str(arguments[0])[:200]
        if host and host not in self._hosts and len(self._hosts) < 20:
            self._hosts[host] = None
            self._writer.write("download", address=host)


def _is_importing() -> bool:
    """Whether it is an import that opens files: a package's own are none of the project's data."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
