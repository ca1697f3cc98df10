"""From a file or folder to its description: which reader looks at what."""

from __future__ import annotations

import os
import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pipeline.data_description.arrays import describe_arrays
from pipeline.data_description.description import DataDescription
from pipeline.data_description.listed_files import describe_listed
from pipeline.data_description.listing import FileKind, Folder, Listing, kind_of, list_folder
from pipeline.data_description.media_files import media_facts
from pipeline.data_description.media_folders import layout_of
from pipeline.data_description.media_layout import MediaLayout
from pipeline.data_description.tables.folder import describe_tables, view_tables
from pipeline.data_description.tables.reading import extension_of
from pipeline.data_description.tables.text_format import decode
from pipeline.data_description.wording import counted, listed, one_line, shown_name
from pipeline.errors import DLCodeGenError
from pipeline.request.data_contract import DataContract, DataInput, DataTarget

_MEDIA: tuple[FileKind, ...] = ("image", "audio", "video")
_ABOUT_DATA = ("readme", "license", "licence", "changelog", "requirements", "citation", "about", "notes")
"""How the names of texts begin that are about the data."""

_MOST_LISTS = 4
"""So many texts at most are looked at for a table of the files; more are data themselves."""

_TEXT_BYTES = 16 << 20

_WAYS_OUT = {
    ".xls": "save it as .xlsx or CSV",
    ".ods": "save it as .xlsx or CSV",
    ".json": "write it as CSV or Parquet (pandas: read_json, then to_csv)",
    ".jsonl": "write it as CSV or Parquet (pandas: read_json(lines=True), then to_csv)",
    ".arff": "write it as CSV (scipy.io.arff reads it)",
    ".ts": "save the series as arrays: x of shape (examples, steps, channels) and y in one .npz",
    ".tsf": "save the series as a CSV with a column of dates",
    ".pkl": "unpickling runs code, so it is not read; save it as Parquet, CSV or .npz",
    ".pickle": "unpickling runs code, so it is not read; save it as Parquet, CSV or .npz",
    ".pt": "unpickling runs code, so it is not read; save its arrays as .npz",
    ".h5": "save its arrays as .npz",
    ".hdf5": "save its arrays as .npz",
    ".mat": "save its arrays as .npz (scipy.io.loadmat reads it)",
    ".tfrecord": "save its examples as files, or as arrays in .npz",
    ".feather": "save it as Parquet",
    ".sqlite": "export the table as CSV",
    ".db": "export the table as CSV",
    ".dta": "write it as CSV (pandas: read_stata, then to_csv)",
    ".sav": "write it as CSV",
    ".dcm": "convert the images to PNG",
    ".nii": "save the volumes as arrays in .npz",
}


def describe(path: str, target: str | Sequence[str] | None = None) -> DataDescription:
    """What the data at a local path hold; large data by a sample that is always the same.

    `target`: the column or array that is to be predicted, or several; by default it is told from names and values.
    Raises DLCodeGenError where there is nothing that can be read, with the way out.
    """
    asked = [target] if isinstance(target, str) else list(target or ())
    try:
        description = _described(path, asked)
    except DLCodeGenError as error:
        raise DLCodeGenError(one_line(str(error))) from error
    return replace(
        description,
        attributes=one_line(description.attributes),
        notes=tuple(one_line(note) for note in description.notes),
        damaged=tuple(one_line(line) for line in description.damaged),
    )


def _described(path: str, asked: Sequence[str]) -> DataDescription:
    if os.path.isdir(path):
        return _describe_folder(path, asked)
    if not os.path.isfile(path):
        if os.path.exists(path):
            raise DLCodeGenError(f"{path}: neither a file nor a folder; point to the data")
        raise DLCodeGenError(f"{path}: no such file or folder; check the path (only local data are read)")
    return _describe_file(path, asked)


def _describe_file(path: str, asked: Sequence[str]) -> DataDescription:
    root, name = os.path.split(path)
    root = root or "."
    kind = kind_of(name)
    if kind == "array":
        return describe_arrays(root, [name], asked)
    if kind in ("table", "text"):
        return _tables_or_text(root, [name], asked)
    if kind in _MEDIA:
        facts = media_facts(root, kind, [name])
        if facts.damaged:
            raise DLCodeGenError(f"{facts.damaged[0]}; get the file anew")
        data_input = DataInput(name=facts.kind, kind=facts.kind, path=name, shape=facts.shape)
        return DataDescription(
            attributes=f"One file {shown_name(name)}: {facts.words}, without target.",
            contract=DataContract(inputs=(data_input,), targets=(DataTarget(name="", kind="none"),), examples=1),
            notes=(*facts.notes, "one file is one example; describe the folder of all of them"),
        )
    if kind == "archive":
        raise DLCodeGenError(f"{path}: an archive; unpack it (unzip {name} -d data) and describe the folder")
    raise DLCodeGenError(f"{path}: {_not_read(name)}")


def _not_read(name: str) -> str:
    extension, compression = extension_of(name)
    way_out = _WAYS_OUT.get(
        extension, "known are CSV, Parquet, Excel, .npz, .npy, text, and folders of images, sounds or texts"
    )
    return f"{extension + compression or 'a file without an ending'} is not read; {way_out}"


def _tables_or_text(root: str, paths: Sequence[str], asked: Sequence[str]) -> DataDescription:
    tables = view_tables(root, paths)
    if tables.views:
        return describe_tables(tables, asked)
    if tables.damaged:
        raise DLCodeGenError(
            tables.damaged[0] + (f" (and {len(tables.damaged) - 1} more)" if len(tables.damaged) > 1 else "")
        )
    if asked:
        raise DLCodeGenError(f"{paths[0]}: a text without columns has no target {asked[0]!r}")
    return _one_text(root, paths[0])


def _one_text(root: str, path: str) -> DataDescription:
    """One text to learn from."""
    file = os.path.join(root, path)
    with open(file, "rb") as stream:
        data = stream.read(_TEXT_BYTES)
    text, encoding = decode(data, path)
    if len(re.findall(r"^[-+.\d]\S*( \d+:[-+.\de]+)+", text, re.MULTILINE)) > 0.5 * len(text.splitlines()):
        raise DLCodeGenError(f"{path}: svmlight files are not read; write it as CSV (sklearn: load_svmlight_file)")
    size = os.path.getsize(file)
    about = "" if size <= len(data) else "its beginning of "
    lines = counted(len(text.splitlines()), "line")
    counts = f"{about}{len(text):,} characters, {counted(len(text.split()), 'word')}, {lines}"
    notes = [f"{path} was read as Windows-1252: it is not UTF-8"] if encoding == "cp1252" else []
    if about:
        notes.append(f"{path} is large: its first {len(data) >> 20} MB were looked at")
    return DataDescription(
        attributes=f"Text file {shown_name(path)}: {counts}, {len(set(text))} different characters, without target.",
        contract=DataContract(
            inputs=(DataInput(name="text", kind="text", path=path, layout="text_file", shape=(None,)),),
            targets=(DataTarget(name="", kind="none"),),
        ),
        notes=tuple(notes),
    )


def _describe_folder(root: str, asked: Sequence[str]) -> DataDescription:
    listing = list_folder(root)
    base = _base_of(listing.folder)
    counts = {kind: base.count(kind) for kind in _MEDIA}
    main = max(_MEDIA, key=lambda kind: counts[kind])
    tables = base.all_paths("table")
    if counts[main]:
        description = _describe_media(root, base, main, asked)
        others = [kind for kind in _MEDIA if kind != main and counts[kind]]
        if others:
            description = replace(
                description, notes=(*description.notes, f"also there, not taken in: {listed(others)} files")
            )
    elif _are_class_folders(base, "table"):
        description = _from_layout(layout_of(root, base, "table"))
    elif tables:
        description = describe_tables(view_tables(root, tables), asked)
    elif arrays := base.all_paths("array"):
        description = describe_arrays(root, arrays[:100], asked)
    elif texts := [path for path in base.all_paths("text") if not _is_about_data(path)]:
        description = _describe_texts(root, base, texts, asked)
    else:
        raise DLCodeGenError(f"{root}: {_nothing_read(listing)}")
    notes = [*description.notes, *listing.notes]
    if left_out := _left_out(listing.folder, description):
        notes.append(f"not looked at: {left_out}")
    return replace(description, notes=tuple(notes))


def _left_out(folder: Folder, description: DataDescription) -> str:
    """The files that no reader is for, counted by their endings: "3 .ts, 2 .arff"."""
    kinds: tuple[FileKind, ...] = ("other", "archive", "annotation")
    targets = description.contract.targets if description.contract is not None else ()
    endings = Counter(
        "".join(extension_of(path)) or "without ending" for kind in kinds for path in folder.all_paths(kind)
    )
    used = {"".join(extension_of(target.path)) for target in targets}
    return listed([f"{count:,} {ending}" for ending, count in endings.most_common() if ending not in used])


def _base_of(folder: Folder) -> Folder:
    """The folder in which data begin: below folders that hold one folder each, and nothing but texts about the data."""
    while len(folder.folders) == 1 and not _holds_data(folder):
        folder = folder.folders[0]
    return folder


def _holds_data(folder: Folder) -> bool:
    texts = [name for name in folder.of_kind("text") if not _is_about_data(name)]
    return bool(texts) or any(folder.of_kind(kind) for kind in (*_MEDIA, "table", "array"))


def _is_about_data(path: str) -> bool:
    return posixpath.basename(path).lower().startswith(_ABOUT_DATA)


def _are_class_folders(base: Folder, kind: FileKind) -> bool:
    """Whether tables or texts lie in folders of their class: several folders, several files each."""
    filled = [folder for folder in base.folders if folder.count(kind)]
    return len(filled) > 1 and not base.of_kind(kind) and all(folder.count(kind) > 2 for folder in filled)


def _describe_media(root: str, base: Folder, kind: FileKind, asked: Sequence[str]) -> DataDescription:
    texts = [path for path in base.all_paths("text") if not _is_about_data(path)]
    lists = base.all_paths("table") + (texts if len(texts) <= _MOST_LISTS else [])
    tables = view_tables(root, lists)
    found = describe_listed(root, base, kind, tables, asked)
    if found is not None:
        return found
    if asked:
        raise DLCodeGenError(f"no table lists the {kind} files, so there is no column {asked[0]!r} for the target")
    description = _from_layout(layout_of(root, base, kind))
    if tables.views:
        names = listed([view.path for view in tables.views])
        description = replace(description, notes=(*description.notes, f"no column of {names} names the {kind} files"))
    return replace(description, damaged=(*tables.damaged, *description.damaged))


def _from_layout(layout: MediaLayout) -> DataDescription:
    return DataDescription(
        attributes=layout.words[:1].upper() + layout.words[1:] + ".",
        contract=DataContract(
            inputs=layout.inputs,
            targets=layout.targets,
            examples=layout.examples,
            validation=layout.validation,
            held_out=layout.held_out,
            unlabelled=layout.unlabelled,
        ),
        target_rule=layout.rule,
        notes=tuple(layout.notes),
        damaged=tuple(layout.damaged),
    )


def _describe_texts(root: str, base: Folder, texts: Sequence[str], asked: Sequence[str]) -> DataDescription:
    if len(texts) <= 4 and not base.folders:
        return _tables_or_text(root, texts, asked)
    return _from_layout(layout_of(root, base, "text"))


def _nothing_read(listing: Listing) -> str:
    names = [path for kind in ("archive", "annotation", "other") for path in listing.folder.all_paths(kind)]
    if listing.folder.count("archive"):
        return f"it holds archives ({listed(listing.folder.all_paths('archive'))}); unpack them first"
    if not names:
        return "it holds only texts about the data"
    endings = Counter("".join(extension_of(name)) for name in names)
    return _not_read("x" + endings.most_common(1)[0][0])
