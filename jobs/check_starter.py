"""Do the bundled samples and the generated projects run? Each is run in the sandbox with a TensorFlow Python.

    python -m jobs.check_starter --python .venv-tf/bin/python --generated out/projects --report out/starter.json

Exits with 1 if a bundled sample failed, or fewer than 90% of the generated projects finished.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs.cluster.progress import RowProgress
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.records import SCRIPT, SourceFile
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Execution, Limits, Sandbox

NEEDED_SHARE = {"sample": 1.0, "generated": 0.9}
"""Share of the projects of each source that must run to the end."""

# The distribution may be tensorflow, tensorflow-cpu or another build.
_VERSIONS = """\
import platform
from importlib.metadata import packages_distributions, version
names = packages_distributions()
print(platform.python_version(), *(f"{name} {version(names[name][0])}" for name in ("tensorflow", "keras")))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A project to run; `source` is `sample` or `generated`."""

    id: str
    source: str
    files: tuple[SourceFile, ...]

    def digest(self) -> str:
        return hashlib.sha256("\0".join(f"{file.path}\0{file.text}" for file in self.files).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """How a project's run ended; `reason` is empty for one that is ok."""

    id: str
    source: str
    ok: bool
    seconds: float
    peak_memory_mb: int
    reason: str
    digest: str


def bundled_samples() -> list[Project]:
    """The projects of `pipeline/starter/samples`, by name."""
    folder = resources.files("pipeline.starter") / "samples"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".py")), key=lambda entry: entry.name)
    return [
        Project(
            id=entry.name.removesuffix(".py"),
            source="sample",
            files=(SourceFile(path=SCRIPT, text=entry.read_text("utf-8")),),
        )
        for entry in files
    ]


def generated_projects(folder: Path) -> list[Project]:
    """The projects that lie in a folder as `<id>/project.py`, with the other Python files beside it, by name."""
    if not folder.is_dir():
        raise DLCodeGenError(f"{folder}: no such folder; write one with `dlcodegen generate --projects`")
    projects = [
        Project(
            id=entry.parent.name,
            source="generated",
            files=tuple(
                SourceFile(path=path.relative_to(entry.parent).as_posix(), text=path.read_text("utf-8", "replace"))
                for path in sorted(entry.parent.rglob("*.py"))
            ),
        )
        for entry in sorted(folder.glob(f"*/{SCRIPT}"))
    ]
    if not projects:
        raise DLCodeGenError(f"{folder}: holds no <id>/{SCRIPT}; write them with `dlcodegen generate --projects`")
    return projects


def run_projects(sandbox: Sandbox, projects: Sequence[Project], limits: Limits, workers: int) -> Iterator[Check]:
    """Runs the projects, `workers` at a time, and gives each one's check as it ends."""

    def run(project: Project) -> Check:
        try:
            execution = sandbox.run(project.files, SCRIPT, limits)
        except StageFailure as failure:
            execution = Execution(exit_code=1, stderr_tail=f"{failure.kind}: {failure}")
        return Check(
            id=project.id,
            source=project.source,
            ok=execution.ok,
            seconds=round(execution.seconds, 1),
            peak_memory_mb=execution.peak_memory_bytes // 10**6,
            reason=execution.reason(),
            digest=project.digest(),
        )

    with ThreadPoolExecutor(workers) as pool:
        for done in as_completed([pool.submit(run, project) for project in projects]):
            yield done.result()


def failed_sources(checks: Sequence[Check]) -> list[str]:
    """The sources of which fewer projects than NEEDED_SHARE ran, in words."""
    failed = []
    for source, needed in NEEDED_SHARE.items():
        oks = [check.ok for check in checks if check.source == source]
        if sum(oks) < needed * len(oks):
            failed.append(f"{source}: {sum(oks)} of {len(oks)} ran, needed are {needed:.0%}")
    return failed


def tensorflow_environment(threads: int) -> dict[str, str]:
    """What keeps a TensorFlow process to so many threads per pool, off the GPU and quiet."""
    pools = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return dict.fromkeys(pools, str(threads)) | {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}


def versions(sandbox: Sandbox) -> str:
    """Python, TensorFlow and Keras of the sandbox. Raises DLCodeGenError where it has no TensorFlow."""
    execution = sandbox.run([SourceFile(path=SCRIPT, text=_VERSIONS)], SCRIPT, Limits())
    if not execution.ok:
        raise DLCodeGenError(
            f"the Python given has no TensorFlow ({execution.reason()}); give one that has by --python"
        )
    return execution.stdout_tail.strip()


def main(
    python: Annotated[Path, typer.Option(help="a Python that has TensorFlow")],
    generated: Annotated[Path | None, typer.Option(help="folder of generated projects, <id>/project.py")] = None,
    samples: Annotated[bool, typer.Option(help="run the bundled samples")] = True,
    workers: Annotated[int, typer.Option(help="projects at a time", min=1)] = os.cpu_count() or 1,
    threads: Annotated[int, typer.Option(help="threads of each project", min=1)] = 1,
    seconds: Annotated[float, typer.Option(help="time limit of each project")] = 180.0,
    report: Annotated[Path, typer.Option(help="where the JSON report goes")] = Path("out/starter-check.json"),
    allow_network: Annotated[bool, typer.Option(help="leave the network on, for want of namespaces")] = False,
) -> None:
    """Run the bundled samples and generated projects, and say which do not finish."""
    start, console = time.monotonic(), Console()
    projects = [*(bundled_samples() if samples else []), *(generated_projects(generated) if generated else [])]
    if not projects:
        raise DLCodeGenError("no projects to run; give a folder of them by --generated, or leave out --no-samples")
    sandbox = ProcessSandbox(str(python), environment=tensorflow_environment(threads), allow_network=allow_network)
    found_versions = versions(sandbox)
    checks: list[Check] = []
    with RowProgress("check", len(projects)) as progress:
        for check in run_projects(sandbox, projects, Limits(seconds=seconds), workers):
            checks.append(check)
            progress.advance(1, failed=not check.ok)
    checks.sort(key=lambda check: (check.source, check.id))
    manifest = {
        "versions": found_versions,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "config": {"workers": workers, "threads": threads, "limits": asdict(Limits(seconds=seconds))},
        "counts": {source: sum(check.source == source for check in checks) for source in NEEDED_SHARE},
        "ok": {source: sum(check.source == source and check.ok for check in checks) for source in NEEDED_SHARE},
        "seconds": round(time.monotonic() - start, 1),
    }
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps({"manifest": manifest, "projects": [asdict(check) for check in checks]}, indent=1))
    console.print(_table(checks))
    console.print(f"{sum(check.ok for check in checks)} of {len(checks)} ran; report: {report}", markup=False)
    if failures := failed_sources(checks):
        console.print("\n".join(failures), markup=False)
        raise typer.Exit(1)


def _table(checks: Sequence[Check]) -> Table:
    table = Table("id", "source", "ok", "seconds", "MB", "reason")
    for check in checks:
        ok = "yes" if check.ok else "NO"
        reason = check.reason.replace("[", r"\[")
        table.add_row(check.id, check.source, ok, f"{check.seconds:.1f}", str(check.peak_memory_mb), reason)
    return table


if __name__ == "__main__":
    try:
        typer.run(main)
    except DLCodeGenError as error:
        sys.exit(f"check_starter: {error}")
