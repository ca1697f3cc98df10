"""Columns that a request lists without calling them so: "sauna.csv: ts;temp;door", "one row per sale: time, price", and
definitions, "queen_age = years", a sentence each."""

from __future__ import annotations

import re
from typing import NamedTuple

from pipeline.request.terms.lists import Name, listed
from pipeline.request.terms.pieces import Piece


class Listing(NamedTuple):
    """Columns of one listing."""

    names: list[Name]
    dropped: frozenset[str]
    """Those of which the listing says that they must not be used, in lower case."""
    target: str = ""
    only_inputs: bool = False
    """Whether the target, which stands before them, is none of them: "predict rent from size, rooms and floor"."""
    separator: str = ""


_HEADER = re.compile(
    r"\.(?:csv|tsv|txt|dat)[\"'`]?(?: has| with|:| \(|, columns:?)? ?\(?([A-Za-z]\w{0,40}(?:[;|,]\w{1,40}){2,30})"
)
"""Names without blanks behind a file, as its first line has them: "sauna.csv: ts;temp;hum"."""
_DEFINITION = re.compile(r"(?:^|(?<=[.;\n] )|(?<=[\n;]))([a-z]\w{0,60}) = ([A-Za-z][^\n;.]{2,160})", re.MULTILINE)
_FORBIDDEN = re.compile(r"\b(?:not use|not be used|never use|ignore|drop|leave out|not an input|no input)\b")
_TARGET = re.compile(r"\b(?:predict|predicted|target|label)\b")
_ROW = frozenset(("row", "rows", "line", "record", "entry", "zeile", "ligne", "fila", "linha"))
_ROW_PER = ("row per ", "rows per ", "line per ", "record per ")
_EACH = frozenset(("per", "each", "every", "for", "pro", "je", "por", "par"))
_LOGS = frozenset(
    "log logs record records note notes keep store stores list write register collect track inputs".split()
)
_LEAST = 3


def listings(text: str, pieces: list[Piece]) -> list[Listing]:
    """The listings of a request."""
    results = []
    header = _HEADER.search(text) if "." in text else None
    if header is not None:
        results.append(_header(header))
    definitions = []
    if text.count(" = ") >= _LEAST:
        definitions = [match for match in _DEFINITION.finditer(text) if len(match.group(1)) > 1]
    if len(definitions) >= _LEAST:
        results.append(_defined(text, definitions))
    for index, piece in enumerate(pieces):
        if piece.key in _ROW or piece.key in _LOGS or piece.key.startswith(_ROW_PER):
            names = _row(text, pieces, index)
            if names:
                results.append(Listing(names, frozenset()))
                break
    return results


def _header(match: re.Match[str]) -> Listing:
    names = []
    for part in re.finditer(r"\w+", match.group(1)):
        start = match.start(1) + part.start()
        names.append(Name(part.group(), start, start + len(part.group())))
    separator = match.group(1)[len(names[0].text)]
    return Listing(names, frozenset(), separator="" if separator == "," else separator)


def _defined(text: str, definitions: list[re.Match[str]]) -> Listing:
    """ "hive_id = unique id, do not use it. honey_kg = what must be predicted." """
    dropped = set()
    target = ""
    for match in definitions:
        meaning = match.group(2).lower()
        if _FORBIDDEN.search(meaning):
            dropped.add(match.group(1).lower())
        elif _TARGET.search(meaning):
            target = match.group(1)
    names = [Name(match.group(1), match.start(1), match.end(1)) for match in definitions]
    return Listing(names, frozenset(dropped), target)


def _up_to_question(names: list[Name]) -> list[Name]:
    """The names before "and whether they fell"."""
    for place, name in enumerate(names):
        if name.text.partition(" ")[0].lower() in ("whether", "if", "how", "what"):
            return names[:place]
    return names


def _row(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "one row per sale: time, product, price", "we log each ticket: brand, damage" """
    each = pieces[index].key.startswith(_ROW_PER)
    for position in range(index + 1, min(len(pieces), index + 8)):
        key = pieces[position].key
        each = each or key in _EACH
        if key in (":", ";") and each:
            names = _up_to_question(listed(text, pieces, position + 1, "")[0])
            single = sum(_is_identifier(name.text) for name in names)
            plain = all(not any(word.isdigit() for word in name.text.split()) for name in names)
            short = all(len(name.text) < 30 and len(name.text.split()) < 4 for name in names)
            likely = single >= len(names) - 1 or (each and pieces[index].key not in _LOGS)
            return names if len(names) >= _LEAST and likely and plain and short else []
        # "one row each; plan, months": the semicolon ends the sentence.
        if pieces[position].sentence != pieces[index].sentence or pieces[position].kind == "number":
            return []
    return []


def _is_identifier(name: str) -> bool:
    return name.replace("_", "").isalnum() and name[0].isalpha()


def before_file(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "58,200 puzzles (fen, moves, rating) in puzzles.csv": a list in brackets beside a table's file."""
    if pieces[index].key != "(" or not index or pieces[index - 1].kind not in ("word", "term"):
        return []
    names, end = listed(text, pieces, index + 1, ")")
    last = _FILE_INSIDE.fullmatch(names[-1].text) if len(names) > 2 else None
    if last is not None:  # "(store, item, units in sales.csv)"
        names[-1] = Name(last[1], names[-1].start, names[-1].start + len(last[1]))
        return names if all(can_be_column(name.text) for name in names) else []
    behind = text[pieces[end].end : pieces[end].end + 60] if end < len(pieces) else ""
    if len(names) < 3 or not _IN_FILE.match(behind):
        return []
    return names if all(" " not in name.text and can_be_column(name.text) for name in names) else []


def colon_before_file(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "server metrics: cpu, memory, disk_io, network every minute in metrics.csv": up to the name that the sentence
    goes on behind."""
    names: list[Name] = []
    for name in listed(text, pieces, index + 1, "")[0]:
        word, blank, rest = name.text.partition(" ")
        if not can_be_column(word) or (blank and not _GOES_ON.match(rest)):
            return []
        names.append(Name(word, name.start, name.start + len(word)))
        if blank:
            break
    if len(names) < 3:
        return []
    behind = text[names[-1].end : names[-1].end + 80]
    return names if _LATER_IN_FILE.match(behind) else []


_GOES_ON = re.compile(r"(?:every|each|per|from|for|of|in|at|as|by|on|recorded|measured|once|hourly|daily)\b")
_FILE_INSIDE = re.compile(
    r"(\w+) (?:in|from) (?:the )?(?:file )?[\"'`]?[\w./-]{1,40}\.(?:csv|tsv|parquet|xlsx|json)[\"'`]?"
)
_LATER_IN_FILE = re.compile(
    r"(?: [\w,-]+){0,6}? (?:in|from) (?:the )?(?:file )?[\"'`]?[\w./-]{1,40}\.(?:csv|tsv|parquet|xlsx|json)"
)

_IN_FILE = re.compile(
    r",? (?:\w+ )?(?:in|from|under|of) (?:the )?(?:file )?[\"'`]?[\w./-]{1,40}\.(?:csv|tsv|parquet|xlsx|json)"
)


_NAME = r"[\"'`]?(?:[A-Za-z]\w{0,40})[\"'`]?"
_EMBEDDED = re.compile(
    rf"embeddings?(?: layers?)? (?:for|of) (?:the )?({_NAME}(?:, {_NAME}){{0,8}}(?:,? and {_NAME})?)"
)
_WORD = re.compile(r"[A-Za-z]\w*")


def embedded_columns(text: str) -> list[Name]:
    """ "embeddings for pickup_zone and dropoff_zone": names with an underscore or in quotes."""
    match = _EMBEDDED.search(text) if "mbedding" in text else None
    if match is None:
        return []
    names = []
    for part in _WORD.finditer(match[1]):
        start = match.start(1) + part.start()
        if "_" in part.group().strip("_") or text[start - 1] in "\"'`":
            names.append(Name(part.group(), start, start + len(part.group())))
    return names


_SPACED = re.compile(r"\bcols:? ([A-Za-z]\w{0,40}(?: [A-Za-z]\w{0,40}){2,20})(?=[,.;\n]|$)")


def spaced_columns(text: str) -> list[Name]:
    """ "cols tmin tmax rain wind": names with blanks between them."""
    match = _SPACED.search(text) if "cols" in text else None
    if match is None:
        return []
    parts = _WORD.finditer(match[1])
    return [Name(part.group(), match.start(1) + part.start(), match.start(1) + part.end()) for part in parts]


_BEFORE_ITS_FILE = re.compile(
    r"\(([A-Za-z]\w{0,40}(?:, [A-Za-z]\w{0,40}(?: \d+ ?[-–] ?\d+)?){1,20}); ?[\w./-]{1,60}\.(?:csv|tsv|parquet|xlsx)\)"
)


def before_its_file(text: str) -> list[Name]:
    """ "our loans (member_id, book_id, rating 1-5; loans.csv)" """
    match = _BEFORE_ITS_FILE.search(text) if ";" in text else None
    if match is None:
        return []
    parts = _WORD.finditer(match[1])
    return [Name(part.group(), match.start(1) + part.start(), match.start(1) + part.end()) for part in parts]


NO_COLUMN = frozenset(
    "per not or about one is are the a i my we please each use using with from line lines header rows row can".split()
)


def can_be_column(name: str) -> bool:
    words = name.lower().split()
    return (
        words[0][0].isalpha()
        and not (len(words) > 1 and any(word.isdecimal() for word in words))
        and not any(word in NO_COLUMN for word in words)
        and all(char.isalnum() or char in " _-.%/" for char in name)
    )


_SEVERAL = re.compile(r"\b(?:the )?(?:targets|outputs to predict|quantities to predict)(?: are|:| =) (?=[A-Za-z`'\"])")


def targets_listed(text: str, pieces: list[Piece]) -> list[Name]:
    """ "targets are carbon, nitrogen and pH": several, each a word; none for any other list."""
    said = _SEVERAL.search(text)
    if said is None:
        return []
    first = next((index for index, piece in enumerate(pieces) if piece.start >= said.end()), len(pieces))
    names: list[Name] = []
    for name in listed(text, pieces, first, "")[0]:
        if " " in name.text or not name.text[0].isalpha():
            break
        names.append(name)
    return names if len(names) > 1 else []
