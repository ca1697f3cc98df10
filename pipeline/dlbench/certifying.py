"""Which tasks can tell right from wrong: the reference passes again and again, and what is surely wrong does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.dlbench.placing.mutants import mutants_of
from pipeline.dlbench.placing.place import Placed, place
from pipeline.dlbench.placing.stubs import stubs_of
from pipeline.dlbench.running.repository import Located, environment_name, locate
from pipeline.dlbench.running.runner import cpu_limit, run_placed, suite_of
from pipeline.dlbench.running.sandboxes import SuiteSandboxes
from pipeline.dlbench.running.verdict import SuiteRecord, judge
from pipeline.dlbench.task import FunctionTask, TrapKind
from pipeline.errors import FaultError, StageFailure

REFERENCE_RUNS = 3
"""How often the reference has to pass."""

CERTIFIED = "certified"

STEPS = (
    "has repository, target and tests",
    "environment and sources are here",
    "target found",
    "target is no test helper",
    "reference passes three times",
    "tests execute the target",
    "stubs fail",
)
"""What a task has to come through, in order; the last of them makes it certified."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """What came of a task's check."""

    task: str

    failed_step: str = ""
    """The first of STEPS that it did not come through; "" for one that is certified."""

    reason: str = ""
    """Why, in a line."""

    required: tuple[str, ...] = ()
    """Tests that the reference passes each time: what a candidate has to pass."""

    unstable: tuple[str, ...] = ()
    """Tests that the reference passes some of the times."""

    reference_cpu_seconds: float = 0.0
    """Of the deciding tests with the reference in place: the most of its runs."""

    stubs: tuple[tuple[str, str], ...] = ()
    """Each stub and its status."""

    lines: int = 0
    """Of the target's own lines, how many the tests execute."""

    mutants: int = 0
    killed: int = 0
    """Of mutants made by rule, or the task's own."""

    surviving: tuple[str, ...] = ()
    """The mutants that no test noticed."""

    traps: tuple[tuple[str, str], ...] = ()
    """Kinds and messages, those found in the source included."""

    infra: str = ""
    """What the machinery failed at: the task is then neither certified nor refused."""

    @property
    def certified(self) -> bool:
        return not self.failed_step and not self.infra

    @property
    def cpu_seconds(self) -> float:
        """What a candidate may take."""
        return cpu_limit(self.reference_cpu_seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class CertifySettings:
    """How tasks are certified."""

    checkouts: Mapping[str, str]
    """Repository -> the user's checkout."""

    mutants: int = 3
    """How many are made by rule for a task that brings none."""


def certify(task: FunctionTask, sandboxes: SuiteSandboxes, settings: CertifySettings) -> Certificate:
    """The task's certificate. No task makes it raise; FaultError where no environment can be had at all."""
    certificate = Certificate(task=task.id, traps=_traps(task))
    kinds = {trap.kind for trap in task.traps}
    missing = [kind for kind in (TrapKind.NO_REPOSITORY, TrapKind.NO_TARGET, TrapKind.NO_TEST) if kind in kinds]
    if missing:
        return replace(certificate, failed_step=STEPS[0], reason=missing[0].value)
    try:
        located = located_task(task, sandboxes, settings.checkouts)
    except FaultError as fault:
        return replace(certificate, failed_step=STEPS[1], reason=str(fault))
    except StageFailure as failure:
        step = STEPS[1] if failure.kind == "no_source" else STEPS[2]
        return replace(certificate, failed_step=step, reason=str(failure))
    certificate = replace(certificate, traps=_traps(located.task))
    if TrapKind.TARGET_IN_TESTS in kinds:
        return replace(certificate, failed_step=STEPS[3], reason=f"{task.path} belongs to the tests")
    certificate = _reference(located, sandboxes, certificate)
    if certificate.infra or certificate.failed_step:
        return certificate
    certificate = _stubs(located, sandboxes, certificate)
    return _mutants(located, sandboxes, certificate, settings.mutants)


def located_task(task: FunctionTask, sandboxes: SuiteSandboxes, checkouts: Mapping[str, str]) -> Located:
    """The task with its sources. Raises StageFailure as `locate`, FaultError as `SuiteSandboxes.of`."""
    name = environment_name(task)
    return replace(locate(task, sandboxes.of(name).built, checkouts), environment=name)


def reference_of(located: Located) -> Placed:
    """The file as it is: the reference stands where a candidate would."""
    target = located.target
    return Placed(text=located.source, spans=((target.first_line, target.last_line),), definition=target.text)


def _traps(task: FunctionTask) -> tuple[tuple[str, str], ...]:
    return tuple((trap.kind.value, trap.message) for trap in task.traps)


def _reference(located: Located, sandboxes: SuiteSandboxes, certificate: Certificate) -> Certificate:
    # The last run is traced, which takes its time: what the others took is what counts.
    suites = [suite_of(located) for _ in range(REFERENCE_RUNS - 1)] + [suite_of(located, trace=True)]
    run = run_placed(sandboxes, located, reference_of(located), suites)
    if run.infra:
        return replace(certificate, infra=run.infra)
    runs = run.record.suites
    always = set.intersection(*(set(one.passed) for one in runs))
    sometimes = set().union(*(one.passed for one in runs)) - always
    order = [test for test in runs[0].outcomes if test in always]
    own_lines = _own_lines(located, run.record.suites[-1])
    certificate = replace(
        certificate,
        required=tuple(order),
        unstable=tuple(sorted(sometimes)),
        reference_cpu_seconds=max(one.cpu_seconds for one in runs[:-1]),
        lines=own_lines,
    )
    reason = _reference_failure(run.record.flags, run.record.import_error, runs, order, run.stopped)
    if reason:
        return replace(certificate, failed_step=STEPS[4], reason=reason)
    if not own_lines:
        return replace(certificate, failed_step=STEPS[5], reason="no line of the target is executed by its tests")
    return certificate


def _reference_failure(
    flags: Sequence[str], import_error: str, runs: Sequence[SuiteRecord], required: Sequence[str], stopped: str
) -> str:
    if flags:
        return f"the reference itself {flags[0]}"
    if import_error:
        return f"the module cannot be imported: {import_error}"
    for one in runs:
        if not one.ended:
            limit = f", at its limit of {stopped}" if stopped else ""
            return f"the tests come to no end (code {one.code}{limit}) after {one.cpu_seconds:.0f} s"
        for test, state in one.outcomes.items():
            if state in ("failed", "error"):
                return f"{test}: {state}: {one.reasons.get(test, '')}"
    if not required:
        return "all its tests are skipped" if any(one.outcomes for one in runs) else "there is no such test"
    return ""


def _own_lines(located: Located, ran: SuiteRecord) -> int:
    """Executed lines of the target's body: the `def` itself is executed by importing it."""
    body = located.target.node.body
    first, last = body[0].lineno, located.target.last_line
    return sum(first <= line <= last for line in ran.lines)


def _stubs(located: Located, sandboxes: SuiteSandboxes, certificate: Certificate) -> Certificate:
    statuses = []
    passing = []
    for name, text in stubs_of(located.target).items():
        placed = place(located.source, located.target, text, module=located.module)
        run = run_placed(sandboxes, located, placed, [suite_of(located, cpu_seconds=certificate.cpu_seconds)])
        if run.infra:
            return replace(certificate, infra=run.infra)
        verdict = judge(run.record, certificate.required, stopped=run.stopped)
        statuses.append((name, verdict.status.value))
        if verdict.status == "pass":
            passing.append(name)
    certificate = replace(certificate, stubs=tuple(statuses))
    if passing:
        reason = f"a body that {' or '.join(passing)} passes all {len(certificate.required)} tests"
        return replace(certificate, failed_step=STEPS[6], reason=reason)
    return certificate


def _mutants(located: Located, sandboxes: SuiteSandboxes, certificate: Certificate, count: int) -> Certificate:
    own = [(f"mutant {number}", text) for number, text in enumerate(located.task.mutants, start=1)]
    made = own or [(mutant.about, mutant.text) for mutant in mutants_of(located.target, count)]
    surviving = []
    for name, text in made:
        placed = place(located.source, located.target, text, module=located.module)
        run = run_placed(sandboxes, located, placed, [suite_of(located, cpu_seconds=certificate.cpu_seconds)])
        if run.infra:
            return replace(certificate, infra=run.infra)
        if judge(run.record, certificate.required, stopped=run.stopped).status == "pass":
            surviving.append(name)
    return replace(certificate, mutants=len(made), killed=len(made) - len(surviving), surviving=tuple(surviving))


@dataclass(frozen=True, kw_only=True, slots=True)
class FunnelStep:
    """How many tasks come through a step."""

    name: str
    tasks: int
    lost: tuple[tuple[str, str], ...] = ()
    """Those that do not, each with the reason."""


def funnel_of(certificates: Sequence[Certificate]) -> list[FunnelStep]:
    """From all tasks to the certified ones. What the machinery failed at is told apart, before the first step."""
    left = [certificate for certificate in certificates if not certificate.infra]
    infra = tuple((one.task, one.infra) for one in certificates if one.infra)
    steps = [FunnelStep(name="read", tasks=len(certificates), lost=())]
    if infra:
        steps.append(FunnelStep(name="run by the machinery", tasks=len(left), lost=infra))
    for name in STEPS:
        lost = tuple((one.task, one.reason) for one in left if one.failed_step == name)
        left = [one for one in left if one.failed_step != name]
        steps.append(FunnelStep(name=name, tasks=len(left), lost=lost))
    return steps
