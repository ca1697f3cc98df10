"""Which of several models a program is about: lessons and comparisons build, compile and fit one after the other.

The one that is fit last counts, or where none of them is fit, the one compiled last: what comes before it are usually
steps on the way or baselines. What it is made of (a GAN's generator and discriminator) belongs to it.

A sequential model has the layers that it was given. A functional or subclassed one has those built since the model
before it, since the flow of tensors is not followed; one whose layers begin without an input of their own goes on
from the model before it, which it then includes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pipeline.analysis.calls import Trace
from pipeline.analysis.values import Call, Instance, LayerUse
from pipeline.keras.facts import backbones

_FUNCTIONAL = frozenset({"Functional", "Model"})
_FITS = frozenset({"fit", "fit_generator"})


@dataclass(slots=True, eq=False)
class Model:
    """A model of the program: the value that stands for it, its layers in build order, how often it is compiled and
    fit."""

    value: object
    layers: list[LayerUse] = field(default_factory=list)
    compiled: int = 0
    fits: int = 0


def main_model(found: Trace) -> tuple[Trace, tuple[Model, ...]]:
    """The trace with the layers and the `compile` and `fit` calls of the main model alone, and the other models that
    are compiled; the trace as it is, and (), where the program has no two of them."""
    models = _Models()
    for call in found.calls:
        if call.layer is None or id(call.layer) not in found.parts:
            models.read(call)
    compiled = [model for model in models.all if model.compiled and model.layers]
    trained = models.last_fit if models.last_fit in compiled else None
    if len(compiled) < 2:
        return found, ()
    chosen = trained or compiled[-1]
    # A model that is a part of the chosen one is not another one.
    others = tuple(model for model in compiled if model is not chosen and _missing(model.layers, chosen.layers))
    if not others:
        return found, ()
    owned = {id(layer) for layer in chosen.layers}
    calls = [call for call in found.calls if models.about(call) in (None, chosen)]
    foreign = {id(layer) for model in models.all for layer in model.layers} - owned
    calls = [call for call in calls if call.layer is None or id(call.layer) not in foreign]
    layers = [layer for layer in found.layers if id(layer) in owned or id(layer) in found.parts]
    return replace(found, layers=layers, calls=calls), others


class _Models:
    """The models of a program, from its calls in order."""

    def __init__(self) -> None:
        self.all: list[Model] = []
        self.last_fit: Model | None = None
        self._known: dict[int, Model] = {}
        self._calls: dict[int, Model] = {}
        self._loose: list[LayerUse] = []  # layers that no model has yet

    def about(self, call: Call) -> Model | None:
        """The model that a `compile` or `fit` is of; None for other calls."""
        return self._calls.get(id(call))

    def read(self, call: Call) -> None:
        if call.layer is not None:
            self._loose.append(call.layer)
        elif call.name == "Sequential":
            items = call.argument(0, "layers")
            self._add(call).layers += self._taken(items if isinstance(items, list | tuple) else ())
        elif call.name == "add" and (model := self._known.get(id(call.owner))):
            model.layers += self._taken(call.args[:1])
        elif call.name == "__call__" and (model := self._known.get(id(call.owner))):
            self._loose += _missing(model.layers, self._loose)
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
        found: list[LayerUse] = []
        for item in items:
            if isinstance(item, Call) and item.layer is not None:
                found.append(item.layer)
            elif (model := self._known.get(id(item))) is not None:
                found += model.layers
        self._loose = _missing(self._loose, found)
        return found

    def _built(self, value: object) -> Model:
        """A model of the loose layers, and of the model before it where they are its continuation."""
        before = next((model for model in reversed(self.all) if isinstance(model.value, Call)), None)
        begins = any(layer.name in ("Input", "InputLayer") or layer.name in backbones() for layer in self._loose)
        model = self._add(value)
        if before is not None and not begins:
            model.layers += _missing(before.layers, self._loose)
        model.layers += self._loose
        self._loose = []
        return model

    def _trained(self, call: Call) -> None:
        model = self._known.get(id(call.owner))
        if model is None and (isinstance(call.owner, Instance) or (self._loose and call.name == "compile")):
            model = self._add(call.owner)
            model.layers, self._loose = self._loose, []
        elif model is None:
            model = self.all[-1] if self.all else None
        if model is None:
            return
        self._calls[id(call)] = model
        if call.name == "compile":
            model.compiled += 1
        else:
            model.fits += 1
            self.last_fit = model


def _missing(layers: Iterable[LayerUse], known: Iterable[LayerUse]) -> list[LayerUse]:
    """Those of the layers that are not among the known ones: the same uses, not merely equal ones."""
    there = set(map(id, known))
    return [layer for layer in layers if id(layer) not in there]
