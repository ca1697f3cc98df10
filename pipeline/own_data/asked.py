"""The facts that a request states about data that are not there yet, by the names of `facts_of`.

What the request leaves open is not in them, and the sample's own value stays: it finds columns by their kind when it
runs.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from pipeline.own_data.constants import Fact
from pipeline.own_data.roles import is_date, is_id, is_text, is_title, kind_of, role_facts, words_of
from pipeline.records import Understood
from pipeline.request.constraints import Constraint
from pipeline.request.known_datasets import known_dataset
from pipeline.request.subject import clause_of_problem

_TABLES = (
    ".csv",
    ".tsv",
    ".parquet",
    ".pq",
    ".xlsx",
    ".xlsm",
    ".txt",
    ".json",
    ".jsonl",
    ".npz",
    ".npy",
    ".dat",
    ".data",
)
_TEST = re.compile(r"(?i)(^|[_\-/])(test|eval|holdout|held.?out)")
_VALIDATION = re.compile(r"(?i)(^|[_\-/])(val|valid|validation|dev)([_\-./]|$)")
_TRAIN = re.compile(r"(?i)(^|[_\-/])train")
_SUBMISSION = re.compile(r"(?i)submission|predict|output|result")
_MASKS = re.compile(r"(?i)mask|label|annot|\bgt\b|seg|truth|target")

_SAID_TO_BE_CATEGORIES = re.compile(
    r"\s*\(?\s*(?:\(|is |are |as )?(?:a )?(?:categor|nominal|string|one[- ]hot)", re.IGNORECASE
)
"""Words behind a column's name."""

_ALL_NUMBERS = re.compile(r"(?:\d+|all|only) (?:numeric(?:al)?|continuous|real-valued) ", re.IGNORECASE)
_RANGE = re.compile(
    r"\b(?P<name>[A-Za-z_]{1,20})(?P<first>\d{1,3})\s?(?:\.{2,3}|-|\u2013|\u2026|to|through)\s?(?P=name)(?P<last>\d{1,3})\b"
)
"""V1..V28"""

_RATINGS = frozenset({"rating", "ratings", "score", "stars"})

MOST_NUMBERED = 200

FEWEST_COLUMNS = 3
"""Columns that a request has to name before they are taken for all there are."""

MOST_MADE_UP_NAMES = 50
"""Classes up to which made-up data get a name for each, where the request says how many and not which."""

_LOADED_BY_KERAS = frozenset({"mnist", "fashion_mnist", "cifar10", "cifar100"})
"""Sets of images that a sample has keras.datasets load."""

_READ_OPTIONS = {"separator": "sep", "encoding": "encoding"}
_SEPARATORS = {"tab": "\t", "semicolon": ";", "comma": ",", "pipe": "|", "space": r"\s+", "whitespace": r"\s+"}


def facts_asked(record: Understood, *, classes: int | None = None, own_names: int = 0) -> dict[str, Fact]:
    """The facts that a row's request states.

    `classes` is how many the plan knows of; where the request names none, as many are made up for a sample whose data
    have `own_names` of them, another number.
    """
    asked = [one for one in record.constraints if not one.negated]
    facts: dict[str, Fact] = {**_of_known_data(asked), **_files(asked), **_columns(record, asked)}
    loaded = [one.value for one in asked if one.name == "dataset" and one.value in _LOADED_BY_KERAS]
    facts["dataset"] = loaded[0] if loaded else ""
    names = [_as_written(record, one) for one in asked if one.name == "name"]
    names = names or _class_folders(asked)
    # Tags begin or go on (B-PER, I-PER), and there is one for all other words.
    if len(names) > 1 and classes in (None, len(names), len(names) + 1, 2 * len(names) + 1):
        facts["class_names"] = names
    elif classes and own_names and own_names != classes and 1 < classes <= MOST_MADE_UP_NAMES:
        facts["class_names"] = [f"class {number}" for number in range(1, classes + 1)]
    options: dict[str, object] = {}
    for one in asked:
        if one.name in _READ_OPTIONS and one.value not in (",", "comma", "utf-8", "utf_8"):
            options[_READ_OPTIONS[one.name]] = _SEPARATORS.get(one.value, one.value)
    if options:
        facts["read_options"] = options
    channels = next((one.number for one in asked if one.name == "channels" and one.number), None)
    if channels in (1, 3):
        facts["channels"] = int(channels or 0)
    return facts


def _as_written(record: Understood, one: Constraint) -> str:
    """The value in the request's own capitals."""
    words = one.words(record.requirement if one.source == "requirement" else record.attributes).strip()
    return words if words.lower() == one.value.lower() else one.value


def _of_known_data(asked: Sequence[Constraint]) -> dict[str, Fact]:
    """The file that a well-known table is kept in as a rule, and its target."""
    for one in asked:
        known = known_dataset(one.value) if one.name == "dataset" else None
        if known is not None and known.kind == "table" and known.target:
            return {"file": f"{known.name}.csv", "target": known.target, "targets": [known.target]}
    return {}


def _files(asked: Sequence[Constraint]) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    files = [one.value for one in asked if one.name == "file" and one.value.lower().endswith(_TABLES)]
    files = [file for file in files if not _SUBMISSION.search(file)]
    tests = [file for file in files if _TEST.search(file)]
    train = [file for file in files if file not in tests and not _VALIDATION.search(file)]
    train.sort(key=lambda file: not _TRAIN.search(file))  # the one that says so first, others as they stand
    if train:
        facts["file"] = posixpath.basename(train[0].replace("\\", "/"))
        folder = posixpath.dirname(train[0].replace("\\", "/"))
        if folder:
            facts["folder"] = folder
    if train and tests:
        # Predictions are asked for of rows without targets.
        wants_predictions = any(one.name == "predictions_file" for one in asked)
        facts["unlabelled" if wants_predictions else "held_out"] = posixpath.basename(tests[0].replace("\\", "/"))
    return facts | _folders([one.value.rstrip("/\\").replace("\\", "/") for one in asked if one.name == "folder"])


_SORTED_IN_FOLDERS = frozenset({"image", "audio", "video", "text"})


def _class_folders(asked: Sequence[Constraint]) -> list[str]:
    """The classes that folders are called by: "in folders drone/ and background/"."""
    is_sorted = any(one.name == "kind" and one.value in _SORTED_IN_FOLDERS for one in asked)
    if not is_sorted or all((one.name, one.value) != ("problem", "classification") for one in asked):
        return []
    folders = [one.value.rstrip("/\\").replace("\\", "/") for one in asked if one.name == "folder"]
    if any(pattern.search(folder) for pattern in (_TRAIN, _TEST, _VALIDATION, _MASKS) for folder in folders):
        return []
    parents = {posixpath.dirname(folder) for folder in folders}
    return [posixpath.basename(folder) for folder in folders] if len(folders) > 1 and len(parents) == 1 else []


def _folders(folders: Sequence[str]) -> dict[str, Fact]:
    """A folder of everything; folders of images and of their masks; parts for training and test. What all of them lie
    in is the folder, and they are named from there on."""
    paths = [posixpath.normpath(folder) for folder in folders]
    if len(paths) > 1 and not any(posixpath.isabs(path) for path in paths):
        common = posixpath.commonpath(paths)
        if common and common not in paths:
            return _folders([posixpath.relpath(path, common) for path in paths]) | {"folder": common}
    masks = [folder for folder in folders if _MASKS.search(folder)]
    others = [folder for folder in folders if folder not in masks]
    if len(masks) == 1 and len(others) == 1:
        return {"pattern": f"{others[0]}/*", "target_file": f"{masks[0]}/*"}
    parts = {"held_out": _TEST, "validation": _VALIDATION}
    found: dict[str, Fact] = {}
    for fact, pattern in parts.items():
        matching = [folder for folder in others if pattern.search(folder)]
        if len(matching) == 1:
            found[fact] = matching[0]
    train = [folder for folder in others if _TRAIN.search(folder)]
    if len(train) == 1:
        return found | {"pattern": f"{train[0]}/{{class}}/**"}
    return {"folder": folders[0]} if len(folders) == 1 and not masks else {}


def _columns(record: Understood, asked: Sequence[Constraint]) -> dict[str, Fact]:
    targets = [one.value for one in asked if one.name == "target"]
    targets = targets or _rating_column(asked) or _named_in_the_goal(record, asked) or _beside_a_text(asked)
    if any((one.name, one.value) == ("variant", "multi_output") for one in asked):
        targets = _several_in_the_goal(record, asked) or targets
    columns = [one for one in asked if one.name == "column" and one.value not in targets]
    names = list(dict.fromkeys(one.value for one in columns))
    # What varies along a series is measured; a column that is none ends the program with its name.
    is_series = any((one.name, one.value) == ("kind", "series") for one in asked)
    says_numbers = _ALL_NUMBERS.search(record.requirement) is not None
    all_numbers = is_series or says_numbers
    facts: dict[str, Fact] = {}
    if targets:
        facts |= {"target": targets[0], "targets": targets}
        if len(targets) > 1:
            facts["label_columns"] = targets
    names += _numbered(record.requirement, names)
    facts |= role_facts(names)
    texts = [name for name in names if is_text(name) or _is_text_in_brackets(record, name)]
    texts = sorted(texts, key=lambda name: (not _is_called_text(record, name), is_title(name)))
    if texts:
        facts["text_columns"] = texts
        facts |= dict(zip(("text_column", "second_text_column"), texts, strict=False))
    dates = [name for name in names if is_date(name) and not says_numbers]
    if dates:
        facts["time_column"] = dates[0]
    unused = [one.value for one in record.constraints if one.name == "column" and one.negated]
    identifiers = [name for name in names if is_id(name) and name not in facts.values()]
    if identifiers:
        facts["id_column"] = identifiers[0]
    unused += identifiers
    if unused:
        facts["unused_columns"] = unused
    inputs = [name for name in names if name not in {*texts, *dates, *unused}]
    if is_series:
        inputs = [name for name in inputs if kind_of(name) != "category"]
    said = [one.value for one in columns if _is_said_category(record, one)]
    counts = [int(one.number) for one in record.constraints if one.name == "features" and one.number]
    is_forecast = is_series and any((one.name, one.value) == ("problem", "forecasting") for one in asked)
    fewest = 1 if is_forecast and targets else FEWEST_COLUMNS  # there each one that is named helps
    if len(inputs) >= max([fewest, *counts[:1]]):
        facts |= _kinds(inputs, said, all_numbers=all_numbers)
    return facts | ({"date_columns": dates} if dates else {})


def _rating_column(asked: Sequence[Constraint]) -> list[str]:
    """The column that a recommender predicts, where one alone is called a rating: `Book-Rating`."""
    if all((one.name, one.value) != ("problem", "recommendation") for one in asked):
        return []
    names = dict.fromkeys(one.value for one in asked if one.name == "column")
    rated = [name for name in names if _RATINGS.intersection(words_of(name))]
    return rated if len(rated) == 1 else []


def _named_in_the_goal(record: Understood, asked: Sequence[Constraint]) -> list[str]:
    """The column that the goal speaks of, where no word says which is the target and one alone can be meant: `load_mw`
    of "forecast the electricity load"."""
    goal = set(words_of(_before_inputs(clause_of_problem(record.requirement, asked))))
    names = list(dict.fromkeys(one.value for one in asked if one.name == "column"))
    meant = [name for name in names if goal.intersection(words_of(name)) and not is_date(name) and not is_id(name)]
    return meant if len(meant) == 1 else []


def _before_inputs(clause: str) -> str:
    """What is told, without what it is told from: "estimate the price" of "estimate the price from rooms and area"."""
    return re.split(r"\b(?:from|using|based on|given|by means of)\b", clause)[0]


def _several_in_the_goal(record: Understood, asked: Sequence[Constraint]) -> list[str]:
    """The columns that the goal speaks of, two or more: "predict both the number of bikes and that of docks"."""
    goal = set(words_of(_before_inputs(clause_of_problem(record.requirement, asked))))
    if not goal:  # no word of it is a problem's
        goal = set(words_of(re.split(r"\bfrom\b|[.;]", record.requirement)[0]))
    columns = [one for one in asked if one.name in ("column", "target")]
    first = {one.value: one.start for one in columns}
    meant = [name for name, start in first.items() if goal.intersection(words_of(name)) and not is_date(name)]
    return sorted(meant, key=lambda name: first[name]) if len(meant) > 1 else []


def _beside_a_text(asked: Sequence[Constraint]) -> list[str]:
    """The other one of two columns of which one is a text, where texts are told apart or rated."""
    if all(one.name != "problem" or one.value not in ("classification", "regression") for one in asked):
        return []
    names = list(dict.fromkeys(one.value for one in asked if one.name == "column"))
    others = [name for name in names if not is_text(name)]
    is_pair = len(names) == 2 and len(others) == 1 and not is_id(others[0]) and not is_date(others[0])
    return others if is_pair else []


def _is_called_text(record: Understood, name: str) -> bool:
    """Whether the request calls a column a text: "from the body text"."""
    return re.search(rf"(?<!\w){re.escape(name)}[`'\"]? text\b", record.requirement, re.IGNORECASE) is not None


def _is_text_in_brackets(record: Understood, name: str) -> bool:
    """Whether the brackets behind a column say that it holds a text: "v2 (message)"."""
    meaning = re.search(rf"(?<!\w){re.escape(name)}[`'\"]? \((?:the )?(\w+)\)", record.requirement)
    return meaning is not None and is_text(meaning.group(1))


def _numbered(text: str, names: Sequence[str]) -> list[str]:
    """The columns of "V1..V28", those aside that are named."""
    found: list[str] = []
    for match in _RANGE.finditer(text):
        first, last = int(match["first"]), int(match["last"])
        if 0 < last - first <= MOST_NUMBERED:
            found += [f"{match['name']}{number}" for number in range(first, last + 1)]
    return [name for name in found if name not in names]


def _kinds(names: Sequence[str], said: Sequence[str], *, all_numbers: bool) -> dict[str, Fact]:
    """Numbers and categories, where the kind of each column is told: by the request, which says of some that they are
    categories or of all that they are numbers, or by its name. Else none: a column taken for numbers by mistake would
    be lost in silence."""
    kinds = {name: kind_of(name) for name in names}
    if said or all_numbers:  # of the others it would have been said too
        kinds = {name: "category" if name in said else "number" for name in names}
    if not all(kinds.values()):
        return {}
    return {
        "number_columns": [name for name, kind in kinds.items() if kind == "number"],
        "category_columns": [name for name, kind in kinds.items() if kind == "category"],
    }


def _is_said_category(record: Understood, column: Constraint) -> bool:
    text = record.requirement if column.source == "requirement" else record.attributes
    return _SAID_TO_BE_CATEGORIES.match(text, column.end) is not None
