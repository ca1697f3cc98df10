"""Inputs and targets in files of equal names: images and masks, noisy and clean, images and boxes."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Sequence

from pipeline.data_description.listing import FileKind, Folder
from pipeline.data_description.media_files import media_facts
from pipeline.data_description.media_layout import MediaLayout, common_ending, facts_of_files, input_of, plain_files
from pipeline.data_description.tables.folder import part_of
from pipeline.data_description.wording import counted
from pipeline.request.data_contract import DataTarget, TargetKind

INPUT_FOLDERS = frozenset(
    "images image imgs img inputs input x photos pictures frames source src original noisy low lr "
    "jpegimages pics".split()
)
_TARGET_FOLDERS = frozenset(
    "masks mask labels label annotations annotation segmentation segmentations targets target y gt ground_truth "
    "groundtruth output outputs clean high hr".split()
)
_CLASSES_OF_SOUND = frozenset(("low", "high", "x", "y"))
"""Names of resolutions; of sounds they are classes like any other."""
_MARK = re.compile(r"[_.-](mask|masks|seg|segmentation|label|labels|gt|target)$", re.IGNORECASE)
"""How the name of a mask's file ends."""


def two_domains(root: str, base: Folder, kind: FileKind) -> MediaLayout | None:
    """Two sets of images without partners, as CycleGAN has them: trainA, trainB."""
    by_name = {folder.name.lower().replace("_", ""): folder for folder in base.folders if folder.count(kind)}
    if kind != "image" or "traina" not in by_name or "trainb" not in by_name:
        return None
    layout = plain_files(root, by_name["traina"], by_name["traina"].all_paths(kind), kind)
    others = plain_files(root, by_name["trainb"], by_name["trainb"].all_paths(kind), kind)
    shape, path = others.inputs[0].shape, others.inputs[0].path
    layout.targets = (DataTarget(name="image", kind="image", path=path, shape=shape),)
    layout.words = (
        f"{layout.words.removesuffix(', without targets')} in {by_name['traina'].path}, and "
        f"{others.words.removesuffix(', without targets')} in {by_name['trainb'].path}, not in pairs"
    )
    layout.rule = "the folders trainA and trainB"
    layout.held_out = by_name["testa"].path if "testa" in by_name else ""
    return layout


def pair_of(base: Folder, kind: FileKind) -> tuple[Folder, Folder, FileKind] | None:
    """The folders of inputs and of targets by their names, and what the targets are."""
    sources = [folder for folder in base.folders if folder.name.lower() in INPUT_FOLDERS and folder.count(kind)]
    answers = [folder for folder in base.folders if folder.name.lower() in _TARGET_FOLDERS]
    if len(sources) != 1 or len(answers) != 1:
        return None
    if kind == "audio" and {sources[0].name.lower(), answers[0].name.lower()} <= _CLASSES_OF_SOUND:
        return None
    kinds: tuple[FileKind, ...] = (kind, "text", "annotation", "array")
    for target_kind in kinds:
        shared = stems(sources[0], kind) & stems(answers[0], target_kind)
        if 2 * len(shared) >= len(stems(sources[0], kind)):
            return sources[0], answers[0], target_kind
    return None


def paired_parts(root: str, source: Folder, answer: Folder, target_kind: FileKind, kind: FileKind) -> MediaLayout:
    """Folders of inputs and targets, each of which may be divided into parts: images/train, labels/train."""
    sources = {part_of(folder.name): folder for folder in source.folders}
    answers = {part_of(folder.name): folder for folder in answer.folders}
    if "train" not in sources or "train" not in answers:
        return _paired(root, source, answer, target_kind, kind)
    layout = _paired(root, sources["train"], answers["train"], target_kind, kind)
    layout.validation = sources["validation"].path if "validation" in sources else ""
    if "test" in sources:
        labelled = "test" in answers
        layout.held_out, layout.unlabelled = (sources["test"].path, "") if labelled else ("", sources["test"].path)
    return layout


def stems(folder: Folder, kind: FileKind) -> set[str]:
    """Names without endings, and without what marks a mask."""
    return {_MARK.sub("", posixpath.splitext(posixpath.basename(path))[0]) for path in folder.all_paths(kind)}


def _paired(root: str, source: Folder, answer: Folder, target_kind: FileKind, kind: FileKind) -> MediaLayout:
    paths, answers = source.all_paths(kind), answer.all_paths(target_kind)
    shared = stems(source, kind) & stems(answer, target_kind)
    facts = facts_of_files(root, kind, paths)
    layout = MediaLayout(
        inputs=(input_of(facts, source.place("*" + common_ending(paths)), "paired_folders"),),
        examples=len(shared),
        words=f"{len(paths):,} {facts.words} in {source.path}",
        rule="folders of inputs and targets, by their names",
        notes=facts.notes,
        damaged=facts.damaged,
    )
    path = answer.place("*" + common_ending(answers))
    if target_kind == kind == "image":
        _add_mask(layout, root, answers, path, f"in {answer.path}")
    else:
        boxes = target_kind == "annotation" or (target_kind == "text" and _are_boxes(root, answers))
        answer_kind: TargetKind = "boxes" if boxes else "text" if target_kind == "text" else "image"
        layout.targets = (DataTarget(name=answer_kind, kind=answer_kind, path=path),)
        layout.words += f" and {counted(len(answers), 'file')} of {answer_kind} in {answer.path}"
    if single := len(paths) - len(shared):
        layout.notes.append(f"{counted(single, 'file')} in {source.path} without a partner in {answer.path}")
    return layout


def marked_pairs(base: Folder) -> list[str]:
    """Images of a folder that are masks of others in it, by their names: cell1.png, cell1_mask.png."""
    names = base.of_kind("image")
    stems = {posixpath.splitext(name)[0] for name in names}
    marked = [name for name in names if _MARK.sub("", posixpath.splitext(name)[0]) in stems and _is_marked(name)]
    return marked if marked and 3 * len(marked) >= len(names) else []


def _is_marked(name: str) -> bool:
    return _MARK.search(posixpath.splitext(name)[0]) is not None


def paired_by_name(root: str, base: Folder, marked: Sequence[str]) -> MediaLayout:
    sources = [base.place(name) for name in base.of_kind("image") if not _is_marked(name)]
    answers = [base.place(name) for name in marked]
    facts = facts_of_files(root, "image", sources)
    match = _MARK.search(posixpath.splitext(marked[0])[0])
    mark = match[0] if match else ""
    layout = MediaLayout(
        inputs=(input_of(facts, base.place("*" + common_ending(sources)), "paired_folders"),),
        examples=len(answers),
        words=f"{len(sources):,} {facts.words}",
        rule=f"files whose names end in {mark}",
        notes=facts.notes,
        damaged=facts.damaged,
    )
    _add_mask(layout, root, answers, base.place(f"*{mark}{common_ending(answers)}"), f"of names in {mark}")
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
