"""The target: marked in the list of columns, called so, what is to be predicted, or a column with a telling name."""

from __future__ import annotations

import re

from pipeline.request.reading.written.target_phrases import target_said
from pipeline.request.terms.lists import Name
from pipeline.request.terms.pieces import Piece

COLUMN = frozenset("column columns field spalte columna colonne coluna feld campo champ".split())
QUOTES = frozenset("\" ' ` “ „ «".split())
_PREDICTS = frozenset(
    "tell tells guess know rate infer model learn output give gives predict predicting predicts forecast "
    "estimate estimating forecasts forecasting predecir prédire prever vorhersagen predicted estimar 预测".split()
)
_CJK_TARGET = re.compile(
    r"(?:目标|标签|预测)(?:列|变量|字段|值)?(?:是|为|:|:)\s*([A-Za-z][A-Za-z0-9_]{0,60})|目的変数(?:は|:|:)\s*([A-Za-z][A-Za-z0-9_]{0,60})"
)
_TARGET = frozenset(
    "целевой target label outcome response dependent ziel zielspalte zielvariable objetivo cible alvo 目标 目标列 "
    "целевая".split()
)
_BEFORE_TARGET = QUOTES | frozenset(
    "the log logarithm of column its their a user spalte columna la die le me us".split()
)
_BEFORE_TARGET_NAME = QUOTES | frozenset(
    "столбец колонка поле column variable is : = called named ist es est é in the spalte".split()
)
_BEHIND_TARGET_NAME = QUOTES | frozenset("is the as ( , a our binary being my ist es la das".split())
_NO_TARGET = frozenset(
    "from based prediction predictions using on and for by a an whether how continuous "
    "binary to what their its not numeric yes of encoding".split()
)
_NO_TARGET_BEFORE = frozenset(
    "well serves serve used acts act treated which this that it them taken given known there what column field".split()
)
_MARKED = re.compile(r"\s*\((?:(?:that|this|which|it)(?:'s| is) )?(?:the |our |my )?(?:target|label|answer)\b")
"""What stands behind a column that is the target."""
_FLAG = re.compile(r"\s*\(?(0/1|1/0|yes/no|y/n|binary|true/false|0 or 1)")
"""What stands behind a column of two values, which is the target where no other is named: "urgent (0/1)"."""
# Bounded, as it is looked for at every piece of the text.
_IDENTIFIER = re.compile(r"[^\W\d]\w{0,99}+")
_USUAL = frozenset(
    "label labels target class y outcome category rating ratings score stars clicked churn churned fraud is_fraud "
    "default defaulted sold sales price saleprice transcript transcription translation summary caption sentiment "
    "same duplicate is_duplicate survived species diagnosis result grade note klasse etikett zielwert preis "
    "etiqueta clase precio estrellas nota rótulo classe preço étiquette prix etichetta prezzo метка класс цена".split()
)
"""Names that columns with the answer usually have."""
_ADVERBS = frozenset("anyway well better best here now then too again later accurately reliably correctly".split())
_FILLERS = COLUMN | QUOTES | frozenset(("the", "use", ":", "for"))


def target_of(text: str, pieces: list[Piece], named: list[Name], *, only_inputs: bool = False) -> Name | None:
    """The target: marked in the list of columns, called so, or what is to be predicted.

    Where all columns are inputs (`only_inputs`), none of them is the target for its name or its values alone.
    """
    flags = []
    for name in named:
        behind = text[name.end : name.end + 20].lower()
        if _MARKED.match(behind) or re.search(rf"(?i)\b{re.escape(name.text)} (is|=) [01]\b", text):
            return name
        if _FLAG.match(behind):
            flags.append(name)
    told = _told(text, pieces, named) or _in_brackets_of_goal(text, pieces, named)
    if only_inputs:
        return told
    columns = {name.text.lower() for name in named}
    if flags and (told is None or told.text.lower() not in columns):
        usual = [name for name in flags if name.text.lower() in _USUAL]
        return (usual or flags)[-1]
    return (
        told
        or _behind_arrow(text, named)
        or _subject_of_prediction(text, pieces, named)
        or _by_name(text, named)
        or _of_two_values(text, named)
        or _beside_a_date(text, named)
    )


def _told(text: str, pieces: list[Piece], named: list[Name]) -> Name | None:
    """The target where it is called so, or is what is to be predicted."""
    said = target_said(text)
    if said is not None:
        return said
    ideograms = None if text.isascii() else _CJK_TARGET.search(text)
    if ideograms is not None:
        group = 1 if ideograms.group(1) else 2
        return Name(ideograms.group(group), ideograms.start(group), ideograms.end(group))
    for index, piece in enumerate(pieces):
        if piece.last in _TARGET:
            target = _target_after(text, pieces, index) or _target_before(text, pieces, index)
            if target is not None:
                return target
    columns = {name.text.lower(): name for name in named}
    for index, piece in enumerate(pieces):
        first = piece.key.partition(" ")[0] if piece.terms else piece.key
        if first in _PREDICTS:
            target = _predicted(text, pieces, index, columns)
            if target is not None and target.text.lower() not in _PRONOUNS:
                return target
    return None


_PRONOUNS = frozenset("this that it them these those which one both either".split())
_DATES = frozenset("date day time timestamp datetime month week year datum fecha data ds".split())


_ONLY = re.compile(r"\b(?:columns?|fields?)[ :(]*[\"'`]?$", re.IGNORECASE)
"""What stands before the first of the columns where they are all that are listed."""


def _beside_a_date(text: str, named: list[Name]) -> Name | None:
    """ "columns date and units": what is told for each day."""
    others = [name for name in named if name.text.lower() not in _DATES]
    if len(named) != 2 or len(others) != 1 or _ONLY.search(text[: min(name.start for name in named)][-20:]) is None:
        return None
    return others[0]


_TWO_VALUES = re.compile(r"[\"'`]? ?\([\"'`]?[^\W\d][\w-]{0,30}[\"'`]? or [\"'`]?[^\W\d][\w-]{0,30}[\"'`]?\)")


def _of_two_values(text: str, named: list[Name]) -> Name | None:
    """ "v1 (ham or spam) and v2 (message)": the only column of which two values are told."""
    of_two = [name for name in named if _TWO_VALUES.match(text, name.end)]
    return of_two[0] if len(of_two) == 1 else None


_NUMBERED = re.compile(r"[A-Z][A-Za-z]{0,3}\d{1,3}")
"""A column's code: "the final grade G3"."""
_CODE = re.compile(
    r"\((?:column )?[\"'`]?"
    r"(?P<name>[A-Za-z][A-Za-z]{0,20}\d{1,3}|[A-Za-z]\w{0,40}_\w{1,40}|[A-Z][a-z]+[A-Z]\w{0,40})[\"'`]?\)"
)
"""A name in brackets that is no word of a language: "G3", "total_price", "SalePrice"."""


def _in_brackets_of_goal(text: str, pieces: list[Piece], named: list[Name]) -> Name | None:
    """ "predict the final grade (G3)": the column of what is predicted, in brackets behind it."""
    for index, piece in enumerate(pieces):
        if piece.key.partition(" ")[0] not in _PREDICTS:
            continue
        for position in range(index + 1, min(len(pieces), index + _REACH + 2)):
            here = pieces[position]
            if here.sentence != piece.sentence or here.key in _ENDS_SUBJECT or here.key == ",":
                break
            match = _CODE.match(text, here.start) if here.key == "(" else None
            if match is not None:
                return Name(match["name"], match.start("name"), match.end("name"))
            code = _NUMBERED.match(text, here.start)
            if code is not None and not here.terms and code.end() < len(text) and not text[code.end()].isalnum():
                return Name(code.group(), code.start(), code.end())
    return None


_REACH = 6
_ENDS_SUBJECT = frozenset("from of for with using in on at by as based given and one over".split())
"""Behind these the noun that is predicted has ended: "the river's level from the last 72 hours"."""


def _subject_of_prediction(text: str, pieces: list[Piece], named: list[Name]) -> Name | None:
    """ "forecasts the river's level" where level is a column: the last noun of what is predicted."""
    columns = {name.text.lower(): name for name in named}
    for index, piece in enumerate(pieces):
        if piece.key.partition(" ")[0] not in _PREDICTS:
            continue
        for position in range(index + 1, min(len(pieces), index + _REACH)):
            here = pieces[position]
            if here.sentence != piece.sentence or here.key in _ENDS_SUBJECT or here.key == ",":
                break
            word = identifier_at(text, here.start).lower()
            following = pieces[position + 1] if position + 1 < len(pieces) else None
            ends = following is None or following.key in _ENDS_SUBJECT or following.key in (".", ",", ";", ")", "(")
            if ends and word in columns:
                return columns[word]
    return None


def _behind_arrow(text: str, named: list[Name]) -> Name | None:
    """ "cement, water, age -> strength" """
    if not named:
        return None
    match = re.match(r"\s*(?:->|→|=>)\s*([^\W\d]\w{0,99})", text[named[-1].end : named[-1].end + 120])
    if match is None:
        return None
    start = named[-1].end + match.start(1)
    return Name(match.group(1), start, start + len(match.group(1)))


def _by_name(text: str, named: list[Name]) -> Name | None:
    """The last column where its name is usual for an answer, or comes up elsewhere in the request."""
    if len(named) < 2:
        return None
    usual = [name for name in named if name.text.lower() in _USUAL]
    last = named[-1]
    if len(usual) == 1 or last in usual:
        return usual[-1]
    outside = re.sub(r"[\W_]", "", (text[: named[0].start] + "|" + text[last.end :]).lower())
    stem = re.sub(r"^(?:n|num|is|has|total)_|[\W_]", "", last.text.lower())
    return last if len(stem) >= 3 and stem in outside else None


def _predicted(text: str, pieces: list[Piece], index: int, columns: dict[str, Name]) -> Name | None:
    """ "predict the price" where price is a column, "predict left_company", "predict column 'y'"."""
    predicts = pieces[index]
    last = predicts.last
    if last in columns and last == predicts.key:
        return None  # a column that is called "model"
    if last in columns:
        return Name(columns[last].text, predicts.end - len(last), predicts.end)
    for position in range(index + 1, min(len(pieces), index + 5)):
        here = pieces[position]
        if here.sentence != predicts.sentence:
            return None
        word = identifier_at(text, here.start)
        before = pieces[position - 1].key
        if before in ("'", "’") and pieces[position - 1].start == pieces[position - 2].end:
            return None  # the "s" of "the model's performance"
        alone = (
            position == index + 1
            and here.key not in _ADVERBS
            and here.kind == "word"
            and len(columns) > 2
            and _ends_phrase(pieces, position)
        )
        named = alone or word.lower() in columns or "_" in word.strip("_") or before in QUOTES or before in COLUMN
        if word and named and here.key not in _FILLERS:
            return Name(word, here.start, here.start + len(word))
        if here.key not in _BEFORE_TARGET:
            return None
    return None


def identifier_at(text: str, start: int) -> str:
    """The identifier that begins at a place; "" where none does."""
    match = _IDENTIFIER.match(text, start)
    return match.group() if match else ""


def _target_after(text: str, pieces: list[Piece], index: int) -> Name | None:
    """ "target: price", "target is Salary", "the target column is left_company", "target column 'y'"."""
    position = index + 1
    linked = False
    while position < len(pieces) and position - index <= 5:
        here = pieces[position]
        if here.sentence != pieces[index].sentence:
            return None
        if "_" in identifier_at(text, here.start).strip("_"):
            return Name(identifier_at(text, here.start), here.start, here.start + len(identifier_at(text, here.start)))
        if here.key in _BEFORE_TARGET_NAME:
            linked = linked or here.key not in ("the", "in")
            position += 1
            continue
        break
    if position >= len(pieces) or pieces[position].kind not in ("word", "term"):
        return None
    word = identifier_at(text, pieces[position].start)
    if not linked and not (position == index + 1 and (word != word.lower() or _ends_phrase(pieces, position))):
        return None
    if word.lower() in _NO_TARGET or _is_class(pieces, position):
        return None
    return Name(word, pieces[position].start, pieces[position].start + len(word))


def _is_class(pieces: list[Piece], position: int) -> bool:
    """Whether a word is the first of several classes: "a label: grooming, rearing or resting"."""
    if [piece.key for piece in pieces[position - 1 : position + 2 : 2]] != [":", ","]:
        return False
    behind = pieces[position + 1 : position + 14]
    return any(piece.key == "or" and piece.sentence == pieces[position].sentence for piece in behind)


def _ends_phrase(pieces: list[Piece], position: int) -> bool:
    """Whether a mark or the end follows a word that no table knows: "target cnt;"."""
    following = pieces[position + 1].kind if position + 1 < len(pieces) else "mark"
    return pieces[position].kind == "word" and following == "mark"


def _target_before(text: str, pieces: list[Piece], index: int) -> Name | None:
    """ "price is the target", "price (target)", "with y as target"."""
    position = index - 1
    linked = False
    while position >= 0 and index - position <= 5:
        here = pieces[position]
        if here.sentence != pieces[index].sentence:
            return None
        if here.key in _BEHIND_TARGET_NAME:
            linked = linked or here.key in ("is", "as", "(", "being", "ist", "es")
            position -= 1
            continue
        break
    in_brackets = pieces[index - 1].key == "("
    if in_brackets and pieces[index + 1 : index + 2] and pieces[index + 1].key != ")":
        return None  # "in CSV (label and pixels)"
    if not linked or position < 0 or pieces[position].kind not in ("word", "term", "number"):
        return None
    if pieces[position].key in _NO_TARGET_BEFORE:
        return None
    end = pieces[position].end
    begin = end
    while begin > 0 and (text[begin - 1].isalnum() or text[begin - 1] == "_"):
        begin -= 1
    return Name(text[begin:end], begin, end) if _IDENTIFIER.fullmatch(text[begin:end]) else None
