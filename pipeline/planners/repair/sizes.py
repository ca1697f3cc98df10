"""Sizes that the request states, written into a plan's texts and layers in the place of predicted ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipeline.plan.dataset_facts import DatasetFacts, shapes_in
from pipeline.plan.shapes import input_axes, output_axes, shape_texts
from pipeline.planners.repair.draft import LayerEntry, PlanDraft, entry_of, inner_call, layer_entries, with_inner

_SHAPE = re.compile(r"\(([^()]*)\)")
_LAYER_SHAPE = re.compile(r"((?:input_shape|batch_input_shape|shape) ?= ?)\(([^()]*)\)|(\bInput\()\(([^()]*)\)")
_IMAGE_SIZE = re.compile(r"(?<![\d.x×])\d{2,4}( ?[x×] ?| by )\d{2,4}(?!\d| ?[x×] ?\d)")
_IMAGE_SHAPE = re.compile(r"((?:Reshape\(\(|CenterCrop\(|Resizing\())(\d+), ?(\d+)(?:, ?(\d+))?")
_IN_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "sequence_length",
        re.compile(r"\b\d{1,5}(?= (?:tokens|token ids|ids\b|words each|time ?steps|characters each)\b)", re.I),
    ),
    ("sequence_length", re.compile(r"(?<=sequence length of )\d{1,5}\b|(?<=maximum length of )\d{1,5}\b", re.I)),
    ("vocabulary", re.compile(r"\b\d{1,3}(?:,\d{3})+(?= (?:most (?:frequent|common) )?words\b)", re.I)),
    ("vocabulary", re.compile(r"\b\d{3,6}(?= (?:most (?:frequent|common) )?words\b)", re.I)),
    ("vocabulary", re.compile(r"(?<=vocabulary of )\d{1,3}(?:,\d{3})+|(?<=vocabulary of )\d{3,6}\b", re.I)),
    ("features", re.compile(r"\b\d{1,5}(?= (?:input )?(?:features|columns)\b)", re.I)),
    ("clip_seconds", re.compile(r"\b\d{1,4}(?= seconds?\b)", re.I)),
    ("sample_rate", re.compile(r"\b\d{4,6}(?= Hz\b)", re.I)),
    ("classes", re.compile(r"\b\d{1,5}(?= (?:\w+ )?(?:classes|categories|labels)\b)", re.I)),
)
"""Numbers in prose, by the fact that they state."""


def keep_sizes(draft: PlanDraft, facts: DatasetFacts, output: Mapping[str, int]) -> None:
    """The plan's texts with the stated sizes. `output` are those of the output as the output layer has them."""
    category = draft.category
    stated = {axis: size for axis, size in asdict(facts).items() if size is not None}
    inputs = _text_with_sizes(draft.values["input"], input_axes(category), stated)
    outputs = _text_with_sizes(draft.values["output"], output_axes(category), stated | dict(output))
    inputs, outputs = _of_right_rank(category, facts, inputs, outputs, single=output.get("classes") == 1)
    draft.set("input", _with_words(inputs, stated), _asked(input_axes(category), stated))
    draft.set("output", _with_words(outputs, stated), _asked(output_axes(category), stated))
    draft.set("preprocess", _with_words(draft.values["preprocess"], stated), _asked(tuple(stated), stated))


def keep_layer_sizes(draft: PlanDraft, facts: DatasetFacts) -> None:
    """The first layer's shape as the plan's input has it, and embeddings of the stated vocabulary."""
    before = draft.entries
    axes = input_axes(draft.category)
    known = {axis: size for axis, size in asdict(facts).items() if size is not None}
    entries = list(before)
    for index, entry in enumerate(entries[:2]):
        entries[index] = _with_input_shape(entry, axes, known)
    if draft.category.startswith(("Text", "Question")):
        entries = [_with_vocabulary(entry, known.get("vocabulary")) for entry in entries]
    draft.set_layers(entries, before, "the input has these sizes")


def _text_with_sizes(text: str, axes: Sequence[str], sizes: Mapping[str, int]) -> str:
    """Shapes in a text ("(batch_size, 150)") with known sizes on their axes, other shapes as they are."""
    if not axes:
        return text
    return _SHAPE.sub(lambda match: f"({_sized(match[1], axes, sizes)})", text)


def _sized(inner: str, axes: Sequence[str], sizes: Mapping[str, int], *, batch: bool = True) -> str:
    """The items of a shape, those of known axes replaced; with `batch`, a first item that is too many is the batch."""
    items = [item.strip() for item in inner.split(",")]
    trailing = "," if items and not items[-1] else ""
    items = [item for item in items if item]
    extra = len(items) - len(axes)
    if extra not in ((0, 1) if batch else (0,)) or not all(re.fullmatch(r"\w+|-?\d+", item) for item in items):
        return inner
    if batch and extra == 0 and (not items[0].isdecimal() or (len(items) == 1 and not trailing)):
        return inner  # "(None, 3)" has one axis less than asked for, and "(30)" is an aside
    new = list(items)
    for index, axis in enumerate(axes):
        if axis in sizes and items[extra + index].isdecimal():  # a named size is known where it is defined
            new[extra + index] = str(sizes[axis])
    if new == items:
        return inner
    items = new
    return ", ".join(items) + trailing


def _of_right_rank(category: str, facts: DatasetFacts, inputs: str, outputs: str, *, single: bool) -> tuple[str, str]:
    """A text whose shapes all have other axes than the category's is written anew where all sizes are stated."""
    new_input, new_output = shape_texts(category, facts, single_output=single)
    if new_input and _has_other_rank(inputs, len(input_axes(category))):
        inputs = new_input
    if new_output and _has_other_rank(outputs, len(output_axes(category))):
        outputs = new_output
    return inputs, outputs


def _has_other_rank(text: str, axes: int) -> bool:
    shapes = shapes_in(text)
    return bool(shapes) and all(len(shape) not in (axes, axes + 1) for shape in shapes)


def _with_words(text: str, stated: Mapping[str, Any]) -> str:
    """Sizes in prose: "resized to 128x128", "padded to 150 tokens", "grayscale"."""
    if "height" in stated and "width" in stated:
        size = f"{stated['height']}\\g<1>{stated['width']}"
        text = _IMAGE_SIZE.sub(size, text)
    for name, pattern in _IN_WORDS:
        if name in stated:
            text = pattern.sub(_number_like(stated[name]), text)
    if stated.get("channels") == 3:
        text = re.sub(r"\bgr[ae]y-?scale\b", "RGB", text)
    elif stated.get("channels") == 1:
        text = re.sub(r"\b(?:RGB|colou?r)\b(?= (?:images?|photos?|pictures?|frames?)\b)", "grayscale", text)
    return text


def _number_like(number: int) -> Callable[[re.Match[str]], str]:
    """The number, with a comma between thousands where the one that it replaces has one."""

    def written(match: re.Match[str]) -> str:
        old = match[0]
        if int(old.replace(",", "")) == number:
            return old
        return f"{number:,}" if "," in old else str(number)

    return written


def _asked(axes: Sequence[str], stated: Mapping[str, Any]) -> str:
    settings = ("learning_rate", "batch_size", "epochs")
    sizes = [f"{axis} {stated[axis]}" for axis in axes if axis in stated and axis not in settings]
    return f"asked: {', '.join(sizes)}" if sizes else "as the output layer has it"


def _with_input_shape(entry: LayerEntry, axes: Sequence[str], sizes: Mapping[str, int]) -> LayerEntry:
    def replaced(match: re.Match[str]) -> str:
        before, inner = (match[1], match[2]) if match[1] else (match[3], match[4])
        return f"{before}({_sized(inner, axes, sizes, batch=False)})"

    text = _LAYER_SHAPE.sub(replaced, entry.text)
    return entry if text == entry.text else layer_entries((text,))[0]


def _with_vocabulary(entry: LayerEntry, vocabulary: int | None) -> LayerEntry:
    call = entry.call
    if call is None or inner_call(call).name != "Embedding" or not vocabulary:
        return entry
    rows = inner_call(call).arguments.get("input_dim")
    if not isinstance(rows, int) or rows == vocabulary or rows < 100:
        return entry  # an embedding of a category or a position has few rows
    return entry_of(with_inner(call, inner_call(call).changed(input_dim=vocabulary)))


def keep_generated_sizes(draft: PlanDraft, before: DatasetFacts, after: DatasetFacts) -> None:
    """Layers between a latent vector and an image, with the new sizes of both in the place of those `before`."""
    entries = draft.entries
    texts = [entry.text for entry in entries]
    if before.latent and after.latent and before.latent != after.latent:
        texts = [_with_latent(text, before.latent, after.latent) for text in texts]
    old, new = (before.height, before.width), (after.height, after.width)
    if all(old) and all(new) and old != new:
        _scale_images(texts, old, new)
        whole = re.compile(rf"(?<=shape=\(){old[0]}, ?{old[1]}(?=, ?\d)")
        texts = [whole.sub(f"{new[0]}, {new[1]}", text) for text in texts]
    draft.set_layers(layer_entries(texts), entries, "asked: sizes of what is generated")


def _with_latent(text: str, before: int, after: int) -> str:
    """A layer of as many units as the latent vector has numbers, and inputs of that size."""
    return re.sub(rf"(?<=Dense\(){before}(?=[,)])|(?<=shape=\(){before}(?=,?\))", str(after), text)


def _scale_images(texts: list[str], old: Sequence[int | None], new: Sequence[int | None]) -> None:
    """Reshape and crop to images in proportion, and the Dense layer before a Reshape of as many numbers."""
    for index, text in enumerate(texts):
        match = _IMAGE_SHAPE.match(text)
        if match is None:
            continue
        sides = [_in_proportion(int(match[2 + axis]), old[axis], new[axis]) for axis in range(2)]
        if None in sides:
            continue
        depth = int(match[4] or 1)
        values = int(match[2]) * int(match[3]) * depth
        texts[index] = f"{match[1]}{sides[0]}, {sides[1]}{text[match.end(3) :]}"
        for earlier in range(index):
            wanted = str((sides[0] or 1) * (sides[1] or 1) * depth)
            texts[earlier] = re.sub(rf"(?<=Dense\(){values}(?=[,)])", wanted, texts[earlier])


def _in_proportion(side: int, old: int | None, new: int | None) -> int | None:
    """A side of an inner image that grows as the whole does; None where it would be no whole number."""
    if not old or not new or side * new % old:
        return None
    return side * new // old
