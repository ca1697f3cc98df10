"""Records as Arrow tables: an explicit schema from the record class, and both directions between rows and records."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

import pyarrow as pa
from pydantic import BaseModel, TypeAdapter

R = TypeVar("R")

_PRIMITIVES: dict[type, pa.DataType] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


@cache
def schema_of(record: type) -> pa.Schema:
    """The Arrow schema of a record class; a nested class is a struct, a tuple a list.

    A mapping has no place in a record: Arrow would merge its keys across rows. Raises TypeError for one.
    """
    return pa.schema([pa.field(name, _arrow_type(hint)) for name, hint in _fields(record).items()])


def to_table(records: Sequence[R], record: type[R]) -> pa.Table:
    """The records as a table with the class's schema; no row gives an empty table with all columns."""
    kind: Any = record
    return pa.Table.from_pylist([_adapter(kind).dump_python(item) for item in records], schema=schema_of(kind))


def from_rows(rows: Iterable[dict[str, Any]], record: type[R]) -> list[R]:
    """Rows, such as `table.to_pylist()`, as validated records. Raises pydantic.ValidationError for a foreign row."""
    kind: Any = record
    adapter = _adapter(kind)
    return [adapter.validate_python(row) for row in rows]


@cache
def _adapter(record: type) -> TypeAdapter[Any]:
    return TypeAdapter(record)


def _fields(record: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(record)
    if issubclass(record, BaseModel):
        return {name: hints[name] for name in record.model_fields}
    return {field.name: hints[field.name] for field in dataclasses.fields(record)}


def _arrow_type(hint: Any) -> pa.DataType:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _arrow_type(next(item for item in arguments if item is not type(None)))
    if origin is typing.Literal:  # of equal types: texts as a rule
        return _arrow_type(type(arguments[0]))
    if origin is tuple:
        return pa.list_(_arrow_type(arguments[0]))
    if hint in _PRIMITIVES:
        return _PRIMITIVES[hint]
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, BaseModel)):
        return pa.struct([pa.field(name, _arrow_type(inner)) for name, inner in _fields(hint).items()])
    raise TypeError(f"no Arrow type for {hint!r}")
