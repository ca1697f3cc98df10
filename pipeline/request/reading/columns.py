"""Columns by name: those to read, those not to be used, and the target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.request.reading.files import DATA_FORMATS
from pipeline.request.reading.found import Written
from pipeline.request.terms.lists import Name, listed
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

_COLUMNS = frozenset(
    "columns fields column_names spalten columnas colonnes colunas colonne cols headers header 列 столбцы "
    "столбцами".split()
)
_HOLDS = frozenset(("with", "has", "contains", "holds", "having", "containing", "mit", "con", "avec", "com", "(", ":"))
_BRACKETED = frozenset(
    "metadata features feature variables attributes inputs predictors measurements numbers values columns "
    "fields sensors questions merkmale variablen características caractéristiques channels".split()
)
_DROPS = frozenset(
    "ignore drop ignoring dropping exclude excluding except omit remove without skip discard besides "
    "ignoriere ignora ignorar ignorer".split()
)
_PREDICTS = frozenset(
    "tell tells guess know rate infer model learn output give gives predict predicting predicts forecast "
    "estimate estimating forecasts forecasting predecir prédire prever vorhersagen predicted estimar 预测".split()
)
_TARGET = frozenset(
    "target label outcome response dependent ziel zielspalte zielvariable objetivo cible alvo 目标 目标列 "
    "целевая".split()
)
_COLUMN = frozenset("column columns field spalte columna colonne coluna".split())
_QUOTES = frozenset("\" ' ` “".split())
_FILLERS = frozenset("are named called : columns column the like".split())
_CLAUSE_BEGINNINGS = frozenset("i we predict target the use with want".split())
_BEFORE_DROPPED = _COLUMN | _QUOTES | frozenset(("the", "use", ":", "for"))
_BEFORE_TARGET = _QUOTES | frozenset("the column its their a user spalte columna la die le me us".split())
_BEFORE_TARGET_NAME = _QUOTES | frozenset("column variable is : = called named ist es est é in the spalte".split())
_BEHIND_TARGET_NAME = _QUOTES | frozenset("is the as ( , a our binary being my ist es la das".split())
_NO_TARGET = frozenset("a an whether how continuous binary to what their its not numeric yes of encoding".split())
_NO_TARGET_BEFORE = frozenset(
    "serves serve used acts act treated which this that it them taken given known there what".split()
)
_MARKED = re.compile(r"\s*\((0/1|1/0|yes/no|y/n|binary|target|label|true/false|0 or 1)")
"""What stands behind a column that is the target: "urgent (0/1)"."""
# Bounded, as it is looked for at every piece of the text.
_IDENTIFIER = re.compile(r"[^\W\d]\w{0,99}+")


def columns(text: str, pieces: list[Piece], stances: Sequence[Stance]) -> list[Written]:
    """Columns by name, those not to be used, and the target."""
    listed_names: list[Name] = []
    for index, stance in enumerate(stances):
        if stance != "mentioned":
            listed_names += _columns_at(text, pieces, index)
    dropped = list(_dropped(text, pieces, {name.text.lower() for name in listed_names}))
    unwanted = {name.text.lower() for name in dropped}
    named = [name for name in listed_names if name.text.lower() not in unwanted]
    targets = _targets(text, pieces, named)
    wanted = {target.text.lower() for target in targets}
    results = []
    for name in targets:
        first = re.search(rf"\b{re.escape(name.text)}\b", text)
        start = first.start() if first else name.start
        results.append(Written("files", "target", name.text, start, start + len(name.text)))
    results += [
        Written("files", "column", name.text, name.start, name.end) for name in named if name.text.lower() not in wanted
    ]
    return results + [Written("files", "column", name.text, name.start, name.end, True) for name in dropped]


def _columns_at(text: str, pieces: list[Piece], index: int) -> list[Name]:
    key = pieces[index].key.split()[-1]
    after = index + 1
    following = pieces[after].key if after < len(pieces) else ""
    if following in ("such", "like", "including"):
        after += 1 + (following == "such")
        following = ":"
    is_file = pieces[index].key in DATA_FORMATS and text[pieces[index].start - 1 : pieces[index].start] == "."
    named_behind = after < len(pieces) and "_" in _identifier(text, pieces[after].start).strip("_")
    if (
        key in _COLUMNS
        or (key in _BRACKETED and named_behind)
        or (key in _BRACKETED and following in ("(", ":", "["))
        or (is_file and following in _HOLDS)
    ):
        opener = following if following in ("(", ":", "[", "=") else ""
        if after == index + 1 and (opener or following in _HOLDS):
            after += 1
        while after < len(pieces) and pieces[after].key in _FILLERS:
            after += 1
        if after >= len(pieces) or (
            not opener and pieces[after].kind in ("number", "mark") and pieces[after].key not in _QUOTES
        ):
            return []
        names, _ = listed(text, pieces, after, {"(": ")", "[": "]"}.get(opener, ""))
        return _clean(text, names, strict=key not in _COLUMNS)
    return []


def _clean(text: str, names: list[Name], *, strict: bool) -> list[Name]:
    """The names that can be columns: up to where the list turns into a sentence."""
    results: list[Name] = []
    for name in names:
        _before, colon, after = name.text.rpartition(": ")
        if colon:
            name = Name(after.strip(), name.end - len(after), name.end)
        words = name.text.split()
        if not words or not _can_be_column(name.text) or ".." in name.text or "…" in name.text:
            continue
        if len(words) > 3 or (results and len(words) > 1 and words[0].lower() in _CLAUSE_BEGINNINGS):
            break
        if name.text.lower() in ("etc", "more", "so on", "others"):
            continue
        results.append(name)
    return results if len(results) >= 2 else []


_NO_COLUMN = frozenset(
    "per not or about one is are the a i my we please each use using with from line lines header rows row can".split()
)


def _can_be_column(name: str) -> bool:
    words = name.lower().split()
    return (
        words[0][0].isalpha()
        and not (len(words) > 1 and any(word.isdecimal() for word in words))
        and not any(word in _NO_COLUMN for word in words)
        and all(char.isalnum() or char in " _-.%/" for char in name)
    )


def _dropped(text: str, pieces: list[Piece], columns: set[str]) -> Iterator[Name]:
    """Columns that must not be used: "except "invoice_no"", "ignore the column id", "drop customer_id"."""
    for index, piece in enumerate(pieces):
        following = pieces[index + 1].key if index + 1 < len(pieces) else ""
        if piece.key not in _DROPS and (piece.key, following) != ("not", "use"):
            continue
        position = index + 1
        while position < len(pieces) and position - index <= 5 and pieces[position].key in _BEFORE_DROPPED:
            position += 1
        if position == len(pieces):
            continue
        names, end = listed(text, pieces, position, "")
        about_columns = any(part.key in _COLUMN for part in pieces[index : min(end, position + 6)])
        for name in names:
            word = name.text.split()[0].strip("\"'`“”")
            several = len(names) > 1 and all(" " not in other.text for other in names)
            known = (
                about_columns
                or (several and piece.key.startswith(("drop", "ignor")))
                or "_" in word
                or word.lower() in columns
            )
            if not known or not _IDENTIFIER.fullmatch(word):
                break
            start = text.index(word, name.start)
            yield Name(word, start, start + len(word))


def _targets(text: str, pieces: list[Piece], named: list[Name]) -> list[Name]:
    """The target: marked in the list of columns, called so, or what is to be predicted."""
    for name in named:
        if _MARKED.match(text[name.end : name.end + 20].lower()) or re.search(
            rf"(?i)\b{re.escape(name.text)} (is|=) [01]\b", text
        ):
            return [name]
    for index, piece in enumerate(pieces):
        if piece.key.split()[-1] in _TARGET:
            target = _target_after(text, pieces, index) or _target_before(text, pieces, index)
            if target is not None:
                return [target]
    columns = {name.text.lower(): name for name in named}
    for index, piece in enumerate(pieces):
        if piece.key.split()[0] in _PREDICTS:
            target = _predicted(text, pieces, index, columns)
            if target is not None:
                return [target]
    return []


def _predicted(text: str, pieces: list[Piece], index: int, columns: dict[str, Name]) -> Name | None:
    """ "predict the price" where price is a column, "predict left_company", "predict column 'y'"."""
    predicts = pieces[index]
    last = predicts.key.split()[-1]
    if last in columns:
        return Name(columns[last].text, predicts.end - len(last), predicts.end)
    for position in range(index + 1, min(len(pieces), index + 5)):
        here = pieces[position]
        if here.sentence != predicts.sentence:
            return None
        word = _identifier(text, here.start)
        before = pieces[position - 1].key
        named = word.lower() in columns or "_" in word.strip("_") or before in _QUOTES or before in _COLUMN
        if word and named and here.key not in _BEFORE_DROPPED:
            return Name(word, here.start, here.start + len(word))
        if here.key not in _BEFORE_TARGET:
            return None
    return None


def _identifier(text: str, start: int) -> str:
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
        if "_" in _identifier(text, here.start).strip("_"):
            return Name(_identifier(text, here.start), here.start, here.start + len(_identifier(text, here.start)))
        if here.key in _BEFORE_TARGET_NAME:
            linked = linked or here.key not in ("the", "in")
            position += 1
            continue
        break
    if position >= len(pieces) or pieces[position].kind not in ("word", "term"):
        return None
    word = _identifier(text, pieces[position].start)
    if not linked and not (position == index + 1 and (word != word.lower() or _ends_phrase(pieces, position))):
        return None
    if word.lower() in _NO_TARGET:
        return None
    return Name(word, pieces[position].start, pieces[position].start + len(word))


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
