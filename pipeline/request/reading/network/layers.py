"""Layers counted and sized: "two hidden layers of 64 and 32", "3x Dense 64", "LSTM(128)", "4 conv blocks"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.request.reading.found import Found
from pipeline.request.reading.network.widths import LAYERS, dashed, has_other_unit, is_width, joined, list_from
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece, named_values
from pipeline.request.terms.tokens import written

_BLOCKS = frozenset("blocks block blöcke bloques blocs blocos stages modules".split())
_RECURRENT = frozenset(("lstm", "gru", "rnn", "bilstm", "bigru", "convlstm"))
_WORDS = {
    "hidden_layers": "hidden versteckte versteckten ocultas cachées verborgene 隐藏 隠れ скрытых скрытыми nascoste",
    "conv_layers": "residual faltungsschichten "
    "conv convolution convolutional convolutions conv2d conv1d convolucionales faltungs convolutives "
    "convolucionais 卷积",
    "recurrent_layers": "recurrent",
    "dense_layers": "dense fc connected densas denses linear",
    "encoder_layers": "encoder transformer",
}
_FAMILIES = {
    "hidden_layers": "mlp",
    "conv_layers": "cnn cnn_1d cnn_3d gnn gcn gat",
    "recurrent_layers": "lstm gru rnn bilstm bigru convlstm",
    "encoder_layers": "transformer vision_transformer gpt2 bert t5",
    "depth": "resnet",
}
_BY_WORD = {word: name for name, words in _WORDS.items() for word in words.split()}
_BY_FAMILY = {family: name for name, families in _FAMILIES.items() for family in families.split()}
"""What layers are counted, by the word before "layers" or by the family named."""

_NAMES_OF_BLOCKS = {"conv_layers": "conv_blocks", "encoder_layers": "encoder_layers"}
"""What "blocks" of these layers are; those of others are not counted."""
_SIZED = frozenset((*_RECURRENT, "dense"))
_ENDS_OF_STACK = frozenset("last top final first bottom lower upper initial letzten últimas dernières".split())
_PARTS = frozenset("encoder decoder part tower towers head net nn deep dense trunk branch".split())
"""Before these widths stand: "encoder 256-64", "deep part 128-64-32"."""
_LAYERED = frozenset(_BY_FAMILY) - {"mlp"}
_AUTOENCODERS = frozenset(("autoencoder", "variational_autoencoder", "wide_and_deep", "two_tower", "dnn"))
_MOST_STACKED = 8
_UNITS = frozenset(("units", "neurons", "nodes"))
_STOPS = frozenset(". ; : ! ? ) , dropout".split())


def layers(pieces: list[Piece], stances: Sequence[Stance], taken: set[int]) -> Iterator[Found]:
    """Counts and widths of layers. The numbers read are added to `taken`."""
    for index, piece in enumerate(pieces):
        if stances[index] != "asked":
            continue
        if piece.key in LAYERS or piece.key in _BLOCKS:
            yield from _counted(pieces, index, taken)
        elif piece.key == "encoder" and index and pieces[index - 1].kind == "number" and index - 1 not in taken:
            # "3 encoder and 3 decoder layers"
            following = [part.key for part in pieces[index + 1 : index + 3]]
            if following[:1] in (["and"], ["/"]) and _small(pieces[index - 1]):
                taken.add(index - 1)
                yield Found(
                    "architecture", "encoder_layers", written(pieces[index - 1].number or 0.0), index - 1, index
                )
        elif (piece.key in _PARTS and dashed(pieces, index)) or (piece.terms and _has_widths(pieces, index)):
            stacked = _stacked(pieces, index, taken)
            yield from stacked or _widths_behind(pieces, index, "hidden_layers", taken)
    for index, piece in enumerate(pieces):
        if stances[index] != "asked":
            continue
        of_family = piece.terms and any(term.value in _SIZED and term.name == "family" for term in piece.terms)
        if of_family or piece.key == "dense":
            yield from _sized(pieces, index, taken)
        elif piece.key in ("embedding", "embeddings"):
            yield from _embedding_call(pieces, index, taken)


def _has_widths(pieces: list[Piece], index: int) -> bool:
    """Whether widths may stand behind a family's name: "MLP (128, 64)", "autoencoder 16-8-16"."""
    for term in pieces[index].terms:
        if term.name == "family":
            return term.value == "mlp" or (term.value in _AUTOENCODERS and dashed(pieces, index))
    return False


def _counted(pieces: list[Piece], index: int, taken: set[int]) -> Iterator[Found]:
    """ "two stacked GRU layers", "3 conv blocks", "hidden layers: 3", and the widths that follow."""
    if index > 1 and pieces[index - 1].kind == "number" and pieces[index - 2].last in _ENDS_OF_STACK:
        around = [piece.key for piece in pieces[max(0, index - 9) : index + 5]]
        if index - 1 not in taken and any(key.startswith(("unfr", "fine", "train")) for key in around):
            taken.add(index - 1)
            yield Found("architecture", "fine_tuned_layers", written(pieces[index - 1].number or 0.0), index - 2, index)
            if pieces[index - 2].key.startswith(("fine", "unfr")):
                yield Found("architecture", "fine_tuned", "true", index - 2, index - 2)
        return
    name, first = _kind_of(pieces, index)
    if pieces[index].key == "faltungsschichten":
        name, first = "conv_layers", index
    if not name and dashed(pieces, index):
        yield from _widths_behind(pieces, index, "hidden_layers", taken)  # "layers 128-64-32"
    elif not name and len(list_from(pieces, index + 1, taken)) > 1 and not named_values(pieces) & _LAYERED:
        name = "hidden_layers"  # "the network is two layers 64 and 32"
    if not name:
        return
    blocks = pieces[index].key in _BLOCKS
    if blocks and name not in _NAMES_OF_BLOCKS:
        return
    if blocks:
        name = _NAMES_OF_BLOCKS[name]
    count = _count_before(pieces, first, taken)
    if count is None and name == "hidden_layers" and first and pieces[first - 1].key == "single":
        yield Found("architecture", name, "1", first - 1, index)
    widths = list_from(pieces, index + 1, taken)
    # "two dense layers with 16 and 8 units" are two layers and units; "dense layers 256, 128" are widths alone.
    has_unit = bool(widths) and any(piece.key in _UNITS for piece in pieces[widths[-1] + 1 : widths[-1] + 2])
    if len(widths) > 1 and name in ("hidden_layers", "dense_layers") and not (name == "dense_layers" and has_unit):
        taken.update(widths)
        if count is not None:
            taken.add(count)
        yield Found("architecture", name, joined(pieces, widths), first if count is None else count, widths[-1])
        return
    if count is not None:
        taken.add(count)
        yield Found("architecture", name, written(pieces[count].number or 0.0), count, index)
        if name == "conv_blocks" and len(widths) > 1 and len(widths) == pieces[count].number:
            taken.update(widths)  # "three conv blocks 32-64-128"
            yield Found("architecture", "filters", joined(pieces, widths), index, widths[-1])
            return
    elif len(widths) == 1 and pieces[index + 1].key in (":", "=") and name != "dense_layers":
        taken.update(widths)
        yield Found("architecture", name, joined(pieces, widths), index, widths[0])
        return
    if widths and not blocks and name != "encoder_layers" and not has_other_unit(pieces, widths[-1]):
        taken.update(widths)
        graph = bool(named_values(pieces) & {"gnn", "gcn", "gat"})
        of_filters = any(piece.key in ("filters", "filter") for piece in pieces[widths[-1] + 1 : widths[-1] + 2])
        part = "filters" if of_filters or (name == "conv_layers" and not graph) else "units"
        yield Found("architecture", part, joined(pieces, widths), index, widths[-1])


def _kind_of(pieces: list[Piece], index: int) -> tuple[str, int]:
    """What layers a "layers" counts, and the first piece of the phrase that says it."""
    position = index - 1
    while position >= 0 and index - position <= 5 and pieces[position].sentence == pieces[index].sentence:
        piece = pieces[position]
        for word in piece.key.replace("-", " ").split():
            if word in _BY_WORD:
                return _BY_WORD[word], position
        for term in piece.terms:
            if term.name == "family" and term.value in _BY_FAMILY:
                return _BY_FAMILY[term.value], position
        if piece.kind == "number":
            return _family_behind(pieces, index) or _family_before(pieces, position), index
        if piece.key in _STOPS:
            break
        position -= 1
    return "", index


def _family_behind(pieces: list[Piece], index: int) -> str:
    """What "layer" counts by the family behind it: "3-layer LSTM"."""
    if index + 1 < len(pieces):
        for term in pieces[index + 1].terms:
            return _BY_FAMILY.get(term.value, "")
    return ""


def _family_before(pieces: list[Piece], index: int) -> str:
    """What "2 layers" counts by the family named shortly before: "stacked LSTM, 2 layers"."""
    for position in range(index - 1, max(-1, index - 40), -1):
        piece = pieces[position]
        for term in piece.terms:
            if term.name in ("family", "backbone"):
                return _BY_FAMILY.get(term.value, "")
    return ""


def _count_before(pieces: list[Piece], first: int, taken: set[int]) -> int | None:
    position = first - 1
    while position >= 0 and first - position <= 4 and pieces[position].sentence == pieces[first].sentence:
        piece = pieces[position]
        if piece.kind == "number":
            return position if position not in taken and _small(piece) else None
        if piece.key in _STOPS or (
            piece.key in ("of", "the", "with", "and", "last", "in", "x", "×") and piece.key not in ("x", "×")
        ):
            return None
        position -= 1
    return None


def _small(piece: Piece) -> bool:
    return (
        piece.number is not None and not piece.share and 1 <= piece.number <= 200 and piece.number == int(piece.number)
    )


def _widths_behind(pieces: list[Piece], index: int, name: str, taken: set[int]) -> Iterator[Found]:
    """ "MLP 64-32-16", "MLP (128, 64)", "MLP with 256, 128 and 64 units"."""
    widths = list_from(pieces, index + 1, taken)
    if len(widths) > 1:
        taken.update(widths)
        yield Found("architecture", name, joined(pieces, widths), index, widths[-1])


def _sized(pieces: list[Piece], index: int, taken: set[int]) -> Iterator[Found]:
    """ "LSTM(128)", "GRU of 128", "3x Dense 64"; "Dense(46, softmax)" is the output for 46 classes."""
    if [piece.key for piece in pieces[index + 1 : index + 5 : 2]] == ["(", ","] and pieces[index + 4 : index + 5]:
        width = pieces[index + 2]
        if pieces[index + 4].key == "softmax" and is_width(width):
            taken.add(index + 2)
            yield Found("classes", "count", written(width.number or 0.0), index, index + 4)
            return
    stacked = _stacked(pieces, index, taken)
    if stacked:
        yield from stacked
        return
    before = index - 1
    if before >= 0 and pieces[before].key in ("x", "×"):
        before -= 1
    if (
        before >= 0
        and pieces[before].kind == "number"
        and before not in taken
        and before < index - 1
        and _small(pieces[before])
    ):
        taken.add(before)
        name = "dense_layers" if pieces[index].key == "dense" else "recurrent_layers"
        yield Found("architecture", name, written(pieces[before].number or 0.0), before, index)
    widths = list_from(pieces, index + 1, taken)
    if widths and widths[-1] + 1 < len(pieces) and any(term.name == "filters" for term in pieces[widths[-1] + 1].terms):
        return
    if widths and not has_other_unit(pieces, widths[-1]) and (pieces[widths[0]].number or 0) > 3:
        taken.update(widths)
        yield Found("architecture", "units", joined(pieces, widths), index, widths[-1])


def _stacked(pieces: list[Piece], index: int, taken: set[int]) -> list[Found]:
    """ "GRU 2x128", "2 BiLSTM 256": layers and their units."""
    families = {term.value for term in pieces[index].terms if term.name == "family"}
    if families.isdisjoint(_RECURRENT) and "mlp" not in families:
        return []
    name = "hidden_layers" if "mlp" in families else "recurrent_layers"
    opened = [piece.key for piece in pieces[index + 1 : index + 2]] == ["("]  # "LSTM (2 x 256)"
    count, units = index + 1 + opened, index + 3 + opened
    behind = [piece.key for piece in pieces[units - 1 : units]] in (["x"], ["×"])
    if not behind:
        count, units = index - 1, index + 1
    if count < 0 or units >= len(pieces) or count in taken or units in taken:
        return []
    if not (_small(pieces[count]) and pieces[count].kind == "number" and is_width(pieces[units])):
        return []
    if (pieces[count].number or 0) > _MOST_STACKED or has_other_unit(pieces, units):
        return []
    taken.update((count, units))
    first, last = min(count, index), max(count, index)
    return [
        Found("architecture", name, written(pieces[count].number or 0.0), first, last),
        Found("architecture", "units", written(pieces[units].number or 0.0), index, units),
    ]


def _embedding_call(pieces: list[Piece], index: int, taken: set[int]) -> Iterator[Found]:
    """ "Embedding(10000, 64)": a vocabulary and a width."""
    call = pieces[index + 1 : index + 5]
    if (
        len(call) < 4
        or [piece.key for piece in call[::2]] != ["(", ","]
        or not (is_width(call[1]) and is_width(call[3]))
    ):
        return
    taken.update((index + 2, index + 4))
    yield Found("size", "vocabulary", written(call[1].number or 0.0), index, index + 4)
    yield Found("architecture", "embedding", written(call[3].number or 0.0), index, index + 4)
