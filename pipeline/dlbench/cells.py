"""One cell of a run: a candidate of a task, drawn for one variant of its prompt, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.dlbench.agreement.generated import GeneratedTest
from pipeline.dlbench.certifying import Certificate
from pipeline.dlbench.mutation.operators import Variant, mapped_back
from pipeline.dlbench.placing.place import place
from pipeline.dlbench.running.repository import Located
from pipeline.dlbench.running.runner import Suite, run_placed, suite_of
from pipeline.dlbench.running.sandboxes import SuiteSandboxes
from pipeline.dlbench.running.verdict import Status, Verdict, judge
from pipeline.errors import StageFailure

_TESTS_TOGETHER = 5
"""Generated tests that share a process: a suite's worth."""

_TEST_CPU_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """Which one it is."""

    task: int
    """The task's number."""

    operator: str
    """Of the prompt's variant."""

    sample: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CellResult:
    """What it came to."""

    task: str
    operator: str
    sample: int

    status: str
    """Of the verdict on the deciding tests."""

    reason: str = ""
    passed: int = 0
    required: int = 0

    generated_passed: tuple[int, ...] = ()
    """The generated tests that it passes, by their number."""

    cpu_seconds: float = 0.0
    """Of the deciding tests."""

    definition: str = ""
    """The candidate as it was placed."""

    @property
    def correct(self) -> bool:
        return self.status == Status.PASS

    @property
    def counts(self) -> bool:
        return self.status != Status.INFRA


def run_cell(
    cell: Cell,
    located: Located,
    certificate: Certificate,
    variant: Variant,
    answer: str,
    tests: Sequence[GeneratedTest],
    sandboxes: SuiteSandboxes,
) -> CellResult:
    """Places a candidate, and runs the deciding tests and the generated ones. No candidate makes it raise."""
    task = located.task.id
    mapped = mapped_back(answer, variant, located.target.node.name)
    try:
        placed = place(located.source, located.target, mapped, module=located.module)
    except StageFailure as failure:
        return CellResult(
            task=task,
            operator=cell.operator,
            sample=cell.sample,
            status=failure.kind,
            reason=str(failure),
            required=len(certificate.required),
        )
    groups = [tests[start : start + _TESTS_TOGETHER] for start in range(0, len(tests), _TESTS_TOGETHER)]
    suites = [suite_of(located, cpu_seconds=certificate.cpu_seconds)]
    suites += [_suite(group, number * _TESTS_TOGETHER) for number, group in enumerate(groups)]
    run = run_placed(sandboxes, located, placed, suites)
    if run.infra:
        verdict = Verdict(status=Status.INFRA, reason=run.infra)
    else:
        verdict = judge(run.record, certificate.required, stopped=run.stopped)
    passed: list[int] = []
    for record in run.record.suites[1:]:
        passed += [int(name.removeprefix("test_")) for name in record.passed]
    return CellResult(
        task=task,
        operator=cell.operator,
        sample=cell.sample,
        status=verdict.status.value,
        reason=verdict.reason,
        passed=verdict.passed,
        required=verdict.required,
        generated_passed=tuple(sorted(passed)),
        cpu_seconds=verdict.cpu_seconds,
        definition=placed.definition,
    )


def _suite(tests: Sequence[GeneratedTest], first: int) -> Suite:
    names = [f"test_{first + number}" for number in range(len(tests))]
    code = "".join(test.function(name) for test, name in zip(tests, names, strict=True))
    return Suite(code=code, names=tuple(names), cpu_seconds=_TEST_CPU_SECONDS)
