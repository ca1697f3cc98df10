"""Classes that are named as alternatives: "positive, negative or neutral", "cats vs dogs", "normal / AF / other"."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.request.reading.written.name_lists import NOT_NAMES, can_be_classes, phrase_list
from pipeline.request.terms.lists import Name, add_name, listed
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

_INTO = frozenset("into between either zwischen entre →".split())
"""Behind these a list of two with "and" is one of classes."""
_INTRODUCES = _INTO | frozenset(
    "as from als en is are be : was whether say says if says shows says: contains means ob si se является".split()
)
_OR = frozenset("or vs versus / oder ou o | или या".split())
_COMMAS = frozenset(",、，")
_AFTER_NAMES = frozenset(". ; ( ) : from with using in on - for based by of mit con avec com".split())
_TELLS = frozenset(
    "tell tells telling separate separates distinguish distinguishes distinguishing discriminate sort".split()
)
_OF_COLUMNS = frozenset(
    "columns column features feature variables attributes fields inputs measurements numbers values "
    "sensors predictors metadata csv rows spalten columnas colonnes colunas layers augmentation augmentations "
    "axes axis bands channels tools libraries like".split()
)
_IN = frozenset("en em in dans".split())
_SORTS = frozenset(
    "clasificar clasifica clasifique classificar classifica classifique separar separarlas separarlos dividir "
    "distinguir classer "
    "sort sorted sorting divide classify classified split ordenar trier répartir einteilen sortieren".split()
)
_QUOTES = frozenset("\"“„«'")
_BEGINNINGS = _INTRODUCES | _OR | _TELLS | _IN | _QUOTES | {"(", "vs", "versus", "/", "of"}
"""Where a list of alternatives can be found."""
_OPPOSITES = (
    *("benign malignant", "spam ham", "spam legitimate", "legit phishing", "legitimate phishing", "positive negative"),
    *("real fake", "genuine fake", "genuine forged", "real forged", "normal abnormal", "normal anomalous"),
    *("healthy sick", "healthy diseased", "healthy infected", "healthy ill", "healthy blight", "good bad", "ok defect"),
    *("ok defective", "good defective", "good faulty", "ok faulty", "intact broken", "intact damaged", "pass fail"),
    *("male female", "man woman", "men women", "indoor outdoor", "toxic nontoxic", "toxic non-toxic", "cat dog"),
    *("cats dogs", "hot cold", "open closed", "true fake", "up down", "win lose", "won lost", "accept reject"),
    *("approved rejected", "ripe unripe", "fresh rotten", "fresh stale", "edible poisonous", "cancer benign"),
    *("tumor normal", "sarcastic sincere", "happy sad", "calm angry", "day night", "sunny cloudy", "clean dirty"),
    *("fraud genuine", "fraud legit", "fraudulent legitimate", "fraudulent genuine", "human machine", "human bot"),
    *("ai human", "fire smoke", "crack nocrack", "loss win", "bull bear", "rock pop", "smoker nonsmoker"),
    *("gut schlecht", "echt falsch", "positiv negativ", "gesund krank", "positivo negativo", "positif négatif"),
    *("sana enferma", "sano enfermo", "vrai faux", "verdadero falso", "benigno maligno", "bénin malin", "katze hund"),
    *("perro gato", "chien chat", "cachorro gato", "gutartig bösartig"),
)
"""Pairs of words that are two classes wherever an "or" stands between them."""
_OPPOSITE = frozenset(frozenset(pair.split()) for pair in _OPPOSITES)


def alternatives(text: str, pieces: list[Piece], stances: Sequence[Stance]) -> list[Name]:
    """The first list of alternatives that can name classes."""
    for index, piece in enumerate(pieces):
        if piece.key not in _BEGINNINGS or stances[index] != "asked":
            continue
        key = piece.key
        names: list[Name] = []
        if key == "(":
            names = _in_brackets(text, pieces, index)
        elif key in ("vs", "versus"):
            names = _around(text, pieces, index)
        elif key == "/" and _spaced(pieces, index):
            names = _strokes(text, pieces, index)
        elif key in _TELLS:
            names = _told_apart(text, pieces, index)
        elif key in _IN and _sorts_in(pieces, index):
            names = phrase_list(text, pieces, index + 1, strict=False)
        elif key == "of" and pieces[index - 1].means("segmentation"):
            names = phrase_list(text, pieces, index + 1, strict=True, joined=False)
        elif key in _QUOTES:
            names = _quoted(text, pieces, index)
        elif key in _INTRODUCES and not (index and pieces[index - 1].key == "such"):
            names = phrase_list(text, pieces, index + 1, strict=key not in _INTO)
            if key == ":" and not names:
                names = _behind_colon(text, pieces, index)
        elif key in _OR:
            names = (
                _opposites(text, pieces, index)
                or _before_or(text, pieces, index)
                or _with_articles(text, pieces, index)
                or _alone(text, pieces, index)
            )
        short = bool(names) and all(len(name.text.split()) <= 3 for name in names)
        if short and can_be_classes(pieces, names, least=2):
            return names
    return []


def _in_brackets(text: str, pieces: list[Piece], bracket: int) -> list[Name]:
    """ "(genuine or forged)", "moods (happy, sad, calm)", "variety (Gala, Fuji)": no columns and no settings."""
    first = bracket + 1
    for position in range(bracket + 2, min(len(pieces), bracket + 4)):
        if pieces[position].key == ":":
            first = position + 1  # "(Jester: swiping left, swiping right)"
    names, end = listed(text, pieces, first, ")")
    if any(part.key in _OR for part in pieces[bracket + 1 : end]):
        return names
    before = pieces[bracket - 1] if bracket else None
    if before is None or before.kind not in ("word", "term") or before.last in _OF_COLUMNS:
        return []
    if not all(name.text.replace(" ", "").replace("-", "").isalpha() for name in names):
        return []
    lower = all(name.text == name.text.lower() for name in names)
    single = all(" " not in name.text for name in names)
    return names if (lower and single) or len(names) >= 3 else []


def _sorts_in(pieces: list[Piece], index: int) -> bool:
    """ "clasificar hojas en sana, roya y minador" """
    before = {piece.key for piece in pieces[max(0, index - 8) : index] if piece.sentence == pieces[index].sentence}
    return not before.isdisjoint(_SORTS)


_MOST_QUOTED = 60
"""Names up to which a list in quotation marks is followed: every mark may begin one."""

_BETWEEN_QUOTES = frozenset((",", "and", "or", "plus", "und", "y", "et", "e", "&", "/"))


def _quoted(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "words "hotter", "cooler", "steam" plus "unknown"": three quoted names or more, side by side."""
    names: list[Name] = []
    position = index
    while position + 2 < len(pieces) and pieces[position].key in _QUOTES and len(names) < _MOST_QUOTED:
        first, end = position + 1, position + 1
        while end < len(pieces) and end - position < 5 and pieces[end].key not in _CLOSING:
            end += 1
        if end >= len(pieces) or pieces[end].key not in _CLOSING or end == first:
            break
        start, stop = pieces[first].start, pieces[end - 1].end
        names.append(Name(text[start:stop], start, stop))
        position = end + 1
        while position < len(pieces) and pieces[position].key in _BETWEEN_QUOTES:
            position += 1
    before = pieces[index - 1].last if index else ""
    return names if len(names) >= 3 and before not in _OF_COLUMNS else []


_CLOSING = frozenset("\"”“»'")


def _behind_colon(text: str, pieces: list[Piece], colon: int) -> list[Name]:
    """ "a mosquito: Aedes, Anopheles, Culex": three single words or more that no table knows."""
    before = pieces[colon - 1] if colon else None
    if before is None or before.kind not in ("word", "term") or before.last in _OF_COLUMNS:
        return []
    names = phrase_list(text, pieces, colon + 1, strict=True, joined=False)
    last = names[-1].end if names else 0
    unknown = [piece for piece in pieces[colon + 1 :] if piece.end <= last and piece.kind in ("term", "number")]
    single = all(name.text.replace("-", "").isalpha() for name in names)
    return names if len(names) >= 3 and single and not unknown else []


def _spaced(pieces: list[Piece], index: int) -> bool:
    """Whether a stroke stands between blanks: "normal / AF / other", unlike "train/val"."""
    if not 0 < index < len(pieces) - 1:
        return False
    return pieces[index - 1].end < pieces[index].start and pieces[index].end < pieces[index + 1].start


def _opposites(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "benign or malignant", wherever it stands."""
    names = _around(text, pieces, index)
    if len(names) == 2 and frozenset(name.text.lower() for name in names) in _OPPOSITE:
        return names
    return []


def _before_or(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "will the home team win, draw or lose": single words before a last "or", one behind it."""
    if pieces[index].key == "/" or index + 1 >= len(pieces):
        return []
    words = [pieces[index - 1], pieces[index + 1]] if index else []
    position = index - 2
    while position > 0 and pieces[position].key in _COMMAS and not pieces[position - 1].is_named("problem"):
        words.insert(0, pieces[position - 1])
        position -= 2
    plain = [piece for piece in words if piece.kind in ("word", "term") and piece.sentence == pieces[index].sentence]
    behind_problem = position > 0 and pieces[position].key in _COMMAS and pieces[position - 1].is_named("problem")
    if len(words) < 3 - behind_problem or len(plain) < len(words) or any(piece.key in NOT_NAMES for piece in words):
        return []
    return [Name(text[piece.start : piece.end], piece.start, piece.end) for piece in words]


def _with_articles(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "is a mail an order, a complaint, a question or something else" """
    first = index
    while first > 0 and index - first < 24 and pieces[first - 1].sentence == pieces[index].sentence:
        first -= 1
    articles = [position for position in range(first, index) if pieces[position].key in _ARTICLES]
    listed_articles = [position for position in articles[1:] if pieces[position - 1].key in _COMMAS]
    if not listed_articles:
        return []
    earlier = [position for position in articles if position < listed_articles[0]]
    if not earlier:
        return []
    names = []
    for start in (earlier[-1], *listed_articles):
        end = start + 1
        while end < index and pieces[end].key not in _COMMAS:
            end += 1
        if not 1 <= end - start - 1 <= 3:
            return []
        names.append(
            Name(text[pieces[start + 1].start : pieces[end - 1].end], pieces[start + 1].start, pieces[end - 1].end)
        )
    last = index + 1
    while last < len(pieces) and last - index < 5 and pieces[last].kind in ("word", "term"):
        last += 1
    start = index + 1 + (pieces[index + 1].key in _ARTICLES if index + 1 < len(pieces) else 0)
    if start >= last or pieces[start].sentence != pieces[index].sentence:
        return []
    names.append(Name(text[pieces[start].start : pieces[last - 1].end], pieces[start].start, pieces[last - 1].end))
    return names


_ARTICLES = frozenset("a an the ein eine un una une um uma".split())


def _alone(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "Weed or crop?": a question of nothing else."""
    if index < 1 or index + 2 >= len(pieces) or pieces[index + 2].key != "?":
        return []
    before = pieces[index - 2] if index > 1 else None
    if before is not None and before.sentence == pieces[index].sentence:
        return []
    return _around(text, pieces, index)


def _told_apart(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "tell roses from tulips", "tell cats, dogs and rabbits apart"."""
    apart = [position for position in range(index + 2, min(len(pieces), index + 16)) if pieces[position].key == "apart"]
    if apart and pieces[apart[0]].sentence == pieces[index].sentence:
        names = phrase_list(text, pieces[: apart[0]], index + 1, strict=False)
        if names:
            return names
    if index + 3 >= len(pieces) or pieces[index + 2].key != "from" or pieces[index + 3].kind not in ("word", "term"):
        return []
    told = (pieces[index + 1], pieces[index + 3])
    return [Name(text[piece.start : piece.end], piece.start, piece.end) for piece in told]


def _strokes(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "left hand / right hand / feet": names of one or two words between strokes."""
    start = index - 1
    while start > 0 and index - start < 3 and pieces[start - 1].kind in ("word", "term"):
        if pieces[start - 1].sentence != pieces[index].sentence:
            break
        if pieces[start - 1].key in NOT_NAMES or pieces[start].kind != "word":
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
        elif piece.key == "-" or (run and run[-1].key == "-"):
            run.append(piece)
        elif len(run) == 2 or piece.key in _AFTER_NAMES or piece.key == "and":
            break
        else:
            run.append(piece)
    add_name(text, run, names)
    if len(names) > 1 and " " in names[0].text and not any(" " in name.text for name in names[1:]):
        # "molecules toxic / non-toxic", "is it draw / guard"
        word = names[0].text.split()[-1]
        names[0] = Name(word, names[0].end - len(word), names[0].end)
    return names


def _around(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """The words left and right of "vs", "vs." or "or"."""
    left, right = index - 1, index + 1
    if right < len(pieces) and pieces[right].key == ".":
        right += 1
    if left < 0 or right >= len(pieces):
        return []
    both = (pieces[left], pieces[right])
    if any(piece.kind not in ("word", "term") or piece.sentence != pieces[index].sentence for piece in both):
        return []
    return [Name(text[piece.start : piece.end], piece.start, piece.end) for piece in both]
