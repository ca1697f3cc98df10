"""The kind of the data, chosen among the nouns that name some.

Firm nouns ("photos", "reviews") count first, then weak ones, which name other things too ("table", "signal"), then
hints ("dictations", "every day"), then what has columns.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pipeline.request.reading.data.beside import beside_pictures
from pipeline.request.reading.data.objects import forecast_series, translated_text
from pipeline.request.reading.found import Choice, choices, first_of_each
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece, named_values

_WEAK_KINDS = frozenset(
    "table csv spreadsheet metadata text comment note question story message logo scan crop patch tile "
    "post track song sensor signal series music report query frame still ticket record".split()
)
"""Nouns that name data only where nothing better does: labels of photos often stand in a table."""

_FIRM_TEXT = frozenset(
    "text review tweet email e-mail article document sentence headline abstract essay poem lyric "
    "transcript paragraph complaint sms clause".split()
)
"""Nouns of texts that are seldom anything else; the many others yield to a picture or a sound."""

_COLUMNS = frozenset(
    "column row columns cols rows measurements attributes spalten columnas colonnes colunas colonne".split()
)
_RHYTHMS = frozenset(
    "hourly daily weekly monthly quarterly yearly stündliche stündlichen tägliche täglichen wöchentliche "
    "monatliche".split()
)
"""Behind these stands what a series counts: "weekly dengue cases"."""
_NO_SERIES = frozenset("basis report job limit schedule routine use life backup run batch update".split())

_SHORTEST_COMPOUND = 8
_ENDINGS = {
    **dict.fromkeys(("bilder", "bildern", "fotos", "aufnahme", "scans"), "image"),
    **dict.fromkeys(("mails", "texte", "texten", "bewertungen", "nachrichten", "berichte", "kommentare"), "text"),
    **dict.fromkeys(("stimmen", "geräusche", "gesänge", "audio"), "audio"),
    **dict.fromkeys(("messwerte", "zeitreihen", "signale", "verläufe"), "series"),
    **dict.fromkeys(("videos", "filme"), "video"),
}
_AND = frozenset("+ and plus with together along & und y et e 和 と".split())
_CLIPS = frozenset("clip recording file wav snippet utterance movie".split())
_OF_FILES = frozenset(("recording", "recordings", "file", "files"))
_OF_SOUND = frozenset(
    "log_mel_spectrogram mel_spectrogram spectrogram mfcc waveform cqt chroma yamnet vggish wav2vec2 "
    "hubert whisper panns esc50 esc10 urbansound8k speech_commands gtzan ravdess librispeech ljspeech "
    "fsdd audioset wer".split()
)
_SIDE_BY_SIDE = 9
"""How many words may stand between two inputs that an "and" joins."""


def kinds(
    pieces: list[Piece], stances: Sequence[Stance], *, several: bool, expected: frozenset[str], only: bool
) -> list[Choice]:
    """The kind of the data; one a kind where the model has several inputs.

    `expected` are the kinds that the rest of the request can be about, with `only` no others: films are no videos
    where films are recommended.
    """
    every = [choice for choice in choices(pieces, stances, "kind") if not _is_no_data(pieces, choice)]
    # "speech to text" names a kind only where no noun does: its clips may be meant.
    named = [choice for choice in every if choice.value == "graph" or not pieces[choice.first].is_a("problem")] or every
    named = [_pictured(pieces, choice) for choice in named]
    hinted = choices(pieces, stances, "hint")
    if several or _combines(pieces, named):
        firm = [choice for choice in named if not is_weak(pieces[choice.first])]
        each = first_of_each(firm + named)
        if len(each) > 1:
            return [_with_subject(_first_named(pieces, stances, choice, named), pieces) for choice in each]
    beside = [] if only else beside_pictures(pieces, stances, named, expected)
    if beside:
        return beside
    for kinds_allowed in (expected, frozenset(() if only else _ALL)):
        chosen = _chosen(pieces, stances, named, hinted, kinds_allowed)
        if chosen is not None:
            return [_first_named(pieces, stances, chosen, named)]
    return []


_PICTURED = frozenset(("scanned", "photographed"))
_PICTURES_OF = frozenset("scan scans photo photos picture pictures image images".split())


def _pictured(pieces: list[Piece], choice: Choice) -> Choice:
    """Texts that are there as pictures: "scanned invoices", "photos of receipts"."""
    before = [piece.key for piece in pieces[max(0, choice.first - 2) : choice.first]]
    is_pictured = bool(before) and before[-1] in _PICTURED
    is_pictured = is_pictured or (before[-1:] == ["of"] and before[0] in _PICTURES_OF)
    if choice.value != "text" or not is_pictured:
        return choice
    return Choice("image", choice.first - 1 if before[-1] != "of" else choice.first - 2, choice.last)


_ALL = ("image", "video", "audio", "text", "table", "series", "graph", "array")


def _chosen(
    pieces: list[Piece],
    stances: Sequence[Stance],
    named: list[Choice],
    hinted: list[Choice],
    allowed: frozenset[str],
) -> Choice | None:
    """The best of the nouns that name a kind which is allowed."""
    named = [choice for choice in named if choice.value in allowed]
    firm = [choice for choice in named if not is_weak(pieces[choice.first])]
    in_time = [choice for choice in firm if pieces[choice.first].key.startswith("time series")]
    if in_time and not named_values(pieces) & _OF_FILMS:
        return in_time[0]  # of satellites, of sounds: whatever else is named
    if not firm:
        named = sorted(named + [choice for choice in _clips(pieces, stances) if choice.value in allowed], key=_place)
    if not named:
        named = [choice for choice in hinted if choice.value != "text"] or _forecast(pieces, stances)
        named = named or _columns(pieces, stances) or hinted
        named = named + _rhythm(pieces, stances)
    if not named:
        named = _compounds(pieces, stances) or translated_text(pieces, stances)
    named = [choice for choice in named if choice.value in allowed]
    # "video" and "audio" say more than "images" and "text", which their frames and transcripts are.
    for choice in firm:
        if choice.value in ("video", "audio") and pieces[choice.first].last not in _OF_FILES:
            return choice
    best = (firm or named)[:1]
    if best and pieces[best[0].first].last in ("frame", "frames") and named_values(pieces) & _OF_FILMS:
        return Choice("video", best[0].first, best[0].last)
    if best and best[0].value == "series" and "table" in allowed and _is_of_rows(pieces):
        return Choice("table", best[0].first, best[0].last)
    return best[0] if best else None


_OF_STEPS = frozenset("length horizon stride sample_rate duration frames recurrent_layers".split())
_READS_STEPS = frozenset(
    "lstm bilstm gru bigru rnn cnn_1d tcn transformer convlstm autoencoder anomaly_detection forecasting".split()
)


def _is_of_rows(pieces: list[Piece]) -> bool:
    """Whether dense layers tell one row at a time: "the hourly consumption from temperature and weekday, by an MLP" is
    a table, however often it has rows."""
    values = named_values(pieces)
    if "mlp" not in values or values & _READS_STEPS:
        return False
    return not any(term.name in _OF_STEPS for piece in pieces for term in piece.terms)


def _forecast(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """What is forecast, unless a network of films tells that it is one: a radar's pictures."""
    return [] if named_values(pieces) & _OF_FILMS else forecast_series(pieces, stances)


_OF_FILMS = frozenset(("convlstm", "cnn_3d"))


def _first_named(pieces: list[Piece], stances: Sequence[Stance], chosen: Choice, named: list[Choice]) -> Choice:
    """The first noun of the chosen kind, be it a weaker one: "tickets" of "tickets (columns text_a, text_b)"."""
    same = [choice for choice in named if choice.value == chosen.value and not _is_device(pieces, choice)] + [chosen]
    if chosen.value in ("video", "audio"):
        same += [
            choice
            for choice in _clips(pieces, stances)
            if choice.value == chosen.value and not _is_file(pieces, choice)
        ]
    elif chosen.value == "graph":
        same = [choice for choice in same if "graph" in pieces[choice.first].key] or same
    if chosen.value == "table":
        same += _columns(pieces, stances)
    else:
        same += [choice for choice in _compounds(pieces, stances) if choice.value == chosen.value]
    return min(same, key=_place)


_DEVICES = frozenset("sensor sensors logger loggers molecule molecules gauge gauges detector detectors".split())


def _is_device(pieces: list[Piece], choice: Choice) -> bool:
    """Whether a noun names what measures the data, or what they are about, and no data."""
    return pieces[choice.first].last in _DEVICES


def _is_file(pieces: list[Piece], choice: Choice) -> bool:
    return pieces[choice.first].last in _OF_FILES


def _place(choice: Choice) -> int:
    return choice.first


_SHOWN = frozenset(
    "metrics metric results result scores score errors forecast forecasts predictions contents parameters loss losses "
    "accuracy layers confusions rewards".split()
)


def _is_no_data(pieces: list[Piece], choice: Choice) -> bool:
    """Whether a noun is part of a network's name: the graph of "two graph convolutions"."""
    following = pieces[choice.first + 1].key if choice.first + 1 < len(pieces) else ""
    if choice.value in ("graph", "table") and following == "of":
        shown = pieces[choice.first + 2 : choice.first + 5]
        return any(piece.key in _SHOWN or piece.is_a("metric") for piece in shown)  # "a table of the metrics"
    if choice.value == "graph":
        return following.startswith(("conv", "neural", "network", "layer", "attention"))
    if pieces[choice.first].key == "text" and choice.first and pieces[choice.first - 1].key in ("is", "are"):
        return True  # "country is text": a column
    return choice.value == "text" and following.startswith(("embedding", "transformer", "encoder", "bert"))


def is_weak(piece: Piece) -> bool:
    """Whether a noun names data only where nothing better does."""
    key = piece.key
    singular = key.removesuffix("s")
    if key in _WEAK_KINDS or singular in _WEAK_KINDS:
        return True
    if piece.means("text") and key.isascii():
        return not any(word.removesuffix("s") in _FIRM_TEXT for word in key.split())
    return False


def _with_subject(choice: Choice, pieces: list[Piece]) -> Choice:
    """The choice with the noun that names the input: "columns" of "numeric columns"."""
    return Choice(choice.value, choice.first, choice.last, pieces[choice.first].last)


def _columns(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """What has columns is a table."""
    for index, piece in enumerate(pieces):
        if piece.last in _COLUMNS and stances[index] == "asked":
            return [Choice("table", index, index)]
    return []


def _compounds(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """ "Kundenmails", "Drohnenbilder": German nouns end with what the data are."""
    for index, piece in enumerate(pieces):
        if piece.kind != "word" or len(piece.key) < _SHORTEST_COMPOUND or stances[index] != "asked":
            continue
        for ending, kind in _ENDINGS.items():
            if piece.key.endswith(ending):
                return [Choice(kind, index, index)]
    return []


def _rhythm(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """ "weekly dengue cases" are a series."""
    for index, piece in enumerate(pieces[:-1]):
        if piece.key not in _RHYTHMS or stances[index] != "asked":
            continue
        last = index
        for position in range(index + 1, min(len(pieces), index + 3)):
            following = pieces[position]
            if following.kind != "word" or following.sentence != piece.sentence or following.key in _NO_SERIES:
                break
            last = position
        if last > index:
            return [Choice("series", index, last)]
    return []


def _clips(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """Clips and recordings are sound where a sample rate or a spectrogram is named, and films where frames are."""
    for index, piece in enumerate(pieces):
        if piece.kind == "mark" or stances[index] != "asked":
            continue
        words = piece.key.split() if piece.terms else (piece.key,)
        if not any(word.removesuffix("s") in _CLIPS for word in words):
            continue
        if named_values(pieces) & _OF_SOUND or any(part.is_named("sample_rate") for part in pieces):
            return [Choice("audio", index, index)]
        if any(part.key.split()[0] in ("frame", "frames") for part in pieces):
            return [Choice("video", index, index)]
    return []


def _combines(pieces: list[Piece], named: list[Choice]) -> bool:
    """Whether two kinds are inputs side by side: "a photo plus 10 tabular features"."""
    for first, second in itertools.pairwise(named):
        if first.value == second.value or "text" in (first.value, second.value):
            continue
        if second.first - first.first > _SIDE_BY_SIDE or "table" not in (first.value, second.value):
            continue
        between = {piece.key for piece in pieces[first.last + 1 : second.first]}
        if pieces[first.first].sentence == pieces[second.first].sentence and between & _AND:
            return True
    return False
