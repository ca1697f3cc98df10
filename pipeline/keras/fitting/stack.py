"""Makes a straight stack of layers fit an input and a wanted output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from pipeline.keras.fitting.layer import RECURRENT, collapsing, fitted, known_numbers
from pipeline.keras.fitting.output_form import OutputForm, OutputKind, image_end, without_head
from pipeline.keras.fitting.sequence import KEEP_AXES, crosses_steps, sequence_wise
from pipeline.keras.layer_call import LayerCall, Symbol, Value
from pipeline.keras.shapes.arguments import Misfit, Shape
from pipeline.keras.shapes.rules import apply, takes_several_inputs
from pipeline.keras.shapes.trace import trace

__all__ = ["MAX_DENSE_PARAMETERS", "MAX_PARAMETERS", "FittedStack", "OutputForm", "OutputKind", "fit_stack"]

MAX_DENSE_PARAMETERS = 30_000_000
"""More weights than this between Flatten and a Dense layer make global average pooling the better choice."""
MAX_PARAMETERS = 60_000_000
"""The largest stack, backbones not counted: about 1 GB with Adam's state, what a small machine still trains."""

_PLACE = {OutputKind.SEQUENCE: "time step", OutputKind.IMAGE: "pixel"}
_PREPROCESSING = frozenset(
    {"Input", "InputLayer", "Rescaling", "Resizing", "CenterCrop", "Normalization", "TextVectorization", "StringLookup"}
) | {
    "IntegerLookup",
    "CategoryEncoding",
    "Hashing",
    "HashedCrossing",
    "Discretization",
    "MelSpectrogram",
    "STFTSpectrogram",
}


@dataclass(frozen=True, slots=True)
class FittedStack:
    """A stack that builds, its output layer included, and what was changed, in plain words."""

    layers: tuple[LayerCall, ...]
    repairs: tuple[str, ...]


@dataclass
class _Walk:
    """The stack as it grows, with the shape after it."""

    shape: Shape
    constants: Mapping[str, int]
    token_ids: bool
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
    walk = _Walk(input_shape, constants, token_ids)
    try:
        wanted = output.shape(constants)
        body, head = without_head([call for call in layers if _kept(call, walk)], output, wanted[-1] or 1)
        body = [_plain(call, backbone_weights, walk) for call in _without_foreign_end(body, output, walk)]
        head = head and _plain(head, backbone_weights, walk)
        if token_ids:
            _embed(body, walk)
        for index, call in enumerate(body):
            _add_fitted(call, body[index + 1 :], output, wanted, walk)
        _finish(head, output, wanted, walk)
    except Misfit:
        return None
    result = trace(walk.layers, input_shape, constants)
    too_large = result.parameters - result.backbone_parameters > MAX_PARAMETERS
    if result.problem or too_large or result.shapes[-1] != wanted or (body and len(walk.layers) < 2):
        return None
    return FittedStack(tuple(walk.layers), tuple(walk.repairs))


def _kept(call: LayerCall, walk: _Walk) -> bool:
    if call.name in _PREPROCESSING or call.name.startswith("Random"):
        walk.repairs.append(f"{call.name} left out: the input is prepared before the model")
        return False
    if takes_several_inputs(call.name):
        walk.repairs.append(f"{call.name} left out: it takes several inputs, so a straight stack cannot hold it")
        return False
    return True


def _plain(call: LayerCall, backbone_weights: Value, walk: _Walk) -> LayerCall:
    """Without what names an input, or a part of another program."""
    if call.is_backbone:
        return call.without("input_shape", "name").changed(weights=backbone_weights)
    plain = known_numbers(call, walk.constants)
    if plain != call:
        walk.repairs.append(f"{call.source('')} became {plain.source('')}: some of its names are not known here")
    inputs = ("input_shape", "batch_shape", "return_state", "stateful", "name")
    plain = plain.without(*inputs) if plain.name == "Embedding" else plain.without(*inputs, "input_dim")
    inner = plain.arguments.get("layer")
    return plain.changed(layer=_plain(inner, backbone_weights, walk)) if isinstance(inner, LayerCall) else plain


def _without_foreign_end(body: list[LayerCall], output: OutputForm, walk: _Walk) -> list[LayerCall]:
    """Without the Flatten-Dense end of a classifier where the output is an image or a sequence."""
    if output.kind is OutputKind.VECTOR:
        return body
    collapse = next(
        (i for i, call in enumerate(body) if call.name == "Flatten" or call.name.startswith("Global")), None
    )
    if collapse is None or any(call.name in ("Reshape", "RepeatVector") for call in body[collapse:]):
        return body
    if not any(call.name.startswith("Conv") or call.name in RECURRENT or call.is_backbone for call in body[:collapse]):
        return body
    walk.repairs.append(f"{body[collapse].name} and what follows left out: the output is one per {_PLACE[output.kind]}")
    return body[:collapse]


def _embed(body: list[LayerCall], walk: _Walk) -> None:
    first = next((call for call in body if call.name not in KEEP_AXES), None)
    if first is None or first.name != "Embedding":
        walk.insert(LayerCall("Embedding", (Symbol("VOCAB_SIZE"), 128)), "for the token ids")


def _embedding_all_tokens(call: LayerCall, walk: _Walk) -> LayerCall:
    """An id beyond the embedding's rows would end the training with an error."""
    rows, tokens = call.arguments.get("input_dim"), walk.constants.get("VOCAB_SIZE", 0)
    if not isinstance(rows, int) or rows >= tokens:
        return call
    walk.repairs.append(f"Embedding: input_dim={rows} became VOCAB_SIZE, which is {tokens}")
    return call.changed(input_dim=Symbol("VOCAB_SIZE"))


def _add_fitted(call: LayerCall, rest: Sequence[LayerCall], output: OutputForm, wanted: Shape, walk: _Walk) -> None:
    """Adds one layer of the plan, changed where it does not fit as it is; one that cannot fit is left out."""
    if call.name == "Embedding" and (walk.layers or not walk.token_ids):
        walk.repairs.append("Embedding left out: it needs token ids")
        return
    if call.is_backbone and any(one.is_backbone for one in walk.layers):
        walk.repairs.append(f"{call.name} left out: one backbone is enough, and several are alternatives in a plan")
        return
    if call.name == "Embedding":
        call = _embedding_all_tokens(call, walk)
    if call.arguments.get("target_shape") == (-1,) and any(map(crosses_steps, rest)):
        walk.repairs.append("Reshape left out: it states no shape, and later layers need the axes")
        return
    if call.name == "Dense" and _must_collapse(walk.shape, rest, output):
        walk.insert(_collapse(call, walk), "before the first Dense layer")
    if call.name == "Flatten" and len(walk.shape) > 1:
        call = _flattening(call, rest, wanted, walk)
    if call.name in RECURRENT or call.name.startswith("ConvLSTM"):
        call, why = sequence_wise(call, rest, per_step=output.kind is OutputKind.SEQUENCE)
        walk.repairs += [why] if why else []
    chosen = fitted(call, walk.shape, walk.constants)
    if chosen is None and call.name == "Reshape" and _dense_for(call, walk):
        chosen = [call]
    if chosen is None:
        walk.repairs.append(f"{call.source('')} left out: {_reason(call, walk)}")
        return
    if chosen != [call]:
        became = ", ".join(one.source("") for one in chosen)
        walk.repairs.append(f"{call.source('')} became {became}: {_reason(call, walk)}")
    walk.add(*chosen)


def _reason(call: LayerCall, walk: _Walk) -> str:
    try:
        apply(call, walk.shape, walk.constants)
    except Misfit as reason:
        return str(reason)
    return "it does not fit here"


def _must_collapse(shape: Shape, rest: Sequence[LayerCall], output: OutputForm) -> bool:
    """Whether a Dense layer here has to see one vector per row: nothing later brings the other axes together."""
    return len(shape) > 1 and output.kind is OutputKind.VECTOR and not any(map(crosses_steps, rest))


def _units(call: LayerCall, walk: _Walk) -> int:
    units = call.arguments.get("units", 1)
    return units if isinstance(units, int) else walk.constants.get(str(units), 1)


def _collapse(dense: LayerCall, walk: _Walk) -> LayerCall:
    """Flatten or global pooling; always pooling after a backbone or an Embedding, where it is the custom."""
    after_backbone = any(call.is_backbone for call in walk.layers)
    after_embedding = bool(walk.layers) and walk.layers[-1].name == "Embedding"
    largest = 0 if after_backbone or after_embedding else MAX_DENSE_PARAMETERS
    return collapsing(walk.shape, _units(dense, walk), largest)


def _flattening(call: LayerCall, rest: Sequence[LayerCall], wanted: Shape, walk: _Walk) -> LayerCall:
    """Flatten, frame by frame where a recurrent layer follows, or global pooling where it would be too large."""
    if len(walk.shape) > 2 and any(one.name in RECURRENT for one in rest):
        return LayerCall("TimeDistributed", (call,))
    dense = next((one for one in rest if one.name == "Dense"), None)
    units = _units(dense, walk) if dense else prod(size or 1 for size in wanted)
    smaller = collapsing(walk.shape, units, MAX_DENSE_PARAMETERS)
    if smaller.name != "Flatten":
        walk.repairs.append(f"Flatten became {smaller.name}: the Dense layer after it would be too large")
    return smaller if smaller.name != "Flatten" else call


def _dense_for(reshape: LayerCall, walk: _Walk) -> bool:
    """Gives the Dense layer before a Reshape as many units as the wanted shape has values."""
    target = reshape.arguments.get("target_shape")
    if (
        not isinstance(target, tuple)
        or len(walk.shape) != 1
        or not all(isinstance(size, int) and size > 0 for size in target)
    ):
        return False
    at = next((i for i in reversed(range(len(walk.layers))) if walk.layers[i].name not in KEEP_AXES), None)
    if at is None or walk.layers[at].name != "Dense":
        return False
    values = prod(size for size in target if isinstance(size, int))
    walk.repairs.append(f"Dense: units={values}, as {reshape.source('')} needs")
    walk.layers[at] = walk.layers[at].changed(units=values)
    walk.shape = (values,)
    return True


def _finish(head: LayerCall | None, output: OutputForm, wanted: Shape, walk: _Walk) -> None:
    """Adds the output layer, and what has to come before it."""
    if output.kind is OutputKind.IMAGE and len(walk.shape) == 3:
        end = [head.changed(filters=output.units, padding="same").without("activation")] if head else []
        end = [call.changed(activation=output.activation) if output.activation else call for call in end]
        after = trace(end, walk.shape, walk.constants)
        if not end or after.problem or after.shapes[-1] != wanted:
            end = image_end(walk.shape, output, wanted)
        walk.add(*end)
    elif output.kind is OutputKind.VECTOR or (len(walk.shape) == 2 and walk.shape[0] == wanted[0]):
        if output.kind is OutputKind.VECTOR and len(walk.shape) > 1:
            walk.insert(_collapse(output.dense(), walk), "before the output layer")
        walk.add(output.dense())
    else:
        if len(walk.shape) > 1:
            walk.insert(
                collapsing(walk.shape, prod(size or 1 for size in wanted), MAX_DENSE_PARAMETERS),
                "before the output layer",
            )
        values = " * ".join(str(size) for size in (*output.size, output.units))
        walk.add(LayerCall("Dense", (Symbol(values),)), LayerCall("Reshape", ((*output.size, output.units),)))
        if output.activation:
            walk.add(LayerCall("Activation", (output.activation,)))
