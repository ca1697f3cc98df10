"""People's own data: real small data that packages ship, described, generated for, and run on exactly these files.

    python -m benchmarks.own_data --python ENVIRONMENT/bin/python [--data-python PYTHON] [NAME ...]
    python -m benchmarks.own_data --python ENVIRONMENT/bin/python --samples

`--data-python` writes the data and needs the packages that ship them (benchmarks/own_data_sets.py); `--python` runs the
projects, in the sandbox. Printed for each: what the data are, the held-out metric beside the trivial baseline, seconds.
`--samples` runs the samples themselves on their made-up data instead. Exits with 1 where one fails or is no better than
its baseline.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import starter
from pipeline.config import PipelineSettings
from pipeline.environments.variables import project_variables
from pipeline.execution.held_out import HeldOut, held_out_of
from pipeline.methods import generation_stages
from pipeline.own_data.serving import in_words
from pipeline.records import SCRIPT, Requirement, Scored, SourceFile
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Limits
from pipeline.stage import run_local

_SETS = Path(__file__).with_name("own_data_sets.py")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of one set of data."""

    name: str
    kind: str = ""
    columns: int | None = None
    result: HeldOut | None = None
    generated: float = 0.0
    """Seconds, the description included."""
    seconds: float = 0.0
    """Of the run in the sandbox."""
    problem: str = ""
    sample: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem and self.result is not None and self.result.beats_baseline

    def line(self) -> str:
        if self.result is None:
            return f"{self.name:20} {self.kind:48} FAILED: {self.problem or 'no held-out line'}"
        worse = "" if self.result.beats_baseline else "  NOT BETTER"
        return (
            f"{self.name:20} {self.kind:48} {self.columns or '':>4} {self.result.metric:20} {self.result.value:>10.4f} "
            f"{self.result.baseline:>10.4f} {self.generated:>6.2f} {self.seconds:>6.1f}  {self.sample}{worse}"
        )


_COLUMNS = ("metric", "held-out", "baseline", "gen s", "run s")
HEAD = "{:20} {:48} cols {:20} {:>10} {:>10} {:>6} {:>6}  sample".format("data", "kind", *_COLUMNS)


def sandbox_of(python: Path) -> ProcessSandbox:
    return ProcessSandbox(str(python), environment=project_variables(2))


def on_own_data(case: dict[str, object], sandbox: ProcessSandbox, limits: Limits) -> Outcome:
    """One set of data, from its files to the held-out line."""
    name = str(case["name"])
    target = case["target"] if isinstance(case["target"], list) else []
    row = Requirement(
        id=name, row=0, requirement=str(case["ask"]), data_folder=str(case["path"]), data_target=tuple(target)
    )
    start = time.monotonic()
    (record,) = run_local(generation_stages(PipelineSettings()), [row])
    generated = time.monotonic() - start
    assert isinstance(record, Scored)
    if record.failure is not None or record.data is None:
        problem = f"{record.failure.kind}: {record.failure.message}" if record.failure else "not described"
        return Outcome(name=name, generated=generated, problem=problem)
    scripts = [file for file in record.files if file.path.endswith(".py")]
    folder = Path(str(case["path"])).absolute()
    execution = sandbox.run(scripts, SCRIPT, limits, given={str(folder): folder})
    columns = record.data.inputs[0].columns
    return Outcome(
        name=name,
        kind=in_words(record.data),
        columns=len(columns) or None,
        result=held_out_of(execution.stdout_tail),
        generated=generated,
        seconds=execution.seconds,
        problem="" if execution.ok else execution.reason(),
        sample=record.samples[0].id,
    )


def on_made_up_data(sandbox: ProcessSandbox, limits: Limits, names: list[str]) -> Iterator[Outcome]:
    """The samples themselves, on the data they make up where there are none."""
    for sidecar, code in starter.matrix_rows():
        name = str(sidecar["id"])
        if names and name not in names:
            continue
        execution = sandbox.run([SourceFile(path=SCRIPT, text=code)], SCRIPT, limits)
        yield Outcome(
            name=name[:20],
            kind="made-up data",
            result=held_out_of(execution.stdout_tail),
            seconds=execution.seconds,
            problem="" if execution.ok else execution.reason(),
        )


def written_sets(python: Path, folder: str) -> list[dict[str, object]]:
    """The data sets, written by a Python that has the packages which ship them."""
    done = subprocess.run([str(python), str(_SETS), folder], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{_SETS.name}: {done.stderr.strip().splitlines()[-1]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def main() -> None:
    parser = argparse.ArgumentParser(description="Real small data: described, generated for, run in the sandbox.")
    parser.add_argument("names", nargs="*", help="data sets, or samples; by default all")
    parser.add_argument("--python", type=Path, required=True, help="a Python that has TensorFlow")
    parser.add_argument("--data-python", type=Path, default=Path(sys.executable))
    parser.add_argument("--seconds", type=float, default=300.0, help="limit of a run")
    parser.add_argument("--samples", action="store_true", help="the samples on their made-up data")
    arguments = parser.parse_args()
    sandbox, limits = sandbox_of(arguments.python), Limits(seconds=arguments.seconds)
    outcomes: list[Outcome] = []
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the sandboxed program is another user
        if arguments.samples:
            for outcome in on_made_up_data(sandbox, limits, arguments.names):
                outcomes.append(outcome)
                print(outcome.line(), flush=True)
        else:
            for case in written_sets(arguments.data_python, folder):
                if arguments.names and case["name"] not in arguments.names:
                    continue
                if "missing" in case:
                    print(f"{case['name']!s:20} left out: {case['missing']} is not installed")
                    continue
                outcomes.append(on_own_data(case, sandbox, limits))
                print(outcomes[-1].line(), flush=True)
    print(f"{sum(outcome.ok for outcome in outcomes)} of {len(outcomes)} run and beat their baseline")
    sys.exit(not all(outcome.ok for outcome in outcomes))


if __name__ == "__main__":
    main()
