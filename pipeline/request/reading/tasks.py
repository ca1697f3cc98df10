"""The kind of problem, chosen among the words that name some, or by what is asked: "will it rain?"."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.request.reading.found import Choice, choices, first_of_each
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
_BEHIND_PIECES = frozenset("of at each per long with".split())
_AMOUNTS = frozenset(
    "grade grades price prices cost costs age ages weight weights yield salary salaries income "
    "consumption strength duration power angle amount revenue rent charges score scores rating speed "
    "height heights distance load emission emissions lifetime value values number count time percentage "
    "concentration temperature demand sales volume mileage mpg quality energy output usage usd humidity "
    "level levels delay fare bmi hours minutes days euros dollars rul solubility wage wages earnings profit "
    "turnover spend spending expense expenses width length depth diameter size area mass density pressure "
    "stars points position coordinates width thickness hardness viscosity content calories kwh mm kg cm "
    "precio precios preço preços prix preis preise prezzi prezzo edad âge idade alter valor valeur "
    "价格 房价 価格 цены цену".split()
)
_CATEGORIES = frozenset(
    "class classes category categories genre type types species label labels kind brand sentiment gender "
    "outcome winner diagnosis intent emotion topic department language breed variety stage group mood style "
    "decade author artist composer material disease defect state color nationality country dialect accent "
    "risk tag queue team role position-of cuisine occasion season whether if which who".split()
)
_QUESTIONS = frozenset("whether if".split())
_PREDICTS = frozenset(
    "predict predicts predicting prediction predictions predictor vorhersagen vorhersage vorhersagt "
    "predecir predicción prédire prédiction prever predizer predição prevedere 预测 予測 предсказать "
    "предсказывать 예측 infer guess guesses model".split()
)
_DETECTS = frozenset(
    "detect detects detecting spot spots find finds tell tells telling determine determines say says decide "
    "decides guess guesses see know recognise".split()
)
_CLEANS = frozenset("remove removes removing clean cleans cleaning take takes filter get".split())
_DIRT = frozenset(
    "noise hum hiss scratches dust rain fog haze blur reverb echo artifacts artefacts stains smoke snow shadows "
    "watermarks clicks crackle spots".split()
)
_SORTS = frozenset("sort sorts sorting assign assigns split divide divides put puts separate separates".split())
_INTO = frozenset(("into", "by"))
_ASKS = frozenset("is are will does do did was were has would can".split())
"""A question that begins so is answered by yes or no, or by one of several."""
_ASKS_THE_READER = frozenset("you it there anyone somebody someone we i this that he she they also please not".split())
"""Behind these it is a question to the reader, not to the model: "can you ...", "is it possible ..."."""
_AMOUNT_VERBS = frozenset(("rate", "score", "count", "estimate"))
_SPENDS = frozenset("spend cost pay earn weigh sell consume owe need use produce yield".split())
_NEGATES = frozenset("not nicht no pas não non".split())
_OR = frozenset("or oder o ou y/n".split())
_FAR = 18
"""How many words behind "predict" what is predicted may stand."""


def problems(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """The kind of problem; several only where a classification and a regression are named."""
    named = [choice for choice in choices(pieces, stances, "problem") if not _is_about_output(pieces, choice)]
    special = [choice for choice in named if choice.value not in _GENERAL and choice.value not in _SECOND]
    general = [choice for choice in named if choice.value in _GENERAL]
    second = [choice for choice in named if choice.value in _SECOND]
    values = named_values(pieces)
    if special:
        return [_asked_first(pieces, special[0], general)]
    if general and values & {"by_reconstruction", "one_class"}:
        return [Choice("anomaly_detection", general[0].first, general[0].last)]
    compares = values & {"siamese", "pairs", "triplet", "contrastive"}
    matching = [choice for choice in second if choice.value == "retrieval"]
    if matching and compares:
        return matching[:1]
    if second and not (general and general[0].first < second[0].first):
        return second[:1]
    if general:
        return first_of_each(general) + _second_output(pieces, general, values)
    return _told(pieces, stances)


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
            if term.name == "problem" and term.value in _GENERAL:
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


def _told(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """The problem where no word names it: by what is predicted, sorted or asked."""
    for rule in (_cleaned, _sorted, _detected, _predicted, _asked, _or_not):
        for index, piece in enumerate(pieces):
            if stances[index] != "asked":
                continue
            choice = rule(pieces, index)
            if choice is not None and pieces[choice.last].sentence == piece.sentence:
                return [choice]
    return []


def _cleaned(pieces: list[Piece], index: int) -> Choice | None:
    """ "remove the mains hum", "take the rain out of pictures" """
    if pieces[index].key not in _CLEANS:
        return None
    for position in range(index + 1, min(len(pieces), index + 6)):
        if pieces[position].last in _DIRT:
            return Choice("reconstruction", index, position)
    return None


def _sorted(pieces: list[Piece], index: int) -> Choice | None:
    """ "sort ECG beats into five groups" """
    if pieces[index].key not in _SORTS:
        return None
    for position in range(index + 1, min(len(pieces), index + 8)):
        if pieces[position].key in _INTO:
            return Choice("classification", index, position)
    return None


def _detected(pieces: list[Piece], index: int) -> Choice | None:
    """ "tell the variety", "spot 5 gestures" """
    if pieces[index].key not in _DETECTS:
        return None
    for position in range(index + 1, min(len(pieces), index + 4)):
        here = pieces[position]
        if any(term.name == "count" for term in here.terms) or here.last in _CATEGORIES:
            return Choice("classification", index, position)
    return None


def _predicted(pieces: list[Piece], index: int) -> Choice | None:
    """What is predicted is an amount or a category: "predict the price", "guess the decade"."""
    if pieces[index].key not in _PREDICTS:
        return None
    only_questions = False
    for position in range(index + 1, min(len(pieces), index + _FAR)):
        here = pieces[position]
        only_questions = only_questions or position > index + 8
        if here.sentence != pieces[index].sentence:
            return None
        words = here.key.split()
        if any(word in _QUESTIONS for word in words):
            return Choice("classification", index, position)
        if not only_questions:
            if any(word in _CATEGORIES for word in words):
                return Choice("classification", index, position)
            if any(word in _AMOUNTS for word in words):
                return _amount(pieces, index, position)
        if here.key in ("from", "using", "with", "based"):
            only_questions = True
    return None


def _amount(pieces: list[Piece], index: int, position: int) -> Choice:
    """An amount, unless it is cut into bands: "predict the price category"."""
    if position + 1 < len(pieces):
        after = pieces[position + 1].key
        if after in _CATEGORIES or after in ("band", "bands", "bracket", "range", "ranges"):
            return Choice("classification", index, position + 1)
    return Choice("regression", index, position)


def _asked(pieces: list[Piece], index: int) -> Choice | None:
    """A question that begins a sentence: "Will a loan be repaid?", "What will the customer spend?"."""
    starts = index == 0 or pieces[index - 1].sentence != pieces[index].sentence
    if not starts or index + 2 >= len(pieces):
        return None
    first, second = pieces[index].key, pieces[index + 1].key
    if first in _AMOUNT_VERBS:
        return Choice("regression", index, index + 1)
    if first == "what" and second in ("will", "does", "would"):
        for position in range(index + 2, min(len(pieces), index + 7)):
            if pieces[position].key in _SPENDS:
                return Choice("regression", index, position)
        return None
    if first in _ASKS and second not in _ASKS_THE_READER:
        last = index + 2
        while last + 1 < len(pieces) and last < index + 7 and pieces[last + 1].sentence == pieces[index].sentence:
            last += 1
        return Choice("classification", index, last)
    return None


def _or_not(pieces: list[Piece], index: int) -> Choice | None:
    """ "promoter or not"; and at last prices, which are predicted where nothing else is said."""
    piece = pieces[index]
    if index and piece.key in _OR and index + 1 < len(pieces) and pieces[index + 1].key in _NEGATES:
        return Choice("classification", index - 1, index + 1)
    if piece.key in ("price", "prices") and piece.kind == "word":
        named = index > 0 and pieces[index - 1].kind in ("word", "term")
        return Choice("regression", index - 1 if named else index, index)
    if piece.means("binary") and piece.kind == "term":
        return Choice("classification", index, index)
    return None


def first_prediction(pieces: list[Piece], stances: Sequence[Stance]) -> int | None:
    """The first piece that says that something is predicted."""
    for index, piece in enumerate(pieces):
        if stances[index] == "asked" and piece.key in _PREDICTS and piece.key != "model":
            return index
    return None
