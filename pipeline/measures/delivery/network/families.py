"""Families of networks, by the layers used."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from pipeline.measures.delivery.code import Code
from pipeline.measures.delivery.findings import (
    Finding,
    met,
    missing,
    unknown,
)
from pipeline.measures.delivery.layers import (
    RECURRENT,
    is_backbone,
    is_convolution,
)
from pipeline.measures.delivery.network.known import (
    first_line,
    layers_there,
    named_network,
    networks,
)
from pipeline.request.constraints import Constraint
from pipeline.syntax import walk

_ATTENTION = frozenset({"Attention", "AdditiveAttention", "MultiHeadAttention", "GroupedQueryAttention", "GroupQueryAttention"})  # fmt: skip

_TRANSFORMERS = frozenset({"TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer", "TransformerEncoder"})

_UPSAMPLING = re.compile(r"UpSampling\dD|Conv\dDTranspose|PixelShuffle|ConvTranspose")

_CONVOLUTIONAL = re.compile(r"resne[x]?t|vgg|mobilenet|efficientnet|inception|densenet|xception|nasnet|convnext|yolo")

Structure = Callable[[Code], int | None]
"""The line of what makes a family; None where the code lacks it."""


def family(constraint: Constraint, code: Code) -> Finding:
    """By structure where the table has it; else by the family's own name in the code, which shows only what is there."""
    value = constraint.value
    structure = _FAMILIES.get(value)
    if structure is None:
        line = code.word(rf"(?<![a-z]){re.escape(value)}(?![a-z])")
        return met(line) if line is not None else unknown(f"no sign that tells a {value} from others")
    line = structure(code)
    return met(line) if line is not None else missing(layers_there(code), first_line(code))


def _layer(*kinds: str) -> Structure:
    return lambda code: next((layer.line for layer in code.all_layers if layer.kind in kinds), None)


def _both_ways(kind: str) -> Structure:
    return lambda code: next((one.line for one in code.all_layers if one.kind == kind and one.bidirectional), None)


def _word(pattern: str) -> Structure:
    return lambda code: code.word(pattern)


def _lacks(pattern: str) -> Structure:
    """The first line of the code where no identifier has the pattern in it."""
    return lambda code: code.first_line if code.word(pattern) is None else None


def _all(*structures: Structure) -> Structure:
    """The line of the first, where all of them are there."""

    def find(code: Code) -> int | None:
        lines = [structure(code) for structure in structures]
        return None if None in lines else lines[0]

    return find


def _any(*structures: Structure) -> Structure:
    def find(code: Code) -> int | None:
        for structure in structures:
            line = structure(code)
            if line is not None:
                return line
        return None

    return find


def _convolution(code: Code) -> int | None:
    for layer in code.all_layers:
        if is_convolution(layer.kind) or (is_backbone(layer) and layer.kind != "KerasLayer"):
            return layer.line
    return next((network.line for network in networks(code) if _CONVOLUTIONAL.search(str(network.value))), None)


def _mlp(code: Code) -> int | None:
    """Dense layers before the last one, and nothing that convolves, recurs or attends."""
    kinds = {layer.kind for layer in code.all_layers}
    if kinds & (RECURRENT | _ATTENTION | _TRANSFORMERS) or _convolution(code) is not None or networks(code):
        return None
    dense = [layer for layer in code.layers if layer.kind == "Dense"]
    return dense[0].line if len(dense) > 1 else None


def _upsampling(code: Code) -> int | None:
    lines = [layer.line for layer in code.all_layers if _UPSAMPLING.fullmatch(layer.kind)]
    if lines:
        return lines[0]
    return next((call.line for call in code.calls_named("resize|interpolate|depth_to_space|upsample")), None)


def _upsampling_layer(code: Code) -> int | None:
    return next((layer.line for layer in code.layers if _UPSAMPLING.fullmatch(layer.kind)), None)


def _no_words(code: Code) -> int | None:
    """The line of a network that takes no words: what encodes and decodes these is no autoencoder."""
    if any(layer.kind in ("Embedding", "TextVectorization") for layer in code.all_layers):
        return None
    return code.layers[0].line if code.layers else 1


def _hourglass(code: Code) -> int | None:
    """Convolutions that go down and up again, straight on, to something like the input: no masks, no adversary."""
    if _joined(code) is not None or code.word("(^|_)masks?(_|$)|discriminator|critic|segment") is not None:
        return None
    return _all(_upsampling_layer, _convolution, _layer("MaxPooling2D", "MaxPooling1D", "AveragePooling2D"))(code)


def _joined(code: Code) -> int | None:
    line = _layer("Concatenate")(code)
    if line is not None:
        return line
    return next((call.line for call in code.calls_named("concatenate|concat|cat|crop_and_concat")), None)


def added(code: Code) -> int | None:
    """The line of a residual connection: an Add layer, or a sum with something called shortcut, residual, identity."""
    line = _layer("Add")(code)
    if line is None and code.torch is not None:
        line = _added_in_forward(code)
    if line is not None:
        return line
    return code.word(r"(^|_)(shortcut|residual|identity|skip)(_|$|s$)")


def _added_in_forward(code: Code) -> int | None:
    """The line of a sum of two tensors in a `forward` of PyTorch, one of them what a layer gave."""
    for function in code.nodes_of(ast.FunctionDef):
        if function.name != "forward":
            continue
        for node in walk(function):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
                sides = [node.left, node.right]
            elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
                sides = [node.target, node.value]
            else:
                continue
            words = " ".join(ast.unparse(side) for side in sides).lower()
            if not any(isinstance(side, ast.Constant) for side in sides) and not _NO_RESIDUAL.search(words):
                return node.lineno
    return None


_NO_RESIDUAL = re.compile(r"pos|bias|embed|randn|noise|log_?var|sigma|(^|\W)eps")
"""What is added to a tensor without being what it was before: places, noise, the width of a cloud."""


def _dilated(code: Code) -> int | None:
    for layer in code.all_layers:
        if layer.kind != "Conv1D":
            continue
        for name in ("dilation_rate", "dilation"):
            if name in layer.call.keywords and layer.call.keywords[name] not in (1, (1,)):
                return layer.line
    return code.word(r"(^|_)tcn(_|$)|temporal_conv")


def _embeddings(count: int) -> Structure:
    def find(code: Code) -> int | None:
        lines = [layer.line for layer in code.all_layers if layer.kind == "Embedding"]
        return lines[0] if len(lines) >= count else None

    return find


def _product(code: Code) -> int | None:
    line = _layer("Dot", "CosineSimilarity", "Multiply")(code)
    if line is not None:
        return line
    return next((call.line for call in code.calls_named("dot|matmul|reduce_sum|sum|cosine_similarity")), None)


def _own_attention(code: Code) -> int | None:
    line = _layer(*_ATTENTION)(code)
    return line if line is not None else code.word(r"attention")


def _transformer(code: Code) -> int | None:
    for layer in code.all_layers:
        if layer.kind == "MultiHeadAttention" or "Transformer" in layer.kind:
            return layer.line
    written = written_attention(code)
    if written is not None:
        return written
    return next((network.line for network in networks(code) if _LANGUAGE_MODELS.search(str(network.value))), None)


def written_attention(code: Code) -> int | None:
    """Self-attention in a project's own lines: queries and keys that are multiplied, and shares by a softmax."""
    line = next((call.line for call in code.calls_named("scaled_dot_product_attention")), None)
    if line is not None:
        return line
    parts = [code.word(pattern) for pattern in (r"(self|head)_attention", r"quer(y|ies)", r"(^|_)keys?", "softmax")]
    return None if None in parts else parts[0]


_LANGUAGE_MODELS = re.compile(
    r"bert|gpt|(^|google|flan|m)t5|(^|facebook|m)bart|(^|google)vit|electra|xlnet|llama|pegasus|deit|swin|wav2vec|whisper"
)

_GAN = _all(_word("generator"), _word("discriminator|critic"))

_ENCODER_DECODER = _all(_word("(^|_)(encoder|encoded)"), _word("(^|_)(decoder|decoded)"))

_AUTOENCODER = _any(_word("auto_?encoder|(^|_)vae(_|$)|(^|_)dae(_|$)"), _all(_ENCODER_DECODER, _no_words), _hourglass)

_VARIATIONAL = _any(
    _all(_word("z_mean|(^|_)mu(_|$)|mean"), _word("log_?var|logvar|(^|_)sigma(_|$)|z_log")),
    _word("(^|_)vae(_|$)|reparam"),
)

_FAMILIES: dict[str, Structure] = {
    "mlp": _mlp,
    "cnn": _convolution,
    "crnn": _all(_convolution, _layer("LSTM", "GRU", "SimpleRNN")),
    "cnn_1d": _layer("Conv1D", "SeparableConv1D"),
    "cnn_2d": _layer("Conv2D", "SeparableConv2D"),
    "cnn_3d": _layer("Conv3D"),
    "rnn": _layer("LSTM", "GRU", "SimpleRNN", "ConvLSTM2D", "ConvLSTM1D"),
    "lstm": _layer("LSTM"),
    "gru": _layer("GRU"),
    "bilstm": _both_ways("LSTM"),
    "bigru": _both_ways("GRU"),
    "convlstm": _layer("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"),
    "attention": _own_attention,
    "transformer": _transformer,
    "vision_transformer": _any(
        _all(_word("patch"), _layer("MultiHeadAttention", *_TRANSFORMERS)),
        _word(r"(^|_)vi_?t(_|$|\d)|vision_transformer"),
    ),
    "autoencoder": _AUTOENCODER,
    "variational_autoencoder": _VARIATIONAL,
    "gan": _GAN,
    "dcgan": _all(_GAN, _convolution, _upsampling, _lacks("wasserstein|gradient_penalty|(^|_)critic")),
    "wgan": _all(_GAN, _word("critic|wasserstein|gradient_penalty|clip")),
    "conditional_gan": _all(_GAN, _any(_all(_layer("Embedding"), _joined), _word("cond|(^|_)cgan"))),
    "stylegan": _all(_GAN, _word("style|mapping_network|adain")),
    "cyclegan": _all(_GAN, _word("cycle")),
    "unet": _all(_convolution, _upsampling, _joined),
    "resnet": _any(_all(added, _convolution), lambda code: named_network(code, "resnet")),
    "encoder_decoder": _any(_ENCODER_DECODER, _layer("RepeatVector"), _all(_convolution, _upsampling_layer)),
    "matrix_factorization": _all(_embeddings(2), _product),
    "two_tower": _any(_word("tower"), _all(_embeddings(2), _product)),
    "wide_and_deep": _any(_layer("WideDeepModel"), _all(_word("(^|_)wide"), _word("(^|_)deep"))),
    "siamese": _word("siamese|twin|(^|_)anchor|(^|_)triplet|shared_(net|model|encoder|base)|base_network"),
    "tcn": _dilated,
    "gcn": _any(_layer("GCNConv", "GraphConv"), _word("(^|_)gcn|graph_conv|adjacency|(^|_)adj(_|$)")),
    "gnn": _any(_word("graph_?(conv|sage|attention|net)|(^|_)g(nn|cn|at)(_|$|conv)|adjacency|(^|_)edge_index")),
    "diffusion": _word("diffusion|ddpm|ddim|noise_schedule|alphas?_(bar|cumprod)"),
    "capsule": _word("capsule|squash|(^|_)caps(_|$)"),
    "dqn": _word("(^|_)dqn|q_(net|value|table|model|network)|replay"),
    "yolo": _any(_word("yolo"), lambda code: code.text("yolo")),
}

_LONGER_NAMES = re.compile(r"(distil|ro|al|camem|mobile|tiny|deb|sci|bio|fin)(bert)|resnext|wideresnet")
