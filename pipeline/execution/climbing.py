"""A run told as a ladder: from how it ended, what was observed in it, and its script.

Whether it ended, how, and by which limit is the supervisor's word; how far it came until then the probe's. A budget
that ends a run while it trains is no failure of the code: what was reached by then counts, and the rungs that only more
time could have shown are not measurable.
"""

from __future__ import annotations

import ast
import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.execution.events import read_events
from pipeline.execution.exceptions.kinds import is_broken_library
from pipeline.execution.first_exception import first_exception
from pipeline.execution.held_out import held_out_of
from pipeline.execution.keeping.checks import keeping, runtime_checks
from pipeline.execution.ladder import RUNGS, Climb, FirstException, Rung, RungEvidence, RungOutcome, RuntimeCheck
from pipeline.execution.learning import learning
from pipeline.execution.observation import Observation, ObservedNetwork
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import SCRIPT
from pipeline.request.constraints import Constraint
from pipeline.sandbox.sandbox import Execution

_BUDGETS = ("seconds", "cpu_seconds")
_NOT_STARTED = 127
_MACHINE_SIGNALS = (signal.SIGILL, signal.SIGBUS)

# What reads data, by the names that are called; a script without any makes its own.
_READS = re.compile(
    r"\b(?:read_\w+|open|load_data|loadtxt|genfromtxt|imread|load_img|listdir|glob|rglob|walk|scandir|load_dataset|"
    r"\w*from_directory|flow_from_dataframe|ImageFolder|get_file|urlretrieve|TFRecordDataset|loadmat|load_files)\s*\("
    r"|np\.load\s*\(|datasets\.\w+\(|tfds\.load|fetch_\w+\("
)


def climb(
    execution: Execution,
    events: str,
    script: str,
    *,
    entry: str = SCRIPT,
    plan: SolutionPlan | None = None,
    constraints: Sequence[Constraint] = (),
    infra: str = "",
) -> Climb:
    """`events` is what the probe wrote, `script` the text of the project's `entry`; `infra` a defect that the caller
    knows of. Raises nothing, whatever the events are."""
    observation = read_events(events)
    exception = first_exception(execution, observation, script)
    infra = infra or _infra(execution, exception)
    if infra:
        return infra_climb(infra)
    budget_spent = execution.stopped in _BUDGETS and observation.steps > 0
    held_out = held_out_of(execution.stdout_tail)
    run = _Run(execution, observation, exception, script, entry, budget_spent)
    seen = [check(run) for check in _CHECKS]
    checks: tuple[RuntimeCheck, ...] = ()
    if observation.steps or not observation.began:
        checks = runtime_checks(observation, plan, constraints, is_whole=not execution.stopped)
        seen += [learning(observation, held_out), keeping(checks)]
    else:
        seen += [_not_reached(Rung.LEARNS), _not_reached(Rung.KEEPS_PLAN)]
    return Climb(
        rungs=_with_first_failure(seen, run),
        first_exception=None if budget_spent else exception,
        stopped=execution.stopped,
        budget_spent=budget_spent,
        held_out=held_out,
        observation=observation,
        checks=checks,
    )


def infra_climb(message: str) -> Climb:
    """Of a run that says nothing about its project."""
    rungs = [RungEvidence(rung=rung, outcome="not_measurable", seen=message[:200]) for rung in RUNGS]
    return Climb(rungs=tuple(rungs), infra=message[:500])


@dataclass(frozen=True, slots=True)
class _Run:
    """What the checks of the rungs look at."""

    execution: Execution
    observation: Observation
    exception: FirstException | None
    script: str
    entry: str
    budget_spent: bool

    @property
    def ready(self) -> list[ObservedNetwork]:
        return [network for network in self.observation.networks if network.ready and network.parameters]

    @property
    def missing(self) -> list[str]:
        return [file.path for file in self.observation.files if not file.found]

    @property
    def kind(self) -> str:
        return self.exception.kind if self.exception is not None else ""

    @property
    def got_somewhere(self) -> bool:
        """Whether anything was seen that comes after the imports."""
        seen = self.observation
        return bool(seen.networks or seen.trainings or self.execution.ok)


def _parses(run: _Run) -> RungEvidence:
    if run.kind == "syntax" and not run.got_somewhere:
        return _not_reached(Rung.PARSES)
    return _reached(Rung.PARSES)


def _imports_resolve(run: _Run) -> RungEvidence:
    if run.kind in ("import", "syntax"):
        return _not_reached(Rung.IMPORTS_RESOLVE)
    if run.observation.imported or run.got_somewhere:
        return _reached(Rung.IMPORTS_RESOLVE)
    line = run.exception.line if run.exception is not None and run.exception.file == run.entry else None
    line = line if line is not None else run.observation.exit_line
    last_import = _last_import(run.script)
    if line is not None and line >= last_import:
        return _reached(Rung.IMPORTS_RESOLVE, f"line {last_import} is the last import")
    return _not_reached(Rung.IMPORTS_RESOLVE)


def _data_found(run: _Run) -> RungEvidence:
    observation = run.observation
    if run.kind in ("missing_file", "missing_column", "download"):
        return _not_reached(Rung.DATA_FOUND)
    found = [file.path for file in observation.files if file.found]
    if run.missing and not observation.steps and (run.execution.ok or run.kind == "exit"):
        return _not_reached(Rung.DATA_FOUND, f"{run.missing[0]} is not there, and the script ends without training")
    if found:
        return _reached(
            Rung.DATA_FOUND, f"{_amount(len(found), 'file or folder', 'files or folders')} read: {found[0]}"
        )
    if observation.steps:
        return _reached(Rung.DATA_FOUND, "no file was needed for training")
    if run.kind in ("import", "syntax") and not run.got_somewhere:
        return _not_reached(Rung.DATA_FOUND)
    if not _READS.search(run.script) and not run.missing and not observation.downloads:
        return _reached(Rung.DATA_FOUND, "the script reads no files")
    if run.ready:
        return _reached(Rung.DATA_FOUND, "no file was opened")
    if run.execution.ok and observation.began:
        # It asked whether a file is there, which leaves no trace, and gave up.
        return _not_reached(Rung.DATA_FOUND, "the script opens none of the files it reads, and ends without training")
    return _unseen(run, Rung.DATA_FOUND, "")


def _model_builds(run: _Run) -> RungEvidence:
    networks = run.ready
    if not networks and run.execution.ok:
        networks = [network for network in run.observation.networks if network.parameters]
    if networks:
        largest = max(networks, key=lambda network: network.parameters)
        seen = f"{largest.kind} with {len(largest.layers)} layers and {largest.parameters:,} parameters"
        if len(networks) > 1:
            seen = f"{len(networks)} networks, the largest a {seen}"
        return _reached(Rung.MODEL_BUILDS, seen)
    if run.observation.steps:
        return _reached(Rung.MODEL_BUILDS, "an optimizer was at work")
    return _unseen(run, Rung.MODEL_BUILDS, "no network of Keras or PyTorch was seen")


def _one_step(run: _Run) -> RungEvidence:
    if run.observation.steps:
        names = sorted({training.optimizer for training in run.observation.trainings if training.steps})
        return _reached(Rung.ONE_STEP, f"{_amount(run.observation.steps, 'step', 'steps')} of {', '.join(names)}")
    return _unseen(run, Rung.ONE_STEP, "no optimizer was applied")


def _epoch_ends(run: _Run) -> RungEvidence:
    observation = run.observation
    epochs = max((training.epochs_ended for training in observation.trainings), default=0)
    if epochs:
        return _reached(Rung.EPOCH_ENDS, _amount(epochs, "epoch", "epochs"))
    # A loop over arrays shows no epochs; that it is over is seen by what came after it.
    if observation.steps and run.execution.ok:
        return _reached(Rung.EPOCH_ENDS, f"the loop came to its end after {observation.steps} steps")
    if run.budget_spent:
        return RungEvidence(rung=Rung.EPOCH_ENDS, outcome="not_measurable", seen="the budget ended within an epoch")
    return _unseen(run, Rung.EPOCH_ENDS, "no epoch came to its end")


def _finishes(run: _Run) -> RungEvidence:
    if run.execution.ok:
        return _reached(Rung.FINISHES, "exit code 0")
    if run.budget_spent:
        seen = f"its budget of {run.execution.stopped} ended while it trained"
        return RungEvidence(rung=Rung.FINISHES, outcome="not_measurable", seen=seen)
    return _not_reached(Rung.FINISHES)


_CHECKS: tuple[Callable[[_Run], RungEvidence], ...] = (
    _parses,
    _imports_resolve,
    _data_found,
    _model_builds,
    _one_step,
    _epoch_ends,
    _finishes,
)


def _with_first_failure(seen: Sequence[RungEvidence], run: _Run) -> tuple[RungEvidence, ...]:
    """The lowest rung that is not reached is where the project was stopped; what it did not come to is not tried."""
    rungs: list[RungEvidence] = []
    has_failed = False
    for evidence in seen:
        if evidence.outcome == "not_tried" and not has_failed:
            evidence = _failed(evidence, run.exception)
        has_failed = has_failed or evidence.outcome == "failed"
        rungs.append(evidence)
    return tuple(rungs)


def _failed(evidence: RungEvidence, exception: FirstException | None) -> RungEvidence:
    seen = evidence.seen
    if exception is not None:
        cause = ": ".join(part for part in (exception.type, exception.message) if part)
        seen = f"{exception.kind}: {cause}"[:300] if not seen else f"{seen}; {exception.kind}: {cause}"[:300]
    return RungEvidence(
        rung=evidence.rung,
        outcome="failed",
        seen=seen,
        file=exception.file if exception is not None else "",
        line=exception.line if exception is not None else None,
    )


def _reached(rung: Rung, seen: str = "") -> RungEvidence:
    return RungEvidence(rung=rung, outcome="reached", seen=seen)


def _not_reached(rung: Rung, seen: str = "") -> RungEvidence:
    return RungEvidence(rung=rung, outcome="not_tried", seen=seen)


def _unseen(run: _Run, rung: Rung, seen: str) -> RungEvidence:
    """Not reached; without any event nothing is known of what happened inside."""
    outcome: RungOutcome = "not_tried"
    if not run.observation.began:
        outcome, seen = "not_measurable", "the run was not observed"
    return RungEvidence(rung=rung, outcome=outcome, seen=seen)


def _infra(execution: Execution, exception: FirstException | None) -> str:
    """A defect that is none of the project's; "" where there is none."""
    if execution.stopped == "abandoned":
        return "the run was abandoned"
    if execution.exit_code == _NOT_STARTED and "the sandbox could not start" in execution.stderr_tail:
        return execution.stderr_tail.strip()[-300:]
    if not execution.stopped and execution.exit_code - 128 in _MACHINE_SIGNALS:
        return f"ended by {signal.Signals(execution.exit_code - 128).name}: the environment does not fit this machine"
    if exception is None:
        return ""
    if exception.kind == "import" and is_broken_library(exception.message):
        return f"the environment is broken: {exception.message}"
    if "No space left on device" in exception.message:
        return "the machine's disk is full"
    return ""


def _last_import(script: str) -> int:
    """The line of the last import at the script's top level; 0 without any."""
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 0
    lines = [node.lineno for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return max(lines, default=0)


def _amount(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
