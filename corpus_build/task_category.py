"""The task category of a notebook: what its code is made of, weighed together with what its text says.

The data are told by layers (Conv2D, Embedding), packages (librosa) and readers; the task by the last layer, the loss
and telling shapes (an upsampling path that ends in a convolution paints masks or images).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.analysis.extract import CodeFacts
from pipeline.keras.facts import backbones
from pipeline.planner.cues import category_cues
from pipeline.vocabulary import OTHER

CODE_WEIGHT = 1.0
TEXT_WEIGHT = 0.9
"""How much a point of code evidence counts against the whole of the text's, whose shares add up to 1."""

_CLASSES = re.compile(r"crossentropy|hinge")
_DISTANCES = re.compile(r"mean_squared|mean_absolute|huber|log_cosh")
_AUDIO = re.compile(r"\b(librosa|torchaudio|soundfile|python_speech_features|tf\.audio|wavfile|melspectrogram|mfcc)\b")
_VIDEO = re.compile(r"\bVideoCapture\b|\bframes?_per|\bConvLSTM2D\b|\bnum_frames\b|\bSEQUENCE_LENGTH\b.*\bIMAGE_HEIGHT")
_GAN = re.compile(
    r"def \w*(generator|discriminator)|\bgenerator\s*=|\bdiscriminator\s*=|\bz_mean\b|\bdiffusion\b", re.I
)
_IMAGE_GENERATOR = re.compile(r"def \w*(make|build|create|define|get)?_?\w*generator\b|\b(gan|dcgan|vae)\b", re.I)
_MASKS = re.compile(r"\bmasks?\b|\bsegment|\bu_?net\b|\bdice|\biou\b", re.I)
_BOXES = re.compile(r"\bbbox|bounding|\banchors?\b|\byolo|\bxmin\b|\bx_min\b|\bnon_max_suppression\b", re.I)
_UPSCALE = re.compile(
    r"\bdepth_to_space\b|\bsuper.?res|\bsrgan\b|\bsrcnn\b|\blow_?res|\bupscal|\bhigh_?res|\bedsr\b", re.I
)
_CAPTION = re.compile(r"\bcaptions?\b|\bflickr", re.I)
_TRANSLATE = re.compile(
    r"\bencoder_(inputs?|outputs?)\b|\bdecoder_(inputs?|outputs?)\b|\btarget_vocab|\bsummari[sz]|\btranslat", re.I
)
_NEXT_WORD = re.compile(
    r"\bnext_(word|char|token)|\bseed_text\b|\bgenerate_text\b|\bngrams?_sequence|\btemperature\b", re.I
)
_WINDOW = re.compile(
    r"\blook_?back\b|\bwindow(_size)?\b|\btime_?steps?\b|\bcreate_(dataset|sequences)\b|\bn_steps\b|\bTimeseriesGenerator\b|\btimeseries_dataset|\bforecast",
    re.I,
)
_ANOMALY = re.compile(r"\banomal|\boutlier|\breconstruction_error\b", re.I)
_NOISE = re.compile(
    r"\bnoisy?\b|\bdenois|\bcoloriz|\binpaint|\bdeblur|\bpix2pix\b|\bcyclegan\b|\bstyle_?transfer", re.I
)
_RATINGS = re.compile(r"\buser_?ids?\b|\bratings?\b|\bmovie_?ids?\b|\bitem_?ids?\b|\bnum_users\b|\bn_users\b", re.I)
_ANSWERS = re.compile(r"\bstart_(position|logits|token)|\bsquad\b|\bquestion_answer", re.I)


def categorise(facts: CodeFacts, code: str, requirement: str, attributes: str) -> tuple[str, float]:
    """The canonical task category, and its share of all evidence in [0, 1]; (Other, 0) where there is none."""
    scores: dict[str, float] = {}
    for category, weight in _evidence(facts, code):
        scores[category] = scores.get(category, 0.0) + CODE_WEIGHT * weight
    if requirement.strip() or attributes.strip():
        for category, share in category_cues(requirement, attributes).items():
            scores[category] = scores.get(category, 0.0) + TEXT_WEIGHT * share
    if not scores:
        return OTHER, 0.0
    best = min(scores, key=lambda name: (-scores[name], name))
    return best, round(scores[best] / sum(scores.values()), 3)


def _evidence(facts: CodeFacts, code: str) -> Iterator[tuple[str, float]]:
    names = [layer.name for layer in facts.layers]
    data = _data_kind(names, facts, code)
    last = _last_layer(facts)
    classifies = bool(_CLASSES.search(facts.loss)) or "softmax" in last
    yield from _special(names, data, code, last)
    if data == "image" and not _paints(names, last):
        yield ("Image Classification", 1.0) if classifies else ("Image Regression", 0.6)
    elif data == "image":
        yield from (("Image Segmentation", 0.8),) if classifies else (("Image-to-Image", 0.6),)
    elif data == "text":
        yield "Text Classification", 0.9 if classifies else 0.4
    elif data == "series":
        yield ("Time Series Classification", 0.8) if classifies else ("Time Series Forecasting", 0.9)
    elif data == "audio":
        yield "Audio Classification", 1.2
    elif data == "video":
        yield "Video Classification", 1.2
    elif data == "table":
        yield ("Tabular Classification", 0.9) if classifies else ("Tabular Regression", 0.9)


def _special(names: list[str], data: str, code: str, last: str) -> Iterator[tuple[str, float]]:
    """Tasks that show in the words of the code, each only where the network could do it."""
    paints = _paints(names, last)
    if paints and _MASKS.search(code):
        yield "Image Segmentation", 0.8
    if _UPSCALE.search(code) and (paints or data == "image"):
        yield "Image Super-Resolution", 1.2
    if _NOISE.search(code) and paints:
        yield "Image-to-Image", 0.8
    if _GAN.search(code) and _IMAGE_GENERATOR.search(code) and data in ("image", "table"):
        yield "Image Generation", 1.5
    if _BOXES.search(code) and data == "image":
        yield "Object Detection", 0.9
    if _CAPTION.search(code) and {"Embedding", "LSTM", "GRU", "MultiHeadAttention"} & set(names):
        yield "Image Captioning", 1.4
    if _ANOMALY.search(code):
        yield "Anomaly Detection", 0.9
    if data == "text" and _TRANSLATE.search(code):
        yield "Text-to-Text", 1.2
    if data == "text" and _NEXT_WORD.search(code):
        yield "Text Generation", 0.9
    if data == "text" and _ANSWERS.search(code):
        yield "Question Answering", 1.2
    if names.count("Embedding") >= 2 and _RATINGS.search(code):
        yield "Recommendation System", 1.6


def _data_kind(names: list[str], facts: CodeFacts, code: str) -> str:
    if _AUDIO.search(code):
        return "audio"
    if _VIDEO.search(code) and ("TimeDistributed" in names or "ConvLSTM2D" in names or "Conv3D" in names):
        return "video"
    if any(name in backbones() or "Conv2D" in name or name == "KerasLayer" for name in names):
        return "image"
    if any(name in ("Embedding", "TextVectorization") for name in names) or "transformers" in facts.frameworks:
        return "text"
    recurrent = any(name in ("LSTM", "GRU", "SimpleRNN", "Conv1D", "Bidirectional", "CuDNNLSTM") for name in names)
    if recurrent or (_WINDOW.search(code) and names):
        return "series"
    if facts.input_shape is not None and len(facts.input_shape) in (2, 3) and None not in facts.input_shape[:2]:
        return "image" if "Flatten" in names else "series"
    return "table" if names else ""


def _paints(names: list[str], last: str) -> bool:
    """Whether the network gives an image: it ends in a convolution, or goes up again to where it came from."""
    ascends = any(name in ("Conv2DTranspose", "UpSampling2D", "Unet", "UNet", "Linknet") for name in names)
    return (last.startswith(("Conv2D", "Activation")) and (ascends or last.startswith("Conv2D"))) or (
        ascends and last.startswith(("Conv2D", "Reshape"))
    )


def _last_layer(facts: CodeFacts) -> str:
    """The text of the last layer that computes."""
    passive = ("Input", "InputLayer", "Dropout", "BatchNormalization", "Random", "Rescaling")
    return next((use.text for use in reversed(facts.layers) if not use.name.startswith(passive)), "")
