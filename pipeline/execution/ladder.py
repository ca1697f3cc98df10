"""The ladder: how far a project comes when it is run, rung by rung, each with what was seen.

A rung is `reached`, `failed` (the project was stopped there by itself), `not_tried` (it was stopped before), or
`not_measurable` (it says nothing about the project: no criterion, or a budget ran out). Shares over projects count
`not_measurable` in no denominator, and rows with `infra` not at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from pipeline.execution.held_out import HeldOut
from pipeline.execution.observation import Observation


class Rung(Enum):
    """How far a project came, from the bottom."""

    PARSES = "parses"
    """The script is valid Python for this interpreter."""
    IMPORTS_RESOLVE = "imports_resolve"
    """Its modules are there, and have what is imported from them."""
    DATA_FOUND = "data_found"
    """What it reads is there: files, folders, columns, downloads. A project that makes its own data needs none."""
    MODEL_BUILDS = "model_builds"
    """A network with parameters came into being."""
    ONE_STEP = "one_step"
    """An optimizer was applied once."""
    EPOCH_ENDS = "epoch_ends"
    """One pass over the training data ended."""
    FINISHES = "finishes"
    """The script came to its end, with exit code 0."""
    LEARNS = "learns"
    """The network is better than what takes none (`pipeline.execution.learning`)."""
    KEEPS_PLAN = "keeps_plan"
    """What was observed is what the plan says and the request asks (`pipeline.execution.keeping.checks`)."""


RUNGS: tuple[Rung, ...] = tuple(Rung)
"""From the bottom up."""

RungOutcome = Literal["reached", "failed", "not_tried", "not_measurable"]

ExceptionKind = Literal[
    "syntax",
    "import",  # a module that is not there, or has not what is imported from it
    "api_gone",  # an attribute or argument that the library does not have, or no longer
    "missing_file",
    "missing_column",
    "download",  # something out of the network, which a run has none of
    "shape",
    "type",
    "value",
    "name",
    "key",
    "index",
    "gradient",  # nothing to differentiate
    "memory",
    "time",
    "input",  # a question to the person at the keyboard, who is not there
    "exit",  # the project gave up by itself, with a message or an exit code
    "device",  # a GPU that is not there
    "killed",  # a signal
    "other",
]
"""What a project failed of, in the field's terms."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstException:
    """The exception that ended a project; of a chain the first cause."""

    kind: ExceptionKind
    type: str
    """The exception's class without its module: `ValueError`; "" where there was none (a limit, a signal)."""
    message: str
    """Its first lines, at most 500 characters."""
    file: str = ""
    """The project's file that it was raised in or below, relative to the project's folder."""
    line: int | None = None
    """The last line of the project in the traceback."""
    code: str = ""
    """That line's text."""
    subject: str = ""
    """What is missing or wrong, where the message names it: a module, file, column, name, attribute."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RungEvidence:
    """What was seen of one rung."""

    rung: Rung
    outcome: RungOutcome
    seen: str = ""
    """In a few words: "3 files read", "loss 0.31 against 0.69"."""
    file: str = ""
    """Where in the project, as in FirstException."""
    line: int | None = None


RuntimeOutcome = Literal["met", "not_met", "not_observable"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimeCheck:
    """One statement of the plan or of the request beside what was observed while the project ran."""

    source: Literal["plan", "request"]
    name: str
    """`layers`, `optimizer`, `batch_size`, ...: as in PlanField.name or Constraint.name."""
    wanted: str
    observed: str
    """What was there; of `not_observable`, why it is not known."""
    outcome: RuntimeOutcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Climb:
    """One project's run, told as a ladder."""

    rungs: tuple[RungEvidence, ...]
    """One for each of RUNGS, in that order."""
    first_exception: FirstException | None = None
    """None for a project that finished, or was stopped while it trained."""
    infra: str = ""
    """A defect of the environment or the machinery, in a line: the run says nothing about the project, is done once
    more by the caller, and counts in no average. "" else."""
    stopped: str = ""
    """The limit that ended the run, as in Execution.stopped."""
    budget_spent: bool = False
    """Whether its budget ended it while it trained: what it had reached by then counts, and `finishes` says nothing."""
    held_out: HeldOut | None = None
    """What the project says of itself on held-out data."""
    observation: Observation = field(default_factory=Observation)
    """What the probe saw; forgeable, see `pipeline.execution.probe`."""
    checks: tuple[RuntimeCheck, ...] = ()
    """What `keeps_plan` rests on."""

    def of(self, rung: Rung) -> RungEvidence:
        return self.rungs[RUNGS.index(rung)]

    @property
    def reached(self) -> Rung | None:
        """The highest rung that is reached with none failed or not tried below it; None where not even the first is."""
        highest = None
        for evidence in self.rungs:
            if evidence.outcome in ("failed", "not_tried"):
                break
            if evidence.outcome == "reached":
                highest = evidence.rung
        return highest
