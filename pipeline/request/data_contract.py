"""What a project reads and what it writes: names, kinds, sizes and counts, never the data themselves.

One is read from a user's folder or file, a sample of the pool declares its own, and a project is written and run
by one. Paths are relative to the data folder, with `/`; `*` stands for any name, `{class}` for a class's name. Of files
that a table lists, `*` stands for what its column holds: `images/*.jpg` for a column of names without their ending.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DataKind = Literal["image", "video", "audio", "text", "table", "series", "array", "graph"]
"""What one input of a model is made of."""

Layout = Literal[
    "table",  # CSV, Parquet or Excel: a row an example (or a time step)
    "class_folders",  # a folder a class, a file an example
    "paired_folders",  # inputs and targets of equal names in two folders: images and masks
    "listed_files",  # files named in a column of a table
    "files",  # a file an example, without targets
    "text_file",  # one text to learn from
    "arrays",  # .npz or .npy: an array an input, its first axis the examples
]
"""How examples lie on disk."""

ColumnKind = Literal["number", "category", "text", "date", "flag", "path"]
"""What a column holds."""

ColumnRole = Literal["feature", "target", "id", "time", "unused"]
"""What a column is for."""

TargetKind = Literal["class", "labels", "number", "numbers", "tags", "span", "text", "mask", "boxes", "image", "none"]
"""What is predicted: one class, any number of labels, one or several numbers, a tag a token, a span, ...; `none` where
nothing is given (generation, reconstruction)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of a table, or an array of an `.npz` file."""

    name: str
    kind: ColumnKind
    role: ColumnRole = "feature"
    missing: float = 0.0
    """Share of the rows without a value, in [0, 1]."""
    distinct: int | None = None
    """How many different values there are; None where it is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TableFormat:
    """How a table's file is written, where that is not plain CSV: what a reader has to be told."""

    separator: str = ","
    """One character, or `whitespace` for any number of blanks and tabs; "" where the file has none (Parquet, Excel)."""
    decimal: str = "."
    thousands: str = ""
    """What groups the digits of numbers; "" for nothing."""
    encoding: str = "utf-8"
    header: bool = True
    """Whether a line names the columns. Where none does, columns are named by their position: `0`, `1`, ..."""
    skipped_lines: int = 0
    """Lines before the header, or before the first row where there is no header."""
    quote: str = '"'
    """What encloses cells; "" where no character does."""
    sheet: str = ""
    """The sheet of an Excel file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataInput:
    """One input of the model."""

    name: str
    kind: DataKind
    path: str = ""
    """The file or files that hold it; "" where the project makes its own data."""
    layout: Layout = "files"
    shape: tuple[int | None, ...] = ()
    """Sizes of one example without the batch axis, channels last; None for a size that varies or is not known."""
    columns: tuple[Column, ...] = ()
    format: TableFormat | None = None
    """How the table that holds or lists the examples is written; None where there is no table."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataTarget:
    """What the model is to give."""

    name: str
    kind: TargetKind
    path: str = ""
    """The file that holds it; "" where the layout says it (class folders) or an input's file does (a column)."""
    shape: tuple[int | None, ...] = ()
    """Sizes of one target without the batch axis; () for one value."""
    classes: int | None = None
    class_names: tuple[str, ...] = ()
    """In the order of their numbers; empty where they are not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenFile:
    """A file that the project writes: the trained model, predictions for rows without a target, a plot."""

    path: str
    holds: Literal["predictions", "model", "plot", "metrics", "samples"]
    columns: tuple[str, ...] = ()
    """Its columns in order, where it is a table."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataContract:
    """What a project reads, what it predicts and what it writes."""

    inputs: tuple[DataInput, ...]
    targets: tuple[DataTarget, ...] = ()
    writes: tuple[WrittenFile, ...] = ()
    examples: int | None = None
    """How many examples there are to learn from; None where it is not known."""
    validation: str = ""
    """The file or folder of examples that are set apart for validation; "" where there is none."""
    held_out: str = ""
    """The file or folder of examples with targets that are set apart for the test; "" where there is none."""
    unlabelled: str = ""
    """The file or folder of examples without targets that predictions are wanted for; "" where there is none."""
