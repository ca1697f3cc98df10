"""Plain stacks of layers for a network that is asked for and a plan does not have, without their output layer.

Widths are the usual ones of introductory Keras examples; `widths` then sets those that the request states.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.keras.recurrent import CELLS

CONVOLUTIONAL = ("cnn", "cnn_1d", "cnn_3d", "convlstm", "tcn")

_SHOWN_BY: dict[str, tuple[str, ...]] = {
    "cnn": ("Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D"),
    "cnn_1d": ("Conv1D", "SeparableConv1D"),
    "cnn_3d": ("Conv3D",),
    "convlstm": ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"),
    "tcn": ("Conv1D",),
    "lstm": ("LSTM",),
    "bilstm": ("LSTM",),
    "gru": ("GRU",),
    "bigru": ("GRU",),
    "rnn": ("SimpleRNN", "LSTM", "GRU"),
    "transformer": ("MultiHeadAttention",),
    "attention": ("Attention", "MultiHeadAttention", "AdditiveAttention"),
}
"""The layers that show a family; those of a Bidirectional count as well."""

_RANK_OF_KIND = {"series": 1, "text": 1, "image": 2, "audio": 2, "video": 3}


def shows(family: str) -> tuple[str, ...]:
    """The Keras layers of which one shows that a stack is of the family; empty for a family that is no stack."""
    return _SHOWN_BY.get(family, ())


def stack_of(families: Sequence[str], kind: str, *, steps: bool = False) -> list[str]:
    """Layers of the families, first those that find patterns, then those that follow time; [] where the data have no
    such network. `steps`: the output has one value a time step.
    """
    if "autoencoder" in families and kind == "table":
        return [f"Dense({width}, activation='relu')" for width in (64, 32, 16, 32, 64)]
    body: list[str] = []
    convolution = next((name for name in families if name in CONVOLUTIONAL), "")
    recurrent = next((name for name in families if name in CELLS), "")
    attention = next((name for name in families if name in ("transformer", "attention")), "")
    if kind == "text":
        body.append("Embedding(10000, 128)")
    if convolution:
        body += _convolutions(convolution, kind, before_recurrent=bool(recurrent), steps=steps)
    if attention and kind in ("text", "series"):
        body.append("MultiHeadAttention(4, 32)")
    if recurrent:
        body += _recurrent(recurrent, kind, steps=steps)
    elif attention and kind in ("text", "series") and not steps:
        body.append("GlobalAveragePooling1D()")
    if "mlp" in families and kind == "table":
        body += ["Dense(128, activation='relu')", "Dense(64, activation='relu')"]
    elif body and not steps:
        body.append("Dense(64, activation='relu')")
    return body if len(body) > 1 else []


_ENCODER = (
    "Conv2D(32, (3, 3), padding='same', activation='relu')",
    "MaxPooling2D((2, 2))",
    "Conv2D(64, (3, 3), padding='same', activation='relu')",
    "MaxPooling2D((2, 2))",
    "Conv2D(128, (3, 3), padding='same', activation='relu')",
)
_DECODER = (
    "Conv2DTranspose(64, (2, 2), strides=(2, 2), activation='relu')",
    "Conv2DTranspose(32, (2, 2), strides=(2, 2), activation='relu')",
)

WHOLE_NETWORKS: dict[str, tuple[str, ...]] = {
    "Image Segmentation": (*_ENCODER, *_DECODER, "Conv2D(1, (1, 1), activation='sigmoid')"),
    "Image-to-Image": (*_ENCODER, *_DECODER, "Conv2D(3, (3, 3), padding='same', activation='sigmoid')"),
    "Image Super-Resolution": (
        "Conv2D(64, (5, 5), padding='same', activation='relu')",
        "Conv2D(32, (3, 3), padding='same', activation='relu')",
        "UpSampling2D((2, 2))",
        "Conv2D(3, (3, 3), padding='same', activation='sigmoid')",
    ),
    "Object Detection": (
        *_ENCODER,
        "GlobalAveragePooling2D()",
        "Dense(128, activation='relu')",
        "Dense(4, activation='sigmoid')",
    ),
}
"""By category, a plain network with its output layer, where the output is no one vector of classes or numbers."""


def _convolutions(family: str, kind: str, *, before_recurrent: bool, steps: bool) -> list[str]:
    rank = _RANK_OF_KIND.get(kind)
    if rank is None:
        return []
    if family == "convlstm":
        if kind != "video":
            return []
        return ["ConvLSTM2D(32, (3, 3), activation='tanh')", "MaxPooling2D((2, 2))", "GlobalAveragePooling2D()"]
    has_other_rank = (family == "cnn_3d" and rank != 3) or (family in ("cnn_1d", "tcn") and rank != 1)
    if has_other_rank:
        return []
    if rank == 1:
        return _convolutions_in_time(family, collapse=not before_recurrent and not steps, pooled=not steps)
    window = "(3, 3, 3)" if rank == 3 else "(3, 3)"
    pooling = "MaxPooling3D((1, 2, 2))" if rank == 3 else "MaxPooling2D((2, 2))"
    body: list[str] = []
    if rank == 3 and before_recurrent:  # frame by frame
        for filters in (32, 64):
            body.append(f"TimeDistributed(Conv2D({filters}, (3, 3), padding='same', activation='relu'))")
            body.append("TimeDistributed(MaxPooling2D((2, 2)))")
        return [*body, "TimeDistributed(GlobalAveragePooling2D())"]
    for filters in (32, 64, 128):
        body += [f"Conv{rank}D({filters}, {window}, padding='same', activation='relu')", pooling]
    return body if before_recurrent else [*body, f"GlobalAveragePooling{rank}D()"]


def _convolutions_in_time(family: str, *, collapse: bool, pooled: bool) -> list[str]:
    body: list[str] = []
    for depth, filters in enumerate((64, 64)):
        rate = f", dilation_rate={2**depth}" if family == "tcn" and depth else ""
        body.append(f"Conv1D({filters}, 3, padding='same', activation='relu'{rate})")
        if pooled and family != "tcn":
            body.append("MaxPooling1D(2)")
    if collapse:
        body.append("GlobalAveragePooling1D()")
    return body


def _recurrent(family: str, kind: str, *, steps: bool) -> list[str]:
    if kind == "table":
        return []
    sequences = ", return_sequences=True" if steps else ""
    layer = f"{CELLS[family]}(64{sequences})"
    return [f"Bidirectional({layer})"] if family.startswith("bi") else [layer]
