"""Makes a straight stack of layers fit an input and a wanted output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from pipeline.keras.fitting.layer import RECURRENT, collapsing, fitted_layer, known_numbers
from pipeline.keras.fitting.output_form import OutputForm, OutputKind, image_end, without_head
from pipeline.keras.fitting.sequence import KEEP_AXES, crosses_steps, with_needed_sequences
from pipeline.keras.layer_call import LayerCall, Symbol, Value
from pipeline.keras.shapes.arguments import Misfit, Shape
from pipeline.keras.shapes.rules import apply, takes_several_inputs
from pipeline.keras.shapes.trace import trace_shapes

__all__ = ["MAX_DENSE_PARAMETERS", "MAX_PARAMETERS", "FittedStack", "OutputForm", "OutputKind", "fit_stack"]

MAX_DENSE_PARAMETERS = 30_000_000
"""More weights than this between Flatten and a Dense layer make global average pooling the better choice."""
MAX_PARAMETERS = 60_000_000
"""The largest stack, backbones not counted: about 1 GB with Adam's state, what a small machine still trains."""

_UNIT_OF_OUTPUT = {OutputKind.SEQUENCE: "time step", OutputKind.IMAGE: "pixel"}
_PREPROCESSING = frozenset(
    {"Input", "InputLayer", "Rescaling", "Resizing", "CenterCrop", "Normalization"}
    | {"TextVectorization", "StringLookup", "IntegerLookup", "CategoryEncoding"}
    | {"Hashing", "HashedCrossing", "Discretization", "MelSpectrogram", "STFTSpectrogram"}
)
"""Layers that prepare the input, which the generated projects do before the model; so do all named Random..."""


@dataclass(frozen=True, slots=True)
class FittedStack:
    """A stack that builds."""

    layers: tuple[LayerCall, ...]
    """The output layer included."""
    repairs: tuple[str, ...]
    """What was changed, in plain words."""


@dataclass
class _GrowingStack:
    """The stack as it is built up, layer by layer."""

    shape: Shape
    """After the last layer."""
    constants: Mapping[str, int]
    token_ids: bool
    """Whether the input are token ids."""
    layers: list[LayerCall] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)

    def add(self, *calls: LayerCall) -> None:
        """Raises Misfit where a layer does not fit."""
        for call in calls:
            self.shape, _ = apply(call, self.shape, self.constants)
            self.layers.append(call)

    def insert(self, call: LayerCall, why: str) -> None:
        self.repairs.append(f"{call.source('')} inserted {why}")
        self.add(call)


def fit_stack(
    layers: Sequence[LayerCall],
    input_shape: Shape,
    output: OutputForm,
    *,
    constants: Mapping[str, int],
    token_ids: bool = False,
    backbone_weights: Value = None,
) -> FittedStack | None:
    """The stack changed as little as needed so that it takes `input_shape` (no batch axis) and gives `output`.

    Input, preprocessing and multi-input layers go; Flatten or global pooling, a channel axis and, for `token_ids`, an
    Embedding come in; recurrent layers get the `return_sequences` that the next layer needs; windows too large for
    what is left get padding 'same', poolings of a single pixel go; the last layer becomes the wanted one. A backbone
    gets `backbone_weights` (None, "imagenet" or an expression), so that nothing is downloaded unasked. None where no
    layer with weights could be kept, a constant is not known, or more than MAX_PARAMETERS remain.
    """
    stack = _GrowingStack(input_shape, constants, token_ids)
    try:
        wanted = output.shape(constants)
        kept = [call for call in layers if _is_kept(call, stack)]
        body, head = without_head(kept, output, wanted[-1] or 1)
        body = _without_foreign_end(body, output, stack)
        body = [_plain(call, backbone_weights, stack) for call in body]
        if head is not None:
            head = _plain(head, backbone_weights, stack)
        if token_ids:
            _embed(body, stack)
        for index, call in enumerate(body):
            _add_fitted(call, body[index + 1 :], output, wanted, stack)
        _finish(head, output, wanted, stack)
    except Misfit:
        return None
    result = trace_shapes(stack.layers, input_shape, constants)
    too_large = result.parameters - result.backbone_parameters > MAX_PARAMETERS
    nothing_kept = body and len(stack.layers) < 2  # only the output layer
    if result.problem or too_large or result.shapes[-1] != wanted or nothing_kept:
        return None
    return FittedStack(tuple(stack.layers), tuple(stack.repairs))


def _is_kept(call: LayerCall, stack: _GrowingStack) -> bool:
    if call.name in _PREPROCESSING or call.name.startswith("Random"):
        stack.repairs.append(f"{call.name} left out: the input is prepared before the model")
        return False
    if takes_several_inputs(call.name):
        stack.repairs.append(f"{call.name} left out: it takes several inputs, so a straight stack cannot hold it")
        return False
    return True


def _plain(call: LayerCall, backbone_weights: Value, stack: _GrowingStack) -> LayerCall:
    """Without what names an input, or a part of another program."""
    if call.is_backbone:
        return call.without("input_shape", "name").changed(weights=backbone_weights)
    plain = known_numbers(call, stack.constants)
    if plain != call:
        stack.repairs.append(f"{call.source('')} became {plain.source('')}: some of its names are not known here")
    plain = plain.without("input_shape", "batch_shape", "return_state", "stateful", "name")
    if plain.name != "Embedding":  # whose input_dim is the size of the vocabulary
        plain = plain.without("input_dim")
    inner = plain.arguments.get("layer")
    if isinstance(inner, LayerCall):
        plain = plain.changed(layer=_plain(inner, backbone_weights, stack))
    return plain


def _without_foreign_end(body: list[LayerCall], output: OutputForm, stack: _GrowingStack) -> list[LayerCall]:
    """Without the Flatten-Dense end of a classifier where the output is an image or a sequence."""
    if output.kind is OutputKind.VECTOR:
        return body
    collapses = [index for index, call in enumerate(body) if _is_collapse(call)]
    if not collapses:
        return body
    before, after = body[: collapses[0]], body[collapses[0] :]
    if any(call.name in ("Reshape", "RepeatVector") for call in after):
        return body  # the stack comes back to an image or sequence by itself
    if not any(map(_finds_patterns, before)):
        return body  # without the end little would be left
    unit = _UNIT_OF_OUTPUT[output.kind]
    stack.repairs.append(f"{after[0].name} and what follows left out: the output is one per {unit}")
    return before


def _is_collapse(call: LayerCall) -> bool:
    return call.name == "Flatten" or call.name.startswith("Global")


def _finds_patterns(call: LayerCall) -> bool:
    """Whether the layer does the work of an image or sequence network."""
    return call.name.startswith("Conv") or call.name in RECURRENT or call.is_backbone


def _embed(body: list[LayerCall], stack: _GrowingStack) -> None:
    """Puts an Embedding before the first layer that works on the token ids, where the plan has none."""
    working = [call for call in body if call.name not in KEEP_AXES]
    if not working or working[0].name != "Embedding":
        stack.insert(LayerCall("Embedding", (Symbol("VOCAB_SIZE"), 128)), "for the token ids")


def _embedding_all_tokens(call: LayerCall, stack: _GrowingStack) -> LayerCall:
    """An id beyond the embedding's rows would end the training with an error."""
    rows, tokens = call.arguments.get("input_dim"), stack.constants.get("VOCAB_SIZE", 0)
    if not isinstance(rows, int) or rows >= tokens:
        return call
    stack.repairs.append(f"Embedding: input_dim={rows} became VOCAB_SIZE, which is {tokens}")
    return call.changed(input_dim=Symbol("VOCAB_SIZE"))


def _add_fitted(
    call: LayerCall, rest: Sequence[LayerCall], output: OutputForm, wanted: Shape, stack: _GrowingStack
) -> None:
    """Adds one layer of the plan, changed where it does not fit as it is; one that cannot fit is left out."""
    why_not = _out_of_place(call, rest, stack)
    if why_not:
        stack.repairs.append(f"{call.name} left out: {why_not}")
        return
    if call.name == "Embedding":
        call = _embedding_all_tokens(call, stack)
    if call.name == "Dense" and _must_collapse(stack.shape, rest, output):
        stack.insert(_collapse(call, stack), "before the first Dense layer")
    if call.name == "Flatten" and len(stack.shape) > 1:
        call = _flattening(call, rest, wanted, stack)
    if call.name in RECURRENT or call.name.startswith("ConvLSTM"):
        call, repair = with_needed_sequences(call, rest, per_step=output.kind is OutputKind.SEQUENCE)
        if repair:
            stack.repairs.append(repair)
    fitted = fitted_layer(call, stack.shape, stack.constants)
    if fitted is None and call.name == "Reshape" and _make_dense_fit(call, stack):
        fitted = [call]
    if fitted is None:
        stack.repairs.append(f"{call.source('')} left out: {_misfit(call, stack)}")
        return
    if fitted != [call]:
        became = ", ".join(layer.source("") for layer in fitted)
        stack.repairs.append(f"{call.source('')} became {became}: {_misfit(call, stack)}")
    stack.add(*fitted)


def _out_of_place(call: LayerCall, rest: Sequence[LayerCall], stack: _GrowingStack) -> str | None:
    """Why a layer makes no sense here, whatever its arguments; None where it does."""
    if call.name == "Embedding" and (stack.layers or not stack.token_ids):
        return "it needs token ids"
    if call.is_backbone and any(layer.is_backbone for layer in stack.layers):
        return "one backbone is enough, and several are alternatives in a plan"
    if call.arguments.get("target_shape") == (-1,) and any(map(crosses_steps, rest)):
        return "it states no shape, and later layers need the axes"
    return None


def _misfit(call: LayerCall, stack: _GrowingStack) -> str:
    """Why the layer could not be added as it is."""
    try:
        apply(call, stack.shape, stack.constants)
    except Misfit as reason:
        return str(reason)
    return "it does not fit here"


def _must_collapse(shape: Shape, rest: Sequence[LayerCall], output: OutputForm) -> bool:
    """Whether a Dense layer here has to see one vector per row: nothing later brings the other axes together."""
    return len(shape) > 1 and output.kind is OutputKind.VECTOR and not any(map(crosses_steps, rest))


def _units(call: LayerCall, stack: _GrowingStack) -> int:
    units = call.arguments.get("units", 1)
    if isinstance(units, int):
        return units
    return stack.constants.get(str(units), 1)


def _collapse(dense: LayerCall, stack: _GrowingStack) -> LayerCall:
    """Flatten or global pooling; always pooling after a backbone or an Embedding, where it is the custom."""
    after_backbone = any(call.is_backbone for call in stack.layers)
    after_embedding = bool(stack.layers) and stack.layers[-1].name == "Embedding"
    largest = MAX_DENSE_PARAMETERS
    if after_backbone or after_embedding:
        largest = 0  # no Flatten, however small
    return collapsing(stack.shape, _units(dense, stack), largest)


def _flattening(call: LayerCall, rest: Sequence[LayerCall], wanted: Shape, stack: _GrowingStack) -> LayerCall:
    """Flatten, frame by frame where a recurrent layer follows, or global pooling where it would be too large."""
    if len(stack.shape) > 2 and any(layer.name in RECURRENT for layer in rest):
        return LayerCall("TimeDistributed", (call,))
    dense = next((layer for layer in rest if layer.name == "Dense"), None)
    units = _values(wanted) if dense is None else _units(dense, stack)
    smaller = collapsing(stack.shape, units, MAX_DENSE_PARAMETERS)
    if smaller.name == "Flatten":
        return call
    stack.repairs.append(f"Flatten became {smaller.name}: the Dense layer after it would be too large")
    return smaller


def _make_dense_fit(reshape: LayerCall, stack: _GrowingStack) -> bool:
    """Gives the Dense layer before a Reshape as many units as the wanted shape has values; False where there is none.

    Layers in between that keep the axes do not count.
    """
    target = reshape.arguments.get("target_shape")
    if not isinstance(target, tuple) or len(stack.shape) != 1:
        return False
    sizes = [size for size in target if isinstance(size, int) and size > 0]
    if len(sizes) != len(target):
        return False
    working = [index for index, layer in enumerate(stack.layers) if layer.name not in KEEP_AXES]
    if not working or stack.layers[working[-1]].name != "Dense":
        return False
    values = prod(sizes)
    stack.repairs.append(f"Dense: units={values}, as {reshape.source('')} needs")
    dense = stack.layers[working[-1]]
    stack.layers[working[-1]] = dense.changed(units=values)
    stack.shape = (values,)
    return True


def _finish(head: LayerCall | None, output: OutputForm, wanted: Shape, stack: _GrowingStack) -> None:
    """Adds the output layer, and what has to come before it."""
    shape = stack.shape
    if output.kind is OutputKind.IMAGE and len(shape) == 3:
        stack.add(*_image_end(head, output, wanted, stack))
    elif output.kind is OutputKind.VECTOR:
        if len(shape) > 1:
            stack.insert(_collapse(output.dense(), stack), "before the output layer")
        stack.add(output.dense())
    elif len(shape) == 2 and shape[0] == wanted[0]:
        stack.add(output.dense())  # the sequence has its steps already
    else:
        if len(shape) > 1:
            stack.insert(collapsing(shape, _values(wanted), MAX_DENSE_PARAMETERS), "before the output layer")
        sizes = (*output.size, output.units)
        values = " * ".join(map(str, sizes))
        stack.add(LayerCall("Dense", (Symbol(values),)), LayerCall("Reshape", (sizes,)))
        if output.activation:
            stack.add(LayerCall("Activation", (output.activation,)))


def _image_end(head: LayerCall | None, output: OutputForm, wanted: Shape, stack: _GrowingStack) -> list[LayerCall]:
    """The plan's own last convolution where it gives the wanted image, else layers that do."""
    if head is not None:
        own = head.changed(filters=output.units, padding="same").without("activation")
        if output.activation:
            own = own.changed(activation=output.activation)
        after = trace_shapes([own], stack.shape, stack.constants)
        if not after.problem and after.shapes[-1] == wanted:
            return [own]
    return image_end(stack.shape, output, wanted)


def _values(shape: Shape) -> int:
    return prod(size or 1 for size in shape)
