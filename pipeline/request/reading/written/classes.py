"""The classes that a request names: "six labels (toxic, obscene, ...)", "as spam or ham", "cats vs dogs"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.request.reading.written.alternatives import alternatives
from pipeline.request.reading.written.column_values import ColumnValues
from pipeline.request.reading.written.name_lists import can_be_classes, phrase_list
from pipeline.request.reading.written.objects import objects
from pipeline.request.terms.lists import Name, listed
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

_CLASS_WORDS = frozenset(
    "subfolders subdirectories class classes label labels category categories kind kinds type types species "
    "genre genres emotions emotion sentiment mood moods breed breeds topic topics intents gesture gestures "
    "activity activities state states outcome outcomes diagnoses diagnosis tag tags grade grades group groups "
    "commands actions findings sport sports fruit fruits animal animals vehicle vehicles colors shapes variety "
    "varieties entity entities defect defects material materials stage stages level levels weather condition "
    "conditions department departments style styles words word digits letters disease diseases instrument "
    "instruments language languages event events pose poses brand brands option options values decade decades "
    "season seasons stroke strokes result results queue queues team teams role roles rarity bucket buckets "
    "rhythm rhythms section sections theme themes subject subjects author authors artist artists composer "
    "composers speaker speakers accent accents dialect dialects cuisine cuisines dish dishes crop crops weed weeds "
    "bird birds flower flowers tree trees fish insect insects cell cells tissue tissues lesion lesions fault faults "
    "anomalies attack attacks risk severity answer answers verdict verdicts decision decisions "
    "move moves gait exercise exercises command keyword keywords sound sounds tones phase phases object objects "
    "klassen klasse kategorien kategorie sorten sorte arten art typen fehler zustände stimmungen clases clase "
    "categorías etiquetas especies tipos estados classes étiquettes catégories types espèces états classi "
    "categorie tipi rótulos categorias espécies 类别 类 クラス 種類 классы классов классам класса видов типов "
    "kinderen".split()
)
"""Behind these nouns a list names classes."""

_OF_ANY_PROBLEM = frozenset(
    "class classes label labels category categories genre genres emotion emotions style styles rarity mood moods "
    "type types kind kinds klassen clases classi 类别 クラス классы".split()
)
"""These name classes though no classification is asked for: "conditional on rarity (common, rare, epic)"."""

_OPENERS = {"(": ")", "[": "]", "{": "}", ":": "", "=": "", "→": "", "—": "", "–": ""}
_BETWEEN = frozenset("are is namely as i.e e.g like such - – — → > : = being named called ie either viz sind".split())
_LISTED_BEHIND = frozenset(
    "classes labels categories tags subfolders folders subdirectories stages states groups emotions moods genres "
    "findings entities klassen clases categorías étiquettes catégories classi rótulos categorias levels intents "
    "gestures".split()
)
_OR = frozenset("or vs versus / oder ou o |".split())
_CLASSIFIES = frozenset("classification retrieval anomaly_detection segmentation detection tagging".split())
_FEWEST_BEHIND_NUMBER = 3


_LEADS = frozenset("labelled labeled called named marked tagged either".split())
_TRAILS = frozenset("einstuft einordnet unterscheidet klassifiziert sortiert sind ist trennt erkennt".split())


def class_names(
    text: str,
    pieces: list[Piece],
    stances: Sequence[Stance],
    problems: Sequence[str],
    values: Sequence[ColumnValues] = (),
) -> list[Name]:
    """The classes that a request names. Of the values of columns only those of the target are classes."""
    names = _class_names(text, pieces, stances, problems, values)
    if not names or {name.text.lower() for name in names} <= _ANGLES:
        return []
    first, blank, rest = names[0].text.partition(" ")
    if blank and first.lower() in _LEADS:  # "each is labelled grazing / walking / lying"
        names[0] = Name(rest, names[0].end - len(rest), names[0].end)
    if len(names) > 2 and any(piece.start == names[0].start and piece.is_a("kind") for piece in pieces):
        names = names[1:]  # "Chest X-rays, pneumonia or normal"
    before, _, last = names[-1].text.rpartition(" ")
    if before and last in _TRAILS:  # "als positiv oder negativ einstuft"
        names[-1] = Name(before, names[-1].start, names[-1].start + len(before))
    return names


_ANGLES = frozenset("sin cos sine cosine".split())
"""How a direction or an hour is written, "(sin/cos)"."""


def _class_names(
    text: str,
    pieces: list[Piece],
    stances: Sequence[Stance],
    problems: Sequence[str],
    values: Sequence[ColumnValues] = (),
) -> list[Name]:
    told_apart = not problems or any(problem in _CLASSIFIES for problem in problems)
    stances = list(stances)
    for of_column in values:
        if of_column.of_target and told_apart and can_be_classes(pieces, of_column.names, least=2):
            return of_column.names
        for index in range(of_column.first, of_column.last + 1):
            stances[index] = "mentioned"
    class_words = _CLASS_WORDS if told_apart else _OF_ANY_PROBLEM
    for index, piece in enumerate(pieces):
        counts_classes = piece.terms and any(term.aspect == "classes" for term in piece.terms)
        names: list[Name] = []
        if stances[index] == "mentioned":
            continue
        if counts_classes or piece.last in class_words:
            names = _behind_class_word(text, pieces, index)
        elif piece.kind == "number" and told_apart:
            names = _as_many(text, pieces, index)
        if names:
            return names
    if not told_apart:
        return []
    return (
        _braces(text, pieces)
        or _in_folders(text)
        or objects(text, pieces, stances, problems)
        or alternatives(text, pieces, stances)
    )


_FOLDERS = re.compile(
    r"(?<![\w-])(?P<names>[^\W\d][\w-]{0,30}(?:, [^\W\d][\w-]{0,30}){0,8},? and [^\W\d][\w-]{0,30}),? "
    r"(?:(?:lie|are|sit|is|stored|saved|sorted|each) ){0,2}in (?P<count>two|three|four|five|six|[2-9]) "
    r"(?:\w+ )?(?:sub)?(?:folders|directories)"
)
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}


_TWO_FOLDERS = re.compile(
    r"(?:\b(?:two|2|three|3|four|4|five|5) (?:\w+ )?(?:sub)?folders|\bOrdner|\bcarpetas|\bdossiers|\bpastas|\bcartelle)"
    r"(?:,|:| \(| called| named)? "
    r"(?P<names>[^\W\d][\w-]{0,30}(?:, [^\W\d][\w-]{0,30}){0,8},? (?:and|und|y|et|e) [^\W\d][\w-]{0,30})"
    r"(?=[.,;)]|$| sortiert)"
)
"""Folders and their names behind them: "two folders, thirsty and fine"."""
_ANDS = frozenset("and und y et e".split())


def _in_folders(text: str) -> list[Name]:
    """ "normal and pneumonia in two folders": as many names as there are folders, those that stand last."""
    behind = _TWO_FOLDERS.search(text)
    if behind is not None:
        parts = re.finditer(r"[\w-]+", behind["names"])
        start = behind.start("names")
        return [
            Name(part.group(), start + part.start(), start + part.end()) for part in parts if part.group() not in _ANDS
        ]
    match = _FOLDERS.search(text) if "folder" in text or "director" in text else None
    if match is None:
        return []
    count = _COUNTS.get(match["count"]) or int(match["count"])
    names: list[Name] = []
    for part in re.finditer(r"[\w-]+", match["names"]):
        start = match.start("names") + part.start()
        if part.group() != "and":
            names.append(Name(part.group(), start, start + len(part.group())))
    return names[-count:] if len(names) >= count else []


def _as_many(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """A list of as many names as a number in front of it says: "four strokes (butterfly, crawl, back, breast)"."""
    count = pieces[index].number or 0.0
    if count < _FEWEST_BEHIND_NUMBER or count != int(count) or count > 60:
        return []
    for position in range(index + 1, min(len(pieces), index + 6)):
        here = pieces[position]
        if here.key in _OPENERS and position > index + 1:
            names, _ = listed(text, pieces, position + 1, _OPENERS[here.key])
            as_many = len(names) == count and can_be_classes(pieces, names, least=3)
            return names if as_many and not _is_of_columns(pieces, index, position) else []
        if here.kind not in ("word", "term") or here.sentence != pieces[index].sentence:
            return []
    return []


_OF_COLUMNS = frozenset(
    "columns column features feature variables attributes fields inputs measurements numbers predictors sensors "
    "rows layers blocks filters units neurons channels heads folds epochs augmentations questions quantities "
    "bands axes targets outputs things values".split()
)


def _is_of_columns(pieces: list[Piece], first: int, last: int) -> bool:
    return any(not _OF_COLUMNS.isdisjoint(piece.key.split()) for piece in pieces[first:last])


def _behind_class_word(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """The list behind "classes": in brackets, behind a colon or "are", or just behind it."""
    names = _behind_colon(text, pieces, index)
    if names:
        return names
    position = index + 1
    opened = False
    while position < len(pieces) and position - index <= 4:
        key = pieces[position].key
        if key in ("(", "[", "{"):
            names, _ = listed(text, pieces, position + 1, _OPENERS[key])
            least = 1 if pieces[index].key == "class" else 2
            return names if can_be_classes(pieces, names, least=least) else []
        if key not in _BETWEEN:
            break
        opened = True
        position += 1
    if not opened:
        return _just_behind(text, pieces, index)
    names, end = listed(text, pieces, position, "")
    one_label = pieces[index].key in ("label", "class", "category") and pieces[position - 1].key == "is"
    if one_label and not any(part.key in _OR for part in pieces[position:end]):
        return []  # "the label is 'outcome', a number"
    return names if can_be_classes(pieces, names, least=2) else []


def _behind_colon(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "emotions in speech: angry/happy/sad": a list of single words behind a colon that stands a little further on."""
    for colon in range(index + 2, min(len(pieces), index + 6)):
        part = pieces[colon]
        if part.sentence != pieces[index].sentence or part.kind == "number":
            return []
        if part.key != ":":
            continue
        names, _ = listed(text, pieces, colon + 1, "")
        single = all(len(name.text.split()) == 1 and name.text.replace("-", "").isalnum() for name in names)
        return names if len(names) >= 3 and single and can_be_classes(pieces, names, least=3) else []
    return []


def _just_behind(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "classes helmet, head, person", "5 AAMI groups N, S, V, F and Q"."""
    if index + 1 >= len(pieces) or pieces[index].last not in _LISTED_BEHIND:
        return []
    counted = index > 0 and any(part.kind == "number" for part in pieces[max(0, index - 3) : index])
    of_classes = pieces[index].key in ("classes", "klassen", "clases")
    names = phrase_list(text, pieces, index + 1, strict=not of_classes, joined=False)
    if not names:
        return []
    capitals = all(name.text.isupper() for name in names)
    plural = pieces[index].last in ("classes", "labels", "categories", "tags", "klassen", "clases")
    likely = capitals or counted or plural
    return names if likely and can_be_classes(pieces, names, least=2) else []


def _braces(text: str, pieces: list[Piece]) -> list[Name]:
    for index, piece in enumerate(pieces):
        if piece.key == "{":
            names, _ = listed(text, pieces, index + 1, "}")
            if can_be_classes(pieces, names, least=2):
                return names
    return []
