"""The stage that runs a row's project, with a scripted sandbox."""

from __future__ import annotations

import json

from pipeline.config import ExecutionSettings, PipelineSettings
from pipeline.execution.running.execute_stage import Executed, execute_stage
from pipeline.execution.running.plots import plots_of
from pipeline.methods import generation_stages
from pipeline.records import NOTEBOOK, SCRIPT, Failure, Scored, SourceFile
from pipeline.sandbox.sandbox import Execution, ResultFile
from pipeline.stage import check_chain, run_local
from tests.pipeline.execution.running.test_executing import Scripted

PNG = b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big")
FILES = (
    SourceFile(path=SCRIPT, text="import torch\nprint(1)"),
    SourceFile(path="README.md", text="about"),
    SourceFile(path=NOTEBOOK, text="{}"),
)


def _finished(rows: list[Scored], *answers: Execution, **settings: object) -> tuple[list[Executed], Scripted]:
    scripted = Scripted(list(answers))
    chosen = ExecutionSettings.model_validate({"enabled": True, **settings})
    stage = execute_stage(chosen, lambda _: scripted)
    finished = []
    for record in run_local([stage], rows):
        assert isinstance(record, Executed)
        finished.append(record)
    return finished, scripted


def test_rows_with_a_project_are_run_and_others_pass() -> None:
    failure = Failure(stage="plan", kind="no_plan", message="none")
    rows = [
        Scored(id="a", row=0, files=FILES, data_folder="/d"),
        Scored(id="b", row=1, failure=failure),
        Scored(id="c", row=2),
    ]
    (ran, failed, empty), scripted = _finished(rows, Execution(exit_code=0, cpu_seconds=3.0), cpu_seconds=7)
    assert ran.execution is not None
    assert (ran.execution.id, ran.execution.environment, ran.execution.exit_code) == ("a", "torch", 0)
    assert (failed.execution, failed.failure, empty.execution) == (None, failure, None)
    (run,) = scripted.runs
    assert run["shown"] == "/d"
    assert getattr(run["limits"], "cpu_seconds", None) == 7


def test_the_environment_of_the_settings_is_taken() -> None:
    (ran,), _ = _finished([Scored(id="a", row=0, files=FILES)], Execution(exit_code=0), env="tf215")
    assert ran.execution is not None
    assert ran.execution.environment == "tf215"


def test_figures_come_along_and_what_is_only_called_one_does_not() -> None:
    files = (
        ResultFile(path="a.png", size=len(PNG), content=PNG),
        ResultFile(path="b.png", size=9, content=b"<svg></svg>"),
        ResultFile(path="c.png", size=10**8, content=None),
        ResultFile(path="bomb.png", size=len(PNG), content=PNG[:16] + (10**6).to_bytes(4, "big") * 2),
        ResultFile(path="d.jpg", size=500_003, content=b"\xff\xd8\xff" + bytes(500_000)),
    )
    assert [(plot.path, plot.type, bool(plot.content)) for plot in plots_of(files)] == [
        ("a.png", "image/png", True),
        ("d.jpg", "image/jpeg", False),
    ]
    assert len(plots_of(files[:1] * 20)) == 6


def test_what_is_measured_is_no_part_of_what_a_run_came_to() -> None:
    first, second = (
        _finished([Scored(id="a", row=0, files=FILES)], Execution(exit_code=0, seconds=seconds, results=results))[0][0]
        for seconds, results in ((1.0, (ResultFile(path="a.png", size=len(PNG), content=PNG),)), (2.0, ()))
    )
    assert first == second
    assert first.execution is not None
    assert first.execution.plots
    assert first.execution.measured is not None
    without = first.execution.without_measures()
    assert (without.plots, without.measured, without.rungs) == ((), None, first.execution.rungs)
    assert json.loads(without.observation)["began"]


def test_a_method_ends_with_the_stage_where_projects_are_run() -> None:
    plain = generation_stages(PipelineSettings())
    run = generation_stages(PipelineSettings(execute=True))
    check_chain(run)
    assert [stage.name for stage in run] == [*(stage.name for stage in plain), "execute"]
    assert (plain[-1].returns, run[-1].returns) == (Scored, Executed)
    # The operators of a cluster with one CPU have to fit into it side by side.
    assert run[0].num_cpus + run[-1].num_cpus <= 1
