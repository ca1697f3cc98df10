"""Layers that cannot be built on the plan's input, made to fit it."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.keras.fitting.stack import OutputForm, OutputKind, fit_stack
from pipeline.keras.layer_call import LayerCall, Symbol, Value
from pipeline.keras.shapes.arguments import Shape
from pipeline.keras.shapes.rules import takes_several_inputs
from pipeline.keras.shapes.trace import trace_shapes
from pipeline.plan.dataset_facts import DatasetFacts
from pipeline.plan.shapes import CLASSIFICATION, REGRESSION, input_shape
from pipeline.planners.repair.draft import LayerEntry, PlanDraft, entry_of, inner_call
from pipeline.planners.repair.heads import head_of

_STACKS = CLASSIFICATION | REGRESSION | {"Time Series Forecasting"}
_OF_INPUT = ("input_shape", "name")
_INPUTS = ("Input", "InputLayer")


def make_buildable(draft: PlanDraft, facts: DatasetFacts, *, per_step: bool = False) -> None:
    """The layers changed as little as needed so that each takes what the one before gives. `per_step`: the output is
    one vector a time step, as of tags.

    Left alone are layers that build, those that are no straight stack, and those with sizes or words not known here.
    """
    category = draft.category
    entries = draft.entries
    head, shape = head_of(entries), input_shape(category, facts)
    steps = shape[:1] if per_step else ()
    if category not in _STACKS or head is None or head.units is None or not shape:
        return
    calls = [call for entry in entries for call in entry.calls]
    if head.is_convolution or not all(entry.is_exact for entry in entries) or not all(map(_is_known, calls)):
        return
    working = [call for call in calls if call.name not in _INPUTS]
    if any(_has_other_rank(call, len(shape)) for call in working[:1]):
        return  # the data are not what the category says: a recording as a table
    problem = _problem(working, shape, (*steps, head.units))
    if not problem:
        return
    kind = OutputKind.SEQUENCE if per_step else OutputKind.VECTOR
    form = OutputForm(kind, head.units, head.activation or None, size=steps)
    weights = next((call.arguments.get("weights") for call in calls if call.is_backbone), None)
    fitted = fit_stack(
        working,
        shape,
        form,
        constants={"VOCAB_SIZE": facts.vocabulary} if facts.vocabulary else {},
        token_ids=category.startswith("Text"),
        backbone_weights=weights,
    )
    if fitted is not None:
        inputs = [entry for entry in entries if entry.is_named(*_INPUTS)]
        after = [*inputs, *_in_the_plans_words(fitted.layers, entries)]
        draft.set_layers(after, entries, f"the layers did not build: {problem}")


def _is_known(call: LayerCall) -> bool:
    """Whether the layer can stand in a straight stack and all its sizes are numbers, given or usual."""
    if takes_several_inputs(call.name):
        return False
    return not any(_hangs_on_a_name(value) for value in inner_call(call).arguments.values())


def _hangs_on_a_name(value: Value) -> bool:
    if isinstance(value, tuple):
        return any(map(_hangs_on_a_name, value))
    return isinstance(value, Symbol) and "." not in value.text and any(map(str.isalpha, value.text))


def _has_other_rank(call: LayerCall, axes: int) -> bool:
    stated = call.arguments.get("input_shape")
    return isinstance(stated, tuple) and len(stated) != axes


def _problem(calls: Sequence[LayerCall], shape: Shape, wanted: Shape) -> str:
    """Why the stack does not lead from the input to the wanted output; "" where it does."""
    trace = trace_shapes(calls, shape)
    if trace.problem:
        return trace.problem
    last = trace.shapes[-1] if trace.shapes else ()
    return "" if last == wanted else f"the output is {last}, not {wanted}"


def _in_the_plans_words(layers: Sequence[LayerCall], entries: Sequence[LayerEntry]) -> list[LayerEntry]:
    """The fitted layers as entries; one that is unchanged keeps the text that the planner wrote."""
    rest = list(entries)
    written = []
    for layer in layers:
        same = next((index for index, entry in enumerate(rest) if _is_same(entry, layer)), None)
        if same is None:
            written.append(entry_of(layer))
        else:
            written.append(rest[same])
            del rest[: same + 1]
    return written


def _is_same(entry: LayerEntry, layer: LayerCall) -> bool:
    call = entry.call
    if call is None or call.name != layer.name:
        return False
    return _bare(call) == _bare(layer)


def _bare(call: LayerCall) -> dict[str, Value]:
    return {name: value for name, value in call.arguments.items() if name not in _OF_INPUT}
