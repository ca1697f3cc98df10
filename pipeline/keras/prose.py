"""Reads a phrase that names a layer: "Dense Layer (128 neurons) with ReLU activation", "Max Pooling (2x2)".

The layer named first counts. Phrases about a whole model or a part of one (a generator, BERT, "U-Net decoder") name no
single Keras layer and are not understood.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pipeline.keras.facts import backbones, signature
from pipeline.keras.layer_call import LayerCall, Symbol, Value
from pipeline.keras.repair import repaired

_LONGEST_PHRASE = 600
"""Characters of a phrase that names a layer."""

_WHOLE_MODELS = re.compile(
    r"""\b(?:\w*bert|\w*gpt\w*|t5|xlnet|electra|(?:vision[ ])?transformers?(?:[ ]?(?:block|encoder|decoder))?|vit|swin|
    generator|discriminator|critic|\w*gan|u-?net\w*|autoencoder|fpn|yolo\w*|wavenet|capsule|gcn|graph|
    xgb\w*|lightgbm|catboost|\w*classifier|\w*regressor|random[ ]forest|svm|svc|k-?nn|logistic[ ]regression|
    residual[ ]\w*(?:[ ]\w+)?[ ]?blocks?|\w*res-?blocks?|inception[ ](?:module|block|layer)s?|
    (?:dense|se|cbam|up|down)[ ]?-?blocks?|squeeze|resnext\w*|senet\w*|efficientdet|
    tokenizer|universal[ ]sentence|hub|glove|word2vec|elmo|fasttext|lambda|^preprocessing)\b""",
    re.I | re.X,
)

_RANK = r"[ _-]?(?P<rank>[123])[ _-]?d"
# A phrase's words, and the layer that they name; {} stands for the number of spatial axes ("2D"). The leftmost match
# counts, and of several there the first of this table: what is longer stands before what it contains.
_LAYERS: tuple[tuple[str, str], ...] = (
    (r"bi-?directional[ (-]*(?:(?P<inner>lstm|gru|rnn)\w*)?|bi-?(?P<inner2>lstm|gru)", "Bidirectional"),
    (r"time[ _-]?distributed[ (]*(?P<inner>dense|conv2d|flatten)?", "TimeDistributed"),
    (rf"conv[ _-]?lstm(?:{_RANK})?", "ConvLSTM{}"),
    (rf"(?:depthwise[ _-]?)?separable[ _-]?conv\w*?(?:{_RANK})?", "SeparableConv{}"),
    (rf"depthwise[ _-]?conv\w*?(?:{_RANK})?", "DepthwiseConv{}"),
    (rf"conv\w*?(?:{_RANK})?[ _-]?transposed?\b", "Conv{}Transpose"),
    (rf"(?:transposed?|de)[ _-]?conv(?!e)\w*?(?:{_RANK})?", "Conv{}Transpose"),
    (rf"conv(?:olution|olutional|olutions)?{_RANK}", "Conv{}"),
    (r"(?P<rank>[123])[ _-]?d[ _-]conv\w*", "Conv{}"),
    (r"\bconv(?:olution|olutional|olutions|s)?\b", "Conv{}"),
    (rf"global[ _-]?(?:average|avg)[ _-]?pool(?:ing)?(?:{_RANK})?", "GlobalAveragePooling{}"),
    (rf"global[ _-]?max[ _-]?pool(?:ing)?(?:{_RANK})?", "GlobalMaxPooling{}"),
    (rf"(?:average|avg|mean)[ _-]?pool(?:ing)?(?:{_RANK})?", "AveragePooling{}"),
    (rf"max[ _-]?pool(?:ing)?(?:{_RANK})?|\bpooling", "MaxPooling{}"),
    (r"batch[ _-]?norm\w*", "BatchNormalization"),
    (r"layer[ _-]?norm\w*", "LayerNormalization"),
    (r"group[ _-]?norm\w*", "GroupNormalization"),
    (r"instance[ _-]?norm\w*", "InstanceNormalization"),
    (rf"spatial[ _-]?drop-?out(?:{_RANK})?", "SpatialDropout{}"),
    (r"alpha[ _-]?dropout", "AlphaDropout"),
    (r"gaussian[ _-]?dropout", "GaussianDropout"),
    (r"gaussian[ _-]?noise", "GaussianNoise"),
    (r"\bdrop-?out", "Dropout"),
    (r"\bflatten\w*", "Flatten"),
    (r"\bembeddings?\b", "Embedding"),
    (r"\b(?:cudnn)?lstm", "LSTM"),
    (r"\b(?:cudnn)?gru\b", "GRU"),
    (r"\b(?:simple[ _-]?)?rnn\b", "SimpleRNN"),
    (rf"\bup-?[ _-]?sampl(?:ing|e)(?:{_RANK})?", "UpSampling{}"),
    (rf"zero[ _-]?padding(?:{_RANK})?", "ZeroPadding{}"),
    (rf"\bcropping(?:{_RANK})?", "Cropping{}"),
    (r"multi[ _-]?head(?:ed)?[ _-]?(?:self[ _-]?)?attention", "MultiHeadAttention"),
    (r"\b(?:self[ _-]?)?attention\b", "Attention"),
    (r"\bconcat(?:enat\w+)?\b", "Concatenate"),
    (r"^(?:skip connection )?add(?:ition)?(?: layers?)?\b", "Add"),
    (r"^multiply(?: layers?)?\b", "Multiply"),
    (r"repeat[ _-]?vector", "RepeatVector"),
    (r"\breshape\b", "Reshape"),
    (r"\bpermute\b", "Permute"),
    (r"\bmasking\b", "Masking"),
    (r"\brescaling\b", "Rescaling"),
    (r"\bresizing\b", "Resizing"),
    (r"random[ _-]?flip", "RandomFlip"),
    (r"random[ _-]?rotation", "RandomRotation"),
    (r"random[ _-]?zoom", "RandomZoom"),
    (r"random[ _-]?contrast", "RandomContrast"),
    (r"random[ _-]?brightness", "RandomBrightness"),
    (r"random[ _-]?translation", "RandomTranslation"),
    (r"\binput\b(?: layers?)?", "Input"),
    (r"leaky[ _-]?relu(?: activation)?(?: layers?)?$", "LeakyReLU"),
    (
        r"\bdense\b|fully[ -]connected|\bfc\b|\blinear layers?|\boutput layers?|\bfinal layers?|\bhidden layers?",
        "Dense",
    ),
    (r"^\W*(?P<act>\w+(?: ?relu)?)\W* output(?: layer)?$", "Dense"),
    (r"^\W*(?P<act>leaky relu|\w+)\W* activation", "Activation"),
    (r"\bactivation (?:layers?|functions?)", "Activation"),
)
_COMPILED = tuple((re.compile(pattern, re.I), name) for pattern, name in _LAYERS)

_ACTIVATION_WORD = (
    r"(?P<act>leaky[ _-]?relu|relu6?|p-?relu|hard[ _-]sigmoid|sigmoid|softmax|tanh|elu|selu|gelu|swish|silu|mish"
    r"|softplus)"
)
_ACTIVATION = re.compile(
    rf"\b{_ACTIVATION_WORD}\b|activation\W+(?P<linear>linear)|(?P<linear2>linear) activation", re.I
)
_TRAILING_ACTIVATION = re.compile(
    rf"^\W*+(?:(?:with|using|followed by|and|an?)\s++)*+\W*+(?:activation\W++)?+{_ACTIVATION_WORD}\b", re.I
)

# Repetitions are possessive (`\s*+`): two that could share one run of blanks would try every way to share it.
_COUNT = re.compile(
    r"\b(\d+)\s*+-?\s*+(?:hidden |output )?(?:neurons?|units?|nodes?|cells?|class(?:es)?|outputs?|dim\w*)\b",
    re.I,
)
_COUNT_AFTER = re.compile(r"\b(?:units|neurons|nodes|classes|output(?: dim\w*)?)\s*+(?:=|:|of)?+\s*+\(?(\d+)\b", re.I)
_FILTERS = re.compile(
    r"\b(\d+)\s*+(?:output )?(?:filters?|channels?|feature maps?|kernels?)\b"
    r"|\bfilters?\s*+(?:=|:|of|size)?+\s*+(\d+)\b",
    re.I,
)
_KERNEL = re.compile(
    r"(?:kernel|filter|window)(?:[ _]size)?s?\s*+(?:=|:|of|is)?+\s*+\(?\[?\s*+(\d+)(?:\s*+(?:x|×|,|\*|by)\s*+(\d+))?"
    r"|\(?\b(\d+)\s*+(?:x|×|\*)\s*+(\d+)\b",
    re.I,
)
_POOL = re.compile(r"pool(?:[ _]size)?\s*+(?:=|:|of)?+\s*+\(?(\d+)|\(?\b(\d+)\s*+(?:x|×|,)\s*+(\d+)\b|\((\d)\)", re.I)
_OUTPUT = re.compile(r"\b(?:outputs?|final|last|classification|predictions?|num(?:ber of)? classes)\b", re.I)
_STRIDE = re.compile(r"strides?\s*+(?:=|:|of)?+\s*+\(?(\d+)", re.I)
_RATE = re.compile(r"(\d*\.\d+|\d+\s?%)|\brate\W++(?:of\W++)?+(\d+)\b(?!\.)", re.I)
_SIZES = re.compile(
    r"\(\s*+(?:none\s*+,\s*+)?(\d++(?:\s*+,\s*+\d++)*+)\s*+,?\s*+\)|\b(\d+(?:\s*+[x×]\s*+\d+)+)\b", re.I
)


def read_phrase(text: str) -> LayerCall | None:
    """The layer that a phrase names first, with what it says about its arguments; None where it names none."""
    # What is longer is no phrase, and would cost the patterns below more than its length.
    if len(text) > _LONGEST_PHRASE or _WHOLE_MODELS.search(text):
        return None
    match, name = _first_layer(text)
    backbone = _backbones().search(text)
    if backbone and (match is None or backbone.start() <= match.start()):
        return repaired(re.sub(r"[\s_-]", "", backbone[0]), (), (("include_top", False),))
    if match is None:
        return None
    groups = match.groupdict()
    name = name.format(f"{groups.get('rank') or 2}D")
    details = text[match.end() :]
    inner = groups.get("inner") or groups.get("inner2")
    if inner:
        nested = read_phrase(f"{inner} {details}")
        if nested is None:
            return repaired(name, (), ())
        return repaired(name, (nested,), ())
    if name == "Dense":
        details = text[: match.start()] + details  # "10 class output layer"
    arguments = _details(name, details, groups.get("act"))
    return repaired(name, (), tuple(arguments.items()), positional=True)


def _first_layer(text: str) -> tuple[re.Match[str] | None, str]:
    """The leftmost match of a layer's name, and that name. Of several at the same start, _LAYERS' first counts."""
    first: re.Match[str] | None = None
    first_name = ""
    for pattern, name in _COMPILED:
        match = pattern.search(text)
        if match and (first is None or match.start() < first.start()):
            first, first_name = match, name
    return first, first_name


def activation_in(text: str) -> str | None:
    """The activation that the words right after a call name: " with softmax activation", " - ReLU"."""
    match = _TRAILING_ACTIVATION.match(text)
    if match is None:
        return None
    return match["act"]


@lru_cache(maxsize=1)
def _backbones() -> re.Pattern[str]:
    """Any backbone's name, its parts joined or separated: "ResNet-50", "EfficientNet B0", "Inception V3"."""
    names = sorted(backbones(), key=len, reverse=True)  # ResNet101V2 before ResNet101
    part_ends = re.compile(r"(?<=[a-zA-Z])(?=V?\d)|(?<=[a-z])(?=[A-Z])|(?<=\d)(?=V)")
    spaced = [part_ends.sub(r"[ _-]?", name) for name in names]
    return re.compile(rf"\b(?:{'|'.join(spaced)})(?![A-Za-z0-9])(?!.*\b(?:detect|ssd|r-?cnn))", re.I)


def _details(name: str, text: str, activation: str | None) -> dict[str, Value]:
    """The arguments a phrase states, by parameter name; only those that the layer has."""
    known = signature(f"layers.{name}")
    if known is None:
        return {}
    said: dict[str, Value | None] = {}
    if name == "Input":
        said["shape"] = _sizes(text)
    if known.accepts("units") and name != "Input":
        said["units"] = _first(_COUNT, text) or _first(_COUNT_AFTER, text) or _lone_number(text)
    if known.accepts("filters"):
        said["filters"] = _first(_FILTERS, text) or _first(_COUNT, text) or _lone_number(text)
    if known.accepts("kernel_size"):
        said["kernel_size"] = _pair(_KERNEL, re.sub(_FILTERS, "", text))
    if known.accepts("pool_size"):
        said["pool_size"] = _pair(_POOL, text)
    if known.accepts("strides"):
        said["strides"] = _first(_STRIDE, text)
    if known.accepts("padding") and re.search(r"\bsame\b", text, re.I):
        said["padding"] = "same"
    if known.accepts("rate"):
        said["rate"] = _rate(text)
    if known.accepts("activation"):
        said["activation"] = activation or _activation(text)
    if name == "Dense" and said["units"] is None and (said["activation"] == "softmax" or _OUTPUT.search(text)):
        said["units"] = Symbol("NUM_CLASSES")
    if known.accepts("return_sequences") and re.search(r"return(?:ing)?[ _]sequences(?!\W+false)", text, re.I):
        said["return_sequences"] = True
    return {key: value for key, value in said.items() if value is not None}


def _rate(text: str) -> float | None:
    match = _RATE.search(text)
    if match is None:
        return None
    number = (match[1] or match[2]).replace(" ", "")
    if number.endswith("%"):
        return float(number.rstrip("%")) / 100
    return float(number)


def _activation(text: str) -> str | None:
    match = _ACTIVATION.search(text)
    if match is None:
        return None
    word: str = match["act"] or match["linear"] or match["linear2"]
    return word.lower()


def _numbers(pattern: re.Pattern[str], text: str) -> tuple[int, ...]:
    """The numbers in the groups of the pattern's first match; () without one."""
    match = pattern.search(text)
    if match is None:
        return ()
    return tuple(int(group) for group in match.groups() if group)


def _first(pattern: re.Pattern[str], text: str) -> int | None:
    numbers = _numbers(pattern, text)
    if not numbers:
        return None
    return numbers[0]


def _lone_number(text: str) -> int | None:
    """The number of "Dense layer (128)" or "LSTM 64": the only one in the phrase."""
    numbers = re.findall(r"(?<![\w.])\d+(?![\w.]|\s*(?:x|×|%))", text)
    if len(numbers) != 1 or int(numbers[0]) == 0:
        return None
    return int(numbers[0])


def _pair(pattern: re.Pattern[str], text: str) -> int | tuple[int, ...] | None:
    numbers = _numbers(pattern, text)
    if not numbers:
        return None
    if len(numbers) == 1:
        return numbers[0]
    return numbers


def _sizes(text: str) -> tuple[int, ...] | None:
    match = _SIZES.search(text)
    if match is None:
        return None
    return tuple(map(int, re.findall(r"\d+", match[0])))
