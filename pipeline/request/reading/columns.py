"""Columns by name: those to read, those not to be used, and the target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.request.reading.files import DATA_FORMATS, Found
from pipeline.request.reading.lists import Name, listed
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

_COLUMNS = frozenset(
    "columns fields column_names spalten columnas colonnes colunas colonne cols headers header 列 столбцы "
    "столбцами".split()
)
_HOLDS = frozenset(("with", "has", "contains", "holds", "having", "containing", "mit", "con", "avec", "com", "(", ":"))
_BRACKETED = frozenset(
    "metadata features feature variables attributes inputs predictors measurements numbers values columns fields "
    "sensors questions merkmale variablen características caractéristiques channels".split()
)
_DROPS = frozenset(
    "ignore drop ignoring dropping exclude excluding except omit remove without skip discard besides ignoriere "
    "ignora ignorar ignorer".split()
)
_PREDICTS = frozenset(
    "tell tells guess know rate infer model learn output give gives predict predicting predicts forecast estimate "
    "estimating forecasts forecasting predecir prédire prever vorhersagen predicted estimar 预测".split()
)
_TARGET = frozenset(
    "target label outcome response dependent ziel zielspalte zielvariable objetivo cible alvo 目标 目标列 целевая".split()
)
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


def columns(text: str, pieces: list[Piece], stances: Sequence[Stance]) -> list[Found]:
    """Columns by name, those not to be used, and the target."""
    dropped = list(_dropped(text, pieces))
    spans = [(name.start, name.end) for name in dropped]
    named: list[Name] = []
    for index, _piece in enumerate(pieces):
        if stances[index] == "mentioned":
            continue
        named += [name for name in _columns_at(text, pieces, index) if (name.start, name.end) not in spans]
    targets = _targets(text, pieces, named)
    wanted = {target.text.lower() for target in targets}
    results = []
    for name in targets:
        first = re.search(rf"\b{re.escape(name.text)}\b", text)
        start = first.start() if first else name.start
        results.append(Found("files", "target", name.text, start, start + len(name.text)))
    results += [
        Found("files", "column", name.text, name.start, name.end) for name in named if name.text.lower() not in wanted
    ]
    return results + [Found("files", "column", name.text, name.start, name.end, True) for name in dropped]


def _columns_at(text: str, pieces: list[Piece], index: int) -> list[Name]:
    key = pieces[index].key.split()[-1]
    after = index + 1
    following = pieces[after].key if after < len(pieces) else ""
    is_file = pieces[index].key in DATA_FORMATS and text[pieces[index].start - 1 : pieces[index].start] == "."
    if key in _COLUMNS or (key in _BRACKETED and following in ("(", ":", "[")) or (is_file and following in _HOLDS):
        opener = following if following in ("(", ":", "[", "=") else ""
        if opener or following in _HOLDS:
            after += 1
        while after < len(pieces) and pieces[after].key in (
            "are",
            "named",
            "called",
            ":",
            "columns",
            "column",
            "the",
            "like",
            "named",
        ):
            after += 1
        if after >= len(pieces) or (pieces[after].kind == "number" and not opener):
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
        if len(words) > 3 or (
            results
            and len(words) > 1
            and words[0].lower() in ("i", "we", "predict", "target", "the", "use", "with", "want")
        ):
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
        and not any(word in _NO_COLUMN for word in words)
        and all(char.isalnum() or char in " _-.%/" for char in name)
    )


def _dropped(text: str, pieces: list[Piece]) -> Iterator[Name]:
    """Columns that must not be used: "except "invoice_no"", "ignore the column id", "drop customer_id"."""
    for index, piece in enumerate(pieces):
        if piece.key not in _DROPS and not (
            piece.key == "not" and index + 1 < len(pieces) and pieces[index + 1].key == "use"
        ):
            continue
        position = index + 1
        about = False
        while (
            position < len(pieces)
            and position - index <= 5
            and pieces[position].key
            in (
                "the",
                "column",
                "columns",
                '"',
                "'",
                "`",
                "use",
                "field",
                ":",
                "“",
                "for",
                "spalte",
                "columna",
                "colonne",
                "coluna",
            )
        ):
            about = about or pieces[position].key in (
                "column",
                "columns",
                "field",
                "spalte",
                "columna",
                "colonne",
                "coluna",
            )
            position += 1
        if position >= len(pieces):
            continue
        names, end = listed(text, pieces, position, "")
        about = about or any(part.key in ("column", "columns") for part in pieces[position : min(end, position + 6)])
        for name in names:
            word = name.text.split()[0].strip("\"'`“”")
            if (about or "_" in word) and _IDENTIFIER.fullmatch(word):
                yield Name(word, text.index(word, name.start), text.index(word, name.start) + len(word))
            else:
                break


def _targets(text: str, pieces: list[Piece], named: list[Name]) -> list[Name]:
    for name in named:
        if re.match(
            r"\s*\((0/1|1/0|yes/no|y/n|binary|target|label|true/false|0 or 1)", text[name.end : name.end + 20].lower()
        ):
            return [name]
    for index, piece in enumerate(pieces):
        if piece.key.split()[-1] in _TARGET:
            target = _target_after(text, pieces, index) or _target_before(text, pieces, index)
            if target is not None:
                return [target]
    starts = {name.text.lower(): name for name in named}
    for index, piece in enumerate(pieces):
        words = piece.key.split()
        if words[0] not in _PREDICTS:
            continue
        if len(words) > 1 and words[-1] in starts:
            return [Name(starts[words[-1]].text, piece.end - len(words[-1]), piece.end)]
        for position in range(index + 1, min(len(pieces), index + 5)):
            here = pieces[position]
            if here.sentence != piece.sentence:
                break
            word = _identifier(text, here.start)
            if not word or here.key in ("the", "column", "spalte", "columna"):
                pass
            elif (
                word.lower() in starts
                or "_" in word.strip("_")
                or pieces[position - 1].key in ('"', "`")
                or pieces[position - 1].key in ("column", "spalte", "columna")
            ):
                return [Name(word, here.start, here.start + len(word))] if word else []
            if here.key not in (
                "the",
                "column",
                "its",
                "their",
                '"',
                "`",
                "'",
                "“",
                "a",
                "user",
                "spalte",
                "columna",
                "la",
                "die",
                "le",
            ):
                break
    return []


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
        if here.key in (
            "column",
            "variable",
            "is",
            ":",
            "=",
            "called",
            "named",
            '"',
            "'",
            "`",
            "“",
            "ist",
            "es",
            "est",
            "é",
            "in",
            "the",
            "spalte",
        ):
            linked = linked or here.key not in ("the", "in")
            position += 1
            continue
        break
    if position >= len(pieces) or pieces[position].kind not in ("word", "term"):
        return None
    word = _identifier(text, pieces[position].start)
    if not linked and not (position == index + 1 and ("_" in word or word != word.lower())):
        return None
    if word.lower() in (
        "a",
        "an",
        "whether",
        "how",
        "continuous",
        "binary",
        "to",
        "what",
        "their",
        "its",
        "not",
        "skewed",
        "numeric",
        "yes",
        "of",
        "encoding",
    ):
        return None
    return Name(word, pieces[position].start, pieces[position].start + len(word))


def _target_before(text: str, pieces: list[Piece], index: int) -> Name | None:
    """ "price is the target", "price (target)", "with y as target"."""
    position = index - 1
    linked = False
    while position >= 0 and index - position <= 5:
        here = pieces[position]
        if here.sentence != pieces[index].sentence:
            return None
        if here.key in (
            "is",
            "the",
            "as",
            "(",
            ",",
            "a",
            "our",
            "binary",
            '"',
            "'",
            "`",
            "being",
            "my",
            "ist",
            "es",
            "la",
            "das",
        ):
            linked = linked or here.key in ("is", "as", "(", "being", "ist", "es")
            position -= 1
            continue
        break
    if not linked or position < 0 or pieces[position].kind not in ("word", "term", "number"):
        return None
    end = pieces[position].end
    begin = end
    while begin > 0 and (text[begin - 1].isalnum() or text[begin - 1] == "_"):
        begin -= 1
    return Name(text[begin:end], begin, end) if _IDENTIFIER.fullmatch(text[begin:end]) else None
