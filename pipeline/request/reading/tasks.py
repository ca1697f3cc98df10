"""The kind of problem and of data, chosen among the words that name some."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.table import Term

_GENERAL = ("classification", "regression")
"""Problems whose words occur in the description of others: "classify every pixel" is a segmentation."""

_SECOND = ("generation", "reconstruction", "retrieval")
"""Problems whose words are common: they count where no other is named."""

_WEAK_KINDS = frozenset(
    "table csv spreadsheet metadata text comment note question story message logo scan crop patch tile "
    "post track song sensor signal series music report query".split()
)
"""Nouns that name data only where nothing better does: labels of photos often stand in a table."""

_OUTPUT_WORDS = frozenset(
    "confusion matrix plot plots report code script project notebook table summary predictions model "
    "program graph figure a the some me file files pipeline one full complete python".split()
)
_AMOUNTS = frozenset(
    "grade grades price prices cost costs age ages weight weights yield salary salaries income "
    "consumption strength duration power angle amount revenue rent charges score scores rating speed "
    "height heights distance load emission emissions lifetime value values number count time percentage "
    "concentration temperature demand sales volume mileage mpg quality energy output usage usd humidity "
    "level levels delay fare bmi hours minutes days euros dollars rul solubility precio precios preço "
    "preços prix preis preise prezzi prezzo edad âge idade alter valor valeur 价格 房价 価格 цены цену".split()
)
_CATEGORIES = frozenset(
    "class classes category categories genre type types species label labels kind brand sentiment gender "
    "outcome winner diagnosis intent emotion topic department language breed whether if which who".split()
)
_QUESTIONS = frozenset("whether if".split())
_PREDICTS = frozenset(
    "predict predicts predicting prediction predictions predictor vorhersagen vorhersage vorhersagt "
    "predecir predicción prédire prédiction prever predizer predição prevedere 预测 予測 предсказать "
    "предсказывать 예측 infer guess model".split()
)
_DETECTS = frozenset("detect detects detecting spot spots find finds tell tells determine say decide guess see".split())
_AND = frozenset("+ and plus with together along & und y et e 和 と".split())


@dataclass(frozen=True, slots=True)
class Choice:
    """A value with the pieces that name it."""

    value: str
    first: int
    last: int
    subject: str = ""


def problems(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """The kind of problem; several only where a classification and a regression are named."""
    named = [choice for choice in _named(pieces, stances, "problem") if not _is_about_output(pieces, choice)]
    special = [choice for choice in named if choice.value not in _GENERAL and choice.value not in _SECOND]
    if special:
        return special[:1]
    general = [choice for choice in named if choice.value in _GENERAL]
    if general and any(term.value in ("by_reconstruction", "one_class") for piece in pieces for term in piece.terms):
        return [Choice("anomaly_detection", general[0].first, general[0].last)]
    second = [choice for choice in named if choice.value in _SECOND]
    if second and not (general and general[0].first < second[0].first):
        return second[:1]
    if general:
        return _first_of_each(general)
    return _predicted(pieces, stances)


def _named(pieces: list[Piece], stances: Sequence[Stance], name: str) -> list[Choice]:
    results = []
    for index, piece in enumerate(pieces):
        if stances[index] != "asked":
            continue
        for term in piece.terms:
            if term.name == name and term.role == "is":
                results.append(Choice(term.value, index, index))
    return results


def _first_of_each(choices: list[Choice]) -> list[Choice]:
    first: dict[str, Choice] = {}
    for choice in choices:
        first.setdefault(choice.value, choice)
    return list(first.values())


def _is_about_output(pieces: list[Piece], choice: Choice) -> bool:
    """Whether a verb is about what the program shows, not what the model does: "generate a confusion matrix"."""
    if choice.value != "generation":
        return False
    if pieces[choice.first].key == "generator" and any(piece.key == "discriminator" for piece in pieces):
        return True
    for piece in pieces[choice.first + 1 : choice.first + 5]:
        if any(term.aspect == "output" for term in piece.terms) or piece.key in (
            "code",
            "script",
            "plots",
            "plot",
            "report",
            "notebook",
            "predictions",
            "project",
        ):
            return True
        if piece.key not in _OUTPUT_WORDS:
            return False
    return False


def _predicted(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """The problem by what is to be predicted: an amount or a category."""
    for index, piece in enumerate(pieces):
        if piece.key in _DETECTS and stances[index] == "asked":
            for position in range(index + 1, min(len(pieces), index + 4)):
                if any(term.name == "count" for term in pieces[position].terms):
                    return [Choice("classification", index, position)]
    for index, piece in enumerate(pieces):
        if piece.key not in _PREDICTS or stances[index] != "asked":
            continue
        only_questions = False
        for position in range(index + 1, min(len(pieces), index + 18)):
            here = pieces[position]
            only_questions = only_questions or position > index + 8
            if here.sentence != piece.sentence:
                break
            words = here.key.split()
            if any(word in _QUESTIONS or (word in _CATEGORIES and not only_questions) for word in words):
                return [Choice("classification", index, position)]
            if any(word in _AMOUNTS for word in words) and not only_questions:
                after = pieces[position + 1 : position + 2]
                category = any(
                    part.key in _CATEGORIES or part.key in ("band", "bracket", "group", "range", "bands", "range")
                    for part in after
                )
                return [Choice("classification" if category else "regression", index, position + len(after) * category)]
            if here.key in ("from", "using", "with", "based"):
                only_questions = True
    for index, piece in enumerate(pieces):
        starts = index == 0 or pieces[index - 1].sentence != piece.sentence
        if starts and piece.key in ("will", "grade") and stances[index] == "asked" and index + 1 < len(pieces):
            return [Choice("classification", index, index + 1)]
    for index, piece in enumerate(pieces):
        if piece.key in ("prices", "price") and stances[index] == "asked" and piece.kind == "word":
            first = index - 1 if index and pieces[index - 1].kind in ("word", "term") else index
            return [Choice("regression", first, index)]
    return []


def kinds(pieces: list[Piece], stances: Sequence[Stance], *, several: bool) -> list[Choice]:
    """The kind of the data; one a kind where the model has several inputs."""
    named = _named(pieces, stances, "kind")
    if not any(not is_weak(pieces[choice.first]) for choice in named):
        named += _clips(pieces, stances)
    if not named:
        named = _columns(pieces, stances)
    if not named:
        return []
    firm = [choice for choice in named if not is_weak(pieces[choice.first])]
    if several or _combines(pieces, named):
        each = _first_of_each(firm + named)
        if len(each) > 1:
            return [Choice(choice.value, choice.first, choice.last, pieces[choice.first].key) for choice in each]
    # "video" and "audio" say more than "images" and "text", which their frames and transcripts are.
    for value in ("video", "audio"):
        for choice in firm:
            if choice.value == value and pieces[choice.first].key.split()[-1] not in (
                "recording",
                "recordings",
                "file",
                "files",
            ):
                return [choice]
    return (firm or named)[:1]


def _columns(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """What has columns is a table."""
    for index, piece in enumerate(pieces):
        if (
            piece.key in ("columns", "spalten", "columnas", "colonnes", "colunas", "colonne")
            and stances[index] == "asked"
        ):
            return [Choice("table", index, index)]
    return []


_OF_SOUND = frozenset(
    "log_mel_spectrogram mel_spectrogram spectrogram mfcc waveform cqt chroma yamnet vggish wav2vec2 "
    "hubert whisper panns esc50 esc10 urbansound8k speech_commands gtzan ravdess librispeech ljspeech "
    "fsdd audioset wer".split()
)


def _is_of_sound(term: Term) -> bool:
    return term.name == "sample_rate" or term.value in _OF_SOUND


def _clips(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """Clips and recordings are sound where a sample rate or a spectrogram is named, and films where frames are."""
    for index, piece in enumerate(pieces):
        words = piece.key.split()
        if stances[index] != "asked" or words[-1].removesuffix("s") not in (
            "clip",
            "recording",
            "file",
            "wav",
            "snippet",
        ):
            continue
        if any(_is_of_sound(term) for part in pieces for term in part.terms):
            return [Choice("audio", index, index)]
        if any(part.key.split()[0] in ("frame", "frames") for part in pieces):
            return [Choice("video", index, index)]
    return []


_FIRM_TEXT = frozenset(
    "text review tweet email e-mail article document sentence headline abstract essay poem lyric "
    "transcript paragraph complaint sms".split()
)
"""Nouns of texts that are seldom anything else; the many others yield to a picture or a sound."""


def is_weak(piece: Piece) -> bool:
    key = piece.key
    if piece.means("text") and key.isascii():
        return not any(word.removesuffix("s") in _FIRM_TEXT for word in key.split()) or key in _WEAK_KINDS
    return key in _WEAK_KINDS or key.removesuffix("s") in _WEAK_KINDS


def _combines(pieces: list[Piece], named: list[Choice]) -> bool:
    """Whether two kinds are inputs side by side: "a photo plus 10 tabular features"."""
    for first, second in itertools.pairwise(named):
        if first.value == second.value or {first.value, second.value} & {"text"} or second.first - first.first > 9:
            continue
        between = {piece.key for piece in pieces[first.last + 1 : second.first]}
        same = pieces[first.first].sentence == pieces[second.first].sentence
        if same and between & _AND and "table" in (first.value, second.value):
            return True
    return False
