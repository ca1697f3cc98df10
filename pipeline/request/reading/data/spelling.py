"""How tables are written: what separates their columns, and the encoding of their letters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.request.reading.found import Written
from pipeline.request.terms.pieces import Piece

DATA_FORMATS = frozenset(
    "csv tsv parquet xlsx xls json jsonl npz npy txt h5 hdf5 feather arff xml pkl zip mat db sqlite tar "
    "gz wav mp3 png jpg jpeg mp4 flac tif tiff nii dcm conll conllu sgf pgn midi mid abc log dat edf fasta fa smi sdf "
    "pdb las laz ply obj stl geojson shp nc zarr rds sav dta ods vcf bed srt vtt md html ogg avi mov webp svs nrrd "
    "fits lmdb tfrecord arrow avro orc".split()
)
"""Endings of files that hold data."""
_SEPARATED = {"semicolon": ";", "semicolons": ";", "tab": "tab", "tabs": "tab", "pipe": "|", "pipes": "|"}
_MARKS = {
    "semikolon": ";",
    "strichpunkt": ";",
    "tabulator": "tab",
    "punto y coma": ";",
    "point-virgule": ";",
    "ponto e vírgula": ";",
    "punto e virgola": ";",
    "точка с запятой": ";",
    "分号": ";",
}
"""Names of separators in other languages, which stand there for nothing else."""
_SEPARATORS = frozenset(
    "separator delimiter sep trennzeichen separador séparateur separatore разделитель 分隔符".split()
)
_BEHIND_SEPARATOR = frozenset(("separated", "delimited", "separator", "delimiter", "as"))
_CODES = re.compile("latin|utf|cp125|windows-12|iso-8859|gbk|gb2312|jis|ascii")
_ENCODINGS = re.compile(
    r"\b(latin-?1|utf-?8(?:-sig)?|utf-?16|cp1252|windows-1252|iso-8859-1|iso-8859-15|gbk|gb2312|shift[-_]jis|cp1251|ascii)\b",
    re.I,
)


def spelling(text: str, pieces: list[Piece]) -> Iterator[Written]:
    """How tables are written: what separates their columns, and the encoding of their letters."""
    lower = text.lower()
    for name, separator in _MARKS.items():
        start = lower.find(name)
        if start >= 0 and len(lower) == len(text):
            yield Written("files", "separator", separator, start, start + len(name))
    for index, piece in enumerate(pieces):
        # "tab separated" can be one piece, a phrase of the table.
        if piece.terms and piece.key.endswith(("separated", "delimited")):
            first = piece.key.replace("-", " ").partition(" ")[0]
            if first in _SEPARATED:
                yield Written("files", "separator", _SEPARATED[first], piece.start, piece.end)
        elif piece.key in _SEPARATED and not _is_in_brackets(pieces, index):
            yield from _separated(pieces, index)
        elif piece.key in (";", "|") and _splits([before.key for before in pieces[max(0, index - 2) : index]]):
            yield Written("files", "separator", piece.key, piece.start, piece.end)
        elif piece.key in _SEPARATORS:
            yield from _named_separator(pieces, index)
    if _CODES.search(lower):
        for match in _ENCODINGS.finditer(text):
            yield Written("files", "encoding", match.group().lower(), match.start(), match.end())


def _separated(pieces: list[Piece], index: int) -> Iterator[Written]:
    """ "semicolon-separated", "tab as separator", "uses semicolons", "separated by tabs" """
    separator = _SEPARATED[pieces[index].key]
    before = [piece.key for piece in pieces[max(0, index - 2) : index]]
    if (before[-1:] and before[-1] in _USES and pieces[index].key.endswith("s")) or _splits(before):
        yield Written("files", "separator", separator, pieces[index].start, pieces[index].end)
        return
    following = pieces[index + 1 : index + 3]
    if not any(piece.key in _BEHIND_SEPARATOR for piece in following):
        return
    last = following[-1] if following[0].key == "-" else following[0]
    yield Written("files", "separator", separator, pieces[index].start, last.end)


def _is_in_brackets(pieces: list[Piece], index: int) -> bool:
    """Whether it is said of one column's values: "tags (separated by semicolons)"; of a file that has an ending."""
    before = [piece.key for piece in pieces[max(0, index - 4) : index]]
    if "(" not in before or ")" in before:
        return False
    opened = max(0, index - 4) + len(before) - 1 - before[::-1].index("(")
    return not (opened and pieces[opened - 1].last in DATA_FORMATS | _HOLD_TABLES)


_HOLD_TABLES = frozenset("file files table tables data sheet export exports format".split())


_USES = frozenset(("uses", "use", "using", "with"))


def _splits(before: Sequence[str]) -> bool:
    """Whether "separated by" stands before: of columns, since the labels of one are told in brackets behind it."""
    return len(before) == 2 and before[0] in ("separated", "delimited") and before[1] in ("by", "with")


def _named_separator(pieces: list[Piece], index: int) -> Iterator[Written]:
    """ "separator ;" """
    for mark in pieces[index + 1 : index + 4]:
        if mark.key in _MARKS:
            return  # read by its name
        if mark.key in _SEPARATED:
            yield Written("files", "separator", _SEPARATED[mark.key], pieces[index].start, mark.end)
            return
        if mark.key in (";", "|", ","):
            yield Written("files", "separator", mark.key, pieces[index].start, mark.end)
            return
