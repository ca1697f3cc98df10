"""Columns by name: those to read, those not to be used, and the target."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.request.reading.data.spelling import DATA_FORMATS
from pipeline.request.reading.found import Written
from pipeline.request.reading.written.forbidden import dropped_columns, forbidden_columns
from pipeline.request.reading.written.listings import (
    NO_COLUMN,
    before_file,
    before_its_file,
    can_be_column,
    colon_before_file,
    embedded_columns,
    listings,
    spaced_columns,
    targets_listed,
)
from pipeline.request.reading.written.prose import asks_for_something, in_prose
from pipeline.request.reading.written.targets import COLUMN, QUOTES, identifier_at, target_of
from pipeline.request.terms.lists import Name, listed
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

_COLUMNS = frozenset(
    "columns fields column_names spalten columnas colonnes colunas colonne cols headers header 列 столбцы "
    "столбцами".split()
)
_HOLDS = frozenset(
    ("with", "has", "contains", "holds", "having", "containing", "mit", "con", "avec", "com", "(", ":", "[")
)
_TABLES = frozenset("table csv sheet spreadsheet excel xlsx parquet tabelle tabla tableau tabela tabella file".split())
"""Behind these "with" or a bracket may open a list of columns."""
_BRACKETED = frozenset(
    "metadata features feature variables attributes inputs predictors measurements numbers values columns "
    "fields sensors questions facts details numeric numerical categorical continuous merkmale variablen "
    "características caractéristiques channels".split()
)
_FILLERS = frozenset("are named called : columns column the like sind heißen son sont são sono".split())
_CLAUSE_BEGINNINGS = frozenset("i we predict target the use with want".split())
_KINDS = frozenset("numeric numerical categorical continuous discrete ordinal nominal boolean text-like".split())
"""What columns can be, and none is called: "numeric and text-like columns"."""
_NAMING = _COLUMNS | _BRACKETED | _TABLES | COLUMN | DATA_FORMATS
"""Only behind these a column is named."""


def columns(text: str, pieces: list[Piece], stances: Sequence[Stance]) -> list[Written]:
    """Columns by name, those not to be used, and the target."""
    named: dict[str, Name] = {}
    listed_columns = listings(text, pieces) or in_prose(text, pieces)
    for listing in listed_columns:
        for name in listing.names:
            named.setdefault(name.text.lower(), name)
    for name in (*embedded_columns(text), *spaced_columns(text), *before_its_file(text)):
        named.setdefault(name.text.lower(), name)
    for index, piece in enumerate(pieces):
        if stances[index] == "mentioned":
            continue
        names: list[Name] = []
        if piece.last in _NAMING:
            names = (
                _columns_at(text, pieces, index) or _quoted_column(text, pieces, index) or _bare(text, pieces, index)
            )
        elif piece.key == "(":
            names = before_file(text, pieces, index)
        elif piece.key == ":":
            names = colon_before_file(text, pieces, index)
        for name in names:
            named.setdefault(name.text.lower(), name)
    dropped = {}
    results = []
    told_target = ""
    for listing in listed_columns:
        told_target = told_target or listing.target
        dropped.update({key: named[key] for key in listing.dropped})
        if listing.separator:
            first, second = listing.names[:2]
            results.append(Written("files", "separator", listing.separator, first.end, second.start))
    for name in (*dropped_columns(text, pieces, set(named)), *forbidden_columns(text, pieces, set(named))):
        dropped.setdefault(name.text.lower(), name)
    kept = [name for key, name in named.items() if key not in dropped]
    target = (
        named.get(told_target.lower())
        if told_target
        else target_of(text, pieces, kept, only_inputs=any(listing.only_inputs for listing in listed_columns))
    )
    targets = targets_listed(text, pieces)
    if targets:
        results += [Written("files", "target", name.text, name.start, name.end) for name in targets]
        several = {name.text.lower() for name in targets}
        kept = [name for name in kept if name.text.lower() not in several]
    elif target is not None:
        listed_target = named.get(target.text.lower()) or target
        target = min(listed_target, target, key=_start)
        results.append(Written("files", "target", target.text, target.start, target.end))
    for name in kept:
        if targets or target is None or name.text.lower() != target.text.lower():
            results.append(Written("files", "column", name.text, name.start, name.end))
    for key, name in dropped.items():
        place = named.get(key) or name
        results.append(Written("files", "column", name.text, place.start, place.end, True))
    return results


def _start(name: Name) -> int:
    return name.start


_DATES = frozenset("timestamp date datetime time day".split())


def _quoted_column(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "the text is in the field "body"": one column, in quotes or with an underscore."""
    if pieces[index].last not in COLUMN or index + 1 >= len(pieces):
        return []
    before = pieces[index - 1] if index else None
    if before is not None and before.key in _DATES and index > 1 and pieces[index - 2].key in ("a", "the", "one"):
        return [Name(text[before.start : before.end], before.start, before.end)]  # "with a timestamp column"
    after = index + 1
    quoted = pieces[after].key in QUOTES
    if quoted and after + 1 < len(pieces):
        after += 1
    word = identifier_at(text, pieces[after].start)
    if not word or not (quoted or "_" in word.strip("_") or _stands_alone(text, pieces, index, word)):
        return []
    return [Name(word, pieces[after].start, pieces[after].start + len(word))]


_SETTINGS = frozenset(("framework", "architecture", "metric"))
"""What a name in a list of columns is none of; words like "shift" are columns as well."""


def _is_representation(pieces: list[Piece], name: Name) -> bool:
    return any(piece.start == name.start and piece.is_a("representation") for piece in pieces)


def _up_to_settings(pieces: list[Piece], names: list[Name]) -> list[Name]:
    """The names before the first one that asks for something: "with text and stars, PyTorch, MAE"."""
    kept: list[Name] = []
    for name in names:
        if asks_for_something(pieces, name, _SETTINGS):
            return kept if len(kept) >= 2 else []
        kept.append(name)
    return kept


_IN_COLUMN = re.compile(r"\b(?:in|from|under|called|into|is) (?:the |a )?$")
_ENDS_NAME = re.compile(r"[\"'`]?(?:[,.;)\n]|$| (?:and|or|as|of|in|is|holds|has|with|for|to)\b)")


def _stands_alone(text: str, pieces: list[Piece], index: int, word: str) -> bool:
    """Whether a plain word is the column's name: "the rent in column rent"."""
    start = pieces[index + 1].start
    if word.lower() in NO_COLUMN or word.lower() in ("order", "format", "form", "names", "name", "called", "named"):
        return False
    before = text[max(0, pieces[index].start - 20) : pieces[index].start].lower()
    return _IN_COLUMN.search(before) is not None and _ENDS_NAME.match(text, start + len(word)) is not None


def _columns_at(text: str, pieces: list[Piece], index: int) -> list[Name]:
    key = pieces[index].last
    after = index + 1
    following = pieces[after].key if after < len(pieces) else ""
    if following in ("such", "like", "including"):
        after += 1 + (following == "such")
        following = ":"
    of_path = text[pieces[index].start - 1 : pieces[index].start] == "."
    if key in _COLUMNS and following == "," and [part.key for part in pieces[after + 2 : after + 3]] == [":"]:
        after, following = after + 2, ":"  # "19 columns, mixed: gender, tenure"
    listed_format = key in ("json", "jsonl", "csv", "tsv") and following == "("
    is_file = (pieces[index].key in DATA_FORMATS and of_path) or key in _TABLES or listed_format
    named_behind = after < len(pieces) and "_" in identifier_at(text, pieces[after].start).strip("_")
    if following in ("->", "→", "=>"):
        return []
    if is_file and following == "," and [part.key for part in pieces[after + 1 : after + 2]] in (["with"], ["has"]):
        after, following = after + 1, "with"  # "a spreadsheet, bikes.csv, with temp, hour and cnt"
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
            not opener and pieces[after].kind in ("number", "mark") and pieces[after].key not in QUOTES
        ):
            return []
        names, _ = listed(text, pieces, after, {"(": ")", "[": "]"}.get(opener, ""))
        if names and _is_representation(pieces, names[0]):
            return []  # "categorical columns one-hot, numeric min-max"
        cleaned = _clean(text, names, strict=key not in _COLUMNS)
        if key in _BRACKETED and _counts_more(pieces, index, names):
            return []  # "13 input features (composition and annealing temperature)"
        if key in _BRACKETED and not all(_is_plain(name.text) for name in names):
            return []  # "14 variables (11 wells, rain)", "parameters (cooling time etc.)"
        if key in _TABLES and not of_path and not _are_identifiers(cleaned):
            return []
        if is_file:
            cleaned = [name for name in cleaned if _FORMATTING.isdisjoint(name.text.lower().split())]
        if (is_file or key in _COLUMNS) and not opener:
            cleaned = _up_to_settings(pieces, cleaned)
        several_words = sum(" " in name.text for name in cleaned)
        if is_file and not opener and 2 * several_words > len(cleaned):
            return []  # "train.csv with the target SalePrice, many missing values and text categories"
        in_brackets = is_file and opener == "("
        if in_brackets and any("." in name.text or name.text.lower() in _NO_HEADERS for name in cleaned):
            return []  # "repairs.db (sqlite, table jobs)"
        return cleaned
    return []


def _counts_more(pieces: list[Piece], index: int, names: list[Name]) -> bool:
    """Whether a number before the noun says that there are more than the names listed.

    How many a range stands for ("V1..V4") is not counted here: where there is one, the list is taken as whole.
    """
    if any(_RANGE.fullmatch(name.text) for name in names):
        return False
    before = pieces[max(0, index - 2) : index]
    return any(piece.kind == "number" and (piece.number or 0.0) > len(names) for piece in before)


_RANGE = re.compile(r"(?P<stem>[^\W\d]\w{0,40}?)\d+ ?(?:\.\.+|…|-|–|to) ?(?P=stem)\d+")
"""Numbered columns from the first to the last: "V1..V4", "x1-x9", "s1 to s12"."""


def _is_plain(name: str) -> bool:
    """Whether a name of a list counts nothing and leaves nothing open."""
    return not name[:1].isdigit() and not name.endswith(("etc", "etc.", "...", "…"))


def _bare(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "features pclass, sex, age, fare": single words behind the noun, without a colon."""
    if pieces[index].last not in ("features", "columns", "variables", "fields", "inputs", "predictors"):
        return []
    if index + 2 >= len(pieces) or pieces[index + 1].kind not in ("word", "term") or pieces[index + 2].key != ",":
        return []
    names, _ = listed(text, pieces, index + 1, "")
    single = []
    for name in names:
        if " " in name.text or not can_be_column(name.text):
            break
        single.append(name)
    return single if len(single) >= 3 else []


_HEADING = re.compile(r"(?i)(?:\w+ ){0,2}(?:columns?|fields|spalten|columnas|colonnes|colunas|colonne) ")
"""What may stand before the first name of a list: "mit den Spalten zeit"."""
_LATIN = re.compile(
    r"(?<=[\u3040-\u30ff\u3400-\u9fff])[A-Za-z]\w{0,60}$|^[A-Za-z][A-Za-z0-9_]{0,60}(?=[\u3040-\u30ff\u3400-\u9fff])"
)
_SCALED = re.compile(
    r"([^\W\d][\w ]{0,40}?) (?:from |of )?"
    r"(?:\d[\d.]*(?: ?[-–/] ?|\.\.| to )\d[\d.]*|in (?:years|kg|km|cm|mm|meters|eur|usd|hours|percent))$"
)
"""What stands behind a column to say how it is measured: "rating 1-10", "age in years"."""

_QUALIFIED = re.compile(
    r"(\w+) (?:(?:yes/no|yes or no|0/1|0 or 1|true/false)$"
    r"|as (?:the |our |my |a )?(?:target|label|outcome|response|output|answer)\b|(?:in|inside) [\w-]{1,40}$)"
)
"""What the sentence goes on with behind the last column: "cnt as target", "toxic in train.csv"."""

_FORMATTING = frozenset("separated delimited latin-1 latin1 cp1252 utf-8 utf8 encoded".split())
"""What is said of how a file is written: "(label, message; tab separated)"."""
_NO_HEADERS = frozenset("sqlite utf semicolon comma tab header zipped compressed gzip mb gb rows".split())


def _are_identifiers(names: list[Name]) -> bool:
    """Whether the list behind "a table with" is one of columns, not of what else the table has."""
    single = sum(" " not in name.text for name in names)
    return len(names) >= 3 and single >= len(names) - 1


def _clean(text: str, names: list[Name], *, strict: bool) -> list[Name]:
    """The names that can be columns: up to where the list turns into a sentence."""
    results: list[Name] = []
    for name in names:
        heading = _HEADING.match(name.text)
        if heading is not None:
            name = Name(name.text[heading.end() :], name.start + heading.end(), name.end)
        inner = _LATIN.search(name.text)
        if inner is not None and inner.group() != name.text:
            # "列有station": names in Latin letters among ideograms
            name = Name(inner.group(), name.start + inner.start(), name.start + inner.end())
        qualified = _QUALIFIED.match(name.text)
        if qualified is not None:
            name = Name(qualified.group(1), name.start, name.start + qualified.end(1))
        before_arrow, arrow, _ = name.text.partition("->")
        if arrow and before_arrow.strip():
            name = Name(before_arrow.rstrip(), name.start, name.start + len(before_arrow.rstrip()))
        _before, colon, after = name.text.rpartition(": ")
        if colon:
            name = Name(after.strip(), name.end - len(after), name.end)
        scaled = _SCALED.match(name.text)
        if scaled is not None:
            name = Name(scaled.group(1), name.start, name.start + scaled.end(1))
        words = name.text.split()
        if (
            not words
            or not can_be_column(name.text)
            or ".." in name.text
            or "…" in name.text
            or _RANGE.fullmatch(name.text)
            or _KINDS.issuperset(map(str.lower, words[:1]))
        ):
            continue
        if len(words) > 3 or (results and len(words) > 1 and words[0].lower() in _CLAUSE_BEGINNINGS):
            break
        if name.text.lower() in ("etc", "more", "so on", "others"):
            continue
        results.append(name)
    return results if len(results) >= 2 else []
