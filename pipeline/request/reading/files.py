"""Files, folders, columns and the target column, as the request writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.request.constraints import Aspect
from pipeline.request.reading.names import Name, listed
from pipeline.request.reading.negation import Stance
from pipeline.request.reading.terms import Piece


class Found(NamedTuple):
    """A constraint of this module: names and values are those of the guide."""

    aspect: Aspect
    name: str
    value: str
    start: int
    end: int
    negated: bool = False


_PATH = re.compile(r"[\w~{*][\w.~/\\{}*-]*")
_DATA = frozenset("csv tsv parquet xlsx xls json jsonl npz npy txt h5 hdf5 feather arff xml pkl zip mat db sqlite tar gz wav mp3 png jpg jpeg mp4 flac tif tiff nii dcm".split())
_MODEL = frozenset("keras h5 hdf5 pt pth ckpt tflite onnx pb safetensors joblib weights".split())
_PICTURES = frozenset("png jpg jpeg wav mp3 mp4 flac gif pdf svg tif tiff".split())
_FORMATS = {
    "csv": "csv", "csvs": "csv", "tsv": "tsv", "parquet": "parquet", "excel": "excel", "xlsx": "excel", "xls": "excel", "json": "json", "jsonl": "jsonl", "npz": "npz",
    "npy": "npy", "wav": "wav", "wavs": "wav", "png": "png", "pngs": "png", "jpg": "jpg", "jpgs": "jpg", "jpeg": "jpg", "jpegs": "jpg", "txt": "txt", "hdf5": "hdf5", "mp3": "mp3", "mp3s": "mp3",
    "flac": "flac", "mp4": "mp4", "tiff": "tiff", "tif": "tiff", "dicom": "dicom", "nifti": "nifti", "tfrecord": "tfrecord", "tfrecords": "tfrecord",
}  # fmt: skip
_SAVES = frozenset(
    "save saved saving store stored checkpoint checkpoints write written export keep best → > speichern speichere gespeichert guardar guarda guardado sauvegarder "
    "enregistrer salvar salve dump persist 保存 saves".split()
)
_PREDICTED = frozenset("prediction predictions forecast forecasts submission results vorhersagen predicciones prédictions predições scores output".split())
_SEPARATED = {"semicolon": ";", "semicolons": ";", "tab": "tab", "tabs": "tab", "pipe": "|", "pipes": "|"}
_ENCODINGS = re.compile(r"\b(latin-?1|utf-?8(?:-sig)?|utf-?16|cp1252|windows-1252|iso-8859-1|iso-8859-15|gbk|gb2312|shift[-_]jis|cp1251|ascii)\b", re.I)
_COLUMNS = frozenset("columns fields column_names spalten columnas colonnes colunas colonne cols headers header 列 столбцы столбцами".split())
_HOLDS = frozenset(("with", "has", "contains", "holds", "having", "containing", "mit", "con", "avec", "com", "(", ":"))
_BRACKETED = frozenset("metadata features feature variables attributes inputs predictors measurements numbers values columns fields sensors questions merkmale variablen características variables caractéristiques inputs channels".split())
_DROPS = frozenset("ignore drop ignoring dropping exclude excluding except omit remove without skip discard besides ignoriere ignora ignorar ignorer".split())
_PREDICTS = frozenset("tell tells guess know rate infer model learn output give gives predict predicting predicts forecast estimate estimating forecasts forecasting predecir prédire prever vorhersagen predicted estimar 预测".split())
_TARGET = frozenset("target label outcome response dependent ziel zielspalte zielvariable objetivo cible alvo 目标 目标列 целевая".split())
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


def files(text: str, pieces: list[Piece], stances: Sequence[Stance]) -> Iterator[Found]:
    """Paths of files and folders, what they are for, and formats where no file is named."""
    named: set[str] = set()
    for match in _PATH.finditer(text):
        path = match.group().rstrip(".-/\\") if not match.group().endswith("/") else match.group()
        start = match.start()
        stem, dot, extension = path.rpartition(".")
        if path.endswith("/") and len(path) > 2:
            yield Found("files", "folder", path, start, start + len(path))
        elif dot and stem and extension.lower() in _DATA | _MODEL and "*" not in path:
            named.add(extension.lower())
            yield from _file(text, path, extension.lower(), start)
    for index, piece in enumerate(pieces):
        kind = _FORMATS.get(piece.key.split()[0])
        if kind and piece.key not in named and kind not in named and stances[index] == "asked" and not _in_path(text, piece):
            following = pieces[index + 1].key if index + 1 < len(pieces) else ""
            if not (kind in ("excel",) and "xlsx" in named) and following not in ("predictions",):
                yield Found("files", "format", kind, piece.start, piece.end)
    yield from _folders(text, pieces)
    yield from _spelling(text, pieces)


def inside_paths(text: str, pieces: list[Piece]) -> set[int]:
    """The pieces that are part of a path."""
    spans = []
    for match in _PATH.finditer(text):
        path = match.group().rstrip(".-")
        extension = path.rpartition(".")[2].lower()
        if "." in path and extension in _DATA | _MODEL | _PICTURES:
            spans.append((match.start(), match.start() + len(path) - len(extension)))
    inside = set()
    index = 0
    for start, end in spans:
        while index < len(pieces) and pieces[index].end <= start:
            index += 1
        while index < len(pieces) and pieces[index].start < end:
            inside.add(index)
            index += 1
        if index < len(pieces) and pieces[index].start <= end:
            inside.add(index)
    return inside


def _in_path(text: str, piece: Piece) -> bool:
    before = text[piece.start - 1 : piece.start]
    return before in (".", "/", "_") and text[piece.start - 2 : piece.start - 1] not in ("*", " ", "", "(")


def _file(text: str, path: str, extension: str, start: int) -> Iterator[Found]:
    before = re.findall(r"\w+|[→>]", text[max(0, start - 60) : start].lower().rpartition(". ")[2])
    end = start + len(path)
    saves = any(word in _SAVES for word in before)
    if extension in _MODEL and (extension not in ("h5", "hdf5") or saves or "model" in before):
        yield Found("output", "model_file", path, start, end)
    elif extension in _PICTURES and saves:
        return
    elif any(word in _PREDICTED for word in before[-6:]) and (saves or "to" in before[-3:] or "in" in before[-3:] or "as" in before[-3:] or "into" in before[-3:]):
        yield Found("output", "predictions_file", path, start, end)
    elif "prediction" in path.lower() or "submission" in path.lower():
        yield Found("output", "predictions_file", path, start, end)
    else:
        yield Found("files", "file", path, start, end)


def _folders(text: str, pieces: list[Piece]) -> Iterator[Found]:
    """ "intel-scenes folder", "a folder called birds", "the folder data/train"."""
    for index, piece in enumerate(pieces):
        if piece.key not in ("folder", "directory", "ordner", "carpeta", "dossier", "pasta", "dir", "cartella"):
            continue
        after = index + 1
        while after < len(pieces) and pieces[after].key in ("called", "named", "is", ":", '"', "'", "`", "namens", "llamada"):
            after += 1
        called = after > index + 1
        if after < len(pieces):
            match = _PATH.match(text, pieces[after].start)
            if match and (called or "/" in match.group() or "_" in match.group().rstrip(".")) and not match.group().endswith("/"):
                path = match.group().rstrip(".")
                yield Found("files", "folder", path, match.start(), match.start() + len(path))
                continue
        if index and pieces[index - 1].key not in ("the", "a", "one", "per", "each", "my", "our", "same", "this"):
            begin = text.rfind(" ", max(0, piece.start - 80), pieces[index - 1].end) + 1
            match = _PATH.match(text, begin)
            if match and match.end() <= piece.start and re.search(r"[-_/]", match.group()) and not match.group().endswith("/"):
                yield Found("files", "folder", match.group(), match.start(), match.end())


def _spelling(text: str, pieces: list[Piece]) -> Iterator[Found]:
    for index, piece in enumerate(pieces):
        if piece.key in _SEPARATED:
            following = [part.key for part in pieces[index + 1 : index + 3]]
            if any(key in ("separated", "delimited", "separator", "delimiter", "as") for key in following):
                yield Found("files", "separator", _SEPARATED[piece.key], piece.start, pieces[min(len(pieces) - 1, index + 2)].end if following[:1] == ["-"] else pieces[min(len(pieces) - 1, index + 1)].end)
        elif piece.key in ("separator", "delimiter", "sep") and index + 2 < len(pieces):
            mark = next((part for part in pieces[index + 1 : index + 4] if part.key in (";", "|", ",")), None)
            if mark is not None:
                yield Found("files", "separator", mark.key, piece.start, mark.end)
    for match in _ENCODINGS.finditer(text):
        yield Found("files", "encoding", match.group().lower(), match.start(), match.end())


def columns(text: str, pieces: list[Piece], stances: Sequence[Stance]) -> list[Found]:
    """Columns by name, those not to be used, and the target."""
    dropped = list(_dropped(text, pieces))
    spans = [(name.start, name.end) for name in dropped]
    named: list[Name] = []
    for index, piece in enumerate(pieces):
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
    results += [Found("files", "column", name.text, name.start, name.end) for name in named if name.text.lower() not in wanted]
    return results + [Found("files", "column", name.text, name.start, name.end, True) for name in dropped]


def _columns_at(text: str, pieces: list[Piece], index: int) -> list[Name]:
    key = pieces[index].key.split()[-1]
    after = index + 1
    following = pieces[after].key if after < len(pieces) else ""
    is_file = pieces[index].key in _DATA and text[pieces[index].start - 1 : pieces[index].start] == "."
    if key in _COLUMNS or (key in _BRACKETED and following in ("(", ":", "[")) or (is_file and following in _HOLDS):
        opener = following if following in ("(", ":", "[", "=") else ""
        if opener or following in _HOLDS:
            after += 1
        while after < len(pieces) and pieces[after].key in ("are", "named", "called", ":", "columns", "column", "the", "like", "named"):
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
        before, colon, after = name.text.rpartition(": ")
        if colon:
            name = Name(after.strip(), name.end - len(after), name.end)
        words = name.text.split()
        if not words or not _can_be_column(name.text) or ".." in name.text or "…" in name.text:
            continue
        if len(words) > 3 or (results and len(words) > 1 and words[0].lower() in ("i", "we", "predict", "target", "the", "use", "with", "want")):
            break
        if name.text.lower() in ("etc", "more", "so on", "others"):
            continue
        results.append(name)
    return results if len(results) >= 2 else []


_NO_COLUMN = frozenset("per not or about one is are the a i my we please each about use using with from line lines header rows row can".split())


def _can_be_column(name: str) -> bool:
    words = name.lower().split()
    return words[0][0].isalpha() and not any(word in _NO_COLUMN for word in words) and all(char.isalnum() or char in " _-.%/" for char in name)


def _dropped(text: str, pieces: list[Piece]) -> Iterator[Name]:
    """Columns that must not be used: "except "invoice_no"", "ignore the column id", "drop customer_id"."""
    for index, piece in enumerate(pieces):
        if piece.key not in _DROPS and not (piece.key == "not" and index + 1 < len(pieces) and pieces[index + 1].key == "use"):
            continue
        position = index + 1
        about = False
        while position < len(pieces) and position - index <= 5 and pieces[position].key in ("the", "column", "columns", '"', "'", "`", "use", "field", ":", "“", "for", "spalte", "columna", "colonne", "coluna"):
            about = about or pieces[position].key in ("column", "columns", "field", "spalte", "columna", "colonne", "coluna")
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
        if re.match(r"\s*\((0/1|1/0|yes/no|y/n|binary|target|label|true/false|0 or 1)", text[name.end : name.end + 20].lower()):
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
            elif word.lower() in starts or "_" in word.strip("_") or pieces[position - 1].key in ('"', "`") or pieces[position - 1].key in ("column", "spalte", "columna"):
                return [Name(word, here.start, here.start + len(word))] if word else []
            if here.key not in ("the", "column", "its", "their", '"', "`", "'", "“", "a", "user", "spalte", "columna", "la", "die", "le"):
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
        if here.key in ("column", "variable", "is", ":", "=", "called", "named", '"', "'", "`", "“", "ist", "es", "est", "é", "in", "the", "spalte"):
            linked = linked or here.key not in ("the", "in")
            position += 1
            continue
        break
    if position >= len(pieces) or pieces[position].kind not in ("word", "term"):
        return None
    word = _identifier(text, pieces[position].start)
    if not linked and not (position == index + 1 and ("_" in word or word != word.lower())):
        return None
    if word.lower() in ("a", "an", "whether", "how", "continuous", "binary", "to", "what", "their", "its", "not", "skewed", "numeric", "yes", "of", "encoding"):
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
        if here.key in ("is", "the", "as", "(", ",", "a", "our", "binary", '"', "'", "`", "being", "my", "ist", "es", "la", "das"):
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
