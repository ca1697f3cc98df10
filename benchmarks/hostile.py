"""Is everything accounted for when rows and files of more than 60 hostile kinds come at once?

    python -m benchmarks.hostile [--out FOLDER]

Three real commands, in a folder of their own: `generate` on rows of all kinds in three formats beside things that are
no files; `generate` on each kind of damaged file; `corpus build` on a folder of hostile notebooks. Then it is counted
which rows became projects and which failed with which reason, whether each project compiles by Python itself, and
whether anything was written outside the outputs. The kinds are those of `tests/hostile_inputs.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from jobs.runs.store import RunStore
from tests import hostile_inputs
from tests.compiling import python_refusals

MOST_SECONDS = 600
"""A command that takes longer is stopped and counts as hanging."""


def files_outside(folder: Path, expected: set[str]) -> list[str]:
    """What lies in the folder beside what is expected there, and canaries anywhere below it."""
    unexpected = [path.name for path in folder.iterdir() if path.name not in expected]
    return sorted(unexpected) + sorted(map(str, folder.rglob(hostile_inputs.CANARY)))


def _dlcodegen(folder: Path, *words: str) -> tuple[int | None, float, str]:
    """Exit code (None where it had to be stopped), seconds and output of a command that runs in the folder."""
    command = [sys.executable, "-m", "jobs.cli", *words]
    start = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=MOST_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return None, time.monotonic() - start, output
    return process.returncode, time.monotonic() - start, output


def generate_rows(folder: Path) -> dict[str, object]:
    """All kinds of rows at once, beside what is no file."""
    source = folder / "rows"
    source.mkdir()
    written = hostile_inputs.write_rows(source)
    for name, make in hostile_inputs.IRREGULAR.items():
        make(source / f"{name}.jsonl")
    code, seconds, _ = _dlcodegen(folder, "generate", "rows", "--out", "rows-out", "--projects", "--quiet")
    results = list(RunStore(str(folder / "rows-out")).results())
    failures = Counter(row.failure.kind for row in results if row.failure)
    return {
        "exit code": code,
        "seconds": round(seconds),
        "rows written": written,
        "rows accounted for": len({row.row for row in results}) - failures["no_file"],
        "projects": sum(row.failure is None for row in results),
        "failures": dict(failures.most_common()),
        "bugs and time-outs": failures["bug"] + failures["timeout"],
        "projects that Python refuses": python_refusals(
            sorted((folder / "rows-out" / "projects").glob("*/project.py"))
        ),
        "no files, and named": f"{failures['no_file']} of {len(hostile_inputs.IRREGULAR)}",
        "outside the output": files_outside(folder, {"rows", "rows-out"}),
    }


def generate_damaged(folder: Path) -> list[tuple[str, int | None, float, str]]:
    """Each damaged file alone: exit code, seconds, and the line that the user sees last."""
    rows = []
    for kind, (extension, make) in hostile_inputs.DAMAGED.items():
        name = kind.replace(" ", "-")
        make(folder / f"{name}{extension}")
        code, seconds, output = _dlcodegen(
            folder, "generate", f"{name}{extension}", "--out", f"{name}-out", "--quiet", "--projects"
        )
        lines = output.strip().splitlines()
        errors = [line for line in lines if line.startswith(("error", "Error"))]
        rows.append((kind, code, seconds, "traceback" if "Traceback" in output else (errors or lines or [""])[-1]))
    return rows


def build_corpus(folder: Path) -> dict[str, object]:
    """All kinds of notebooks at once."""
    source = folder / "notebooks"
    source.mkdir()
    files = list(hostile_inputs.notebooks())
    for name, data in files:
        (source / name).write_bytes(data)
    for name, make in hostile_inputs.IRREGULAR.items():
        make(source / f"{name}.ipynb")
    code, seconds, output = _dlcodegen(folder, "corpus", "build", "notebooks", "--out", "corpus-out", "--quiet")
    manifest_path = folder / "corpus-out" / "manifest.json"
    manifest = json.loads(manifest_path.read_text()) if manifest_path.exists() else {}
    return {
        "exit code": code,
        "seconds": round(seconds),
        "files written": len(files) + len(hostile_inputs.IRREGULAR),
        "files read": manifest.get("files_in"),
        "kept": manifest.get("kept"),
        "dropped": manifest.get("dropped_by_reason"),
        "outside the output": files_outside(folder, {"notebooks", "corpus-out"}),
        "last line": "" if manifest else (output.strip().splitlines() or [""])[-1],
    }


def _print(console: Console, title: str, counts: dict[str, object]) -> None:
    table = Table(title=title, show_header=False)
    for name, value in counts.items():
        table.add_row(name, str(value))
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="an empty folder; a temporary one without")
    parser.add_argument("--only", choices=("rows", "damaged", "corpus"))
    arguments = parser.parse_args()
    base = arguments.out or Path(tempfile.mkdtemp(prefix="hostile-"))
    console = Console(width=140, markup=False, highlight=False)
    for name in ("rows", "damaged", "corpus"):
        (base / name).mkdir(parents=True)
    if arguments.only in (None, "rows"):
        kinds = len(hostile_inputs.REQUIREMENTS) + len(hostile_inputs.LINES) + len(hostile_inputs.IRREGULAR)
        _print(console, f"generate: {kinds} kinds of rows at once", generate_rows(base / "rows"))
    if arguments.only in (None, "damaged"):
        table = Table("file", "exit", "seconds", "what is said", title="generate: damaged files, one at a time")
        for kind, code, seconds, line in generate_damaged(base / "damaged"):
            table.add_row(kind, str(code), f"{seconds:.1f}", line)
        console.print(table)
    if arguments.only in (None, "corpus"):
        _print(console, "corpus build: hostile notebooks at once", build_corpus(base / "corpus"))


if __name__ == "__main__":
    main()
