"""What PyTorch does: optimizers by PyTorch's own hook after a step, losses where `backward` begins, epochs by the end
of a DataLoader. Lightning trains by the same calls, and is known by the Trainer that a module has."""

from __future__ import annotations

import functools
import sys
import weakref
from typing import Any, Callable, Dict, List, Optional, Set

from .describing import torch_network
from .torch_loss import Backward, LossRecord, backward_of
from .watching import Watch, instances
from .writing import number, quietly

_MOST_PENDING = 1000


def hooks(watch: Watch) -> Dict[str, Callable[[Any], Any]]:
    """By the name of the module after whose import they are called."""

    def hook(torch: Any) -> None:
        TorchHooks(watch, torch).install()

    return {"torch": quietly(hook)}


class TorchHooks:
    """The hooks for PyTorch. No module gets a hook of its own, so that nothing takes another way through it."""

    def __init__(self, watch: Watch, torch: Any) -> None:
        self._watch = watch
        self._torch = torch
        self._states: Any = weakref.WeakKeyDictionary()
        """By optimizer."""
        self._count = 0
        self._loaders: Any = weakref.WeakKeyDictionary()
        """By a DataLoader's iterator, the steps that all optimizers had taken before."""
        self._pending: List[Backward] = []
        """What was differentiated since the last step; it belongs to the next one."""
        self._reads_graphs = True

    def install(self) -> None:
        optimizer_module = sys.modules["torch.optim.optimizer"]
        if hasattr(optimizer_module, "register_optimizer_step_post_hook"):
            optimizer_module.register_optimizer_step_post_hook(self._stepped)
        autograd = self._torch.autograd
        backward = autograd.backward

        @functools.wraps(backward)
        def watched_backward(tensors: Any, *arguments: Any, **keywords: Any) -> Any:
            self._differentiated(tensors)
            return backward(tensors, *arguments, **keywords)

        autograd.backward = watched_backward
        self._hook_loaders()
        self._watch.look_at(self._look, often=False)

    def _hook_loaders(self) -> None:
        iterator_class = self._torch.utils.data.dataloader._BaseDataLoaderIter
        following = iterator_class.__next__

        @functools.wraps(following)
        def __next__(iterator: Any) -> Any:
            if iterator not in self._loaders:
                self._loaders[iterator] = {one: state["steps"] for one, state in self._states.items()}
            try:
                return following(iterator)
            except StopIteration:
                self._pass_ended(iterator)
                raise

        iterator_class.__next__ = __next__
        iterator_class.next = __next__

    @quietly
    def _differentiated(self, tensors: Any) -> None:
        one = backward_of(tensors, with_graph=self._reads_graphs)
        if one is not None:
            self._pending.append(one)
            del self._pending[:-_MOST_PENDING]

    @quietly
    def _stepped(self, optimizer: Any, *_: Any) -> None:
        state = self._states.get(optimizer)
        if state is None:
            state = self._begin(optimizer)
        state["steps"] += 1
        pending, self._pending = self._pending, []
        state["record"].add(pending)
        if state["steps"] == 1 or self._watch.is_due(state["key"]):
            self._write(optimizer, state)

    def _begin(self, optimizer: Any) -> Dict[str, Any]:
        self._count += 1
        module = self._module_of(optimizer)
        state = {
            "key": f"torch-{self._count}",
            "steps": 0,
            "record": LossRecord(),
            "module": weakref.ref(module) if module is not None else None,
            "network": self._watch.network(module, torch_network, ready=True) if module is not None else None,
            "rate": number(optimizer.param_groups[0].get("lr")) if optimizer.param_groups else None,
        }
        self._states[optimizer] = state
        self._reads_graphs = True
        return state

    def _module_of(self, optimizer: Any) -> Optional[Any]:
        """The largest module around what the optimizer has, that has nothing of another optimizer's."""
        own = _parameters_given([optimizer])
        others = [other for other in instances(self._torch.optim.Optimizer) if other is not optimizer]
        foreign = _parameters_given(others) - own
        best, most = None, -1
        for module in instances(self._torch.nn.Module):
            there = [id(one) for one in module.parameters()]
            if own & set(there) and not foreign & set(there):
                parts = sum(1 for _ in module.modules())
                if parts > most:
                    best, most = module, parts
        return best

    def _write(self, optimizer: Any, state: Dict[str, Any], *, last: bool = False) -> None:
        values: Dict[str, Any] = {
            "network": state["network"],
            "by": "loop",
            "optimizer": type(optimizer).__name__,
            "learning_rate": state["rate"],
            "steps": state["steps"],
            **state["record"].values(last=last),
            **_lightning(state["module"]() if state["module"] is not None else None),
        }
        if state.get("batch_size"):
            values["batch_size"] = state["batch_size"]
        losses = state["record"].losses[-50:]
        if losses:
            values["last_loss"] = sum(losses) / len(losses)
        self._watch.training(state["key"], **values)

    @quietly
    def _pass_ended(self, iterator: Any) -> None:
        """A pass over a loader during which an optimizer was applied is an epoch of it."""
        before = self._loaders.pop(iterator, {})
        for optimizer, state in list(self._states.items()):
            if state["steps"] > before.get(optimizer, 0):
                state["batch_size"] = getattr(getattr(iterator, "_index_sampler", None), "batch_size", None)
                self._watch.epoch(state["key"], state["record"].epoch_ended())
                self._write(optimizer, state)
        self._reads_graphs = any(state["record"].collects for state in self._states.values())

    def _look(self, last: bool) -> None:
        """At the end: what was trained; where nothing was, the networks that are there all the same."""
        for optimizer, state in list(self._states.items()):
            self._write(optimizer, state, last=True)
        if not self._states:
            given = _parameters_given(instances(self._torch.optim.Optimizer))
            for module in _roots(instances(self._torch.nn.Module))[:5]:
                ready = any(id(one) in given for one in module.parameters())
                self._watch.network(module, torch_network, ready=ready)


def _parameters_given(optimizers: List[Any]) -> Set[int]:
    """Ids of all that the optimizers have."""
    given: Set[int] = set()
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            given |= {id(one) for one in group["params"]}
    return given


def _roots(modules: List[Any]) -> List[Any]:
    """The modules with parameters that are part of no other."""
    with_parameters = [one for one in modules if next(one.parameters(), None) is not None]
    inner: Set[int] = set()
    for module in with_parameters:
        inner |= {id(part) for part in module.modules() if part is not module}
    return [one for one in with_parameters if id(one) not in inner]


def _lightning(module: Any) -> Dict[str, Any]:
    """Of a Lightning module the Trainer's own count of epochs, for it stops its loaders before they end."""
    trainer = getattr(module, "_trainer", None)
    if trainer is None or not hasattr(trainer, "max_epochs"):
        return {}
    logs = {str(name): number(value) for name, value in dict(trainer.callback_metrics).items()}
    return {
        "by": "lightning",
        "epochs_asked": trainer.max_epochs,
        "epochs_ended": int(trainer.current_epoch),
        "batch_size": getattr(getattr(trainer, "train_dataloader", None), "batch_size", None),
        "last_logs": {name: value for name, value in logs.items() if value is not None},
    }
