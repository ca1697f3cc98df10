"""The facts of a contract that a sample's constants hold: file and column names, how a table is written, sizes."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Sequence

from pipeline.own_data.roles import role_facts
from pipeline.request.data_contract import ColumnKind, DataContract, DataInput

Fact = str | int | float | bool | None | dict[str, object] | list[str]
"""A value that is written into a program as a literal."""

ASKED_FACTS = (
    "user_column", "item_column", "text_column", "second_text_column", "label_columns", "tokens_column",
    "sentence_column", "context_column", "question_column", "id_column", "dataset",
)  # fmt: skip
"""Further facts that sidecars may name, which a contract does not hold: the words of a request tell them."""

NAMED_COLUMNS = 60
"""Columns of a table up to which each is named at the top of a project; more are found by their kind when it runs."""

_WHITESPACE = "whitespace"


def root_of(path: str, contract: DataContract) -> str:
    """The folder that the contract's paths are relative to: the data's own, or that of a single file."""
    name = posixpath.basename(path)
    return os.path.dirname(path) if "." in name and contract.inputs[0].path == name else path


def facts_of(contract: DataContract, path: str) -> dict[str, Fact]:
    """The facts by the names that sidecars use for them (docs/starter.md); what the contract leaves open is not in it,
    and the sample's own value stays."""
    first = contract.inputs[0]
    table = next((item for item in contract.inputs if item.format is not None), None)
    facts: dict[str, Fact] = {
        "folder": root_of(path, contract),
        "file": _table_file(contract, table) or first.path,
        "pattern": _pattern(first),
        "input": first.name,
        "validation": contract.validation,
        "held_out": contract.held_out,
        "unlabelled": contract.unlabelled,
    }
    if contract.targets:
        target = contract.targets[0]
        facts["target"] = target.name
        facts["targets"] = [one.name for one in contract.targets]
        facts["target_file"] = target.path
        facts["class_names"] = list(target.class_names)
        if target.kind == "labels" and table is not None:
            facts["targets"] = list(target.class_names)
        facts["label_columns"] = facts["targets"] if target.kind == "labels" or len(contract.targets) > 1 else []
    if table is not None:
        facts |= _of_table(contract, table)
    if first.layout == "listed_files":
        facts["file_column"] = first.columns[0].name
    if first.kind == "image":
        facts |= _of_images(first)
    predictions = next((file for file in contract.writes if file.holds == "predictions"), None)
    if predictions is not None:
        facts["predictions_file"] = predictions.path
        facts["prediction_columns"] = list(predictions.columns)
    return facts


def _pattern(data_input: DataInput) -> str:
    """Where the files lie: of class folders all below each, since some may have folders of their own and some not."""
    if data_input.layout != "class_folders":
        return data_input.path
    return re.sub(r"(\*/)*\*$", "**", data_input.path)


def _table_file(contract: DataContract, table: DataInput | None) -> str:
    """The file of the table: of listed files the one that lists them, which the target's path names."""
    if table is None:
        return ""
    if table.layout == "listed_files":
        return contract.targets[0].path if contract.targets else ""
    return table.path


def _of_table(contract: DataContract, table: DataInput) -> dict[str, Fact]:
    columns = {column.name: column for item in contract.inputs for column in item.columns}.values()
    targets = {target.name for target in contract.targets}
    facts: dict[str, Fact] = {"read_options": read_options(table)}

    def named(keep: Callable[[ColumnKind, str], bool]) -> list[str]:
        return [column.name for column in columns if keep(column.kind, column.role)]

    features = [column for column in columns if column.role == "feature" and column.name not in targets]
    few = len(columns) <= NAMED_COLUMNS
    for fact, kinds in _COLUMN_FACTS.items():
        facts[fact] = [column.name for column in features if column.kind in kinds] if few else []
    facts["unused_columns"] = named(lambda kind, role: role in ("id", "time", "unused") or kind == "path")
    facts["id_columns"] = named(lambda kind, role: role == "id")
    times = named(lambda kind, role: role == "time" and kind == "date") or named(lambda kind, role: role == "time")
    facts["time_column"] = times[0] if times else ""
    texts = [column.name for column in features if column.kind == "text"]
    facts |= dict(zip(("text_column", "second_text_column"), texts, strict=False))
    facts |= role_facts([column.name for column in columns if column.name not in targets])
    if contract.targets and contract.targets[0].kind == "tags" and contract.targets[0].shape:
        facts |= {"sentence_column": "", "tokens_column": texts[0]}  # a sentence a row
    return facts


_COLUMN_FACTS: dict[str, Sequence[ColumnKind]] = {
    "number_columns": ("number",),
    "category_columns": ("category", "flag"),
    "date_columns": ("date",),
    "text_columns": ("text",),
}
"""Lists of input columns by their kind."""


def read_options(table: DataInput) -> dict[str, object]:
    """What pandas' reader of tables has to be told, as keyword arguments; nothing for plain CSV."""
    written = table.format
    if written is None:
        return {}
    options: dict[str, object] = {}
    if written.separator == _WHITESPACE:
        options["sep"] = r"\s+"
    elif written.separator not in ("", ","):
        options["sep"] = written.separator
    if not written.header:
        options["header"] = None
    if written.skipped_lines:
        options["skiprows"] = written.skipped_lines
    if written.sheet:
        options["sheet_name"] = written.sheet
        return options
    if written.separator:
        if written.encoding.replace("_", "-") not in ("utf-8", "ascii"):
            options["encoding"] = written.encoding
        if written.decimal != ".":
            options["decimal"] = written.decimal
        if written.thousands:
            options["thousands"] = written.thousands
        if not written.quote:
            options["quoting"] = 3
        elif written.quote != '"':
            options["quotechar"] = written.quote
    return options


def _of_images(images: DataInput) -> dict[str, Fact]:
    """Sizes of one example: of files a model is trained at a size that its plan says, so that only the channels are
    the data's own."""
    facts: dict[str, Fact] = {}
    if len(images.shape) == 3 and images.shape[2] is not None:
        facts["channels"] = images.shape[2]
    return facts
