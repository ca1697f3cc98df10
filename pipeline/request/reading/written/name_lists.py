"""Lists that can name classes: short names, most of which ask for nothing else."""

from __future__ import annotations

from bisect import bisect_left

from pipeline.request.terms.lists import Name, add_name
from pipeline.request.terms.pieces import Piece

_LONGEST_NAME = 4
_LAST_JOINERS = frozenset("or and vs versus / oder und o y ou et e & или и या".split())
_AND = frozenset("and und y et e & и".split())
_AFTER_NAMES = frozenset(". ; ( ) : ? ! → from with using in on - – for based by of mit con avec com".split())
_COMMAS = frozenset(",、，")
_BEGINS = frozenset(("into", "between", "either"))
"""Names begin behind these: "split into coral, rock and sand"."""
_LONGEST = 40
"""How many pieces a list may have."""

NOT_NAMES = frozenset(
    "it them this that these those well more less not the a an is are was be with without using use train "
    "trained training test val validation if possible something etc others so on one two input inputs "
    "output outputs model data baseline feature features quickly soon simple small fast "
    "true false me my our your for each every which who what when where how input/output csv json "
    "png jpg jpeg tiff bmp wav mp3 flac mp4 npy npz parquet xlsx txt dicom nifti "
    "please batch epochs rows columns whatever better worse both any similar".split()
)
_ANSWERS = frozenset("yes no true false ja nein sí si oui non sim não sì да нет 0 1".split())
_ASKING = frozenset(("training", "architecture", "metric", "output", "framework", "size"))


def _start(piece: Piece) -> int:
    return piece.start


def can_be_classes(pieces: list[Piece], names: list[Name], least: int) -> bool:
    """Whether a list can be one of classes: short names, most of which ask for nothing else."""
    if len(names) < least or any(len(name.text.split()) > _LONGEST_NAME for name in names):
        return False
    strange = sum(name.text.lower() in NOT_NAMES for name in names)
    if strange and (strange > 1 or len(names) < 4):
        return False
    if len(names) == 2 and all(name.text.lower() in _ANSWERS for name in names):
        return False  # "(yes/no)" says that there are two, not what they are called
    first, last = names[0].start, names[-1].end
    inside: list[Piece] = []
    for position in range(bisect_left(pieces, first, key=_start), len(pieces)):
        if pieces[position].end > last:
            break
        inside.append(pieces[position])
    wanted = sum(_asks(inside, name) for name in names)
    numbers = sum(name.text.replace(".", "").isdigit() for name in names)
    return wanted * 2 < len(names) and numbers * 2 < len(names)


def _asks(pieces: list[Piece], name: Name) -> bool:
    """Whether a name is itself a setting: "types of augmentation: flips, rotation", "(4 heads, embedding 128)"."""
    for piece in pieces:
        if piece.start < name.start or piece.end > name.end:
            continue
        if piece.kind == "number" and (" " in name.text or "-" in name.text[1:2]):
            return True  # "embedding 128", "0-9"
        if any(term.aspect in _ASKING and term.role == "is" for term in piece.terms):
            return True
    return False


def phrase_list(text: str, pieces: list[Piece], start: int, *, strict: bool, joined: bool = True) -> list[Name]:
    """Names joined by commas and a last "or" (or, where not `strict`, "and"), each of one or two words.

    Without `joined` three names or more need no last "or".
    """
    names: list[Name] = []
    run: list[Piece] = []
    joiner = ""
    for position in range(start, min(len(pieces), start + _LONGEST)):
        piece = pieces[position]
        inside = piece.key == "-" and run and _joins(pieces, position)  # "bicho-mineiro"
        if piece.sentence != pieces[start].sentence or (piece.key in _AFTER_NAMES and not inside):
            break
        # "O" is the name of a tag, "o" the Spanish "or".
        if piece.key in _LAST_JOINERS and not text[piece.start : piece.end].isupper():
            joiner = piece.key
            add_name(text, run, names)
            run = []
        elif piece.key in _COMMAS:
            if joiner and run:
                break
            add_name(text, run, names)
            run = []
        elif piece.key in _BEGINS:
            run = []
        elif piece.kind == "number" and not run:
            return []
        elif joiner and run and any(term.role == "is" and term.aspect != "data" for term in piece.terms):
            break
        else:
            run.append(piece)
            if len(run) > 3:
                return []
        if joiner and len(run) == 2 and _goes_on(pieces, position):
            run = run[:1]
            break
    add_name(text, run, names)
    names = [_without_subject(name) for name in names[:1]] + names[1:]
    if len(names) == 2 and " " in names[0].text and " " not in names[1].text:
        # "is this review positive or negative"
        word = names[0].text.split()[-1]
        names[0] = Name(word, names[0].end - len(word), names[0].end)
    if not joined and len(names) >= 3:
        return names
    if joiner == "/" and len(names) == 2:
        return []  # a path, or "train/val"
    if len(names) < 2 or not joiner or (strict and joiner in _AND and len(names) < 3):
        return []
    return names


def _joins(pieces: list[Piece], position: int) -> bool:
    """Whether a hyphen stands without blanks between two words."""
    if not 0 < position < len(pieces) - 1:
        return False
    touches = pieces[position - 1].end == pieces[position].start and pieces[position].end == pieces[position + 1].start
    return touches and pieces[position - 1].kind == "word" and pieces[position + 1].kind == "word"


_SUBJECTS = frozenset("it this that he she they es er sie el la il".split())


def _without_subject(name: Name) -> Name:
    """ "is it draw / guard": the subject of a question is no part of the first name."""
    first, _, rest = name.text.partition(" ")
    if rest and first.lower() in _SUBJECTS:
        return Name(rest, name.end - len(rest), name.end)
    return name


def _goes_on(pieces: list[Piece], position: int) -> bool:
    """Whether the sentence goes on behind the last name: "real or fake from four numbers"."""
    if position + 1 >= len(pieces):
        return False
    following = pieces[position + 1]
    return following.kind in ("word", "term") and following.key not in ("or", "and")
