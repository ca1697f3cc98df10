"""Numbers told by what they count: classes to choose from, words of a text, words that are spoken; and by nouns that no
table knows, examples, users and items: "600 alloys", "120,000 listeners"."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.request.reading.found import Found, Numbers
from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.tokens import written

_LEAST_VOCABULARY = 2_000
"""Texts that are classified have fewer words, vocabularies more."""


def in_brackets(pieces: list[Piece], numbers: Numbers, taken: set[int]) -> Iterator[Found]:
    """ "one subfolder per species (25)": how many a noun for classes stands for."""
    for index, piece in numbers:
        around = pieces[index - 1 : index + 2] if index > 1 else []
        if len(around) < 3 or (around[0].key, around[2].key) != ("(", ")") or index in taken:
            continue
        value = piece.number or 0.0
        of_classes = any(term.name == "count" for term in pieces[index - 2].meanings("unit"))
        if piece.kind == "number" and of_classes and not piece.share and 2 <= value == int(value) <= _MOST_CLASSES:
            taken.add(index)
            yield Found("classes", "count", written(value), index - 2, index)


_WHICH = frozenset(
    "which welche welcher welches welchem welchen quel quelle quels cuál cuáles qual quais quale".split()
)
_AMONG = frozenset(
    "of von de des der our my the those these among between one these unsere unserer nos nuestras".split()
)
_RECOGNIZES = frozenset(
    "recognize recognizes recognizing classify classifies classifying identify identifies distinguish distinguishes "
    "separate sort spot discriminate categorize tell between among".split()
)
_MOST_CLASSES = 1_000


def one_of(pieces: list[Piece], numbers: Numbers, taken: set[int]) -> Iterator[Found]:
    """ "which of our 11 queues", "recognise 40 signs": so many classes, whatever they are called."""
    for index, piece in numbers:
        if index + 1 == len(pieces):
            return
        value = piece.number or 0.0
        if piece.kind != "number" or index in taken or value < 2 or pieces[index + 1].kind == "mark":
            continue
        if value != int(value) or piece.share:
            continue
        before = [part.key for part in pieces[max(0, index - 4) : index] if part.sentence == piece.sentence]
        if _chosen_among(before) or (value <= _MOST_CLASSES and _recognized(pieces, index)):
            taken.add(index)
            yield Found("classes", "count", written(value), index, index + 1)
            return


def _chosen_among(before: list[str]) -> bool:
    """Whether a number stands behind "which of" or "one of the"."""
    words = " ".join(before).split()
    while words and words[-1] in _AMONG and words[-1] != "one":
        if words[-2:] == ["one", "of"]:
            return True
        words = words[:-1]
        if words and words[-1] in _WHICH:
            return True
    return False


def _recognized(pieces: list[Piece], index: int) -> bool:
    """ "recognise 40 signs", "distinguish the 12 butterflies": things that no table counts."""
    following = pieces[index + 1]
    if following.kind != "word" or following.meanings("unit") or following.key in _NO_CLASSES:
        return False
    position = index - 1
    if position > 0 and pieces[position].key in _AMONG | {"all"}:
        position -= 1
    before = pieces[position] if position >= 0 else None
    if before is None or before.sentence != pieces[index].sentence:
        return False
    return any(word in _RECOGNIZES for word in before.key.split())


_NO_CLASSES = frozenset(
    "px pixel pixels mm cm km hz khz mb gb tb k x by of to from in and or hours hour days day years year minutes "
    "minute weeks months people persons per percent layers layer".split()
)


def text_lengths(pieces: list[Piece], numbers: Numbers, taken: set[int]) -> Iterator[Found]:
    """ "200 words" of a text are its length, "15k words" a vocabulary, where nothing around them says more."""
    for index, piece in numbers:
        if index + 1 == len(pieces):
            return
        if piece.kind != "number" or index in taken or pieces[index + 1].key not in ("words", "characters"):
            continue
        value = piece.number or 0.0
        if value != int(value) or value < 10 or _is_of_sample(pieces, index):
            continue
        taken.add(index)
        name = "vocabulary" if value >= _LEAST_VOCABULARY else "length"
        yield Found("size", name, written(value), index, index + 1)


def _is_of_sample(pieces: list[Piece], index: int) -> bool:
    """Whether it is how much is to be written: "print a sample of 500 characters"."""
    before = {part.key for part in pieces[max(0, index - 6) : index] if part.sentence == pieces[index].sentence}
    return not _WRITES.isdisjoint(word for key in before for word in key.split())


_WRITES = frozenset("sample samples print generate write produce output generating printing writing".split())


def spoken_words(pieces: list[Piece], numbers: Numbers, taken: set[int]) -> Iterator[Found]:
    """ "35 words" of recordings are classes."""
    for index, piece in numbers:
        if index + 1 == len(pieces):
            return
        if piece.kind == "number" and index not in taken and pieces[index + 1].key in ("words", "keywords", "phrases"):
            taken.add(index)
            yield Found("classes", "count", written(piece.number or 0.0), index, index + 1)


_LEAST_EXAMPLES = 90
_LEAST_USERS = 100
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_LEAST_IN_BRACKETS = 600
_REACH = 3
"""How many words of a noun may stand behind a number: "900 glass plate negatives"."""

_HAS = frozenset(
    "on have ve has had got took own collected measured recorded scanned labeled labelled annotated gathered are is "
    "were about around roughly approximately approx some only just ~ ≈ ( with our my from for of among offer over "
    "almost nearly circa ca than contains containing holds , : - search match classify".split()
)
"""Behind these stands how many there are."""
_STRESSES = frozenset(
    "have ve has had got took own collected measured recorded scanned gathered about around roughly approximately "
    "only just ~ ≈ some".split()
)
_MEASURED = frozenset(
    "x by px pixels pixel words word tokens token characters character seconds second secs sec s ms hz khz mhz hours "
    "hour minutes minute days day weeks week months month years year steps step epochs epoch layers layer units "
    "neurons filters dims dimensions dim d mm cm m km kg g mg gb mb kb tb k euro euros dollars usd eur percent times "
    "iterations episodes updates classes categories labels columns features variables sensors channels points bits "
    "bins bands levels grid and or to in of is as at per steps frames frame people's degrees volts watts kwh mw kw rpm "
    "bpm ppm cores gpus parameters params weights heads blocks folds trees estimators neighbors nodes edges nanometers "
    "nm microns meters metres miles litres liters votes calls decibels db fps dpi lines suggestions "
    "recommendations clusters groups topics topic minibatches batches warmup warm-up users items".split()
)
"""Units and parts of networks, which are no examples."""
_LABELED = frozenset("labeled labelled sorted annotated available scanned collected transcribed rated tagged".split())
_PEOPLE = frozenset(
    "users customers members readers listeners viewers players people persons students pupils guests visitors clients "
    "subscribers cooks fans employees accounts patients buyers shoppers diners drinkers travelers travellers "
    "households shops stores children teachers cyclists gamers artists musicians tourists".split()
)
_PERSONAL = ("ers", "ors", "ists", "ants", "ians")


def examples(pieces: list[Piece], numbers: Numbers, taken: set[int]) -> Iterator[Found]:
    """ "we measured 600 alloys", "about 340 pupils", "8k letters are sorted already" """
    for index, piece in numbers:
        if index + 1 == len(pieces):
            return
        if not _counts(piece, index, taken, _LEAST_EXAMPLES):
            continue
        if pieces[index + 1].key in (")", ","):
            if not _of_those(pieces, index):
                continue
            last: int | None = index
        elif [part.key for part in pieces[index + 1 : index + 3]] == ["of", "them"]:
            last = index + 2
        else:
            last = index + 1 if pieces[index + 1].key in _LABELED else _noun_behind(pieces, index)
        if last is not None and [part.key for part in pieces[last + 1 : last + 2]] in (["each"], ["per"], ["every"]):
            continue  # "90 scans each": no total
        if last is not None and (last == index or _is_stressed(pieces, index, last)):
            taken.add(index)
            yield Found("size", "examples", written(piece.number or 0.0), index, last)
            return


def _counts(piece: Piece, index: int, taken: set[int], least: int) -> bool:
    value = piece.number or 0.0
    if piece.kind != "number" or index in taken or piece.share or value < least or value != int(value):
        return False
    return not (_FIRST_YEAR <= value <= _LAST_YEAR and piece.key.isdigit())


def _of_those(pieces: list[Piece], index: int) -> bool:
    """ "pictures of good ones (1,500, each 128 by 128)" """
    before = pieces[index - 1].key
    behind = [part.key for part in pieces[index + 1 : index + 3]]
    if before != "(" or index < 2 or pieces[index - 2].kind not in ("word", "term"):
        return False
    is_list = any(part.kind == "number" for part in pieces[index + 1 : index + 3])
    large = (pieces[index].number or 0.0) >= _LEAST_IN_BRACKETS and not pieces[index - 2].is_a("family")
    return behind[1:] in (["each"], ["all"]) or (large and not is_list)


def _noun_behind(pieces: list[Piece], index: int) -> int | None:
    """The plural noun that a number counts; None where it is a unit or there is none."""
    for position in range(index + 1, min(len(pieces), index + 1 + _REACH)):
        here = pieces[position]
        if here.kind not in ("word", "term") or here.sentence != pieces[index].sentence or here.key in _MEASURED:
            return None
        if any(term.name != "examples" for term in here.meanings("unit")) and not here.is_a("kind"):
            return None
        is_asked = here.terms and any(term.role == "is" and term.aspect not in ("data", "size") for term in here.terms)
        if is_asked or here.last in _MEASURED:
            return None
        if _is_plural(here.last):
            return position
    return None


def _is_plural(word: str) -> bool:
    return (len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))) or word in _IRREGULAR


_IRREGULAR = frozenset("people children men women mice fish sheep teeth feet leaves".split())


def _is_stressed(pieces: list[Piece], index: int, last: int) -> bool:
    """Whether the words around say that so many there are: "we have", "about", "are labelled"."""
    before = [part.key for part in pieces[max(0, index - 3) : index] if part.sentence == pieces[index].sentence]
    if not before:
        return True  # a bullet or a sentence that begins so
    if before[-1] in _HAS:
        return True
    behind = [part.key for part in pieces[last + 1 : last + 4]]
    return not _STRESSES.isdisjoint(before) or not _LABELED.isdisjoint(behind)


def nodes(pieces: list[Piece], numbers: Numbers, taken: set[int]) -> Iterator[Found]:
    """ "116 regions are the nodes", "nodes are manholes (2,318 of them)" """
    for index, piece in numbers:
        if index + 1 == len(pieces):
            return
        if not _counts(piece, index, taken, 2):
            continue
        behind = [part.key for part in pieces[index + 1 : index + 6] if part.sentence == piece.sentence]
        before = [part.key for part in pieces[max(0, index - 6) : index] if part.sentence == piece.sentence]
        said_behind = any(behind[place : place + 2] in _AS_NODES for place in range(1, 3)) or "nodes" in behind[2:4]
        said_before = (
            "nodes" in before and ("are" in before or ":" in before) and behind[:1] not in (["edges"], ["nodes"])
        )
        joined = said_behind and not {"are", "as", "being"}.isdisjoint(behind[:3])
        if joined or (said_before and "," not in before):
            taken.add(index)
            yield Found("size", "nodes", written(piece.number or 0.0), index, index + 1)
            return


_AS_NODES = (["as", "nodes"], ["are", "nodes"], ["being", "nodes"])


def users_and_items(pieces: list[Piece], numbers: Numbers, taken: set[int], said: set[str]) -> Iterator[Found]:
    """ "120,000 listeners, 9,000 episodes": people use, things are recommended. `said` are the names read already."""
    said = set(said)
    for index, piece in numbers:
        if index + 1 == len(pieces):
            return
        if not _counts(piece, index, taken, _LEAST_USERS) or (index and pieces[index - 1].key == "top"):
            continue
        last = _noun_behind(pieces, index)
        if last is None:
            continue
        noun = pieces[last].last
        name = "users" if noun in _PEOPLE or noun.endswith(_PERSONAL) else "items"
        if name not in said:
            said.add(name)
            taken.add(index)
            yield Found("size", name, written(piece.number or 0.0), index, last)
