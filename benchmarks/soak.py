"""Does a job come to the same whatever is killed? Seeded `kill -9`s of real commands, each against an undisturbed run.

    python -m benchmarks.soak [--kills 20] [--seed 0] [--job generate --job score ...] [--rows 120] [--folder DIR]

Each kill comes at a seeded moment of the undisturbed run's time and hits the whole tree, the driver alone or one of
Ray's workers. What lost its driver is resumed by the same command; what ended is compared and begun anew, until the
kills are used up. Bar: no row lost or twice, no different byte, no more calls paid again than were in flight, nothing
left behind.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.soak_jobs import JOBS, SoakJob, soak_jobs
from jobs.runs.store import RunStore
from tests.pipeline.llm.client.fault_server import FaultServer
from tests.ray.drivers import driver_environment
from tests.ray.test_llm_job import answered

KINDS = ("tree", "driver", "worker")

LONGEST_SECONDS = 900.0
"""A command that takes longer hangs."""

PATIENCE_SECONDS = 120.0
"""In which Ray's own processes notice that their driver is gone: its two agents took 67 on a busy machine."""

_POLL_SECONDS = 0.2


@dataclass(kw_only=True)
class Account:
    """What the kills of a job came to."""

    kills: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    lost: int = 0
    twice: int = 0
    different: int = 0
    calls: int = 0
    paid_again: int = 0
    in_flight: int = 0
    """Calls that were under way when something was killed: as many may be paid again."""

    worst_resume: float = 0.0
    """Seconds from the start of a command after a kill to the next finished file."""

    processes_left: int = 0
    files_left: int = 0
    failed: int = 0
    """Commands that ended with an error."""


class Command:
    """A running command, and the processes that it has started."""

    def __init__(self, words: list[str]) -> None:
        self.process = subprocess.Popen(
            words,
            env=driver_environment(),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.started = time.monotonic()

    def tree(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def kill(self, kind: str, chance: random.Random) -> list[psutil.Process]:
        """Kills; gives the processes that should be gone by themselves soon."""
        tree = self.tree()
        if kind == "worker":
            workers = [child for child in tree if _is_worker(child)]
            if workers:
                _kill(chance.choice(workers))
            return []
        self.process.kill()
        self.process.wait()
        if kind == "tree":
            for child in tree:
                _kill(child)
        return tree


def soak(job: SoakJob, folder: Path, kills: int, chance: random.Random) -> Account:
    """Kills the job so often, and compares what it came to each time."""
    account = Account()
    whole = folder / "whole"
    _, seconds = _finish(Command(job.command(whole)))
    expected = _digests(job, whole)
    orphans: list[tuple[float, psutil.Process]] = []
    while kills > 0:
        account.rounds += 1
        out = folder / f"killed-{account.rounds}"
        asked = len(job.server.seen) if job.server else 0
        command, resumed = Command(job.command(out)), False
        while kills > 0:
            moment = time.monotonic() + chance.uniform(0, seconds)
            ended = _wait(command, moment, account, out if resumed else None)
            if ended:
                break
            kind = chance.choice(KINDS)
            account.kills[kind] += 1
            account.in_flight += job.server.in_flight if job.server else 0
            orphans += [(time.monotonic(), process) for process in command.kill(kind, chance)]
            kills -= 1
            if kind != "worker":
                command, resumed = Command(job.command(out)), True
        code, _ = _finish(command)
        account.failed += code != 0
        _compare(job, expected, out, account, asked)
    account.processes_left = _still_there(orphans)
    return account


def _finish(command: Command) -> tuple[int, float]:
    """Exit code and seconds of a command."""
    code = command.process.wait(LONGEST_SECONDS)
    return code, time.monotonic() - command.started


def _wait(command: Command, moment: float, account: Account, resumed: Path | None) -> bool:
    """Waits for a moment; True if the command ended before. Notes how long a `resumed` one took to finish something."""
    before = _finished_files(resumed) if resumed else 0
    while time.monotonic() < moment:
        ended = command.process.poll() is not None
        if resumed and (ended or _finished_files(resumed) > before):
            account.worst_resume = max(account.worst_resume, time.monotonic() - command.started)
            resumed = None
        if ended:
            return True
        time.sleep(_POLL_SECONDS)
    return False


def _finished_files(out: Path) -> int:
    return sum(not path.name.startswith(".") for path in out.rglob("*.parquet"))


def _compare(job: SoakJob, expected: dict[str, str], out: Path, account: Account, asked: int) -> None:
    found = _digests(job, out)
    account.different += sum(found.get(name) != digest for name, digest in expected.items())
    account.different += len(found.keys() - expected.keys())
    for pattern in job.runs:
        for run in out.glob(pattern):
            rows = Counter(record.row for record in RunStore(str(run)).results())
            account.lost += len(set(range(job.rows)) - rows.keys())
            account.twice += sum(count - 1 for count in rows.values())
    if job.server:
        bodies = [json.dumps(seen.body, sort_keys=True) for seen in job.server.seen[asked:]]
        account.calls += len(bodies)
        account.paid_again += len(bodies) - len(set(bodies))
    left = [path for pattern in (".tmp-*", ".writer-*", ".begun-*") for path in out.rglob(pattern)]
    left += [path for path in out.rglob("begun/*") if path.is_file()]
    account.files_left += len(left)


def _digests(job: SoakJob, out: Path) -> dict[str, str]:
    digests = {}
    for pattern in job.compared:
        for path in out.glob(pattern):
            digests[str(path.relative_to(out))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return digests


def _still_there(orphans: list[tuple[float, psutil.Process]]) -> int:
    """Processes of killed drivers that are there after PATIENCE_SECONDS; they are ended then."""
    if not orphans:
        return 0
    wait = PATIENCE_SECONDS - (time.monotonic() - orphans[-1][0])
    _, alive = psutil.wait_procs([process for _, process in orphans], timeout=max(0.0, wait))
    for process in alive:
        _kill(process)
    return len(alive)


def _is_worker(process: psutil.Process) -> bool:
    """Ray's agents are none: without them its node ends, as after a kill of the tree."""
    with suppress(psutil.Error):
        title = " ".join(process.cmdline())
        return title.startswith("ray::") and "Agent" not in title
    return False


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()


def table_of(accounts: dict[str, Account]) -> Table:
    """A job a row."""
    table = Table(title="Soak: kill -9, resumed, and compared with a run that was left alone", title_justify="left")
    heads = ("kills", "tree/driver/worker", "rounds", "failed", "lost", "twice", "different", "calls", "paid again")
    for head in ("job", *heads, "in flight", "worst resume", "processes left", "files left"):
        table.add_column(head, justify="left" if head == "job" else "right")
    for name, account in accounts.items():
        kinds = "/".join(str(account.kills[kind]) for kind in KINDS)
        counts = (account.rounds, account.failed, account.lost, account.twice, account.different, account.calls)
        table.add_row(
            name,
            str(account.kills.total()),
            kinds,
            *map(str, counts),
            str(account.paid_again),
            str(account.in_flight),
            f"{account.worst_resume:.1f} s",
            str(account.processes_left),
            str(account.files_left),
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="of each job")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--job", action="append", choices=JOBS)
    parser.add_argument("--rows", type=int, default=120)
    parser.add_argument("--folder", help="where the outputs stay; by default they are removed")
    arguments = parser.parse_args()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    accounts: dict[str, Account] = {}
    screen = Console(width=200)
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as temporary,
        FaultServer(answer=answered, seconds=lambda body: 0.5).running() as server,
    ):
        folder = Path(arguments.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for job in soak_jobs(arguments.job or list(JOBS), folder, arguments.rows, server):
            chance = random.Random(f"{arguments.seed} {job.name}")
            accounts[job.name] = soak(job, folder / job.name, arguments.kills, chance)
            screen.print(table_of(accounts))


if __name__ == "__main__":
    main()
