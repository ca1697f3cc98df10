from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.errors import FaultError, StageFailure
from pipeline.execution.running.executing import ProjectExecutor
from pipeline.execution.running.plots import PLOT_PATTERNS
from pipeline.execution.running.rows import ExecutedProject, ProjectRow
from pipeline.records import SCRIPT, SourceFile
from pipeline.sandbox.sandbox import Execution, Limits, ResultFile
from pipeline.storage.arrow import from_rows, to_table

PROJECT = ProjectRow(
    id="a", row=0, source="x", environment="keras3", files=(SourceFile(path=SCRIPT, text="print(1)"),), data_folder="/d"
)
RAN = Execution(exit_code=0, seconds=2.0, cpu_seconds=1.0, stdout_tail="1\n")


@dataclass
class Scripted:
    """A sandbox that gives these answers, one after another; an exception is raised."""

    answers: list[Execution | Exception]
    restarts: int = 0
    runs: list[dict[str, object]] = field(default_factory=list)
    warm: bool = True

    def of(self, environment: str) -> Scripted:
        if environment == "absent":
            raise FaultError("env=absent cannot be built")
        return self

    def restart(self) -> None:
        self.restarts += 1

    def run(
        self,
        files: Sequence[SourceFile],
        entry: str,
        limits: Limits,
        *,
        shown: str = "",
        data: str = "",
        results: Sequence[str] = (),
    ) -> tuple[Execution, str]:
        self.runs.append({"entry": entry, "limits": limits, "shown": shown, "data": data, "results": results})
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer, '{"event": "began"}\n{"event": "ended"}\n'


def _executed(*answers: Execution | Exception, environment: str = "keras3") -> tuple[ExecutedProject, Scripted]:
    scripted = Scripted(list(answers))
    executor = ProjectExecutor(scripted, Limits(cpu_seconds=9), "/data")
    project = ProjectRow(
        id=PROJECT.id, row=0, source="x", environment=environment, files=PROJECT.files, data_folder=PROJECT.data_folder
    )
    return executor.execute(project), scripted


def test_a_project_is_run_once_with_its_limits_and_data() -> None:
    executed, scripted = _executed(RAN)
    (run,) = scripted.runs
    assert run == {
        "entry": SCRIPT,
        "limits": Limits(cpu_seconds=9),
        "shown": "/d",
        "data": "/data",
        "results": PLOT_PATTERNS,
    }
    assert (executed.attempts, executed.infra, executed.exit_code, executed.stdout_tail) == (1, "", 0, "1\n")
    assert executed.measured is not None
    assert (executed.measured.start, executed.measured.seconds, executed.measured.cpu_seconds) == ("warm", 2.0, 1.0)


def test_a_defect_of_the_machinery_is_tried_once_more_afresh() -> None:
    executed, scripted = _executed(StageFailure("sandbox_failed", "the warm process is dead"), RAN)
    assert (executed.attempts, executed.infra, executed.first_infra) == (2, "", "the warm process is dead")
    assert scripted.restarts == 1
    assert executed.reached != ""


def test_the_results_of_the_run_that_counts_come_back() -> None:
    with_results = replace(RAN, results=(ResultFile(path="predictions.csv", size=1, content=b"1"),))
    scripted = Scripted([StageFailure("sandbox_failed", "dead"), with_results])
    executor = ProjectExecutor(scripted, Limits(), results=["predictions.csv"])
    executed, execution = executor.run(PROJECT)
    assert (executed.attempts, execution) == (2, with_results)
    assert [run["results"] for run in scripted.runs] == [["predictions.csv"]] * 2


def test_a_defect_that_stays_says_nothing_about_the_project() -> None:
    failure = StageFailure("sandbox_failed", "no namespace")
    executed, scripted = _executed(failure, failure)
    assert (executed.attempts, executed.infra, executed.reached) == (2, "no namespace", "")
    assert (executed.exit_code, executed.measured) == (None, None)
    assert len(scripted.runs) == 2


def test_an_environment_that_cannot_be_built_is_a_defect_of_the_machinery() -> None:
    executed, _ = _executed(environment="absent")
    assert executed.infra == "env=absent cannot be built"


def test_a_project_that_the_clock_ends_while_it_computes_was_kept_waiting_by_the_machine() -> None:
    late = Execution(exit_code=137, stopped="seconds", seconds=100, cpu_seconds=8.0)
    executed, _ = _executed(late, RAN)
    assert (executed.attempts, executed.infra) == (2, "")
    assert executed.first_infra == "the machine was too busy: 8 of 9 seconds of processor time in 100 s"


def test_a_project_that_waits_until_the_clock_ends_it_has_done_so_itself() -> None:
    executed, _ = _executed(Execution(exit_code=137, stopped="seconds", seconds=100, cpu_seconds=1.0))
    assert (executed.attempts, executed.infra, executed.stopped) == (1, "", "seconds")


def test_a_project_that_fails_is_not_run_again() -> None:
    executed, _ = _executed(Execution(exit_code=1, stderr_tail="ValueError: no\n"))
    assert (executed.attempts, executed.infra, executed.exit_code) == (1, "", 1)


def test_results_are_the_same_after_they_were_stored() -> None:
    executed, _ = _executed(RAN)
    table = to_table([executed], ExecutedProject)
    (read,) = from_rows(table.to_pylist(), ExecutedProject)
    assert read == executed
    assert read.measured == executed.measured
    assert read.climb().reached == executed.climb().reached


def _runs(*answers: Execution | Exception) -> ExecutedProject:
    return ProjectExecutor(Scripted(list(answers)), Limits(cpu_seconds=9), runs=2).execute(PROJECT)


def test_a_project_that_comes_to_another_rung_the_second_time_is_flaky() -> None:
    failed = Execution(exit_code=1, stderr_tail="Traceback (most recent call last):\nValueError: no\n")
    flaky = _runs(RAN, failed)
    assert flaky.flaky
    assert flaky.exit_code == 0
    (further,) = flaky.further_runs
    assert (flaky.reached, further.reached) == ("data_found", "parses")
    assert "ValueError: no" in further.ended_of
    assert not _runs(RAN, RAN).flaky
    machinery = StageFailure("sandbox_failed", "no namespace")
    assert not _runs(RAN, machinery, machinery).flaky
    assert _executed(RAN)[0].further_runs == ()
