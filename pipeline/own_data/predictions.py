"""The columns that a request names for its file of predictions: "write predictions.csv with columns id and species"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.request.data_contract import DataContract, WrittenFile

PREDICTIONS = "predictions.csv"
"""The file that every project writes its predictions to."""

_FILE = re.compile(r"(?<![\w/])(?:predictions?|submission|results?|output)\.csv\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<!\bvs)(?<!\be\.g)[.!?](?=\s|$)")
_JOINT = re.compile(r"\s*,\s*and\s+|\s*,\s*|\s+and\s+|\s*;\s*|\s+plus\s+")
_COLUMN = re.compile(r"[`'\"]?([A-Za-z_]\w*)[`'\"]?(?:\s*\([^()]*\)|\s+(?:from|starting at)\s+\d)?")
"""A single word, with a remark: `index from 0`, `file (its name)`."""

_NOT_NAMES = frozenset(
    "a an the for of in to it its with from each one all and or is are that columns column where which whose then "
    "separated both".split()
)
_ALL_COLUMNS = re.compile(r"\bthe same (\w+ )?columns\b", re.IGNORECASE)

INDEX_NAMES = frozenset({"index", "idx", "id", "row", "position", "number"})
"""Columns that count the examples where these have no names of their own."""

FILE_NAMES = frozenset({"file", "filename", "file_name", "image", "name", "path", "id", "recording", "clip", "photo"})
"""Columns that tell files apart."""


def with_asked_predictions(contract: DataContract, requirement: str) -> DataContract:
    """The contract with the columns that the request names for the predictions, which count for more than those of a
    sample submission."""
    columns = asked_columns(requirement, contract)
    if not columns:
        return contract
    others = tuple(file for file in contract.writes if file.holds != "predictions")
    return replace(contract, writes=(*others, WrittenFile(path=PREDICTIONS, holds="predictions", columns=columns)))


def prediction_columns(contract: DataContract) -> tuple[str, ...]:
    """The columns of the predictions, as the request or a sample submission has them; () where neither says."""
    for file in contract.writes:
        if file.holds == "predictions":
            return file.columns
    return ()


def asked_columns(requirement: str, contract: DataContract) -> tuple[str, ...]:
    """The columns of the predictions in the order in which the request lists them; () where it lists none.

    A list counts in the sentence that names the file, if all but one of its names belong to the data (an id may stand
    in the test's table alone), or if it says how files or examples are told apart and what is said of each.
    """
    for sentence in _sentences(requirement):
        file = _FILE.search(sentence)
        if file is None:
            continue
        if _ALL_COLUMNS.search(sentence) and contract.inputs[0].layout == "listed_files":
            return (contract.inputs[0].columns[0].name, *_target_columns(contract))
        lists = [*_lists(sentence[file.end() :]), *_lists(sentence[: file.start()])]
        for names in lists:
            if _are_columns(names, contract):
                return tuple(names)
    return ()


def _sentences(text: str) -> list[str]:
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    starts = [0, *ends]
    return [text[start:end] for start, end in zip(starts, [*ends, len(text)], strict=True)]


def _lists(text: str) -> list[list[str]]:
    """The lists of two or more single words in a text: "plant and species", "house,price"."""
    lists: list[list[str]] = []
    place = 0
    while place < len(text):
        match = _COLUMN.search(text, place)
        if match is None:
            break
        names = [match[1]]
        end = match.end()
        while (joint := _JOINT.match(text, end)) is not None:
            further = _COLUMN.match(text, joint.end())
            if further is None:
                break
            names.append(further[1])
            end = further.end()
        names = _without_words(names)
        if len(names) > 1:
            lists.append(names)
        place = end
    return lists


def _without_words(names: Sequence[str]) -> list[str]:
    """The names up to the first that is a word of the sentence: "file, mask, the mask as run lengths"."""
    kept: list[str] = []
    for name in names:
        if name.lower() in _NOT_NAMES:
            break
        kept.append(name)
    return kept if len(set(kept)) == len(kept) else []


def _are_columns(names: Sequence[str], contract: DataContract) -> bool:
    layout = contract.inputs[0].layout
    targets = _target_columns(contract)
    if layout in ("class_folders", "paired_folders", "files"):
        return len(names) == 2 and names[0].lower() in FILE_NAMES
    if layout == "arrays":
        known = INDEX_NAMES | {target.lower() for target in targets}
        return names[0].lower() in INDEX_NAMES and len(names) == 2 and names[1].lower() in known
    columns = _column_names(contract)
    names_known = columns | set(targets)
    unknown = [name for name in names if name not in names_known]
    return len(unknown) <= 1 and bool(set(names) & set(targets))


def _target_columns(contract: DataContract) -> list[str]:
    """The targets' own columns; of labels in columns of 0 and 1 each."""
    names: list[str] = []
    for target in contract.targets:
        in_columns = target.kind == "labels" and target.name not in _column_names(contract)
        names += target.class_names if in_columns else [target.name]
    return names


def _column_names(contract: DataContract) -> set[str]:
    return {column.name for data_input in contract.inputs for column in data_input.columns}
