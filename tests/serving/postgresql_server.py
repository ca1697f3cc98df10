"""A PostgreSQL server of its own for tests, on a socket in a folder; it is stopped, started and killed by them."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tests.waiting import scaled

POSTGRES = shutil.which("postgres") and shutil.which("initdb") and shutil.which("pg_ctl")


class PostgreSQLServer:
    """Runs as `nobody` where the tests are root: it refuses root."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._user: dict[str, int | list[int]] = {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            for parent in folder.parents[:3]:  # pytest's own folders are for their owner alone
                parent.chmod(parent.stat().st_mode | 0o011)
        self._run("initdb", "--auth=trust", "--username=tests", "--no-sync", "-D", str(folder / "data"))
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://tests:secret@/postgres?host={self._folder}"

    def start(self) -> None:
        options = f"-c listen_addresses= -c unix_socket_directories={self._folder} -c fsync=off"
        log = str(self._folder / "log")
        self._run("pg_ctl", "start", "-w", "-D", str(self._folder / "data"), "-o", options, "-l", log)

    def stop(self, how: str = "immediate") -> None:
        """`immediate` drops all connections at once, as a crash does."""
        self._run("pg_ctl", "stop", "-w", "-m", how, "-D", str(self._folder / "data"))

    def _run(self, *command: str) -> None:
        # Its output goes nowhere: the server would hold a pipe open for as long as it runs.
        subprocess.run(
            command,
            check=True,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=scaled(60),
            **self._user,  # type: ignore[arg-type]
        )
