"""The classes that a request names: "six labels (toxic, obscene, ...)", "as spam or ham", "cats vs dogs"."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.request.terms.lists import Name, add_name, listed
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

_OPENERS = {"(": ")", "[": "]", "{": "}", ":": "", "=": "", "→": ""}
_LONGEST_NAME = 4

_CLASS_WORDS = frozenset(
    "subfolders subdirectories "
    "class classes label labels category categories kinds types species genres emotions emotion sentiment "
    "breeds topics intents gestures activities states outcomes diagnoses tags grades groups moods "
    "commands actions findings sports fruits animals vehicles colors shapes klassen kategorien clases "
    "categorías étiquettes catégories classi categorie etiquetas arten 类别 クラス классы классов классам kind "
    "type varieties entities defects materials stages levels weather conditions departments styles words "
    "digits letters diseases instruments languages events poses brands options values sorten typen tipos".split()
)
_BETWEEN = frozenset("are is namely as i.e e.g like such - – → > : = being named called ie either".split())
_INTO = frozenset("into between either zwischen entre →".split())
"""Behind these a list of two with "and" is one of classes."""
_INTRODUCES = _INTO | frozenset("as from als en is are :".split())
_LAST_JOINERS = frozenset("or and vs versus / oder und o y ou et e &".split())
_LISTED_BEHIND = frozenset("classes labels categories tags subfolders folders subdirectories".split())
_AND = frozenset("and und y et e &".split())
_OR = frozenset("or vs versus / oder ou o |".split())
_AFTER_NAMES = frozenset(". ; ( ) : from with using in on - for based by of mit con avec com".split())
_CLASSIFIES = frozenset("classification retrieval anomaly_detection segmentation detection tagging".split())
_NOT_NAMES = frozenset(
    "it them this that these those well more less not the a an is are was be with without using use train "
    "trained training test val validation if possible something etc others so on one two input inputs "
    "output outputs model data baseline feature features quickly soon high low good simple small fast "
    "true false yes no me my our your for each every which who what when where how input/output csv json "
    "please batch epochs rows columns".split()
)


def class_names(text: str, pieces: list[Piece], stances: Sequence[Stance], problems: Sequence[str]) -> list[Name]:
    """The classes that a request names."""
    classifies = not problems or any(problem in _CLASSIFIES for problem in problems)
    for index, piece in enumerate(pieces):
        if stances[index] == "mentioned":
            continue
        words = piece.key.split()
        is_class_word = any(word in _CLASS_WORDS for word in words[-1:]) or any(
            term.aspect == "classes" for term in piece.terms
        )
        if is_class_word:
            names = _after_class_word(text, pieces, index)
            if names:
                return names
    if not classifies:
        return []
    return _braces(text, pieces) or _alternatives(text, pieces, stances)


def _after_class_word(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """The list behind "classes": in brackets, behind a colon, or behind "are"."""
    position = index + 1
    opened = False
    colon = next((ahead for ahead in range(index + 2, min(len(pieces), index + 5)) if pieces[ahead].key == ":"), None)
    if colon is not None and all(
        part.kind in ("word", "term") and part.sentence == pieces[index].sentence for part in pieces[position:colon]
    ):
        names, _ = listed(text, pieces, colon + 1, "")
        if (
            len(names) >= 3
            and all(len(name.text.split()) == 1 and name.text.isalpha() for name in names)
            and _are_classes(pieces, names, least=3)
        ):
            return names
    while position < len(pieces) and position - index <= 4:
        key = pieces[position].key
        if key in ("(", "[", "{"):
            names, _ = listed(text, pieces, position + 1, _OPENERS[key])
            return names if _are_classes(pieces, names, least=1 if pieces[index].key == "class" else 2) else []
        if key not in _BETWEEN:
            break
        opened = True
        position += 1
    if not opened:
        direct = pieces[index].key in _LISTED_BEHIND and index + 1 < len(pieces)
        names = _phrase_list(text, pieces, index + 1, strict=True) if direct else []
        return names if _are_classes(pieces, names, least=2) else []
    names, end = listed(text, pieces, position, "")
    one_label = pieces[index].key in ("label", "class", "category") and pieces[position - 1].key == "is"
    if one_label and not any(part.key in _OR for part in pieces[position:end]):
        return []  # "the label is 'outcome', a number"
    return names if _are_classes(pieces, names, least=2) else []


def _are_classes(pieces: list[Piece], names: list[Name], least: int) -> bool:
    """Whether a list can be one of classes: short names, most of which ask for nothing else."""
    if len(names) < least or any(len(name.text.split()) > _LONGEST_NAME for name in names):
        return False
    if any(name.text.lower() in _NOT_NAMES for name in names):
        return False
    wanted = sum(_asks(pieces, name) for name in names)
    numbers = sum(name.text.replace(".", "").isdigit() for name in names)
    return wanted * 2 < len(names) and numbers * 2 < len(names)


_ASKING = frozenset(("training", "architecture", "metric", "output", "framework", "size"))


def _asks(pieces: list[Piece], name: Name) -> bool:
    """Whether a name is itself a setting: "types of augmentation: flips, rotation"."""
    return any(
        piece.kind == "term"
        and piece.start >= name.start
        and piece.end <= name.end
        and any(term.aspect in _ASKING for term in piece.terms)
        for piece in pieces
    )


def _braces(text: str, pieces: list[Piece]) -> list[Name]:
    for index, piece in enumerate(pieces):
        if piece.key == "{":
            names, _ = listed(text, pieces, index + 1, "}")
            if _are_classes(pieces, names, least=2):
                return names
    return []


def _alternatives(text: str, pieces: list[Piece], stances: Sequence[Stance]) -> list[Name]:
    """ "as positive, negative or neutral", "cats vs dogs", "(genuine or forged)", "normal / AF / other"."""
    for index, piece in enumerate(pieces):
        if stances[index] != "asked":
            continue
        key = piece.key
        names: list[Name] = []
        if key == "(":
            names, end = listed(text, pieces, index + 1, ")")
            alternatives = any(part.key in _OR for part in pieces[index + 1 : end])
            if not alternatives and not _plain(pieces, index, names):
                names = []
        elif key in ("vs", "versus"):
            names = _around(text, pieces, index)
        elif key == "/" and _spaced(pieces, index):
            names = _strokes(text, pieces, index)
        elif key in _TELLS:
            names = _told_apart(text, pieces, index)
        elif key in _INTRODUCES and not (index and pieces[index - 1].key == "such"):
            names = _phrase_list(text, pieces, index + 1, strict=key not in _INTO)
        if _are_classes(pieces, names, least=2) and all(len(name.text.split()) <= 3 for name in names):
            return names
    return []


def _spaced(pieces: list[Piece], index: int) -> bool:
    """Whether a stroke stands between blanks: "normal / AF / other", unlike "train/val"."""
    return (
        0 < index < len(pieces) - 1
        and pieces[index - 1].end < pieces[index].start
        and pieces[index].end < pieces[index + 1].start
    )


_TELLS = frozenset(
    "tell tells telling separate separates distinguish distinguishes distinguishing discriminate".split()
)
_OF_COLUMNS = frozenset(
    "columns column features feature variables attributes fields inputs measurements numbers values "
    "sensors predictors metadata csv rows".split()
)


def _plain(pieces: list[Piece], bracket: int, names: list[Name]) -> bool:
    """Whether a list in brackets can name classes: single plain words behind a noun that is not about columns."""
    before = pieces[bracket - 1] if bracket else None
    if before is None or before.kind not in ("word", "term") or before.key.split()[-1] in _OF_COLUMNS:
        return False
    return all(name.text.isalpha() and name.text == name.text.lower() for name in names)


def _told_apart(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "tell roses from tulips", "tell cats, dogs and rabbits apart"."""
    apart = [position for position in range(index + 2, min(len(pieces), index + 16)) if pieces[position].key == "apart"]
    if apart and pieces[apart[0]].sentence == pieces[index].sentence:
        names = _phrase_list(text, pieces[: apart[0]], index + 1, strict=False)
        if names:
            return names
    if index + 3 >= len(pieces) or pieces[index + 2].key != "from" or pieces[index + 3].kind not in ("word", "term"):
        return []
    return [
        Name(text[piece.start : piece.end], piece.start, piece.end) for piece in (pieces[index + 1], pieces[index + 3])
    ]


def _strokes(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "left hand / right hand / feet": names of one or two words between strokes."""
    start = index - 1
    while (
        start > 0
        and index - start < 3
        and pieces[start - 1].kind in ("word", "term")
        and pieces[start - 1].sentence == pieces[index].sentence
    ):
        if pieces[start - 1].key in _NOT_NAMES or pieces[start].kind != "word":
            break
        start -= 1
    names: list[Name] = []
    run: list[Piece] = []
    for piece in pieces[start : start + 40]:
        if piece.sentence != pieces[index].sentence or (piece.kind == "mark" and piece.key not in ("/", "-", "_")):
            break
        if piece.key == "/":
            add_name(text, run, names)
            run = []
        elif len(run) == 2 or piece.key in _AFTER_NAMES or piece.key == "and":
            break
        else:
            run.append(piece)
    add_name(text, run, names)
    return names


def _around(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """The words left and right of "vs" or "vs."."""
    left, right = index - 1, index + 1
    if right < len(pieces) and pieces[right].key == ".":
        right += 1
    if left < 0 or right >= len(pieces):
        return []
    both = (pieces[left], pieces[right])
    if any(piece.kind not in ("word", "term") or piece.sentence != pieces[index].sentence for piece in both):
        return []
    return [Name(text[piece.start : piece.end], piece.start, piece.end) for piece in both]


def _phrase_list(text: str, pieces: list[Piece], start: int, *, strict: bool) -> list[Name]:
    """Names joined by commas and a last "or" (or, where not `strict`, "and"), each of one or two words."""
    names: list[Name] = []
    run: list[Piece] = []
    joined = ""
    for position in range(start, min(len(pieces), start + 40)):
        piece = pieces[position]
        if piece.sentence != pieces[start].sentence or piece.key in _AFTER_NAMES:
            break
        if piece.key in _LAST_JOINERS:
            joined = piece.key
            add_name(text, run, names)
            run = []
        elif piece.key in (",", "、"):
            if joined and run:
                break
            add_name(text, run, names)
            run = []
        elif piece.kind == "number" and not run:
            return []
        elif joined and run and any(term.role == "is" and term.aspect != "data" for term in piece.terms):
            break
        else:
            run.append(piece)
            if len(run) > 3:
                return []
        if joined and len(run) == 2:
            # Behind the last "or" the sentence may go on: "real or fake from four numbers".
            following = pieces[position + 1] if position + 1 < len(pieces) else None
            if following is not None and following.kind in ("word", "term") and following.key not in ("or", "and"):
                run = run[:1]
                break
    add_name(text, run, names)
    if len(names) == 2 and " " in names[0].text and " " not in names[1].text:
        # "is this review positive or negative"
        word = names[0].text.split()[-1]
        names[0] = Name(word, names[0].end - len(word), names[0].end)
    if len(names) < 2 or not joined or (strict and joined in _AND and len(names) < 3):
        return []
    return names
