"""What a notebook is for where its prose does not say: a sentence from what the code does."""

from __future__ import annotations

import re

from pipeline.plan.dataset_facts import shapes_in
from pipeline.plan.solution_plan import SolutionPlan

_SENTENCES = {
    "Anomaly Detection": "Find anomalies{of}",
    "Audio Classification": "Classify recordings{into}",
    "Image Captioning": "Describe images in words",
    "Image Classification": "Classify images{into}",
    "Image Generation": "Generate images{of}",
    "Image Regression": "Estimate {target} from images",
    "Image Segmentation": "Segment images",
    "Image Super-Resolution": "Raise the resolution of images",
    "Image-to-Image": "Turn images into other images",
    "Object Detection": "Detect objects on images",
    "Question Answering": "Answer questions about texts",
    "Recommendation System": "Recommend items to users by their ratings",
    "Tabular Classification": "Classify rows of a table{by}{into}",
    "Tabular Regression": "Predict {target} from {columns}",
    "Text Classification": "Classify texts{into}",
    "Text Generation": "Generate texts",
    "Text-to-Text": "Turn texts into other texts",
    "Time Series Classification": "Classify time series{into}",
    "Time Series Forecasting": "Forecast {target} of a time series",
    "Video Classification": "Classify videos{into}",
}
_TARGET = re.compile(
    r"^[ \t]*(?:y|Y|target|targets|labels?|y_train|train_y|train_labels)[ ]?=[ ]?"
    r"\w{1,60}(?:\.pop\(|\[{1,2}\s*)['\"]([^'\"\n]{2,40})['\"]|"
    r"\blabel_name\s*=\s*['\"]([^'\"\n]{2,40})['\"]|\by_col\s*=\s*['\"]([^'\"\n]{2,40})['\"]|"
    r"\b(?:target|label)_?(?:col|column|name)?\s*=\s*['\"]([^'\"\n]{2,40})['\"]",
    re.MULTILINE | re.IGNORECASE,
)
_GENERAL_TARGETS = frozenset({"target", "label", "labels", "class", "y", "output", "binary", "categorical", "int"})
_NETWORKS = (
    (re.compile(r"LSTM|GRU|RNN"), "a recurrent network"),
    (re.compile(r"Conv"), "a convolutional network"),
    (re.compile(r"Transformer|Attention|Bert|BERT"), "a transformer"),
    (re.compile(r"^(?:Dense|Linear)"), "a dense network"),
)


def told_by_code(plan: SolutionPlan, code: str, data_names: list[str], *, has_title: bool) -> str:
    """One sentence of task, data, target and model; "" for a task that is not known, and beneath a title for one of
    which the code does not say what is predicted."""
    pattern = _SENTENCES.get(plan.task_category)
    if pattern is None:
        return ""
    target = _target(code)
    if has_title and not target and "{target}" in pattern:
        return ""
    inputs, outputs = shapes_in(plan.dataset.input), shapes_in(plan.dataset.output)
    classes = outputs[0][-1] if outputs and outputs[0] else None
    columns = inputs[0][-1] if inputs and inputs[0] else None
    sentence = pattern.format(
        of=f" in {data_names[0]}" if data_names else "",
        by=f" by {target}" if target else "",
        into=f" into {max(classes, 2)} classes" if isinstance(classes, int) else "",
        target=target or "a number",
        columns=f"{columns} columns of a table" if isinstance(columns, int) else "the columns of a table",
    )
    network = _network(plan)
    return f"{sentence} with {network}." if network else f"{sentence}."


def _target(code: str) -> str:
    """The column that is predicted, as words."""
    for match in _TARGET.finditer(code):
        words = " ".join(re.sub(r"[_-]+", " ", match[match.lastindex or 0]).split())
        if words.lower() not in _GENERAL_TARGETS:
            return words
    return ""


def _network(plan: SolutionPlan) -> str:
    for pattern, words in _NETWORKS:
        if any(pattern.search(layer) for layer in plan.layers):
            return words
    return ""
