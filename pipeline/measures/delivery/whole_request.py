"""What is met by itself and yet not in view of the whole request: layers set free again that were to stay frozen, a
loss that is only part of a sum, a callback that the last training goes without, another baseline than the named one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.measures.delivery.code import Code
from pipeline.measures.delivery.data.flat import takes_no_windows
from pipeline.measures.delivery.findings import Finding, missing
from pipeline.measures.delivery.layers import RECURRENT, is_convolution
from pipeline.measures.delivery.network.set_free import is_set_free
from pipeline.measures.delivery.results.baselines import is_another_baseline
from pipeline.measures.delivery.task.recommended import recommends_otherwise
from pipeline.measures.delivery.training.last_training import lacks_at_the_end
from pipeline.measures.delivery.training.summed import is_summed
from pipeline.request.constraints import Constraint


@dataclass(frozen=True, slots=True)
class WholeRequest:
    """All that is asked."""

    constraints: tuple[Constraint, ...]
    text: str = ""
    """The requirement; "" where only the constraints are known."""

    def asks(self, name: str, value: str = "") -> bool:
        """Whether something of that name is asked for, with the value where one is given."""
        asked = [one.value for one in self.constraints if one.name == name and not one.negated]
        return value in asked if value else bool(asked)


def objection(constraint: Constraint, code: Code, request: WholeRequest) -> Finding | None:
    """Why a constraint is not met that was found in the code; None where nothing speaks against it."""
    if constraint.negated:
        return None
    check = _CHECKS.get(constraint.name)
    return None if check is None else check(constraint, code, request)


def _frozen(_: Constraint, code: Code, request: WholeRequest) -> Finding | None:
    if request.asks("fine_tuned") or request.asks("fine_tuned_layers"):
        return None
    return is_set_free(code)


def _loss(constraint: Constraint, code: Code, request: WholeRequest) -> Finding | None:
    asked = [one for one in request.constraints if one.name == "loss" and not one.negated]
    if len(asked) > 1 or request.asks("variant", "multi_output"):
        return None
    words = request.text[max(0, constraint.start - 40) : constraint.end + 40] if request.text else ""
    return is_summed(constraint.value, words, code)


def _to_the_end(constraint: Constraint, code: Code, _: WholeRequest) -> Finding | None:
    return lacks_at_the_end(constraint.name, code)


def _report(constraint: Constraint, code: Code, request: WholeRequest) -> Finding | None:
    if constraint.value != "baseline" or constraint.source != "requirement":
        return None
    return is_another_baseline(constraint.words(request.text), code)


def _problem(constraint: Constraint, code: Code, request: WholeRequest) -> Finding | None:
    return recommends_otherwise(request.text, code) if constraint.value == "recommendation" else None


def _kind(constraint: Constraint, code: Code, request: WholeRequest) -> Finding | None:
    windows = request.asks("length") and request.asks("channels")
    return takes_no_windows(code) if constraint.value == "series" and windows else None


def _family(constraint: Constraint, code: Code, request: WholeRequest) -> Finding | None:
    """ "A convolutional autoencoder" is none of recurrent layers alone, whatever else convolves."""
    if constraint.value != "autoencoder" or not request.asks("family", "cnn"):
        return None
    if any(request.asks("family", family) for family in ("lstm", "gru", "bilstm", "bigru", "rnn", "convlstm")):
        return None
    recurrent = [layer for layer in code.layers if layer.kind in RECURRENT]
    if not recurrent or any(is_convolution(layer.kind) for layer in code.layers):
        return None
    return missing(f"an autoencoder of {recurrent[0].kind} layers", recurrent[0].line)


_CHECKS: dict[str, Callable[[Constraint, Code, WholeRequest], Finding | None]] = {
    "frozen": _frozen,
    "loss": _loss,
    "early_stopping": _to_the_end,
    "checkpoint": _to_the_end,
    "schedule": _to_the_end,
    "report": _report,
    "problem": _problem,
    "kind": _kind,
    "family": _family,
}
"""By a constraint's name."""
