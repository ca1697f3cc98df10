"""What Keras 2 and 3 do: `fit` seen by the list of its callbacks, own loops by their optimizers' count of steps."""

from __future__ import annotations

import functools
import sys
import weakref
from typing import Any, Callable, Dict, List, Optional

from . import keras_fit
from .describing import keras_network, keras_parameters
from .watching import Watch, instances
from .writing import number, quietly


def hooks(watch: Watch) -> Dict[str, Callable[[Any], Any]]:
    """By the name of the module after whose import they are called."""

    def hook(keras: Any) -> None:
        KerasHooks(watch, keras).install()

    return {"keras": quietly(hook), "tf_keras": quietly(hook)}


class KerasHooks:
    """The hooks for one Keras. No method that runs inside a graph is touched."""

    def __init__(self, watch: Watch, keras: Any) -> None:
        self._watch = watch
        self._keras = keras
        self._optimizers: List[Any] = []
        self._fit = keras_fit.FitHooks(watch)
        self._models: List[Any] = []
        self._iterators: Any = weakref.WeakKeyDictionary()

    def install(self) -> None:
        callback_list = self._keras.callbacks.CallbackList
        _after(callback_list, "on_train_begin", self._fit.begins)
        _after(callback_list, "on_train_batch_end", self._fit.step_ends)
        _after(callback_list, "on_epoch_end", self._fit.epoch_ends)
        _after(callback_list, "on_train_end", self._fit.ends)
        optimizers = self._keras.optimizers
        for base in (
            getattr(optimizers, "Optimizer", None),
            getattr(getattr(optimizers, "legacy", None), "Optimizer", None),
        ):
            if base is not None:
                _after(base, "__init__", lambda optimizer, *_, **__: self._optimizers.append(weakref.ref(optimizer)))
        self._hook_data_sets()
        self._watch.look_at(self._look, often=True)

    def _hook_data_sets(self) -> None:
        """Iteration over a tf.data set outside of graphs: its end is the end of an epoch, if steps were taken."""
        ops = sys.modules.get("tensorflow.python.data.ops.iterator_ops")
        if ops is None:
            return
        iterator_class = ops.OwnedIterator
        following = iterator_class.__next__

        @functools.wraps(following)
        def __next__(iterator: Any) -> Any:
            if iterator not in self._iterators:
                self._iterators[iterator] = self._steps()
            try:
                return following(iterator)
            except StopIteration:
                self._pass_ended(self._iterators[iterator])
                raise

        iterator_class.__next__ = __next__

    @quietly
    def _pass_ended(self, before: Dict[int, int]) -> None:
        for key, steps in self._steps().items():
            if steps > before.get(key, 0):
                self._look(False)
                self._watch.epoch(f"keras-{key}", {})

    def _living(self) -> List[Any]:
        return [optimizer for optimizer in (reference() for reference in self._optimizers) if optimizer is not None]

    def _steps(self) -> Dict[int, int]:
        """By id of each optimizer, how often it was applied outside of `fit`: Keras counts that itself, inside of
        graphs too."""
        steps: Dict[int, int] = {}
        for optimizer in self._living():
            applied = int(number(getattr(optimizer, "iterations", 0)) or 0)
            outside = self._fit.steps_outside(optimizer, applied)
            if outside > 0:
                steps[id(optimizer)] = outside
        return steps

    def _look(self, last: bool) -> None:
        """Own loops: optimizers that were applied outside of `fit`. At the end the networks too, trained or not."""
        steps = self._steps()
        if last or (steps and not self._models):
            models = [model for model in instances(self._keras.Model) if keras_parameters(model)]
            # A Sequential of Keras 3 has a Functional of the same layers inside.
            inner = {id(getattr(model, "_functional", None)) for model in models}
            self._models = [weakref.ref(model) for model in models if id(model) not in inner]
        for optimizer in self._living():
            if id(optimizer) in steps:
                self._own_loop(optimizer, steps[id(optimizer)])
        if last:
            for model in self._living_models()[:20]:
                self._watch.network(model, keras_network, ready=_is_compiled(model))

    def _living_models(self) -> List[Any]:
        return [model for model in (reference() for reference in self._models) if model is not None]

    def _own_loop(self, optimizer: Any, steps: int) -> None:
        model = self._model_of(optimizer)
        network = self._watch.network(model, keras_network, ready=True) if model is not None else None
        loss = ""
        if model is not None and getattr(model, "optimizer", None) is optimizer:
            loss = keras_fit.loss_name(model)  # what `train_on_batch` takes
        self._watch.training(
            f"keras-{id(optimizer)}",
            network=network,
            by="loop",
            loss=loss,
            steps=steps,
            **keras_fit.optimizer_values(optimizer),
        )

    def _model_of(self, optimizer: Any) -> Optional[Any]:
        """The model that was compiled with it, or the largest whose variables are all its own."""
        models = self._living_models()
        for model in models:
            if getattr(model, "optimizer", None) is optimizer:
                return model
        trained = _variables_of(optimizer)
        best, most = None, 0
        for model in models:
            own = {_key(variable) for variable in model.trainable_weights}
            if own and own <= trained and len(own) >= most:
                best, most = model, len(own)
        return best


def _is_compiled(model: Any) -> bool:
    return bool(getattr(model, "compiled", False) or getattr(model, "_is_compiled", False))


def _variables_of(optimizer: Any) -> "set[Any]":
    """What an optimizer was built for: Keras 3 keeps the variables, Keras 2 a table by their keys."""
    if hasattr(optimizer, "_trainable_variables"):
        return {_key(variable) for variable in optimizer._trainable_variables}
    return set(getattr(optimizer, "_index_dict", ()) or ())


def _key(variable: Any) -> Any:
    return getattr(variable, "_unique_id", None) or id(variable)


def _after(owner: Any, name: str, hook: Callable[..., Any]) -> None:
    """Has the hook called when the method has returned, with the method's own arguments."""
    method = getattr(owner, name)
    hook = quietly(hook)

    @functools.wraps(method)
    def followed(self: Any, *arguments: Any, **keywords: Any) -> Any:
        result = method(self, *arguments, **keywords)
        hook(self, *arguments, **keywords)
        return result

    setattr(owner, name, followed)
