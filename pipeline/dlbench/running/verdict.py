"""What came of a candidate, decided from signed records by a process that no candidate is ever in."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How a candidate's run ended. Shares are over all but INFRA."""

    PASS = "pass"
    """Every test that the reference passes is there and passes."""

    FAIL = "fail"
    """A test that the reference passes does not."""

    ERROR = "error"
    """The module, or the tests, cannot be imported with the candidate in place."""

    TIMEOUT = "timeout"
    """It was ended at its processor time, or slept beyond the wall-clock limit."""

    CRASH = "crash"
    """Its process ended before its tests had: by an exit, a signal or its memory."""

    TAMPERED = "tampered"
    """It did something to its judge."""

    NOT_PLACED = "not_placed"
    """It cannot be put into its place."""

    NO_CODE = "no_code"
    """The answer holds no definition."""

    INFRA = "infra"
    """The machinery failed, twice: in no share."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteRecord:
    """One suite's run."""

    outcomes: dict[str, str]
    """Test -> passed, failed, error or skipped."""

    reasons: dict[str, str]
    """Why, of those that did not pass."""

    ended: bool
    """Whether it came to its own end."""

    code: int = 0
    """How its process ended: negative for a signal."""

    late: bool = False
    """Whether it was ended at its wall-clock limit."""

    cpu_seconds: float = 0.0
    seconds: float = 0.0
    lines: tuple[int, ...] = ()
    """Lines of the target's file that it executed, where it was traced."""

    @property
    def passed(self) -> frozenset[str]:
        return frozenset(test for test, state in self.outcomes.items() if state == "passed")


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRecord:
    """One job: a candidate and its suites."""

    imported: bool
    import_error: str = ""
    import_seconds: float = 0.0
    """Processor time."""

    suites: tuple[SuiteRecord, ...] = ()
    """As many as were asked for; those that never began are empty."""

    flags: tuple[str, ...] = ()
    """What the candidate did to its judge."""

    finished: bool = False


@dataclass(slots=True)
class _Suite:
    outcomes: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    tests_said: int | None = None
    tests_seen: int = 0
    ended: dict[str, Any] = field(default_factory=dict)
    lines: tuple[int, ...] = ()


def read_records(events: str, key: str, suites: int) -> JobRecord:
    """The records of a job. One without the right signature, or out of its order, is a flag: only somebody who is
    not its judge writes such. One that was cut off at the end of the file is none."""
    flags: list[str] = []
    numbers: dict[str, int] = {}
    read = [_Suite() for _ in range(suites)]
    imported: dict[str, Any] | None = None
    import_error, finished = "", False
    lines = events.split("\n")
    whole, rest = lines[:-1], lines[-1]
    for line in whole:
        record = _verified(line, key)
        if record is None or record["number"] != numbers.get(record["writer"], 0):
            _flag(flags, "writes records of its own, or removes some")
            continue
        numbers[record["writer"]] = record["number"] + 1
        kind = record["kind"]
        if kind == "flag":
            _flag(flags, record["what"])
        elif kind == "imported":
            imported = record
        elif kind == "not imported":
            import_error = record["error"]
        elif kind == "finished":
            finished = True
        elif kind == "ended":
            read[record["suite"]].ended = record
        else:
            _take(read[int(record["writer"].removeprefix("suite "))], record)
    if rest.strip():
        _flag(flags, "writes records of its own, or removes some")
    return JobRecord(
        imported=imported is not None,
        import_error=import_error,
        import_seconds=imported["cpu_seconds"] if imported else 0.0,
        suites=tuple(map(_finished, read)),
        flags=tuple(flags),
        finished=finished,
    )


def _flag(flags: list[str], what: str) -> None:
    if what not in flags:
        flags.append(what)


def _take(suite: _Suite, record: dict[str, Any]) -> None:
    if record["kind"] == "test":
        suite.tests_seen += 1
        test = record["test"]
        # A test that is told of twice has passed if it did both times.
        if suite.outcomes.get(test, "passed") == "passed":
            suite.outcomes[test] = record["state"]
            if record["state"] != "passed":
                suite.reasons[test] = record["why"]
    elif record["kind"] == "lines":
        suite.lines = tuple(record["lines"])
    elif record["kind"] == "end":
        suite.tests_said = record["tests"]


def _finished(suite: _Suite) -> SuiteRecord:
    return SuiteRecord(
        outcomes=suite.outcomes,
        reasons=suite.reasons,
        ended=suite.tests_said is not None and suite.tests_said == suite.tests_seen,
        code=suite.ended.get("code", 0),
        late=suite.ended.get("late", False),
        cpu_seconds=suite.ended.get("cpu_seconds", 0.0),
        seconds=suite.ended.get("seconds", 0.0),
        lines=suite.lines,
    )


def _verified(line: str, key: str) -> dict[str, Any] | None:
    signature, _, text = line.partition(" ")
    expected = hashlib.blake2b(text.encode(), key=bytes.fromhex(key), digest_size=16).hexdigest()
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        return None
    record: dict[str, Any] = json.loads(text)
    return record


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a candidate's run on the deciding tests came to."""

    status: Status
    passed: int = 0
    """Of the tests that the reference passes."""

    required: int = 0
    reason: str = ""
    """Why it is no pass, in a line."""

    cpu_seconds: float = 0.0
    seconds: float = 0.0

    @property
    def counts(self) -> bool:
        """Whether it belongs into a share."""
        return self.status is not Status.INFRA


def judge(record: JobRecord, required: Sequence[str], *, stopped: str = "", suite: int = 0) -> Verdict:
    """The verdict on one suite. A pass is every required test there and passed, and at least one: what was skipped,
    never reported or reported by somebody else is none. `stopped`: the limit that ended the whole job."""
    ran = record.suites[suite]
    passed = ran.passed & set(required)
    status, reason = _status(record, ran, required, passed, stopped)
    return Verdict(
        status=status,
        passed=len(passed),
        required=len(required),
        reason=reason,
        cpu_seconds=ran.cpu_seconds,
        seconds=ran.seconds,
    )


_CPU_SIGNALS = (-24, -9)
"""SIGXCPU, and SIGKILL at the hard limit."""


def _status(
    record: JobRecord, ran: SuiteRecord, required: Sequence[str], passed: frozenset[str] | set[str], stopped: str
) -> tuple[Status, str]:
    if record.flags:
        return Status.TAMPERED, record.flags[0]
    if not record.imported:
        if stopped in ("seconds", "cpu_seconds"):
            return Status.TIMEOUT, "importing the module took longer than its limit"
        if record.import_error:
            return Status.ERROR, record.import_error
        return Status.CRASH, "the process ended while it imported the module"
    if not ran.ended:
        if ran.late or ran.code in _CPU_SIGNALS or stopped in ("seconds", "cpu_seconds"):
            return Status.TIMEOUT, f"ended at its limit after {ran.cpu_seconds:.1f} s of processor time"
        if stopped:
            return Status.CRASH, f"stopped at its limit of {stopped}"
        return Status.CRASH, f"the process ended before its tests had (code {ran.code})"
    if not required:
        return Status.FAIL, "the reference passes no test"
    if len(passed) == len(required):
        return Status.PASS, ""
    missing = next(test for test in required if test not in passed)
    state = ran.outcomes.get(missing, "not there")
    why = ran.reasons.get(missing) or next(iter(ran.reasons.values()), "")
    reason = f"{missing}: {state}{': ' + why if why else ''}"
    if not any(state in ("passed", "failed") for state in ran.outcomes.values()):
        return Status.ERROR, reason
    return Status.FAIL, reason
