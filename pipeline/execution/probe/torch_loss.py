"""A loss at the moment it is differentiated: its value, its name and its targets, read off the graph behind it."""

from __future__ import annotations

import sys
from typing import Any, Dict, List, Optional

from . import targets
from .writing import number

_NAMES = {
    "NllLossBackward0": "nll_loss",
    "NllLoss2DBackward0": "nll_loss",
    "NllLossNdBackward0": "nll_loss",
    "MseLossBackward0": "mse_loss",
    "BinaryCrossEntropyBackward0": "binary_cross_entropy",
    "BinaryCrossEntropyWithLogitsBackward0": "binary_cross_entropy_with_logits",
    "SmoothL1LossBackward0": "smooth_l1_loss",
    "HuberLossBackward0": "huber_loss",
    "KlDivBackward0": "kl_div",
    "CtcLossBackward0": "ctc_loss",
    "SoftMarginLossBackward0": "soft_margin_loss",
    "MultiMarginLossBackward0": "multi_margin_loss",
    "AbsBackward0": "l1_loss",
    "PowBackward0": "mse_loss",
}
"""What the graph's nodes stand for. The last two are parts of many things: they count only right below a mean."""

_BELOW_MEAN = ("AbsBackward0", "PowBackward0")
_MOST_NODES = 60
_MOST_VALUES = 2_000_000
_MOST_LOSSES = 100_000


class Backward:
    """One call of `backward`: what was differentiated."""

    def __init__(self, value: Optional[float], name: str = "", weighted: bool = False, target: Any = None) -> None:
        self.value = value
        self.name = name
        self.weighted = weighted
        """Whether the value is on a scale of its own: a sum, a weighted loss, one of several parts."""
        self.target = target


class LossRecord:
    """The losses of one optimizer, and the targets of its first epoch."""

    def __init__(self) -> None:
        self.losses: List[float] = []
        """Of the steps since the last epoch ended."""
        self.collects = True
        """Whether targets are still taken in."""
        self._name = ""
        self._weighted = False
        self._targets: List[Any] = []
        self._values = 0
        self._summary: Optional[Dict[str, Any]] = None
        self._batch_size: Optional[int] = None

    def add(self, backwards: List[Backward]) -> None:
        """What was differentiated for one step: several where gradients are gathered, or losses kept apart."""
        values = [one.value for one in backwards if one.value is not None]
        if values:
            self.losses.append(sum(values) / len(values))
            del self.losses[:-_MOST_LOSSES]
        for one in backwards:
            if one.name and not self._name:
                self._name, self._weighted = one.name, one.weighted
            if one.target is not None and self.collects and self._values < _MOST_VALUES:
                self._batch_size = max(self._batch_size or 0, int(one.target.shape[0]))
                self._values += one.target.size
                self._targets.append(one.target)

    def epoch_ended(self) -> Dict[str, float]:
        """The epoch's mean loss; the targets have all been there once."""
        logs = {"loss": sum(self.losses) / len(self.losses)} if self.losses else {}
        self.losses = []
        if self.collects:
            self._summarize()
            self.collects, self._targets = False, []
        return logs

    def values(self, *, last: bool = False) -> Dict[str, Any]:
        if last and self.collects:
            self._summarize()
        return {
            "loss": self._name,
            "weighted": self._weighted,
            "batch_size": self._batch_size,
            "targets": self._summary,
        }

    def _summarize(self) -> None:
        numpy = sys.modules.get("numpy")
        if numpy is not None and self._targets:
            self._summary = targets.summary(numpy.concatenate(self._targets))


def backward_of(tensors: Any, *, with_graph: bool) -> Optional[Backward]:
    """What is about to be differentiated; None where it is no single number. The graph behind it is read only on
    demand, for that costs a little."""
    loss = tensors[0] if isinstance(tensors, (list, tuple)) else tensors
    if loss.numel() != 1:
        return None
    value = number(loss)
    if not with_graph:
        return Backward(value)
    top = loss.grad_fn
    # Lightning, and loops that gather gradients, divide the loss before they differentiate it.
    if top is not None and top.name() == "DivBackward0" and _saved(top, "other") in (1.0, None):
        top = top.next_functions[0][0]
    queue, seen = [(top, "")], 0
    while queue and seen < _MOST_NODES:
        node, above = queue.pop(0)
        if node is None:
            continue
        seen += 1
        kind = node.name()
        if kind in _NAMES and (kind not in _BELOW_MEAN or above == "MeanBackward0"):
            is_whole = node is top or (kind in _BELOW_MEAN and seen == 2)
            return _backward_at(node, _NAMES[kind], value, is_whole)
        queue += [(below, kind) for below, _ in node.next_functions]
    return Backward(value)


def _backward_at(node: Any, name: str, value: Optional[float], is_whole: bool) -> Backward:
    averages = getattr(node, "_saved_reduction", 1) == 1
    weights = getattr(node, "_saved_weight", None)
    target = getattr(node, "_saved_target", None)
    array = None
    if target is not None and target.dim():
        array = target.detach().cpu().numpy().copy()
    return Backward(value, name, not is_whole or not averages or weights is not None, array)


def _saved(node: Any, name: str) -> Optional[float]:
    return number(getattr(node, f"_saved_{name}", None))
