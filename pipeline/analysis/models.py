"""Which of several models a program is about: lessons and comparisons build, compile and fit one after the other.

The one that is fit last counts, or where none of them is fit, the one compiled last: what comes before it are usually
steps on the way or baselines. What it is made of (a GAN's generator and discriminator) belongs to it. Of several times
that it is trained, the longest counts.

A sequential model has the layers that it was given. A functional or subclassed one has those built since the model
before it, since the flow of tensors is not followed; one whose layers begin without an input of their own goes on
from the model before it, which it then includes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.values import Call, Instance, LayerUse
from pipeline.keras.facts import backbones

_FUNCTIONAL = frozenset({"Functional", "Model"})
_INPUTS = frozenset({"Input", "InputLayer"})
_FITS = frozenset({"fit", "fit_generator"})


@dataclass(slots=True, eq=False)
class Model:
    """A model of the program."""

    value: object
    """What stands for it: the call that built it, or an instance of a class of the project."""
    layers: list[LayerUse] = field(default_factory=list)
    """In build order."""
    compiles: list[Call] = field(default_factory=list)
    fits: list[Call] = field(default_factory=list)
    _settings: dict[int, Call] = field(default_factory=dict)
    """By a fit's id: the compile in force."""

    def note_training(self, call: Call) -> None:
        """Notes a `compile`, or a `fit` with the settings then in force."""
        if call.name == "compile":
            self.compiles.append(call)
            return
        self.fits.append(call)
        if self.compiles:
            self._settings[id(call)] = self.compiles[-1]

    def training(self) -> tuple[Call, ...]:
        """The compile in force and the longest fit, the first of equal ones: a short one looks for a learning rate,
        warms up or fine-tunes."""
        if not self.fits:
            return tuple(self.compiles[-1:])
        longest = max(self.fits, key=_epochs)
        settings = self._settings.get(id(longest))
        if settings is None and self.compiles:  # fit above the first compile in the source
            settings = self.compiles[0]
        if settings is None:
            return (longest,)
        return (settings, longest)


def _epochs(fit: Call) -> int:
    position = 3 if fit.name == "fit" else 2  # `fit_generator` takes no batch size
    epochs = fit.argument(position, "epochs", "nb_epoch")
    if not isinstance(epochs, int):
        return 1  # Keras' own default
    return epochs


def main_model(project: ProjectTrace) -> tuple[ProjectTrace, tuple[Model, ...]]:
    """The trace with the layers and the training of the main model alone, and the other models that are compiled.

    A program of which no model is compiled has its trace as it is.
    """
    models = _Models()
    for call in project.calls:
        if call.layer is None or id(call.layer) not in project.parts:
            models.read(call)
    compiled = [model for model in models.all if model.compiles and model.layers]
    if not compiled:
        return project, ()
    main = compiled[-1]
    if models.last_fit is not None and models.last_fit in compiled:
        main = models.last_fit
    others: list[Model] = []
    for model in compiled:
        # A model that is a part of the main one is not another one.
        if model is not main and _missing(model.layers, main.layers):
            others.append(model)
    foreign: list[LayerUse] = []
    layers = project.layers
    if others:
        all_layers: list[LayerUse] = []
        for model in models.all:
            all_layers += model.layers
        foreign = _missing(all_layers, main.layers)
        layers = _missing(layers, foreign + models.loose)
    # By id: two uses of a layer that are written alike on one line are equal, and yet two layers.
    dropped = set(map(id, foreign))
    kept_training = main.training()
    for model in models.all:
        dropped |= set(map(id, model.compiles)) | set(map(id, model.fits))
    dropped -= set(map(id, kept_training))
    calls = [call for call in project.calls if id(call) not in dropped and id(call.layer) not in dropped]
    return replace(project, layers=list(layers), calls=calls), tuple(others)


class _Models:
    """The models of a program, from its calls in order."""

    def __init__(self) -> None:
        self.all: list[Model] = []
        self.last_fit: Model | None = None
        self._known: dict[int, Model] = {}
        """By the id of the value that stands for it."""
        self.loose: list[LayerUse] = []
        """Layers that no model has yet."""

    def read(self, call: Call) -> None:
        if call.layer is not None:
            self.loose.append(call.layer)
        elif call.name == "Sequential":
            sequential = self._add(call)
            items = call.argument(0, "layers")
            if isinstance(items, list | tuple):
                sequential.layers += self._taken(items)
        elif call.name == "add" and (model := self._known.get(id(call.owner))):
            model.layers += self._taken(call.args[:1])
        elif call.name == "__call__" and (model := self._known.get(id(call.owner))):
            self.loose += _missing(model.layers, self.loose)
        elif call.name in _FUNCTIONAL and (len(call.args) > 1 or {"outputs", "output"} & call.keywords.keys()):
            self._built(call)
        elif call.name == "compile" or call.name in _FITS:
            self._trained(call)

    def _add(self, value: object) -> Model:
        model = Model(value)
        self.all.append(model)
        if isinstance(value, Call | Instance):
            self._known[id(value)] = model
        return model

    def _taken(self, items: Iterable[object]) -> list[LayerUse]:
        """The layers of a sequential model's items, which may be models themselves."""
        taken: list[LayerUse] = []
        for item in items:
            if isinstance(item, Call) and item.layer is not None:
                taken.append(item.layer)
            elif (model := self._known.get(id(item))) is not None:
                taken += model.layers
        self.loose = _missing(self.loose, taken)
        return taken

    def _built(self, value: object) -> Model:
        """A model of the loose layers, and of the model before it where they are its continuation."""
        layers = self.loose
        has_input = any(layer.name in _INPUTS or layer.name in backbones() for layer in layers)
        if not has_input:
            layers = [*_missing(self._latest_layers(), layers), *layers]
        model = self._add(value)
        model.layers += layers
        self.loose = []
        return model

    def _latest_layers(self) -> list[LayerUse]:
        """The layers of the latest model that a call built; a subclassed one is never gone on from."""
        for model in reversed(self.all):
            if isinstance(model.value, Call):
                return model.layers
        return []

    def _trained(self, call: Call) -> None:
        """Notes a `compile` or `fit` at the model it is of.

        One that is not known is a subclassed one, made of the loose layers, or else the latest.
        """
        model = self._known.get(id(call.owner))
        builds = call.name == "compile" and any(layer.name not in _INPUTS for layer in self.loose)
        if model is None and (builds or isinstance(call.owner, Instance)):
            model = self._add(call.owner)
            model.layers, self.loose = self.loose, []
        elif model is None and self.all:
            model = self.all[-1]
        if model is None:
            return
        model.note_training(call)
        if call.name != "compile":
            self.last_fit = model


def _missing(layers: Iterable[LayerUse], known: Iterable[LayerUse]) -> list[LayerUse]:
    """Those of the layers that are not among the known ones: the same uses, not merely equal ones."""
    known_ids = {id(layer) for layer in known}
    return [layer for layer in layers if id(layer) not in known_ids]
