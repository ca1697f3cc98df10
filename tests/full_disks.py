"""Commands on disks of their own: small, full or read-only, in a mount namespace that ends with the command."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest


def on_tmpfs(folder: Path, options: str, command: list[str]) -> list[str]:
    """The command with a tmpfs of these mount options (`size=64k`, `ro`) at the folder."""
    mount = f"mount -t tmpfs -o {options} tmpfs {shlex.quote(str(folder))}"
    return [*_unshare(), "sh", "-c", f"{mount} && exec {shlex.join(command)}"]


def _unshare() -> list[str]:
    """In a namespace of mounts; of users too where this user may not mount by itself."""
    return ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]


def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run([*_unshare(), "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True)
    return tried.returncode == 0


needs_mounts = pytest.mark.skipif(not _can_mount(), reason="no namespace to mount a small disk in")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
