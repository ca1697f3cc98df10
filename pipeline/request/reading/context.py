"""Terms whose meaning the words around them decide: whether an error's name is the loss or a metric, and the like."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.request.constraints import Aspect
from pipeline.request.reading.found import Found
from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.table import Term
from pipeline.request.terms.tokens import written

_WANTED = frozenset(
    "with of many more some helpful good add plenty code detailed inline short clear include need want "
    "please useful explaining beginner write".split()
)
_COMMON_WORDS = frozenset(
    ("temp", "temperature", "with temperature", "beam", "greedy", "beams", "temperatura", "température")
)
_WRITES = frozenset(
    ("generation", "translation", "captioning", "summarization", "question_answering", "speech_recognition")
)

_EXPORTS = frozenset("export exported exports as to tf tensorflow convert".split())
_OF_PICTURES = frozenset(("super_resolution", "colorization", "reconstruction", "style_transfer"))
"""Problems in which a bare "L1" is the loss between two pictures."""
_TWO = ("two", "zwei", "dos", "deux", "duas", "due")


def fits(pieces: list[Piece], index: int, term: Term, problems: set[str]) -> bool:
    """Whether a term has its usual sense here: a temperature is a way of sampling only where text is written."""
    following = [piece.key for piece in pieces[index + 1 : index + 3]]
    if term.name == "decoding" and pieces[index].key in _COMMON_WORDS:
        samples = any(part.key.startswith(("sampl", "generat")) for part in pieces)
        return samples if not problems else bool(problems & _WRITES)
    if term.name == "comments" and pieces[index].key in ("comments", "comment"):
        before = {piece.key for piece in pieces[max(0, index - 3) : index]}
        return bool(before & _WANTED) or following[:2] == ["in", "the"]
    if term.value in _TOP_ACCURACIES and not pieces[index].key.endswith(("accuracy", "acc", "error")):
        return not _counts_things(pieces, index)
    if term.value == "flip" and pieces[index].key.startswith("mirror"):
        return following[:2] != ["the", "encoder"]  # "the decoder mirrors the encoder"
    if term.value == "cosine" and pieces[index].key == "cosine":
        return "retrieval" not in problems and following[:1] != ["noise"]
    if term.value == "exact_match" and pieces[index].key == "em":
        return "question_answering" in problems or any(part.means("f1") for part in pieces[index + 1 : index + 4])
    if term.value == "sequential" and pieces[index].key == "sequential":
        ends = index + 1 == len(pieces) or pieces[index + 1].kind == "mark" or following[:1] == ["keras"]
        return ends and any(part.means("tensorflow") for part in pieces)
    if term.value == "saved_model" and pieces[index].key == "saved model":
        before = {piece.key for piece in pieces[max(0, index - 3) : index]}
        return bool(before & _EXPORTS) or following[:1] == ["format"]
    if term.value == "wine" and pieces[index].key in ("wine", "wines"):
        return any(part.key in ("sklearn", "scikit", "uci") for part in pieces)
    if term.value == "span" and pieces[index].key in ("span", "spans"):
        return bool(problems & _WRITES) or any(part.means("text") or part.is_a("backbone") for part in pieces)
    if term.value == "glove" and pieces[index].key == "gloves":
        return False
    if term.value == "fpn":
        return not any(part.is_a("backbone") and not part.means("fpn") for part in pieces if part.terms)
    if term.value == "pairs" and problems & _WRITES and index and pieces[index - 1].kind == "number":
        return False  # "64,000 pairs" of sentences and their translations
    if term.value == "binary" and following[:1] == ["/"]:
        return False  # "yes / no / up / down"
    if term.value == "pairs" and "pair" not in pieces[index].key and pieces[index].key.startswith(_TWO):
        # "two photos" are a pair where nothing else is called one, and where they are compared
        return not problems & _WRITES and not any("pair" in part.key and part.means("pairs") for part in pieces)
    if term.value == "breast_cancer" and pieces[index].key in ("breast cancer", "breast-cancer"):
        return not any(part.means("image") for part in pieces if part.terms)  # the data set is a table
    if term.name == "dataset":
        # "RAVDESS-like", "COCO json": not the data set itself
        return not {"like", "style", "json", "format"} & set(following)
    return True


_TOP_ACCURACIES = frozenset(("top_2_accuracy", "top_3_accuracy", "top_5_accuracy", "top_10_accuracy"))
_NO_THINGS = frozenset(
    "and or accuracy acc error score metric metrics on in for as at is of please too also with to".split()
)


def _counts_things(pieces: list[Piece], index: int) -> bool:
    """Whether "top 5" counts what is listed, "top 5 games", and is no accuracy."""
    if index + 1 == len(pieces):
        return False
    following = pieces[index + 1]
    if following.kind not in ("word", "term") or following.sentence != pieces[index].sentence:
        return False
    is_measure = any(term.aspect == "metric" for term in following.terms)
    return following.key not in _NO_THINGS and not is_measure


def in_context(pieces: list[Piece], index: int, term: Term, problems: set[str]) -> tuple[Aspect, str, str]:
    """What a term is where the words around it decide: an error's name a loss, an activation that of the output."""
    if term.value == "densenet" and " " in pieces[index].key:
        return "architecture", "family", "mlp"
    if term.name in ("l1", "l2") and (_joins_a_loss(pieces, index) or problems & _OF_PICTURES):
        return "training", "loss", {"l1": "mae", "l2": "mse"}[term.name]
    if term.value == "residuals" and "histogram" in pieces[index].key and "anomaly_detection" in problems:
        return "output", "plot", "loss_histogram"
    if term.name == "metric" and _is_loss(pieces, index, term.value):
        return "training", "loss", term.value
    if term.name == "metric" and term.value in _PICTURE_METRICS and _names_loss(pieces, index):
        return "training", "loss", term.value
    if term.name == "activation" and "output" in pieces[index].key:
        return "architecture", "output_activation", term.value
    if term.name == "activation" and _at_output(pieces, index, term.value):
        return "architecture", "output_activation", term.value
    return term.aspect, term.name, term.value


def _joins_a_loss(pieces: list[Piece], index: int) -> bool:
    """ "L1 + adversarial loss", "SSIM loss + L1": L1 is a loss, no penalty on weights."""
    following = pieces[index + 1 : index + 3]
    if len(following) == 2 and following[0].key in _PLUS and following[1].is_a("loss"):
        return True
    before = pieces[max(0, index - 2) : index]
    return len(before) == 2 and before[1].key in _PLUS and (before[0].is_a("loss") or before[0].key == "loss")


_PLUS = frozenset("+ and / & plus".split())
_PICTURE_METRICS = frozenset(("ssim", "psnr", "lpips"))


def _names_loss(pieces: list[Piece], index: int) -> bool:
    """ "SSIM as loss", "loss: SSIM" """
    following = [piece.key for piece in pieces[index + 1 : index + 3]]
    before = [piece.key for piece in pieces[max(0, index - 2) : index]]
    return following[:1] == ["loss"] or following == ["as", "loss"] or any(key in _LOSS_WORDS for key in before)


def _at_output(pieces: list[Piece], index: int, value: str) -> bool:
    following = [piece.key for piece in pieces[index + 1 : index + 4] if piece.sentence == pieces[index].sentence]
    if "," in following:
        following = following[: following.index(",")]  # "with swish, outputs scaled to 0-1"
    before = [piece.key for piece in pieces[max(0, index - 4) : index] if piece.sentence == pieces[index].sentence]
    if "," in before:
        before = before[len(before) - before[::-1].index(",") :]
    if any(key.startswith("output") for key in following[:2]) or following[:1] == ["head"]:
        return True
    if following[:2] in (["at", "the"], ["on", "the"]):
        return True
    if any(key.startswith(("output", "final", "last")) for key in before):
        return True
    return value in ("softmax", "sigmoid") and not any("hidden" in key for key in before + following)


_EITHER = {"mse": "loss", "mae": "metric", "dice": "metric", "iou": "metric", "mape": "metric", "rmse": "metric"}
"""Names that can be a loss or a metric, and what they are where nothing around them says so."""

_LOSS_WORDS = frozenset(
    "loss losses objective criterion minimise minimize minimizing optimise optimize verlust "
    "потерь потери verlustfunktion pérdida perte perda perdita 损失 损失函数 損失 損失関数 fonction".split()
)
_METRIC_WORDS = frozenset(
    "metric metrics report reported reporting evaluate evaluated evaluation measure measured measuring "
    "score scores track show print monitor judge judged see compare test monitored want metrik metriken "
    "métrica métricas métrique metrica 指标 評価指標 评价指标 error calculate compute validation".split()
)
_ABOVE = frozenset(
    "> ≥ above over exceeding least = beyond past reach reaching of : >= better than at around about ~ be "
    "must should is ( reaches target goal and minimum min hits hit more mayor que maior plus de supérieur superior "
    "über mindestens mehr als größer 大于 高于 超过 以上 выше больше non oltre sopra it has to get has".split()
)
_REACH = 8


def _is_loss(pieces: list[Piece], index: int, name: str) -> bool:
    """Whether a piece that names an error is asked for as the loss."""
    default = _EITHER.get(name)
    if default is None:
        return False
    here = pieces[index]
    following = [piece.key for piece in pieces[index + 1 : index + 4] if piece.sentence == here.sentence]
    if here.key.startswith("mean iou") or here.key == "miou":
        return False
    if following[:1] and following[0] in ("loss", "verlust", "损失"):
        return True
    if following[:2] in (
        ["as", "loss"],
        ["as", "the"],
        ["for", "training"],
        ["als", "verlust"],
        ["als", "loss"],
        ["como", "pérdida"],
        ["como", "perda"],
        ["comme", "perte"],
    ):
        return "metric" not in following
    if (
        following[:1]
        and following[0] in ("+", "and", "plus", "&")
        and any(term.name == "loss" for term in pieces[index + 2].terms)
    ):
        return True
    if following[:1] in (["metric"], ["score"], ["metrics"]) or following[:2] == ["as", "metric"]:
        return False
    for distance in range(1, _REACH + 1):
        position = index - distance
        if position < 0 or pieces[position].sentence != here.sentence:
            break
        key = pieces[position].key
        if key in _LOSS_WORDS or key.endswith(" loss"):
            return not _comma_between(pieces, position, index)
        if key in ("train", "trained", "training") and distance <= 2:
            return True
        if key in _METRIC_WORDS:
            return False
        if any(term.name == "metric" and term.value not in _EITHER for term in pieces[position].terms):
            return False
        if any(term.name == "loss" for term in pieces[position].terms) and distance <= 2:
            return pieces[position + 1].key in ("+", "and", "plus", "/")
    return default == "loss"


def _comma_between(pieces: list[Piece], first: int, last: int) -> bool:
    return any(piece.key == "," for piece in pieces[first:last])


_ERRORS = frozenset("mae rmse mse mape smape log_loss wer cer perplexity fid".split())
_BELOW = frozenset(
    "< ≤ below under less than at most should be is must stay <= to lower the ( around about it has get unter menor "
    "que weniger als inférieur à sous por debajo de abaixo sotto ниже меньше 低于 ziel target goal".split()
)


_LESS = frozenset(
    "< ≤ <= below under less most lower unter menor weniger inférieur sous debajo abaixo sotto ниже 低于".split()
)


def error_goals(pieces: list[Piece], taken: set[int]) -> Iterator[Found]:
    """Levels that errors are to stay below: "MAPE below 12 %", "MAE should be under 3 bpm"."""
    for index, piece in enumerate(pieces):
        for term in piece.meanings("is") if piece.terms else ():
            if term.name != "metric" or term.value not in _ERRORS:
                continue
            below = False
            for position in range(index + 1, min(len(pieces), index + 9)):
                here = pieces[position]
                if here.kind == "number" and below and position not in taken:
                    taken.add(position)
                    yield Found("metric", "goal", written(here.number or 0.0), index + 1, position, term.value)
                if here.key not in _BELOW or here.sentence != piece.sentence:
                    break
                below = below or here.key in _LESS


def goals(pieces: list[Piece], taken: set[int]) -> Iterator[Found]:
    """Levels that metrics are to reach: "at least 95 % accuracy". The numbers read are added to `taken`."""
    for index, piece in enumerate(pieces):
        for term in piece.meanings("is") if piece.terms else ():
            level = _goal(pieces, index) if term.name == "metric" and term.value not in _WITH_NUMBER else None
            if level is None:
                continue
            value, first, last = level
            number = last if pieces[last].kind == "number" else first
            if number not in taken:
                taken.add(number)
                yield Found("metric", "goal", value, first, last, term.value)


_WITH_NUMBER = frozenset(("map", "hit_rate"))
"""Metrics whose names go on with a number: "mAP at 0.5"."""


def _goal(pieces: list[Piece], index: int) -> tuple[str, int, int] | None:
    """The level that a metric is to reach, with the first and last piece that say it; None where none is stated."""
    here = pieces[index]
    for position in range(index + 1, min(len(pieces), index + 6)):
        piece = pieces[position]
        if piece.sentence != here.sentence:
            break
        if _is_level(piece):
            if position == index + 1 and not piece.share:
                break
            return _level(piece), index, position
        if piece.key not in _ABOVE:
            break
    before = index - 1
    if before >= 0 and pieces[before].key in ("test", "validation", "val", "or", "more", "better", "+", "of"):
        before -= 1
    if before >= 0 and _is_level(pieces[before]) and pieces[before].share and pieces[before].sentence == here.sentence:
        return _level(pieces[before]), before, index
    return None


def _is_level(piece: Piece) -> bool:
    return piece.kind == "number" and piece.number is not None and 0.2 < piece.number < 1


def _level(piece: Piece) -> str:
    return written(piece.number or 0.0)
