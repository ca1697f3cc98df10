"""One spelling for each task category, optimizer, loss and metric, whatever a plan calls it.

The published plans spell 105 task categories, over 200 losses and almost 400 metrics; the tables
below were written by reading them. Rules are tried from top to bottom, the first that occurs in the
text wins.
"""

from __future__ import annotations

import re
from functools import lru_cache

OTHER = "Other"

_CATEGORY_RULES: tuple[tuple[str, str], ...] = (
    (r"super.?resolution|upscal", "Image Super-Resolution"),
    (r"caption", "Image Captioning"),
    (r"image.to.text|text recognition|\bocr\b", "Image Captioning"),
    (r"question.answer|\bqa\b", "Question Answering"),
    (r"recommend|collaborative filter", "Recommendation System"),
    (r"anomaly|outlier|novelty", "Anomaly Detection"),
    (r"video", "Video Classification"),
    (r"speech|audio|sound|music genre|speaker", "Audio Classification"),
    (r"forecast|time.?series (prediction|regression)|sequence prediction|motion|trajectory", "Time Series Forecasting"),
    (r"time.?series|\beeg\b|\becg\b|signal|sensor", "Time Series Classification"),
    (r"^(multi.?class |binary |semantic |instance )?(image )?segmentation|image segmentation", "Image Segmentation"),
    (r"text segmentation|token classification|named entity", "Text Classification"),
    (r"object detection|image detection|locali[sz]ation", "Object Detection"),
    (r"image generation|text.to.image|3d shape gen|\bgan\b|image synthesis", "Image Generation"),
    (r"image.to.image|denois|reconstruct|inpaint|coloriz|style transfer|image processing$", "Image-to-Image"),
    (
        r"image classification|image clustering|image retrieval|medical image|face|image and text",
        "Image Classification",
    ),
    (r"image and tabular|tabular and image|image regression|image processing and regression", "Image Regression"),
    (r"translation|summari[sz]|text.to.text", "Text-to-Text"),
    (r"text generation|language model", "Text Generation"),
    (r"text|sentiment|sentence|nlp|natural language|multi.?modal classification", "Text Classification"),
    (r"image", "Image Classification"),
    (r"tabular regression|^regression|multimodal regression|regression", "Tabular Regression"),
    (r"tabular|classification|clustering|ensemble|data analysis|location prediction", "Tabular Classification"),
    (r"reinforcement", "Reinforcement Learning"),
)

CATEGORIES: tuple[str, ...] = (*sorted({name for _, name in _CATEGORY_RULES}), OTHER)
"""The canonical task categories, `Other` last."""

_OPTIMIZER_RULES: tuple[tuple[str, str], ...] = (
    (r"adamax", "Adamax"),
    (r"nadam", "Nadam"),
    (r"adamw|adam.{0,200}weight decay", "AdamW"),
    (r"adadelta", "Adadelta"),
    (r"adagrad", "Adagrad"),
    (r"adafactor", "Adafactor"),
    (r"adam|ranger|lookahead|lamb\b", "Adam"),
    (r"rms.?prop", "RMSprop"),
    (r"ftrl", "Ftrl"),
    (r"\blion\b", "Lion"),
    (r"sgd|stochastic gradient|momentum", "SGD"),
)

_LOSS_RULES: tuple[tuple[str, str], ...] = (
    (r"sparse.?categorical.?cross", "sparse_categorical_crossentropy"),
    (r"categorical.?focal", "categorical_focal_crossentropy"),
    (r"binary.?focal|focal", "binary_focal_crossentropy"),
    (r"categorical.?cross|crossentropyloss|softmax cross|negative log.?likelihood", "categorical_crossentropy"),
    (r"binary.?cross|\bbce\b|log.?loss|sigmoid cross", "binary_crossentropy"),
    (r"\bdice|jaccard|\biou\b", "dice"),
    (r"tversky", "tversky"),
    (r"squared.?log|\bmsle\b|rmsle", "mean_squared_logarithmic_error"),
    (r"absolute.?percentage|\bmape\b", "mean_absolute_percentage_error"),
    (r"mean.?absolute|\bmae\b|\bl1\b", "mean_absolute_error"),
    (r"mean.?squared|\bmse\b|\bl2\b|rmse|\bmcrmse\b", "mean_squared_error"),
    (r"huber|smooth.?l1", "huber"),
    (r"log.?cosh", "log_cosh"),
    (r"kl.?div|kullback", "kl_divergence"),
    (r"categorical.?hinge", "categorical_hinge"),
    (r"squared.?hinge", "squared_hinge"),
    (r"hinge", "hinge"),
    (r"poisson", "poisson"),
    (r"cosine", "cosine_similarity"),
    (r"\bctc\b", "ctc"),
    (r"cross.?entropy", "categorical_crossentropy"),
)

_METRIC_RULES: tuple[tuple[str, str], ...] = (
    (r"sparse.?categorical.?accuracy", "sparse_categorical_accuracy"),
    (r"binary.?accuracy", "binary_accuracy"),
    (r"categorical.?accuracy", "categorical_accuracy"),
    (r"top.?k|top.?\d", "top_k_categorical_accuracy"),
    (r"accura|\bacc\b", "accuracy"),
    (r"\bauc\b|\broc\b", "AUC"),
    (r"f1|f.score|fbeta", "F1Score"),
    (r"precision", "Precision"),
    (r"recall|sensitivity", "Recall"),
    (r"mean.?io|\biou\b|jaccard", "MeanIoU"),
    (r"dice", "dice"),
    (r"root.?mean.?squared|rmse", "RootMeanSquaredError"),
    (r"squared.?log|\bmsle\b", "mean_squared_logarithmic_error"),
    (r"absolute.?percentage|\bmape\b", "mean_absolute_percentage_error"),
    (r"mean.?absolute|\bmae\b", "mean_absolute_error"),
    (r"mean.?squared|\bmse\b", "mean_squared_error"),
    (r"\br2\b|r.?squared|r2.?score", "R2Score"),
    (r"psnr|peak.signal", "psnr"),
    (r"ssim|structural.similarity", "ssim"),
    (r"bleu", "bleu"),
    (r"cosine", "cosine_similarity"),
    (r"sparse.?categorical.?cross", "sparse_categorical_crossentropy"),
    (r"categorical.?cross", "categorical_crossentropy"),
    (r"cross.?entropy|log.?loss", "binary_crossentropy"),
    (r"perplexity", "perplexity"),
)

_UNSPECIFIED = re.compile(
    r"^\W*(none|null|nan|n/?a|not (explicitly )?(specified|stated|applicable|given)|unknown)\b", re.I
)


def is_unspecified(text: str) -> bool:
    """Whether a field's text says that nothing was said: empty, "None", "N/A", "Not specified in the code"."""
    return not text.strip() or _UNSPECIFIED.match(text) is not None


def _spaced(text: str) -> str:
    """Lower case, with camel case and underscores opened: "CategoricalCrossentropy" -> "categorical crossentropy"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])|_", " ", text).lower()


def _first(rules: tuple[tuple[str, str], ...], text: str) -> str:
    spaced = _spaced(text)
    for pattern, name in rules:
        if re.search(pattern, spaced):
            return name
    return ""


# Plans are many and their spellings few: each spelling is looked up once.
@lru_cache(maxsize=4096)
def canonical_category(text: str) -> str:
    """The canonical task category; `Other` where no rule knows the text. Of a list, the first category named."""
    if is_unspecified(text):
        return OTHER
    if text in CATEGORIES:
        return text
    first = re.split(r",|;|\n", text, maxsplit=1)[0]
    return _first(_CATEGORY_RULES, first) or _first(_CATEGORY_RULES, text) or OTHER


@lru_cache(maxsize=4096)
def canonical_optimizer(text: str) -> str:
    """The Keras optimizer class meant ("Adam optimizer with decay" -> "Adam"), or "" where none is named."""
    return "" if is_unspecified(text) else _first(_OPTIMIZER_RULES, text)


@lru_cache(maxsize=4096)
def canonical_loss(text: str) -> str:
    """The Keras loss meant, in snake case, or "" where the text names none Keras has."""
    return "" if is_unspecified(text) else _first(_LOSS_RULES, text)


@lru_cache(maxsize=4096)
def canonical_metric(text: str) -> str:
    """The first metric named, as Keras spells it ("accuracy", "AUC"), or "" where none is known."""
    if is_unspecified(text):
        return ""
    first = re.split(r",|;| and ", text, maxsplit=1)[0]
    return _first(_METRIC_RULES, first) or _first(_METRIC_RULES, text)
