"""How examples lie in folders: a folder a class, inputs and targets in two, parts of their own, or just files."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.data_description.listing import FileKind, Folder
from pipeline.data_description.media_layout import NOUNS, MediaLayout, facts_of_files, input_of, plain_files
from pipeline.data_description.paired_folders import (
    INPUT_FOLDERS,
    marked_pairs,
    pair_of,
    paired_by_name,
    paired_parts,
    stems,
    two_domains,
)
from pipeline.data_description.tables.folder import Part, part_of
from pipeline.data_description.wording import counted, listed, shown_name
from pipeline.request.data_contract import DataTarget

_UNLABELLED = frozenset("unsup unsupervised unlabeled unlabelled unknown_labels".split())


def layout_of(root: str, base: Folder, kind: FileKind) -> MediaLayout:
    """The layout of the files of one kind in a folder of the data folder `root`."""
    if (domains := two_domains(root, base, kind)) is not None:
        return domains
    parts = {part_of(folder.name): folder for folder in reversed(base.folders) if folder.count(kind)}
    if "train" not in parts:
        return _one_part(root, base, kind)
    layout = _one_part(root, _innermost(parts["train"], kind), kind)
    train = shown_name(parts["train"].path)
    layout.words += f"; these are the files in {train}"
    if validation := parts.get("validation"):
        layout.validation = validation.path
        layout.words += (
            f", {counted(_source_count(validation, kind, layout), NOUNS[kind])} for validation in {validation.path}"
        )
    if test := parts.get("test"):
        labelled = bool(layout.targets) and len(test.folders) > 1
        if labelled:
            layout.held_out = test.path
        else:
            layout.unlabelled = _inputs_folder(test, kind, layout)
        state = "with targets" if labelled else "without targets"
        layout.words += f", {counted(_source_count(test, kind, layout), NOUNS[kind])} {state} in {test.path}"
    return layout


def _inputs_folder(folder: Folder, kind: FileKind, layout: MediaLayout) -> str:
    """The folder that the inputs of a part lie in: of pairs `test/images`, where there is one such folder."""
    sources = [below for below in folder.folders if below.name.lower() in INPUT_FOLDERS and below.count(kind)]
    is_paired = layout.inputs[0].layout == "paired_folders"
    return sources[0].path if is_paired and len(sources) == 1 else folder.path


def _source_count(folder: Folder, kind: FileKind, layout: MediaLayout) -> int:
    """The inputs in a part of the data: of pairs without the targets, which may be files of the same kind."""
    sources = [below for below in folder.folders if below.name.lower() in INPUT_FOLDERS]
    if layout.inputs[0].layout == "paired_folders" and sources:
        return sum(below.count(kind) for below in sources)
    return folder.count(kind)


def _innermost(folder: Folder, kind: FileKind) -> Folder:
    """The folder itself, or the only one below it that holds anything."""
    while len(folder.folders) == 1 and not folder.of_kind(kind):
        folder = folder.folders[0]
    return folder


def _one_part(root: str, base: Folder, kind: FileKind) -> MediaLayout:
    pair = pair_of(base, kind)
    if pair is not None:
        return paired_parts(root, *pair, kind)
    if kind == "image" and (marked := marked_pairs(base)):
        return paired_by_name(root, base, marked)
    filled = [folder for folder in base.folders if folder.count(kind) and folder.name.lower() not in _UNLABELLED]
    direct = base.of_kind(kind)
    if len(filled) > 1 and not direct:
        if sum(folder.count(kind) for folder in filled) >= 2 * len(filled):
            return _class_folders(root, base, filled, kind)
        layout = plain_files(root, base, base.all_paths(kind), kind)
        layout.notes.append("most folders hold one file each, so they were not taken for classes")
        return layout
    if len(filled) == 1 and not direct:
        return layout_of(root, filled[0], kind)
    layout = plain_files(root, base, base.all_paths(kind), kind)
    if filled:
        names = listed([folder.path for folder in filled])
        layout.notes.append(f"files lie beside the folders {names}; what the folders stand for cannot be told")
    return layout


def _class_folders(root: str, base: Folder, classes: Sequence[Folder], kind: FileKind) -> MediaLayout:
    train = _part_in_all(classes, "train")
    trains = [below for folder in classes for below in folder.folders if below.name == train] if train else classes
    paths = [path for folder in trains for path in folder.all_paths(kind)]
    facts = facts_of_files(root, kind, paths)
    counts = [folder.count(kind) for folder in trains]
    names = tuple(folder.name for folder in classes)
    deep = any(not folder.of_kind(kind) for folder in trains)
    path = base.place("{class}/" + (f"{train}/" if train else "") + ("*/*" if deep else "*"))
    each = (
        f"{min(counts):,} per class" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,} per class"
    )
    layout = MediaLayout(
        inputs=(input_of(facts, path, "class_folders"),),
        targets=(DataTarget(name="class", kind="class", classes=len(classes), class_names=names),),
        examples=len(paths),
        words=f"{len(paths):,} {facts.words} in {len(classes):,} class folders ({listed(names)}), {each}",
        rule="a folder is a class",
        notes=facts.notes,
        damaged=facts.damaged,
    )
    if train and (test := _part_in_all(classes, "test")):
        layout.held_out = base.place(f"{{class}}/{test}")
    if train and (validation := _part_in_all(classes, "validation")):
        layout.validation = base.place(f"{{class}}/{validation}")
    empty = [folder.name for folder in base.folders if not folder.count(kind)]
    if empty:
        layout.notes.append(f"folders without {kind} files left out: {listed(empty)}")
    left_out = [folder.name for folder in base.folders if folder.count(kind) and folder not in classes]
    if left_out:
        layout.notes.append(f"by its name without classes, and left out: {listed(left_out)}")
    if len(classes) == 2 and stems(classes[0], kind) == stems(classes[1], kind) and len(paths) > 4:
        layout.notes.append(
            f"{listed(names)} hold files of equal names: if they are pairs and no classes, name the folders images and "
            "masks, or input and target"
        )
    return layout


def _part_in_all(classes: Sequence[Folder], part: Part) -> str:
    """The name of a part's folder that is in every class: cat/train, dog/train; "" where there is none."""
    names = [{below.name for below in folder.folders if part_of(below.name) == part} for folder in classes]
    shared = set.intersection(*names)
    return min(shared) if shared else ""
