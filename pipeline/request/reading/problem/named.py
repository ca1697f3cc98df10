"""The kind of problem, chosen among the words that name some, or by what is asked: "will it rain?"."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pipeline.request.reading.found import Choice, choices, first_of_each
from pipeline.request.reading.problem.evidence import Evidence, evidence_of
from pipeline.request.reading.problem.told import told
from pipeline.request.reading.problem.words import AMOUNTS, PREDICTS
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece, named_values

_GENERAL = ("classification", "regression")
"""Problems whose words occur in the description of others: "classify every pixel" is a segmentation."""

_SECOND = ("generation", "reconstruction", "retrieval")
"""Problems whose words are common: they count where no other is named."""

_OUTPUT_WORDS = frozenset(
    "confusion matrix plot plots report code script project notebook table summary predictions model "
    "program graph figure a the some me file files pipeline one full complete python".split()
)
_OUTPUTS = frozenset("code script plots plot report notebook predictions project".split())
_FIRST = PREDICTS - {"model", "output", "outputs", "score", "scores", "rate", "rates", "grade", "grades"}
_BEHIND_PIECES = frozenset("of at each per long with".split())


def problems(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """The kind of problem; several only where a classification and a regression are named."""
    found = _problems(pieces, stances)
    is_general = len(found) == 1 and found[0].value in _GENERAL
    if is_general and "matrix_factorization" in named_values(pieces):
        # "predict the star ratings of readers for books, matrix factorisation with biases"
        return [Choice("recommendation", found[0].first, found[0].last)]
    return found


def _problems(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    evidence = evidence_of(pieces, stances)
    named = _named(pieces, stances, evidence)
    is_common = bool(named) and (named[0].value in _GENERAL or named[0].value in _SECOND)
    if len(named) > 1 or (named and not is_common and not evidence.acts):
        return named
    asked = told(pieces, stances, evidence)
    if not named and not asked and evidence.generates:
        return _by_generator(pieces)
    if not named or (asked and asked[0].value == "reinforcement_learning"):
        return asked
    # "predict the final total ... a plain regression": asked for before it is named.
    if is_common and asked and asked[0].value == named[0].value and asked[0].first < named[0].first:
        return asked
    return named


def _by_generator(pieces: list[Piece]) -> list[Choice]:
    """A generator tells that something is generated, where no verb does."""
    for index, piece in enumerate(pieces):
        counts = piece.key in _SAMPLES and pieces[index + 1 : index + 2] and pieces[index + 1].kind == "number"
        if piece.key in _GENERATES or counts:
            return [Choice("generation", index, index)]
    return []


_GENERATES = frozenset("generator generate generates generated".split())
_SAMPLES = frozenset("sample draw".split())
"""Behind these stands how many are made: "sample 16 images"."""


def _named(pieces: list[Piece], stances: Sequence[Stance], evidence: Evidence) -> list[Choice]:
    """What is named, the rarer kinds of problems first."""
    named = [
        choice
        for choice in choices(pieces, stances, "problem")
        if not _is_about_output(pieces, choice) and not _is_a_part(pieces, choice, evidence)
    ]
    special = [choice for choice in named if choice.value not in _GENERAL and choice.value not in _SECOND]
    general = _without_subjects([choice for choice in named if choice.value in _GENERAL])
    second = [choice for choice in named if choice.value in _SECOND]
    values = named_values(pieces)
    if special:
        return [_asked_first(pieces, special[0], general)]
    if general and values & {"by_reconstruction", "one_class"}:
        return [Choice("anomaly_detection", general[0].first, general[0].last)]
    compares = values & {"siamese", "pairs", "triplet", "contrastive"}
    matching = [choice for choice in second if choice.value == "retrieval"]
    if matching and compares:
        named_so = bool(general) and pieces[general[0].first].key.startswith("classif")
        return general[:1] if named_so and general[0].first < matching[0].first else matching[:1]
    if second and not (general and general[0].first < second[0].first):
        return second[:1]
    if general and evidence.detects and not evidence.segments:
        return [Choice("detection", general[0].first, general[0].last)]
    return first_of_each(general) + _second_output(pieces, general, values)


def _without_subjects(general: list[Choice]) -> list[Choice]:
    """ "arrhythmia classification": the noun that says what is done, not what about."""
    results = []
    for choice, following in pairwise([*general, None]):
        if choice is None:
            break
        if following is None or following.value != choice.value or following.first != choice.last + 1:
            results.append(choice)
    return results


def _is_a_part(pieces: list[Piece], choice: Choice, evidence: Evidence) -> bool:
    """Whether a word is about a part of the work, or what comes after it: the generator of a GAN, ages imputed for a
    classifier, "clean the scans, so that text recognition works better"."""
    here = pieces[choice.first]
    if here.key.startswith("suggest"):
        return any(piece.last in AMOUNTS for piece in pieces[choice.first + 1 : choice.first + 4])  # "suggests a price"
    if _is_purpose(pieces, choice.first):
        return True
    before = {piece.key for piece in pieces[max(0, choice.first - 8) : choice.first] if piece.sentence == here.sentence}
    if here.key.startswith("imput"):
        return evidence.categories
    if here.key in ("reconstruction", "reconstructions"):
        return evidence.categories or bool(before & _SHOWS)
    if here.key in ("restore", "restores", "compose", "write", "invent", "paint", "synthesize"):
        return choice.first > 0 and pieces[choice.first - 1].key in ("i", "we", "they", "who")
    if choice.value == "style_transfer" and here.key.startswith("in the"):
        return not evidence.pictures
    if choice.value == "forecasting":
        return evidence.generates
    return here.key == "generator" and evidence.generates


def _is_purpose(pieces: list[Piece], index: int) -> bool:
    """Whether a word stands in what the work is good for: "so that the ..." """
    before = [piece.key for piece in pieces[max(0, index - 5) : index] if piece.sentence == pieces[index].sentence]
    return ("so", "that") in pairwise(before)


_SHOWS = frozenset("plot plots show shows draw see print display save figure".split())


def _second_output(pieces: list[Piece], general: list[Choice], values: set[str]) -> list[Choice]:
    """The classification beside a regression: "age (regression) and gender (binary), two outputs"."""
    if "multi_output" not in values or any(choice.value == "classification" for choice in general):
        return []
    for index, piece in enumerate(pieces):
        if piece.means("binary") or (piece.terms and piece.is_a("count")):
            return [Choice("classification", index, index)]
    return []


def forbidden_problems(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """Problems that the request rules out: "please don't suggest a classifier"."""
    results = []
    for index, piece in enumerate(pieces):
        if stances[index] != "forbidden":
            continue
        for term in piece.meanings("is"):
            if term.name == "problem" and (term.value in _GENERAL or term.value in piece.key.replace(" ", "_")):
                results.append(Choice(term.value, index, index))
    return first_of_each(results)


def _asked_first(pieces: list[Piece], choice: Choice, general: list[Choice]) -> Choice:
    """A forecast where it is first asked for: "how many will I sell ... an LSTM that forecasts a week"."""
    for earlier in general:
        if choice.value != "forecasting" or earlier.value != "regression" or earlier.first > choice.first:
            continue
        if any(piece.key in ("will", "ll") for piece in pieces[earlier.last + 1 : earlier.last + 5]):
            return Choice(choice.value, earlier.first, earlier.last)
    return choice


def _is_about_output(pieces: list[Piece], choice: Choice) -> bool:
    """Whether a verb is about what the program shows, not what the model does: "generate a confusion matrix"."""
    if pieces[choice.first].key == "segments":
        before, after = pieces[max(0, choice.first - 2) : choice.first], pieces[choice.first + 1 : choice.first + 2]
        counted = any(piece.kind == "number" or piece.key == "of" for piece in before)
        return counted or any(piece.key in _BEHIND_PIECES for piece in after)  # "1 s segments at 8 kHz"
    if choice.value != "generation":
        return False
    if pieces[choice.first].key == "generator" and any(piece.key == "discriminator" for piece in pieces):
        return True
    for piece in pieces[choice.first + 1 : choice.first + 5]:
        if piece.key in _OUTPUTS or any(term.aspect == "output" for term in piece.meanings("is")):
            return True
        if piece.key not in _OUTPUT_WORDS:
            return False
    return False


def first_prediction(pieces: list[Piece], stances: Sequence[Stance]) -> int | None:
    """The first piece that says that something is predicted."""
    for index, piece in enumerate(pieces):
        # Scripts without blanks come letter by letter: 预 测.
        pair = (
            piece.key
            if piece.key.isascii()
            else piece.key + "".join([part.key for part in pieces[index + 1 : index + 2]])
        )
        if stances[index] == "asked" and (piece.key in _FIRST or pair in _FIRST):
            return index
    return None
