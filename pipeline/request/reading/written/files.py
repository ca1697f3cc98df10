"""Files and folders as the request writes them, and how their contents are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.request.reading.data.spelling import DATA_FORMATS, spelling
from pipeline.request.reading.found import Written
from pipeline.request.terms.lists import listed
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

_PATH = re.compile(r"[\w~{*][\w.~/\\{}*-]*")
_WITH_DOT = re.compile(r"(?<![\w.~/\\{}*-])[\w~{*][\w~{}*-]{0,100}+[./\\][\w.~/\\{}*-]*")
"""The same with a dot or a stroke in it; most words of a text have none."""
_IDEOGRAMS = re.compile("[\u3040-\u30ff\u3400-\u9fff]+(?=[A-Za-z0-9_]+[./])")
_NO_PATHS = frozenset(("nii.gz", "tar.gz", "tf.keras", "keras.keras", "torch.pt", "e.g", "i.e"))
_MODEL = frozenset("keras h5 hdf5 pt pth ckpt tflite onnx pb safetensors joblib weights".split())
_PICTURES = frozenset("png jpg jpeg wav mp3 mp4 flac gif pdf svg tif tiff mid midi abc".split())
_OF_FILES = DATA_FORMATS | _MODEL
_OF_ANY_FILE = _OF_FILES | _PICTURES
_SPELLED = {
    "csv": "csv csvs",
    "excel": "excel xlsx xls",
    "wav": "wav wavs",
    "png": "png pngs",
    "jpg": "jpg jpgs jpeg jpegs",
    "mp3": "mp3 mp3s",
    "tiff": "tiff tif",
    "tfrecord": "tfrecord tfrecords",
    "mp4": "mp4 mp4s",
} | {name: name for name in "tsv parquet json jsonl npz npy txt hdf5 flac dicom nifti".split()}
_FORMATS = {spelling: name for name, spellings in _SPELLED.items() for spelling in spellings.split()}
_SAVES = frozenset(
    "save saved saving store stored checkpoint checkpoints write written export keep best → > speichern "
    "speichere gespeichert guardar guarda guardado sauvegarder enregistrer salvar salve dump persist 保存 "
    "saves".split()
)
_PREDICTED = frozenset(
    "prediction predictions forecast forecasts submission results vorhersagen predicciones prédictions "
    "predições scores output summaries captions translations answers transcripts recommendations detections "
    "clusters anomalies flags flagged counts estimates probabilities rankings matches suspects guesses ones".split()
)
_NO_FORMAT = frozenset("predictions artifacts artefacts compression plots plot".split())
_BEFORE_FOLDER = re.compile(
    r"\b(?:in|under|from|inside|folders?|director(?:y|ies)|en|dans|unter|aus|carpetas?|dossiers?|pastas?)"
    r"(?:(?: are| is|:)? the)? [\"'`]?$"
)
_SAVES_MODEL = re.compile(
    r"\b(?:save|store|write|export|dump|keep|put|persist)\w* (?:the |my |our )?(?:\w+ )?"
    r"(?:model|weights|network|checkpoint|net|it) (?:\w+ )?(?:to|as|in|under|into|at) [\"'`]?$"
)
"""What may stand before a path without an ending that the model is written to: "save the model to models/router"."""
_WRITTEN_TO = re.compile(
    r"\b(?:write|writes|writing|written|put|save|saves|saved|export|dump)\b(?! the best)[^.;\n]{0,60}?"
    r" (?:to|into|as) (?:a |the )?(?:file )?[\"'`]?$"
)
"""What may stand before a table that the project writes: "write the guesses to guesses.csv"."""
_TABLES = frozenset("csv tsv json jsonl xlsx parquet txt npy npz".split())
_LOGS = re.compile(r"\b(?:log|logs|logged|history|losses)\b(?! is)[^.\n]{0,25}?\b(?:to|in|into|as) [\"'`]?$")
"""What may stand before a file that a line is written to for each epoch: "the training log to history.csv"."""
_SETS = frozenset("train test val valid validation training testing".split())
_NO_FOLDER = frozenset(
    "tf torch "
    "train val test loss accuracy precision recall and or on yes no true false input output photos images text "
    "tensorflow keras pytorch jax mean std min max left right x y".split()
)


def files(text: str, pieces: list[Piece], stances: Sequence[Stance]) -> Iterator[Written]:
    """Paths of files and folders, what they are for, and formats where no file is named."""
    named: set[str] = set()
    for match in _WITH_DOT.finditer(text):
        path = match.group().rstrip(".-\\")
        start = match.start()
        before_latin = _IDEOGRAMS.match(path)
        if before_latin is not None:  # "数据文件metro.csv"
            path, start = path[before_latin.end() :], start + before_latin.end()
        stem, dot, extension = path.rpartition(".")
        if path.endswith("/") and len(path) > 2:
            yield Written("files", "folder", path, start, start + len(path))
        elif path.lower() in _NO_PATHS:
            continue
        elif (
            not dot
            and "/" in path
            and (path.partition("/")[0].lower() not in _NO_FOLDER or path.partition("/")[2].lower() in _SETS)
        ):
            before = text[max(0, start - 60) : start].lower()
            if path[0].isalpha() and _SAVES_MODEL.search(before):
                yield Written("output", "model_file", path, start, start + len(path))
            elif path[0].isalpha() and (_BEFORE_FOLDER.search(before) or _is_code(text, start, start + len(path))):
                yield Written("files", "folder", path, start, start + len(path))
        elif dot and stem and extension.lower() in _OF_FILES and "*" not in path:
            named.add(extension.lower())
            yield from _file(text, path, extension.lower(), start)
    for index, piece in enumerate(pieces):
        kind = _FORMATS.get(piece.last)
        if kind is None and piece.terms:
            kind = _FORMATS.get(piece.key.partition(" ")[0])
        if (
            kind
            and piece.key not in named
            and kind not in named
            and stances[index] == "asked"
            and not _in_path(text, piece)
        ):
            following = pieces[index + 1].key if index + 1 < len(pieces) else ""
            shown = any(part.key in _SAVES for part in pieces[max(0, index - 4) : index])
            shown = shown or (
                any(part.key in _PREDICTED | {"score"} for part in pieces[max(0, index - 6) : index - 1])
                and (pieces[index - 1].key in ("a", "an"))
            )
            excel = kind == "excel" and "xlsx" in named
            if not excel and not shown and following not in _NO_FORMAT:
                yield Written("files", "format", kind, piece.start, piece.end)
    yield from _folders(text, pieces)
    yield from spelling(text, pieces)


def _is_code(text: str, start: int, end: int) -> bool:
    """Whether a path stands between backticks."""
    return text[start - 1 : start] == "`" and text[end : end + 1] == "`"


def inside_paths(text: str, pieces: list[Piece]) -> set[int]:
    """The pieces that are part of a path."""
    spans = []
    for match in _WITH_DOT.finditer(text):
        path = match.group().rstrip(".-")
        extension = path.rpartition(".")[2].lower()
        if "." in path and path.lower() not in _NO_PATHS and extension in _OF_ANY_FILE:
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


def _file(text: str, path: str, extension: str, start: int) -> Iterator[Written]:
    before = re.findall(r"\w+|[→>]", text[max(0, start - 60) : start].lower().rpartition(". ")[2])
    end = start + len(path)
    saves = any(word in _SAVES for word in before)
    if extension in _MODEL and (extension not in ("h5", "hdf5") or saves or "model" in before):
        yield Written("output", "model_file", path, start, end)
    elif extension in _PICTURES and saves:
        return
    elif (
        (any(word in _PREDICTED for word in before[-6:]) and not _is_read(before) and (saves or _leads_to(before)))
        or "prediction" in path.lower()
        or "submission" in path.lower()
    ):
        yield Written("output", "predictions_file", path, start, end)
    elif extension in _TABLES and _LOGS.search(text[max(0, start - 40) : start].lower()):
        yield Written("output", "log_file", path, start, end)
    elif extension in _TABLES and _WRITTEN_TO.search(text[max(0, start - 90) : start].lower()):
        yield Written("output", "predictions_file", path, start, end)
    else:
        yield Written("files", "file", path, start, end)


def _is_read(before: list[str]) -> bool:
    """Whether a file's content is what is predicted for: "write predictions for new.csv"."""
    words = [word for word in before if word not in ("the", "my", "our", "file")]
    return words[-1:] != [] and words[-1] in ("for", "of", "on", "from", "für", "aus", "para", "pour", "de")


def _leads_to(before: list[str]) -> bool:
    """Whether what stands before a file is written there: "predictions to", "counts in"; results in a file are read,
    and so is what there are predictions for."""
    last = before[-3:]
    return not {"to", "as", "into"}.isdisjoint(last) or ("in" in last and {"results", "for"}.isdisjoint(before[-6:]))


def _folders(text: str, pieces: list[Piece]) -> Iterator[Written]:
    """ "intel-scenes folder", "a folder called birds", "the folder data/train"."""
    for index, piece in enumerate(pieces):
        if piece.key in ("folders", "directories"):
            yield from _several_folders(text, pieces, index)
        if piece.key not in ("folder", "directory", "ordner", "carpeta", "dossier", "pasta", "dir", "cartella"):
            continue
        after = index + 1
        while after < len(pieces) and pieces[after].key in (
            "called",
            "named",
            "is",
            ":",
            '"',
            "'",
            "`",
            "namens",
            "llamada",
        ):
            after += 1
        called = after > index + 1
        if after < len(pieces):
            match = _PATH.match(text, pieces[after].start)
            if (
                match
                and (called or "/" in match.group() or "_" in match.group().rstrip("."))
                and not match.group().endswith("/")
            ):
                path = match.group().rstrip(".")
                yield Written("files", "folder", path, match.start(), match.start() + len(path))
                continue
        if index and pieces[index - 1].key not in ("the", "a", "one", "per", "each", "my", "our", "same", "this"):
            begin = text.rfind(" ", max(0, piece.start - 80), pieces[index - 1].end) + 1
            match = _PATH.match(text, begin)
            if (
                match
                and match.end() <= piece.start
                and re.search(r"[-_/]", match.group())
                and not match.group().endswith("/")
            ):
                yield Written("files", "folder", match.group(), match.start(), match.end())


def _several_folders(text: str, pieces: list[Piece], index: int) -> Iterator[Written]:
    """ "folders trainA and trainB": names that are no plain words."""
    names, _ = listed(text, pieces, index + 1, "")
    for name in names:
        plain = name.text.isalpha() and name.text[1:] == name.text[1:].lower()
        if plain or not _PATH.fullmatch(name.text) or name.text.endswith("/"):
            return
        yield Written("files", "folder", name.text, name.start, name.end)
