"""Building an environment with uv, once for each machine: whole or not at all, whoever else builds it or is killed.

    <folder>/keras3-<digest>/             the environment; `environment.json` in it says what it holds
    <folder>/.keras3-<digest>.lock        held by the one who builds, and by the uv that builds for it
    <folder>/.keras3-<digest>.building/   not finished; the next builder removes it

The folder is $DLCODEGEN_ENVIRONMENTS, by default `dlcodegen/environments` in the user's cache. The digest is of the
pinned packages and the Python, so another pin or another Python is another environment, and old ones stay usable for
the jobs that run with them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.environments.catalogue import Environment
from pipeline.errors import FaultError

FOLDER_VARIABLE = "DLCODEGEN_ENVIRONMENTS"
"""The environment variable that names another folder than the one in the user's cache."""

_DESCRIPTION = "environment.json"
_LAYOUT = "1"
"""Part of the digest. Changes when environments are built in another way from the same packages."""

_DIGEST_DIGITS = 12

_LONGEST_SECONDS = 3600.0
"""For downloading and unpacking, on a slow line; uv gives up on a dead one much earlier."""

# uv would take the job's own environment, or a project it finds, for the one that is meant.
_NOT_FOR_UV = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_SYSTEM_PYTHON", "UV_PROJECT_ENVIRONMENT", "CONDA_PREFIX")


class EnvironmentBuildError(FaultError):
    """An environment could not be built on this machine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltEnvironment:
    """An environment that lies on this machine."""

    name: str
    folder: str

    python_version: str

    packages: Mapping[str, str]
    """The versions of all distributions, by name."""

    bytes: int
    """What it takes on the disk; files that it shares with uv's cache are counted."""

    seconds: float
    """What building it took."""

    @property
    def python(self) -> str:
        """The interpreter's path, by which Python knows the environment: it is a link, and must not be resolved."""
        return os.path.join(self.folder, "bin", "python")

    @property
    def home(self) -> str:
        """What warm processes have for a home: libraries keep caches there, of fonts for instance."""
        return os.path.join(self.folder, "home")

    def versions(self, names: Sequence[str]) -> str:
        """Python's and some packages' versions, in a line."""
        shown = [f"{name} {self.packages[name]}" for name in names if name in self.packages]
        return ", ".join([f"Python {self.python_version}", *shown])


def environments_folder() -> Path:
    """Where environments lie on this machine."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser().absolute() / "dlcodegen" / "environments"


def find_built(environment: Environment, folder: Path | None = None) -> BuiltEnvironment | None:
    """The environment, if it is built on this machine; None if not, or if the Python it was built on has gone."""
    with suppress(EnvironmentBuildError):
        _, version = _base_python(environment)
        return _read(environment_location(environment, version, folder or environments_folder()))
    return None


def build(environment: Environment, folder: Path | None = None) -> BuiltEnvironment:
    """The environment, built now if it is not there. Of several who build it at once one does, and the others wait.

    Raises EnvironmentBuildError where it cannot be built.
    """
    folder = folder or environments_folder()
    base, version = _base_python(environment)
    location = environment_location(environment, version, folder)
    built = _read(location)
    if built is not None:
        return built
    try:
        with _locked(folder / f".{location.name}.lock") as lock:
            # Another process may have built it while this one waited.
            built = _read(location)
            return built or _build(environment, base, version, location, lock)
    except OSError as error:
        reason = error.strerror or str(error)
        raise _failure(environment, f"{reason} ({error.filename or folder})", folder) from error


def _build(environment: Environment, base: str, version: str, location: Path, lock: int) -> BuiltEnvironment:
    """Builds beside the final place and renames: what has its final name is whole."""
    start = time.monotonic()
    unfinished = location.with_name(f".{location.name}.building")
    shutil.rmtree(unfinished, ignore_errors=True)
    # Not by tempfile, whose folders are closed to other users: projects run as one.
    unfinished.mkdir(mode=0o755)
    try:
        _uv(
            environment,
            ["venv", "--relocatable", "--allow-existing", "--python", base, str(unfinished)],
            location,
            lock,
        )
        if environment.requirements.strip():
            pins = unfinished / "requirements.txt"
            pins.write_text(environment.requirements, "utf-8")
            install = [
                "pip",
                "install",
                "--compile-bytecode",
                *_torch_options(environment),
                "--requirements",
                str(pins),
            ]
            _uv(environment, [*install, "--python", str(unfinished / "bin" / "python")], location, lock)
        listed = ["pip", "list", "--format", "json", "--python", str(unfinished / "bin" / "python")]
        packages = {row["name"]: row["version"] for row in json.loads(_uv(environment, listed, location, lock))}
        built = BuiltEnvironment(
            name=environment.name,
            folder=str(location),
            python_version=version,
            packages=packages,
            bytes=_bytes_in(unfinished),
            seconds=round(time.monotonic() - start, 1),
        )
        (unfinished / "home").mkdir()
        (unfinished / _DESCRIPTION).write_text(json.dumps(asdict(built), indent=1), "utf-8")
        # One whose Python has gone is still there under that name.
        shutil.rmtree(location, ignore_errors=True)
        unfinished.rename(location)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return built


def _read(location: Path) -> BuiltEnvironment | None:
    try:
        description = json.loads((location / _DESCRIPTION).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    # The folder may have been moved with the cache it lies in.
    built = BuiltEnvironment(**description | {"folder": str(location)})
    return built if os.access(built.python, os.X_OK) else None


def environment_location(environment: Environment, python_version: str, folder: Path) -> Path:
    """Where the environment lies, built or not."""
    made_of = "\0".join([_LAYOUT, environment.requirements, python_version, platform.machine(), sys.platform])
    digest = hashlib.sha256(made_of.encode()).hexdigest()[:_DIGEST_DIGITS]
    return folder / f"{environment.name}-{digest}"


def _base_python(environment: Environment) -> tuple[str, str]:
    """A Python that the pins are for, with its version: this program's own one where it fits, else what uv finds."""
    if ".".join(platform.python_version_tuple()[:2]) in environment.pythons:
        return sys.executable, platform.python_version()
    wanted = environment.pythons[0]
    try:
        found = subprocess.run(
            [_uv_program(environment), "python", "find", wanted], capture_output=True, text=True, env=_uv_variables()
        )
        python = found.stdout.strip()
        asked = [python, "-c", "import platform; print(platform.python_version())"]
        version = subprocess.run(asked, capture_output=True, text=True).stdout.strip() if python else ""
    except OSError:
        version = ""
    if not version:
        raise EnvironmentBuildError(
            f"env={environment.name} needs Python {wanted}, and there is none on this machine; install it "
            f"(`uv python install {wanted}`, or the system's package), or choose another env"
        )
    return python, version


def _uv_program(environment: Environment) -> str:
    try:
        from uv import find_uv_bin

        return find_uv_bin()
    except (ImportError, FileNotFoundError):
        program = shutil.which("uv")
    if program is None:
        raise EnvironmentBuildError(f"env={environment.name} is built by uv, which is not here; pip install uv")
    return program


def _uv(environment: Environment, arguments: Sequence[str], location: Path, lock: int) -> str:
    """uv's output. It holds the lock too: should this process be killed, the next builder waits until uv has ended."""
    command = [_uv_program(environment), "--quiet", *arguments]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=_uv_variables(),
            timeout=_LONGEST_SECONDS,
            pass_fds=[lock],
            umask=0o022,
        )
    except subprocess.TimeoutExpired:
        raise _failure(
            environment, f"uv took longer than {_LONGEST_SECONDS / 60:.0f} minutes", location.parent
        ) from None
    if done.returncode:
        raise _failure(environment, _said(done.stderr) or f"uv ended with {done.returncode}", location.parent)
    return done.stdout


def _uv_variables() -> dict[str, str]:
    variables = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_UV}
    # Whole files appear by links from uv's cache; where that lies on another disk they are copied, without a warning.
    return variables | {"UV_NO_PROGRESS": "1", "UV_NO_CONFIG": variables.get("UV_NO_CONFIG", "0")}


def _torch_options(environment: Environment) -> list[str]:
    """PyTorch's build for CPUs is in no registry: it comes from a folder of wheels where one is set up, else from an
    index of its own."""
    if not environment.has_torch:
        return []
    wheels = os.environ.get("PIP_FIND_LINKS")
    return ["--find-links", wheels] if wheels else ["--torch-backend", "cpu"]


def _said(stderr: str) -> str:
    """What uv says was wrong, in a line: its messages are a tree of causes, the last of which is the first to know."""
    lines = [line.strip(" ×╰─▶├│·") for line in stderr.splitlines()]
    told = [line for line in lines if line and not line.startswith(("warning", "hint"))]
    return ": ".join(dict.fromkeys([told[0], told[-1]])) if told else ""


def _failure(environment: Environment, reason: str, folder: Path) -> EnvironmentBuildError:
    way_out = "see that the package registry answers, then run the same command again"
    if "space" in reason.lower() or "quota" in reason.lower():
        way_out = f"make room there, or set {FOLDER_VARIABLE} to a folder on another disk"
    elif "permission" in reason.lower() or "read-only" in reason.lower():
        way_out = f"allow this user to write there, or set {FOLDER_VARIABLE} to another folder"
    return EnvironmentBuildError(f"env={environment.name} cannot be built in {folder}: {reason.rstrip('.')}; {way_out}")


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Holds a lock that ends with the last process that has it open, however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def _bytes_in(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_blocks * 512
    return total
