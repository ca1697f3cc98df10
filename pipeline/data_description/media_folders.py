"""How examples lie in folders: a folder a class, inputs and targets in two, parts of their own, or just files."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.data_description.listing import FileKind, Folder
from pipeline.data_description.media_files import MediaFacts, media_facts
from pipeline.data_description.tables.folder import part_of
from pipeline.data_description.wording import counted, listed, shown_name
from pipeline.request.data_contract import DataInput, DataTarget, Layout, TargetKind

_INPUT_FOLDERS = frozenset(
    "images image imgs img inputs input x photos pictures frames source src original noisy low lr a".split()
)
_TARGET_FOLDERS = frozenset(
    "masks mask labels label annotations annotation segmentation segmentations targets target y gt ground_truth "
    "groundtruth output outputs clean high hr b".split()
)
_MARK = re.compile(r"[_.-](mask|masks|seg|segmentation|label|labels|gt|target)$", re.IGNORECASE)
"""How the name of a mask's file ends."""

_UNLABELLED = frozenset("unsup unsupervised unlabeled unlabelled unknown_labels".split())
_NOUNS: dict[FileKind, str] = {
    "image": "image",
    "audio": "recording",
    "video": "video",
    "text": "text",
    "table": "table",
}


@dataclass(kw_only=True, slots=True)
class MediaLayout:
    """Examples in folders: what the contract says of them, and the sentences."""

    inputs: tuple[DataInput, ...]
    targets: tuple[DataTarget, ...] = ()
    examples: int = 0
    words: str = ""
    rule: str = ""
    validation: str = ""
    held_out: str = ""
    unlabelled: str = ""
    notes: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def layout_of(root: str, base: Folder, kind: FileKind) -> MediaLayout:
    """The layout of the files of one kind in a folder of the data folder `root`."""
    parts = {part_of(folder.name): folder for folder in reversed(base.folders) if folder.count(kind)}
    if "train" not in parts:
        return _one_part(root, base, kind)
    layout = _one_part(root, _innermost(parts["train"], kind), kind)
    train = shown_name(parts["train"].path)
    layout.words += f"; these are the files in {train}"
    if validation := parts.get("validation"):
        layout.validation = validation.path
        layout.words += f", {counted(validation.count(kind), _NOUNS[kind])} for validation in {validation.path}"
    if test := parts.get("test"):
        labelled = bool(layout.targets) and len(test.folders) > 1
        if labelled:
            layout.held_out = test.path
        else:
            layout.unlabelled = test.path
        state = "with targets" if labelled else "without targets"
        layout.words += f", {counted(test.count(kind), _NOUNS[kind])} {state} in {test.path}"
    return layout


def _innermost(folder: Folder, kind: FileKind) -> Folder:
    """The folder itself, or the only one below it that holds anything."""
    while len(folder.folders) == 1 and not folder.of_kind(kind):
        folder = folder.folders[0]
    return folder


def _one_part(root: str, base: Folder, kind: FileKind) -> MediaLayout:
    pair = _pair_of(base, kind)
    if pair is not None:
        return _paired(root, *pair, kind)
    if kind == "image" and (marked := _marked_pairs(base)):
        return _paired_by_name(root, base, marked)
    filled = [folder for folder in base.folders if folder.count(kind) and folder.name.lower() not in _UNLABELLED]
    direct = base.of_kind(kind)
    if len(filled) > 1 and not direct:
        if sum(folder.count(kind) for folder in filled) >= 2 * len(filled):
            return _class_folders(root, base, filled, kind)
        layout = _files(root, base, base.all_paths(kind), kind)
        layout.notes.append("most folders hold one file each, so they were not taken for classes")
        return layout
    if len(filled) == 1 and not direct:
        return _one_part(root, filled[0], kind)
    layout = _files(root, base, base.all_paths(kind), kind)
    if filled:
        names = listed([folder.path for folder in filled])
        layout.notes.append(f"files lie beside the folders {names}; what the folders stand for cannot be told")
    return layout


def _class_folders(root: str, base: Folder, classes: Sequence[Folder], kind: FileKind) -> MediaLayout:
    paths = [path for folder in classes for path in folder.all_paths(kind)]
    facts = _facts(root, kind, paths)
    counts = [folder.count(kind) for folder in classes]
    names = tuple(folder.name for folder in classes)
    deep = any(not folder.of_kind(kind) for folder in classes)
    path = base.place("{class}/*/*" if deep else "{class}/*")
    each = (
        f"{min(counts):,} per class" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,} per class"
    )
    layout = MediaLayout(
        inputs=(_input(facts, path, "class_folders"),),
        targets=(DataTarget(name="class", kind="class", classes=len(classes), class_names=names),),
        examples=len(paths),
        words=f"{len(paths):,} {facts.words} in {len(classes):,} class folders ({listed(names)}), {each}",
        rule="a folder is a class",
        notes=facts.notes,
        damaged=facts.damaged,
    )
    empty = [folder.name for folder in base.folders if not folder.count(kind)]
    if empty:
        layout.notes.append(f"folders without {kind} files left out: {listed(empty)}")
    left_out = [folder.name for folder in base.folders if folder.count(kind) and folder not in classes]
    if left_out:
        layout.notes.append(f"by its name without classes, and left out: {listed(left_out)}")
    if len(classes) == 2 and _stems(classes[0], kind) == _stems(classes[1], kind) and len(paths) > 4:
        layout.notes.append(
            f"{listed(names)} hold files of equal names: if they are pairs and no classes, name the folders images and "
            "masks, or input and target"
        )
    return layout


def _files(root: str, base: Folder, paths: Sequence[str], kind: FileKind) -> MediaLayout:
    facts = _facts(root, kind, paths)
    ending = _common_ending(paths)
    deep = "" if base.of_kind(kind) else "*/"
    return MediaLayout(
        inputs=(_input(facts, base.place(f"{deep}*{ending}"), "files"),),
        targets=(DataTarget(name="", kind="none"),),
        examples=len(paths),
        words=f"{len(paths):,} {facts.words}, without targets",
        rule="",
        notes=facts.notes,
        damaged=facts.damaged,
    )


def _pair_of(base: Folder, kind: FileKind) -> tuple[Folder, Folder, FileKind] | None:
    """The folders of inputs and of targets by their names, and what the targets are."""
    sources = [folder for folder in base.folders if folder.name.lower() in _INPUT_FOLDERS and folder.count(kind)]
    answers = [folder for folder in base.folders if folder.name.lower() in _TARGET_FOLDERS]
    if len(sources) != 1 or len(answers) != 1:
        return None
    kinds: tuple[FileKind, ...] = (kind, "text", "annotation", "array")
    for target_kind in kinds:
        shared = _stems(sources[0], kind) & _stems(answers[0], target_kind)
        if 2 * len(shared) >= len(_stems(sources[0], kind)):
            return sources[0], answers[0], target_kind
    return None


def _stems(folder: Folder, kind: FileKind) -> set[str]:
    """Names without endings, and without what marks a mask."""
    return {_MARK.sub("", posixpath.splitext(posixpath.basename(path))[0]) for path in folder.all_paths(kind)}


def _paired(root: str, source: Folder, answer: Folder, target_kind: FileKind, kind: FileKind) -> MediaLayout:
    paths, answers = source.all_paths(kind), answer.all_paths(target_kind)
    shared = _stems(source, kind) & _stems(answer, target_kind)
    facts = _facts(root, kind, paths)
    layout = MediaLayout(
        inputs=(_input(facts, source.place("*" + _common_ending(paths)), "paired_folders"),),
        examples=len(shared),
        words=f"{len(paths):,} {facts.words} in {source.path}",
        rule="folders of inputs and targets, by their names",
        notes=facts.notes,
        damaged=facts.damaged,
    )
    path = answer.place("*" + _common_ending(answers))
    if target_kind == kind == "image":
        _add_mask(layout, root, answers, path, f"in {answer.path}")
    else:
        boxes = target_kind == "annotation" or (target_kind == "text" and _are_boxes(root, answers))
        answer_kind: TargetKind = "boxes" if boxes else "text" if target_kind == "text" else "image"
        layout.targets = (DataTarget(name=answer.name, kind=answer_kind, path=path),)
        layout.words += f" and {counted(len(answers), 'file')} of {answer_kind} in {answer.path}"
    if single := len(paths) - len(shared):
        layout.notes.append(f"{counted(single, 'file')} in {source.path} without a partner in {answer.path}")
    return layout


def _marked_pairs(base: Folder) -> list[str]:
    """Images of a folder that are masks of others in it, by their names: cell1.png, cell1_mask.png."""
    names = base.of_kind("image")
    stems = {posixpath.splitext(name)[0] for name in names}
    marked = [name for name in names if _MARK.sub("", posixpath.splitext(name)[0]) in stems and _is_marked(name)]
    return marked if marked and 3 * len(marked) >= len(names) else []


def _is_marked(name: str) -> bool:
    return _MARK.search(posixpath.splitext(name)[0]) is not None


def _paired_by_name(root: str, base: Folder, marked: Sequence[str]) -> MediaLayout:
    sources = [base.place(name) for name in base.of_kind("image") if not _is_marked(name)]
    answers = [base.place(name) for name in marked]
    facts = _facts(root, "image", sources)
    match = _MARK.search(posixpath.splitext(marked[0])[0])
    mark = match[0] if match else ""
    layout = MediaLayout(
        inputs=(_input(facts, base.place("*" + _common_ending(sources)), "paired_folders"),),
        examples=len(answers),
        words=f"{len(sources):,} {facts.words}",
        rule=f"files whose names end in {mark}",
        notes=facts.notes,
        damaged=facts.damaged,
    )
    _add_mask(layout, root, answers, base.place(f"*{mark}{_common_ending(answers)}"), f"of names in {mark}")
    return layout


def _add_mask(layout: MediaLayout, root: str, answers: Sequence[str], path: str, place: str) -> None:
    """Adds the target of images whose answers are images: masks where they hold few values, else pictures."""
    facts = media_facts(root, "image", answers, masks=True)
    layout.damaged += facts.damaged
    if facts.labels is None:
        target = DataTarget(name="target", kind="image", path=path, shape=facts.shape)
        layout.words += f", and target images {place}: {facts.words}"
    else:
        count = max(len(facts.labels), 2)
        target = DataTarget(name="mask", kind="mask", path=path, shape=facts.shape[:2], classes=count)
        what = "binary masks" if count == 2 else f"masks of {count} classes"
        layout.words += f", and {len(answers):,} {what} {place}"
        if count > 2:
            layout.notes.append(f"masks hold {count} different values in the files opened")
    layout.targets = (target,)


def _are_boxes(root: str, paths: Sequence[str]) -> bool:
    """Whether texts are boxes in YOLO's format: a class and four numbers a line."""
    for path in paths[:20]:
        try:
            with open(os.path.join(root, path), encoding="utf-8", errors="replace") as stream:
                lines = stream.read(1 << 16).splitlines()
        except OSError:
            continue
        if any(
            re.fullmatch(r"\d+( +-?\d*\.?\d+(e-?\d+)?){4,}", line.strip()) is None for line in lines if line.strip()
        ):
            return False
    return True


def _facts(root: str, kind: FileKind, paths: Sequence[str]) -> MediaFacts:
    facts = media_facts(root, kind, paths)
    return replace(facts, words=facts.words or f"{_NOUNS[kind]}s")


def _input(facts: MediaFacts, path: str, layout: Layout) -> DataInput:
    return DataInput(name=facts.kind, kind=facts.kind, path=path, layout=layout, shape=facts.shape)


def _common_ending(paths: Sequence[str]) -> str:
    """The ending of all names, such as ".jpg"; "" where they differ."""
    endings = {posixpath.splitext(path)[1] for path in paths[:10_000]}
    return endings.pop() if len(endings) == 1 else ""
