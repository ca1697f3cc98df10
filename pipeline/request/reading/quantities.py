"""What each number of a request is: by the word before it ("batch size of 64") or after it ("20 epochs").

The words are those of `terms/quantities.toml`. A number that no word claims is left alone: most numbers of a request
that ask for nothing ("my GPU has 6 GB", "since 2019") stay unread that way.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from pipeline.request.reading.found import Numbers
from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.table import Quantity, Term, table
from pipeline.request.terms.tokens import written

_CONNECTORS = frozenset(
    "of = : is to at ( [ about around roughly approximately approx ~ ≈ size set be as a an the with by == "
    "→ max up maximum min minimum say exactly only just equal default using from rate value number per . "
    "| - fixed currently in was are should must has have having parameter probability coefficient limited "
    "capped starting de da di von du des le la auf mit à con < <= ≤ > * until after 为 用 は を の が 设 是 ： ， 取 "
    "で".split()
)
"""Words and marks that may stand between a key and its number."""

_STARTS_PHRASE = frozenset(
    "of in for from with without and or to across over the each every a an per is are was on at by as "
    "para pour für por von "
    "that which who it its then than into using use but if when while so we i my our you plus vs versus "
    "until after before".split()
)
"""Words that may not stand between a number and its unit."""

_SEPARATORS = frozenset(", / - – → > and then & + x × | ; ， 、 und y et e".split())
_SPACED = frozenset(("dilations", "filters", "kernel_size"))
"""Lists that are also written with blanks alone: "dilations 1 2 4 8"."""
_TOTALS = frozenset(("count", "examples"))
_MOST_CONNECTORS = 4
_LONGEST_LIST = 12


@dataclass(frozen=True, slots=True)
class Measured:
    """A number and what it is."""

    quantity: Quantity
    first: int
    """Index of the first piece: of the number, or of the first number of a list."""
    last: int
    cue: int
    """Index of the word that says so."""
    value: str


def measured(pieces: list[Piece], numbers: Numbers, taken: set[int], excluded: frozenset[str]) -> list[Measured]:
    """Every number that a word claims.

    `taken` are the pieces that are read already; those read here are added. `excluded` are the names of quantities
    that this request cannot mean.
    """
    results: list[Measured] = []
    for index, piece in numbers:
        if piece.number is None or index in taken or (piece.kind == "term" and piece.meanings("is")):
            continue
        unread = _is_rhythm(pieces, index) or _is_year(pieces, index) or _is_border(pieces, index)
        claim = None if unread else _claim(pieces, index, excluded)
        if claim is None:
            continue
        quantity, cue = claim
        if quantity.name == "count" and piece.number == 1 and pieces[index + 1].key == "-":
            continue  # "one-class"
        if quantity.name == "steps" and not _STEPS_OF_PARTS.isdisjoint(_around(pieces, index)):
            continue  # "dynamic routing (3 iterations)", "5 critic steps per generator step"
        if _is_plane(pieces, index) or (pieces[cue].key == "pts" and pieces[index - 1].key == "("):
            continue
        if quantity.name == "count" and (piece.number or 0.0) >= _MANY and pieces[cue].last not in _OF_CLASSES:
            continue  # "45,000 stars", "8k letters"
        if quantity.name == "samples" and pieces[cue].key == "levels" and any(part.means("unet") for part in pieces):
            continue  # of a U-Net
        if quantity.name == "count" and pieces[index + 1].key in _MADE_UP:
            continue  # "16 generated flowers" are shown
        if quantity.name in _TOTALS and cue + 1 < len(pieces) and pieces[cue + 1].key in ("each", "per", "pro", "por"):
            continue  # so many of each: no total
        if quantity.name in ("items", "users", "samples") and index and pieces[index - 1].key == "top":
            continue  # "the top 10 games" are shown, not had
        first = last = index
        if quantity.is_list:
            first, last = _list_around(pieces, index, taken, quantity)
        members = [position for position in range(first, last + 1) if pieces[position].number is not None]
        values = [written(pieces[position].number or 0.0, pieces[position].key) for position in members]
        if quantity.name == "sample_rate" and pieces[index + 1 : index + 2] and pieces[index + 1].key in _KILOHERTZ:
            values = [written(1000 * (piece.number or 0.0))]  # "sampled at sixteen kilohertz"
        if quantity.is_list and quantity.name == "kernel_size" and len(set(values)) == 1:
            values = values[:1]
        taken.update(members)
        results.append(Measured(quantity, first, last, cue, ",".join(values)))
    return results


_MADE_UP = frozenset("generated new sampled random fake synthetic sample".split())
_MANY = 500
_OF_CLASSES = frozenset(
    "classes class categories category labels label species types kinds topics tags intents genres way classification "
    "classifier problem softmax words keywords clusters groups identities celebrities kanji classes klassen clases "
    "classi 类 类别 种 クラス".split()
)
"""More than a few hundred of anything else are examples."""


_KILOHERTZ = frozenset(("kilohertz", "kilo"))


def _is_plane(pieces: list[Piece], index: int) -> bool:
    """Whether a number says in how many dimensions something is shown: "the embeddings in 2D"."""
    following = pieces[index + 1] if index + 1 < len(pieces) else None
    is_flat = pieces[index].number in (2.0, 3.0) and following is not None and following.key == "d"
    return is_flat and index > 0 and pieces[index - 1].key in ("in", "en", "as")


_STEPS_OF_PARTS = frozenset(("routing", "critic", "discriminator"))


def _around(pieces: list[Piece], index: int) -> set[str]:
    return {piece.key for piece in pieces[max(0, index - 4) : index + 4]}


def _is_year(pieces: list[Piece], index: int) -> bool:
    """Whether a number belongs to the name of a data set: "Plant Pathology 2020 dataset"."""
    following = [piece.key for piece in pieces[index + 1 : index + 2]]
    return 1900 <= (pieces[index].number or 0) <= 2100 and following in (["dataset"], ["challenge"], ["competition"])


def _is_border(pieces: list[Piece], index: int) -> bool:
    """Whether a number is a margin that random crops are cut with: "random crop with padding 4"."""
    before = [piece.key for piece in pieces[max(0, index - 8) : index] if piece.sentence == pieces[index].sentence]
    padded = bool(before) and (before[-1] in ("padding", "pad") or before[-2:-1] in (["padding"], ["pad"]))
    return padded and any("crop" in key for key in before)


def _is_rhythm(pieces: list[Piece], index: int) -> bool:
    """Whether a number only says how often: "every 30 epochs", "10 photos per class"."""
    if index and pieces[index - 1].key in ("every", "each", "alle", "cada", "toutes", "chaque", "每"):
        return True
    before = [piece.key for piece in pieces[max(0, index - 4) : index]]
    if before and before[-1] in ("has", "have", "contains") and ("each" in before or "every" in before):
        return True  # "each class has 55 images"
    following = [piece.key for piece in pieces[index + 1 : index + 5] if piece.sentence == pieces[index].sentence]
    for key, after in itertools.pairwise(following):
        if key in ("a", "per") and after in ("day", "week", "month", "year"):
            return True  # "9,000 tickets a month"
        if key in ("per", "each", "pro", "por", "par") and after in (
            "class",
            "species",
            "category",
            "label",
            "klasse",
            "clase",
            "classe",
            "day",
            "week",
            "month",
        ):
            return True
    return False


def _claim(pieces: list[Piece], index: int, excluded: frozenset[str]) -> tuple[Quantity, int] | None:
    """The quantity of a number, and the piece that says so: the word before it counts more than the one after."""
    before = _key_before(pieces, index, excluded)
    after = _unit_after(pieces, index, excluded)
    if before is not None and after is not None:
        gap = index - before[1] - 1
        if after[0].name in ("sample_rate", "duration") and after[1] == index + 1:
            return after  # "epochs at 100 Hz" are pieces of a recording
        number_before = before[1] - 1
        if after[1] == index + 1 and before[1] and pieces[number_before].kind == "number" and before[1] == index - 1:
            # "10 units 100 epochs"; but in "SGD 0.1 momentum 0.9 weight decay 5e-4" words stand before numbers
            named = _key_before(pieces, number_before, excluded)
            return after if named is None or named[1] != number_before - 1 else before
        is_beside = before[0].name == "length" and after[0].name in _SIDE_BY_SIDE and after[1] == index + 1
        if is_beside and gap and not _says_next(pieces, after[1]):
            return after  # "windows of 4 channels"
        # "batch 8, 20 epochs": a comma between key and number has ended the search already.
        if before[0].name == after[0].name or gap <= after[1] - index - 1 + 1:
            return before
        return after
    return before or after


_SIDE_BY_SIDE = frozenset(("channels", "features"))
"""What a window or a batch is told to have besides its length: "windows of 4 channels"."""


def _says_next(pieces: list[Piece], unit: int) -> bool:
    """Whether a unit is the key of the number behind it: "length 100, channels 5"."""
    return unit + 1 < len(pieces) and pieces[unit + 1].number is not None


def _key_before(pieces: list[Piece], index: int, excluded: frozenset[str]) -> tuple[Quantity, int] | None:
    number = pieces[index]
    position = index - 1
    while position >= 0 and index - position <= _MOST_CONNECTORS + 1:
        piece = pieces[position]
        if piece.sentence != number.sentence:
            return None
        meanings = piece.meanings("key")
        if pieces[position + 1].key in (":", "=") and position + 1 < index:
            meanings = piece.meanings("colon") + meanings
        fitting = _fitting(meanings, number, excluded)
        if fitting is not None:
            when = (
                fitting.name == "epochs"
                and position
                and pieces[position - 1].key in ("after", "at", "from", "until", "by", "in")
            )
            return None if when else (fitting, position)
        if piece.kind == "term" and piece.is_a("optimizer") and _is_rate(number):
            return table().quantities["training", "learning_rate"], position
        if piece.key not in _CONNECTORS and not (
            piece.kind == "term" and piece.meanings("key") and position == index - 2
        ):
            return None
        position -= 1
    return None


def _is_rate(number: Piece) -> bool:
    """Whether a number behind an optimizer's name is its learning rate: "Adam 1e-4"."""
    return not number.share and 0 < (number.number or 0.0) <= 0.5


def _unit_after(pieces: list[Piece], index: int, excluded: frozenset[str] = frozenset()) -> tuple[Quantity, int] | None:
    number = pieces[index]
    between = 0
    position = index + 1
    while position < len(pieces) and position - index <= 5:
        piece = pieces[position]
        if piece.sentence != number.sentence:
            return None
        fitting = _fitting(piece.meanings("unit"), number, excluded, between)
        if fitting is not None:
            return fitting, position
        if piece.key == "-" and position + 1 < len(pieces):
            position += 1
            continue
        if piece.kind not in ("word", "term") or piece.key in _STARTS_PHRASE or between >= 3:
            return None
        between += 1
        position += 1
    return None


def _fitting(meanings: tuple[Term, ...], number: Piece, excluded: frozenset[str], between: int = 0) -> Quantity | None:
    """The first of a word's quantities that the number can be."""
    value = number.number
    if value is None:
        return None
    for term in meanings:
        quantity = table().quantities[term.aspect, term.name]
        if term.name in excluded or between > quantity.gap or not quantity.low <= value <= quantity.high:
            continue
        if quantity.whole and (value != int(value) or number.share):
            continue
        if number.share and not quantity.share:
            continue
        return quantity
    return None


def _list_around(pieces: list[Piece], index: int, taken: set[int], quantity: Quantity) -> tuple[int, int]:
    """The first and last number of a list that a number stands in: "32, 64 and 128"."""
    first = last = index
    for _ in range(_LONGEST_LIST):
        previous = _neighbour(pieces, first, -1, taken, quantity)
        if previous is None:
            break
        first = previous
    for _ in range(_LONGEST_LIST):
        following = _neighbour(pieces, last, 1, taken, quantity)
        if following is None:
            break
        last = following
    return first, last


def _neighbour(pieces: list[Piece], index: int, step: int, taken: set[int], quantity: Quantity) -> int | None:
    """The number before or after a number of a list; None where the list ends."""
    position = index + step
    separators = 0
    while 0 <= position < len(pieces) and pieces[position].key in _SEPARATORS and separators < 3:
        position += step
        separators += 1
    if not 0 <= position < len(pieces) or position in taken:
        return None
    piece = pieces[position]
    if not separators and not (quantity.name in _SPACED and piece.key.isdecimal()):
        return None
    if piece.kind != "number" or piece.share or piece.number is None or piece.sentence != pieces[index].sentence:
        return None
    if quantity.whole and (piece.number != int(piece.number) or piece.number < 1):
        return None
    # The 20 of "64 units, 20 epochs" has a unit of its own.
    own = _unit_after(pieces, position) if step > 0 else None
    return None if own is not None and own[0].name != quantity.name else position
