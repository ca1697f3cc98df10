"""The network that a request asks for, in the place of the one that a plan borrowed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.keras.facts import backbones
from pipeline.keras.layer_call import LayerCall
from pipeline.keras.recurrent import CELLS
from pipeline.keras.repair import layer_named
from pipeline.plan.shapes import CLASSIFICATION, REGRESSION
from pipeline.plan.vocabulary import canonical_loss
from pipeline.planners.repair.asked import Asked
from pipeline.planners.repair.draft import LayerEntry, PlanDraft, entry_of, inner_call, layer_entries, with_inner
from pipeline.planners.repair.heads import head_of
from pipeline.planners.repair.outputs import is_by_reconstruction
from pipeline.planners.repair.stacks import CONVOLUTIONAL, WHOLE_NETWORKS, shows, stack_of

_SMALL_SIDE = 64
"""Pixels a side up to which "a CNN" is no large pretrained network."""
_VECTOR_OF_IMAGE = ("Image Classification", "Image Regression")
_KIND_OF_CATEGORY = (
    ("Image", "image"),
    ("Object", "image"),
    ("Text", "text"),
    ("Question", "text"),
    ("Tabular", "table"),
    ("Time", "series"),
    ("Audio", "audio"),
    ("Video", "video"),
)
_STACKS = CLASSIFICATION | REGRESSION | {"Time Series Forecasting", "Text Generation", "Anomaly Detection"}
"""Categories whose model is one stack of layers that ends in a vector, so that a plain one can stand for it."""


def keep_network(draft: PlanDraft, asked: Asked, planned_for: str) -> None:
    """Backbones and families as they are asked for. `planned_for`: the category that the layers were planned for."""
    named = _keras_names(asked.values("backbone"))
    if named:
        _keep_backbone(draft, asked, named)
    families = _families(asked)
    category = draft.category
    if category in WHOLE_NETWORKS and category != planned_for and draft.values["layers"]:
        _take_whole_network(draft, asked, category)
        return
    if category not in _STACKS or named or not draft.values["layers"]:
        return
    kind = _kind(asked, category)
    other_data = _kind_of(planned_for) not in ("", _kind_of(category))
    if families and not _has_all(draft.entries, families, asked, kind):
        _keep_cell(draft, families)
    if category == "Anomaly Detection":
        # Whether a stack of Dense layers rebuilds its input shows in how many layers narrow and widen it.
        if is_by_reconstruction(asked) and kind == "table" and not _narrows(draft.entries):
            _take_plain_stack(draft, asked, families, kind)
        return
    missing = bool(families) and not _has_all(draft.entries, families, asked, kind)
    if missing or (other_data and not families):
        _take_plain_stack(draft, asked, families, kind)


def has_asked_network(layers: Sequence[str], asked: Asked, category: str) -> bool:
    """Whether layers show a backbone and the families that are asked for; never where none is."""
    entries = layer_entries(layers)
    backbone_names = [*asked.values("backbone"), *_keras_names(asked.values("backbone"))]
    families = _families(asked)
    if not backbone_names and not families:
        return False
    if backbone_names and not any(_names_one(entry, backbone_names) for entry in entries):
        return False
    return _has_all(entries, families, asked, _kind(asked, category))


def _families(asked: Asked) -> list[str]:
    """The families that show in layers."""
    return [name for name in asked.values("family") if shows(name) or name == "mlp"]


def _keras_names(values: Sequence[str]) -> list[str]:
    """The keras.applications models among the names ("efficientnetb0" -> EfficientNetB0)."""
    names = []
    for value in values:
        name = layer_named(value.capitalize()) if value.isidentifier() else None
        if name is not None and name in backbones():
            names.append(name)
    return names


def _keep_backbone(draft: PlanDraft, asked: Asked, names: Sequence[str]) -> None:
    """One of the named networks; where several are named they are alternatives, or compared, and any of them counts."""
    before = draft.entries
    weights = None if "scratch" in asked.values("weights") else "imagenet"
    if any(_names_one(entry, [*asked.values("backbone"), *names]) for entry in before):
        return
    network = LayerCall(names[0], (), (("include_top", False), ("weights", weights)))
    entries = list(before)
    for index, entry in enumerate(entries):
        if any(call.is_backbone for call in entry.calls):
            entries[index] = entry_of(network)
            draft.set_layers(entries, before, f"asked: {names[0]}")
            return
    if draft.category in _VECTOR_OF_IMAGE:
        head = head_of(before)
        end = before[head.index :] if head is not None else []
        entries = [entry_of(network), *layer_entries(("GlobalAveragePooling2D()", "Dropout(0.2)")), *end]
        draft.set_layers(entries, before, f"asked: {names[0]}")


def _names_one(entry: LayerEntry, names: Sequence[str]) -> bool:
    """Whether an entry names one of the networks, or one of the family ("efficientnet" is any EfficientNet)."""
    folded = re.sub(r"[^a-z0-9]", "", entry.text.lower())
    return any(name.lower().replace("_", "") in folded for name in names)


def _has_all(entries: Sequence[LayerEntry], families: Sequence[str], asked: Asked, kind: str) -> bool:
    """Whether the layers show a family of each sort that is asked for: of several recurrent ones, any."""
    side = asked.facts.height
    is_small = side is not None and side <= _SMALL_SIDE
    own_network = "cnn" in families and is_small and "pretrained" not in asked.values("weights")
    if own_network and any(call.is_backbone for entry in entries for call in entry.calls):
        return False
    for sort in (CONVOLUTIONAL, CELLS, ("transformer", "attention")):
        wanted = [family for family in families if family in sort]
        if wanted and not any(_has(entries, family) for family in wanted):
            return False
    if families == ["mlp"] and kind == "table":
        return _has(entries, "mlp")
    return True


def _has(entries: Sequence[LayerEntry], family: str) -> bool:
    if family == "mlp":
        found_patterns = any(shows(other) and _has(entries, other) for other in ("cnn", "rnn"))
        return any(entry.is_named("Dense") for entry in entries) and not found_patterns
    if family.startswith("bi"):
        return any(
            call.name == "Bidirectional" and inner_call(call).name in shows(family)
            for entry in entries
            for call in entry.calls
        ) or any(re.search(rf"\bbi-?(?:directional )?{family[2:]}", entry.text, re.I) for entry in entries)
    words = {"transformer": "transformer|attention", "attention": "attention"}.get(family)
    if words and any(re.search(words, entry.text, re.I) for entry in entries):
        return True
    if family == "cnn" and any(call.is_backbone for entry in entries for call in entry.calls):
        return True
    # What is not understood as a call may name it all the same ("Convolutional Layers").
    if any(not entry.calls and re.search(_word(family), entry.text, re.I) for entry in entries):
        return True
    return any(entry.is_named(*shows(family)) for entry in entries)


def _word(family: str) -> str:
    return "conv" if family in CONVOLUTIONAL else CELLS.get(family, family)


def _keep_cell(draft: PlanDraft, families: Sequence[str]) -> None:
    """The asked recurrent cell in the place of another one, in both directions where that is asked for."""
    family = next((name for name in families if name in CELLS), "")
    if not family:
        return
    cell = CELLS[family]
    before = draft.entries
    entries = []
    for entry in before:
        call = entry.call
        if call is not None and inner_call(call).name in ("LSTM", "GRU", "SimpleRNN"):
            inner = _as_cell(inner_call(call), cell)
            changed = with_inner(call, inner)
            if family.startswith("bi") and call.name != "Bidirectional":
                changed = LayerCall("Bidirectional", (inner,))
            entries.append(entry if changed == call else entry_of(changed))
        else:
            entries.append(entry)
    draft.set_layers(entries, before, f"asked: {family}")


def _narrows(entries: Sequence[LayerEntry]) -> bool:
    """Whether the widths of the Dense layers fall and rise again."""
    widths = [call.arguments.get("units") for entry in entries for call in entry.calls if call.name == "Dense"]
    numbers = [width for width in widths if isinstance(width, int)]
    return len(numbers) >= 3 and min(numbers[1:-1]) < min(numbers[0], numbers[-1])


def _as_cell(call: LayerCall, cell: str) -> LayerCall:
    if call.name == cell:
        return call
    return LayerCall(cell, call.args, call.keywords).without("reset_after", "recurrent_activation")


def _take_plain_stack(draft: PlanDraft, asked: Asked, families: Sequence[str], kind: str) -> None:
    """A plain stack with the output layer of the one that it replaces."""
    usual = {"image": ["cnn"], "audio": ["cnn"], "text": ["lstm"], "series": ["lstm"], "video": ["cnn_3d"]}
    rebuilds = draft.category == "Anomaly Detection" and kind == "table"
    chosen = ["autoencoder"] if rebuilds else list(families) or usual.get(kind, ["mlp"])
    body = stack_of(chosen, kind, steps="tagging" in asked.values("problem"))
    if not body:
        return
    before = draft.entries
    head = head_of(before)
    end = before[head.index :] if head is not None else []
    if head is not None and kind != "video":
        end = [entry_of(inner_call(head.call)), *end[1:]]  # without the time axis of what it was borrowed from
    draft.set_layers([*layer_entries(body), *end], before, f"asked: {', '.join(families) or kind + ' as input'}")


def _take_whole_network(draft: PlanDraft, asked: Asked, category: str) -> None:
    """A plain network of the category in the place of another task's. A class a pixel goes with the loss of classes
    that is there, other images and boxes with one of numbers."""
    before = draft.entries
    because = f"asked: {category.lower()}"
    layers = WHOLE_NETWORKS[category]
    if category == "Image Segmentation":
        if "categorical" in canonical_loss(draft.values["loss"]):
            layers = (*layers[:-1], "Conv2D(num_classes, (1, 1), activation='softmax')")
    else:
        if not asked.values("loss"):
            draft.set("loss", "mean_squared_error", because)
        if not asked.values("metric"):
            draft.set("metric", "mean_absolute_error", because)
    draft.set_layers(layer_entries(layers), before, because)


def _kind(asked: Asked, category: str) -> str:
    """The kind of data that the model sees."""
    kinds = asked.values("kind")
    if len(kinds) == 1 and kinds[0] in ("image", "text", "table", "series", "audio", "video"):
        return kinds[0]
    return _kind_of(category)


def _kind_of(category: str) -> str:
    return next((kind for start, kind in _KIND_OF_CATEGORY if category.startswith(start)), "")
