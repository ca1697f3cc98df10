"""What was observed of a project while it ran: networks, trainings, files.

It was written in the project's own process (`pipeline.execution.probe`), so a hostile project can forge it: it says
what a network was and how far it came, and decides nothing about limits and exit codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservedLayer:
    """A layer of a network, as the framework calls it."""

    kind: str
    """Its class: `Conv2D`, `Linear`."""
    name: str = ""
    parameters: int = 0
    settings: Mapping[str, object] = field(default_factory=dict)
    """Its own, scalars and short tuples: `{"units": 10, "activation": "softmax"}`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservedNetwork:
    """A network that came into being with parameters."""

    id: int
    """From 0, in the order they were seen."""
    framework: Literal["keras", "torch"]
    kind: str
    """Its class: `Sequential`, or the project's own."""
    name: str = ""
    layers: tuple[ObservedLayer, ...] = ()
    """At most 400; of PyTorch the modules without children, in the order they were made."""
    parameters: int = 0
    trainable: int = 0
    """Parameters that training may change."""
    input_shape: str = ""
    """As the framework writes it: "(None, 28, 28, 1)"; "" where it has none before it is called."""
    output_shape: str = ""
    ready: bool = False
    """Whether it was given an optimizer: compiled, or its parameters handed to one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetSummary:
    """What the training targets look like, for what a constant prediction gives. None for what does not apply."""

    count: int
    """Examples it is taken over."""
    classes: int | None = None
    """How many different ones there are, where the targets are class numbers or one-hot."""
    majority: float | None = None
    """The share of the commonest class."""
    entropy: float | None = None
    """In nats: the crossentropy of the best constant prediction of a class."""
    binary_entropy: float | None = None
    """In nats, the mean over the outputs, where all targets are 0 or 1: the best constant's binary crossentropy."""
    binary_majority: float | None = None
    """The mean over the outputs of the commoner of 0 and 1."""
    variance: float | None = None
    """The mean over the outputs of their variance: the mean squared error of the best constant."""
    deviation: float | None = None
    """The mean over the outputs of the mean distance to their median: the mean absolute error of the best constant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservedTraining:
    """An optimizer at work on a network. A project with two (a GAN) has two of them."""

    network: int | None
    """ObservedNetwork.id; None where it could not be told."""
    by: Literal["fit", "loop", "lightning"]
    """Who goes over the data: Keras' `fit`, the project's own loop, Lightning's Trainer."""
    optimizer: str = ""
    """Its class: `Adam`."""
    learning_rate: float | None = None
    """When training began; of a schedule its first."""
    schedule: str = ""
    """The class of the schedule that the optimizer was given."""
    loss: str = ""
    """As it was given to `compile`; in PyTorch the function whose value was differentiated: `mse_loss`, `nll_loss`."""
    batch_size: int | None = None
    epochs_asked: int | None = None
    epochs_ended: int = 0
    steps: int = 0
    """Times that the optimizer was applied."""
    epoch_logs: tuple[Mapping[str, float], ...] = ()
    """Loss and metrics at the end of each epoch; `val_...` on validation data."""
    last_loss: float | None = None
    """The mean over the last 50 steps at most, in a loop of PyTorch's."""
    targets: TargetSummary | None = None
    validation_targets: TargetSummary | None = None
    weighted: bool = False
    """Whether classes or examples were weighted, so that the loss is on a scale of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservedFile:
    """A file or folder that the project reads as data."""

    path: str
    """As the project wrote it."""
    found: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """All that was observed of a run."""

    began: bool = False
    """Whether the project's script was started at all."""
    imported: bool = False
    """Whether it passed the last import at its top level."""
    ended: bool = False
    """Whether the script's last statement was passed."""
    networks: tuple[ObservedNetwork, ...] = ()
    trainings: tuple[ObservedTraining, ...] = ()
    files: tuple[ObservedFile, ...] = ()
    downloads: tuple[str, ...] = ()
    """Hosts and addresses that it tried to reach."""
    traceback: str = ""
    """Of the exception that ended the script, whole; the outputs' tails may have cut it."""
    exit_line: int | None = None
    """Where the script left by itself (`sys.exit`)."""
    exit_message: str = ""

    @property
    def steps(self) -> int:
        """Of all trainings together."""
        return sum(training.steps for training in self.trainings)
