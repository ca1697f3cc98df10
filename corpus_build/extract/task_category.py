"""The task category of a notebook: what its code is made of, weighed together with what its text says.

Layers limit what the data can be: a Conv2D looks at pictures, spectrograms or frames, an LSTM at
series, texts or recordings. Where the code itself does not say more (`librosa`,
`TextVectorization`), the text's words choose among them. The task is told by the last layer, the
loss, and words of the code that count only where the network could do it. Categories that the loss
does not fit lose most of their evidence: a mean squared error classifies nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from corpus_build.extract.code_words import CodeWords
from pipeline.analysis.extract import CodeFacts
from pipeline.keras.facts import backbones
from pipeline.plan.category_cues import category_cues, cue_certainty
from pipeline.plan.vocabulary import OTHER

TEXT_WEIGHT = 0.9
"""How much all of the text's evidence, whose shares add up to at most 1, counts against a point of the code's."""

UNLIKELY = 0.35
"""What is left of a category's evidence where the loss does not fit it."""

GUESSED = 0.45
"""The most that a category is sure of where neither layers nor texts say what the data are."""

MOST_COLUMNS = 256
"""Inputs of a network up to which they are hardly the pixels of a picture or the words of a vocabulary."""

_CLASSES = re.compile(r"crossentropy|hinge|focal")
_DISTANCES = re.compile(r"mean_squared|mean_absolute|huber|log_?cosh|\bmse\b|\bmae\b|rmse|smape|msle|poisson|quantile")
_OVERLAPS = re.compile(r"dice|iou|jaccard|tversky")
_LOSS_KINDS = (("classes", _CLASSES), ("distance", _DISTANCES), ("overlap", _OVERLAPS))
_NUMBERS = ("Image Regression", "Tabular Regression", "Time Series Forecasting")
_JUDGED = ("Classification", "Forecasting", "Regression")
"""Tasks whose data go into the network as they are: what is generated or captioned need not."""

_RECURRENT = frozenset("Bidirectional Conv1D CuDNNGRU CuDNNLSTM GRU LSTM SimpleRNN".split())
_WRITERS = frozenset("Embedding GRU LSTM MultiHeadAttention".split())
_TEXT_LAYER = re.compile(r"\wEmbedding|TextVectorization|Transformer|Token|Bert")
_ASCENDING = frozenset("Conv2DTranspose UpSampling2D Unet UNet Linknet".split())
_STRIDES = re.compile(r"\bstrides=\(?[2-9]")
_PASSIVE = ("Input", "InputLayer", "Dropout", "BatchNormalization", "CenterCrop", "Cropping", "Random", "Rescaling")
_SEQUENCE_LAYER = re.compile(r"LSTM|GRU|RNN|1D|Bidirectional|Attention|Transformer")
_CLASSES_FOR = (
    (re.compile(r"ForQuestionAnswering"), "Question Answering"),
    (re.compile(r"For(Sequence|Token)Classification|TextClassifier$|ForMultipleChoice"), "Text Classification"),
    (re.compile(r"ForSeq2SeqLM|ForConditionalGeneration|Seq2SeqLM$"), "Text-to-Text"),
    (re.compile(r"ForCausalLM|CausalLM$|LMHeadModel$"), "Text Generation"),
    (re.compile(r"ForImageClassification|ImageClassifier$"), "Image Classification"),
    (re.compile(r"ForAudioClassification"), "Audio Classification"),
    (re.compile(r"ForObjectDetection|ObjectDetector$|YOLOV\d|RetinaNet"), "Object Detection"),
    (re.compile(r"ForSemanticSegmentation|DeepLab|^(Unet|UNet|Linknet|FPN)"), "Image Segmentation"),
)
"""Classes of Transformers and KerasHub that are named after their task."""
_KINDS = {
    "Image": "image",
    "Object": "image",
    "Text": "text",
    "Question": "text",
    "Audio": "audio",
    "Video": "video",
    "Time": "series",
    "Tabular": "table",
}
"""The data of a category, by its first word."""


def categorise(facts: CodeFacts, code: str, requirement: str, attributes: str) -> tuple[str, float]:
    """The canonical task category, and its share of all evidence in [0, 1]; (Other, 0) where there is none."""
    text_evidence = _text_evidence(requirement, attributes)
    network = _network(facts, CodeWords(code), text_evidence)
    scores: dict[str, float] = {}
    for category, share in text_evidence.items():
        scores[category] = TEXT_WEIGHT * share
    for category, points in network.evidence():
        scores[category] = scores.get(category, 0.0) + points
    if not scores:
        return OTHER, 0.0
    for category in scores:
        scores[category] *= network.fit(category)
    best = min(scores, key=lambda name: (-scores[name], name))
    share = scores[best] / sum(scores.values())
    if network.is_guessed and not text_evidence:
        share = min(share, GUESSED)
    return best, round(share, 3)


def _text_evidence(requirement: str, attributes: str) -> dict[str, float]:
    """The share of each category in the text's words, less where the text says little."""
    certainty = cue_certainty(requirement, attributes)
    if not certainty:
        return {}
    shares = category_cues(requirement, attributes)
    return {category: certainty * share for category, share in shares.items()}


@dataclass(frozen=True, slots=True)
class _Network:
    """What the code says of the network and its data."""

    names: tuple[str, ...]
    """Its layers' classes, in order."""
    words: CodeWords
    data: str
    """The kind of data: one of the values of _KINDS, or "" for what is not known."""
    possible: frozenset[str]
    """What other kinds its layers would allow."""
    loss: str
    """`classes`, `distance`, `overlap` or "" for what is not known."""
    gives_image: bool

    @property
    def is_guessed(self) -> bool:
        """Whether the layers would allow nearly any data."""
        return self.data == "table" and len(self.possible) > 2

    # The points are chosen by hand; docs/corpus.md says for how many published references the
    # category comes out right.
    def evidence(self) -> Iterator[tuple[str, float]]:
        """Categories with points."""
        yield from self._special_tasks()
        yield from self._by_class()
        classifies = self.loss == "classes"
        if self.data == "image":
            yield from self._image_tasks(classifies)
        elif self.data == "text":
            yield "Text Classification", 0.9 if classifies else 0.4
            if self.loss == "distance":
                yield "Tabular Regression", 0.6
        elif self.data == "series" and classifies:
            yield "Time Series Classification", 0.8
        elif self.data == "series":
            yield "Time Series Forecasting", 0.9
        elif self.data == "audio":
            yield "Audio Classification", 1.2
        elif self.data == "video":
            yield "Video Classification", 1.2
        elif self.data == "table":
            # Where the layers would allow images too, a table is a guess.
            points = 0.6 if "image" in self.possible else 0.9
            yield "Tabular Classification" if classifies else "Tabular Regression", points

    def _image_tasks(self, classifies: bool) -> Iterator[tuple[str, float]]:
        if self.gives_image:
            if self.loss == "overlap" or (self.loss != "distance" and self.words.has("masks")):
                yield "Image Segmentation", 1.2
            else:
                yield "Image-to-Image", 0.8
        elif self._sees_and_writes():
            return  # a caption: `_special_tasks` counts it
        elif classifies:
            yield "Image Classification", 1.0
        else:
            yield "Image Regression", 1.0 if self.loss else 0.4

    def _special_tasks(self) -> Iterator[tuple[str, float]]:
        """Tasks that show in the words of the code, each only where the network could do it."""
        image, text, has = self.data == "image", self.data == "text", self.words.has
        upscales, restores = image and has("upscale"), image and has("restore")
        if upscales:
            yield "Image Super-Resolution", 1.4
        if restores and self.gives_image:
            yield "Image-to-Image", 1.0
        if image and has("generator") and not upscales and not (restores and self.gives_image):
            yield "Image Generation", 1.5
        if image and has("boxes"):
            yield "Object Detection", 1.2
        if not _WRITERS.isdisjoint(self.names) and has("caption"):
            yield "Image Captioning", 1.4
        elif self._sees_and_writes():
            yield "Image Captioning", 1.2
        if image and has("ctc"):  # reads what is written on a picture
            yield "Image Captioning", 1.6
        if has("anomaly"):
            yield "Anomaly Detection", 0.9
        if text and has("translate"):
            yield "Text-to-Text", 1.2
        if text and has("next_word"):
            yield "Text Generation", 1.1
        if text and has("answers"):
            yield "Question Answering", 1.2
        if self.names.count("Embedding") >= 2 and has("ratings"):
            yield "Recommendation System", 1.6

    def _by_class(self) -> Iterator[tuple[str, float]]:
        """What a ready-made network's class says that it is for."""
        for name in self.names:
            for pattern, category in _CLASSES_FOR:
                if pattern.search(name):
                    yield category, 1.6
                    return

    def _sees_and_writes(self) -> bool:
        """Whether the network has an eye for pictures and a part that goes through words."""
        return self.data == "image" and "Embedding" in self.names and any(map(_SEQUENCE_LAYER.search, self.names))

    def fit(self, category: str) -> float:
        """How well loss and layers fit the category, from UNLIKELY squared to 1."""
        kind = _KINDS.get(category.partition(" ")[0], self.data)
        other_data = bool(self.data) and category.endswith(_JUDGED) and kind not in {self.data, *self.possible}
        data_fit = UNLIKELY if other_data else 1.0
        return self._loss_fit(category) * data_fit

    def _loss_fit(self, category: str) -> float:
        """A distance classifies nothing, and a loss over classes gives no numbers."""
        if self.loss == "distance":
            contradicts = category.endswith(("Classification", "Segmentation"))
        else:
            contradicts = self.loss in ("classes", "overlap") and category in _NUMBERS
        return UNLIKELY if contradicts else 1.0


def _network(facts: CodeFacts, words: CodeWords, text_evidence: Mapping[str, float]) -> _Network:
    names = tuple(layer.name for layer in facts.layers)
    last = _last_layer(facts)
    data, possible = _data(names, facts, words, text_evidence)
    return _Network(names, words, data, possible, _loss_kind(facts.loss, last), _gives_image(facts, last))


def _last_layer(facts: CodeFacts) -> str:
    """The call of the last layer that computes something, or ""."""
    for use in reversed(facts.layers):
        if not use.name.startswith(_PASSIVE):
            return use.text
    return ""


def _loss_kind(loss: str, last: str) -> str:
    """What the loss measures; where its name says nothing, whether the last layer gives classes."""
    for kind, pattern in _LOSS_KINDS:
        if pattern.search(loss.lower()):
            return kind
    return "classes" if "softmax" in last else ""


def _data(
    names: tuple[str, ...], facts: CodeFacts, words: CodeWords, text_evidence: Mapping[str, float]
) -> tuple[str, frozenset[str]]:
    """The kind of data, and what else the layers would allow where the code does not say for sure."""
    if words.has("audio"):
        return "audio", frozenset()
    pictures = any(name in backbones() or "Conv2D" in name for name in names)
    hub = "KerasLayer" in names  # a network from TensorFlow Hub, for pictures or for text
    pictures = pictures or (hub and not words.has("text"))
    if not _RECURRENT.union(("ConvLSTM2D", "Conv3D", "TimeDistributed")).isdisjoint(names) and words.has("video"):
        return "video", frozenset()
    if not pictures and _reads_text(names, facts, words):
        return "text", frozenset()
    guess, possible = _guess(names, facts, words, pictures=pictures)
    best = max(text_evidence, key=lambda name: (text_evidence[name], name), default="")
    kind_by_text = _KINDS.get(best.partition(" ")[0], "")
    data = kind_by_text if kind_by_text in possible else guess
    return data, possible


def _reads_text(names: tuple[str, ...], facts: CodeFacts, words: CodeWords) -> bool:
    """An Embedding alone does not tell: tables have them for their categories."""
    if "transformers" in facts.frameworks or any(map(_TEXT_LAYER.search, names)):
        return True
    if "KerasLayer" in names and words.has("text"):
        return True
    return "Embedding" in names and (any(map(_SEQUENCE_LAYER.search, names)) or words.has("text"))


def _guess(names: tuple[str, ...], facts: CodeFacts, words: CodeWords, *, pictures: bool) -> tuple[str, frozenset[str]]:
    """What the data are by the layers, and what else they could be."""
    if pictures:
        return "image", frozenset({"audio", "video"})
    shape = facts.input_shape
    if not _RECURRENT.isdisjoint(names) or (names and words.has("window")):
        return "series", frozenset({"audio", "text", "video"})
    if shape is not None and len(shape) in (2, 3) and None not in shape[:2]:
        data = "image" if "Flatten" in names else "series"
        return data, frozenset({"audio", "image", "series", "video"})
    if shape is not None and len(shape) == 1 and 0 < (shape[0] or 0) <= MOST_COLUMNS and "Embedding" not in names:
        return "table", frozenset({"audio"})  # averaged coefficients of a recording
    if "load_model" in names and words.has("pictures"):
        return "image", frozenset({"audio", "text", "video"})
    if shape is not None and len(shape) == 1 and _is_picture(shape[0] or 0):
        return "image", frozenset({"audio", "image", "text"})
    if names:
        return "table", frozenset({"audio", "image", "text", "video"})
    return "", frozenset()


def _is_picture(pixels: int) -> bool:
    """Whether so many inputs are those of a square picture, in grey or in colour: 784, 3072."""
    return pixels > MOST_COLUMNS and any(math.isqrt(pixels // c) ** 2 * c == pixels for c in (1, 3))


def _gives_image(facts: CodeFacts, last: str) -> bool:
    """Whether the network gives an image.

    It goes up again to the size it came from, or ends in a convolution without having gone down.
    """
    ascends = descends = False
    for layer in facts.layers:
        if layer.name in _ASCENDING:
            ascends = True
        if "Pool" in layer.name or layer.name in backbones() or _STRIDES.search(layer.text):
            descends = True
    if last.startswith("Conv2D"):
        return ascends or not descends
    return ascends and last.startswith(("Activation", "Reshape"))
