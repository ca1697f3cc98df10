"""The task category that a request names: a problem and the data it is about."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.request.constraints import Constraint
from pipeline.request.known_datasets import known_dataset

_BY_PROBLEM_AND_KIND = {
    ("classification", "image"): "Image Classification",
    ("classification", "text"): "Text Classification",
    ("classification", "audio"): "Audio Classification",
    ("classification", "video"): "Video Classification",
    ("classification", "table"): "Tabular Classification",
    ("classification", "series"): "Time Series Classification",
    ("regression", "image"): "Image Regression",
    ("regression", "table"): "Tabular Regression",
    ("generation", "image"): "Image Generation",
    ("generation", "text"): "Text Generation",
    ("reconstruction", "image"): "Image-to-Image",
    ("colorization", "image"): "Image-to-Image",
    ("style_transfer", "image"): "Image-to-Image",
    ("translation", "text"): "Text-to-Text",
    ("summarization", "text"): "Text-to-Text",
    ("segmentation", "image"): "Image Segmentation",
    ("detection", "image"): "Object Detection",
    ("super_resolution", "image"): "Image Super-Resolution",
    ("captioning", "image"): "Image Captioning",
    ("question_answering", "text"): "Question Answering",
    ("tagging", "text"): "Text Classification",
    ("forecasting", "series"): "Time Series Forecasting",
    ("recommendation", "table"): "Recommendation System",
    ("anomaly_detection", "table"): "Anomaly Detection",
    ("anomaly_detection", "series"): "Anomaly Detection",
    ("anomaly_detection", "image"): "Anomaly Detection",
}

_USUAL_KIND = {
    "segmentation": "image",
    "detection": "image",
    "super_resolution": "image",
    "captioning": "image",
    "colorization": "image",
    "style_transfer": "image",
    "translation": "text",
    "summarization": "text",
    "question_answering": "text",
    "tagging": "text",
    "forecasting": "series",
    "recommendation": "table",
    "anomaly_detection": "table",
    "regression": "table",
}
"""What a problem is about where the request does not say it."""

_PROBLEM_OF_FAMILY = {
    "gan": "generation",
    "dcgan": "generation",
    "wgan": "generation",
    "conditional_gan": "generation",
    "diffusion": "generation",
    "variational_autoencoder": "generation",
    "cyclegan": "style_transfer",
    "unet": "segmentation",
    "matrix_factorization": "recommendation",
    "autoencoder": "reconstruction",
}
"""What a network is built for where the request names no problem."""


def stated_category(constraints: Sequence[Constraint]) -> str:
    """The canonical task category; "" where the request leaves the problem or the data open, or names several."""
    wanted = [one for one in constraints if not one.negated]
    problems, kinds = _values(wanted, "problem"), _values(wanted, "kind")
    if not kinds and _values(wanted, "height"):
        kinds = ["image"]
    for name in _values(wanted, "dataset"):
        known = known_dataset(name)
        if known is not None:
            problems = problems or [known.problem]
            kinds = kinds or [known.kind]
    if not problems:
        problems = [_PROBLEM_OF_FAMILY[name] for name in _values(wanted, "family") if name in _PROBLEM_OF_FAMILY]
    if len(problems) != 1 or len(kinds) > 1:
        return ""
    kind = kinds[0] if kinds else _USUAL_KIND.get(problems[0], "")
    return _BY_PROBLEM_AND_KIND.get((problems[0], kind), "")


_ALIKE = (
    {"Time Series Classification", "Tabular Classification"},
    {"Image Super-Resolution", "Image-to-Image", "Image Generation"},
    {"Image Regression", "Tabular Regression"},
    {"Recommendation System", "Tabular Classification"},
    {"Recommendation System", "Tabular Regression"},
    {"Anomaly Detection", "Tabular Classification"},
)
"""Categories that known plans use for one another (an ECG as a table)."""


def corrected_category(category: str, constraints: Sequence[Constraint]) -> str:
    """The category that a planner chose, or the stated one where the two cannot mean the same."""
    stated = stated_category(constraints)
    if not stated or stated == category:
        return category
    variants = {one.value for one in constraints if one.name == "variant" and not one.negated}
    if stated == "Anomaly Detection" and variants & {"by_reconstruction", "one_class"}:
        return stated
    if (stated, category) == ("Audio Classification", "Image Classification"):
        # A spectrogram is a picture; sounds as such are none.
        drawn = any("spectrogram" in one.value for one in constraints if one.name == "representation")
        return category if drawn else stated
    if any(stated in alike and category in alike for alike in _ALIKE):
        return category
    return stated


def _values(constraints: Sequence[Constraint], name: str) -> list[str]:
    """The different values of a name, in their order."""
    return list(dict.fromkeys(one.value for one in constraints if one.name == name))
