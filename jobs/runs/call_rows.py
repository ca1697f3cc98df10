"""Calls to language models as a data set of their own, beside the results: one flat row a call.

What a call took (seconds, cost, cache) differs from run to run; the results, which are equal bytes for equal input,
keep the rest of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeVar

from pipeline.calls import CallMeasures, LLMCall
from pipeline.records import Scored

Row = TypeVar("Row", bound=Scored)

_REQUEST_FIELDS = tuple(field.name for field in fields(LLMCall) if field.name != "measured")
_MEASURE_FIELDS = tuple(field.name for field in fields(CallMeasures))


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRow:
    """One call, with the columns of `LLMCall` and `CallMeasures`."""

    id: str
    """The row that it was made for; "" for one that all rows share."""

    number: int
    """Which of the row's calls it was, from 0."""

    stage: str
    prompt: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    cut: tuple[str, ...]
    key: str = ""
    """Of prompt and reply in the response cache; "" in runs that were made before it was kept."""

    reference_share: float | None
    seconds: float
    """Of waiting for the reply."""

    cached: bool
    """Whether the response cache had the reply."""

    cached_tokens: int

    cost: float
    """As paid."""

    @property
    def tokens(self) -> int:
        """Of prompt and reply together."""
        return self.prompt_tokens + self.completion_tokens

    def call(self) -> LLMCall:
        measures = CallMeasures(**_values(self, _MEASURE_FIELDS))
        return LLMCall(**_values(self, _REQUEST_FIELDS), measured=measures)


def call_rows(records: Iterable[Scored]) -> Iterator[CallRow]:
    """All measured calls of the records."""
    for record in records:
        for number, call in enumerate(record.calls):
            if call.measured is not None:
                yield call_row(record.id, number, call, call.measured)


def call_row(id: str, number: int, call: LLMCall, measured: CallMeasures) -> CallRow:
    """The row of a call: the fields of both records side by side."""
    return CallRow(id=id, number=number, **_values(call, _REQUEST_FIELDS), **_values(measured, _MEASURE_FIELDS))


def _values(record: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}


def with_measures(records: Iterable[Row], rows: Iterable[CallRow]) -> Iterator[Row]:
    """The records with their calls as they were made; `rows` are those of the same shard, in its order."""
    calls_of: dict[str, tuple[LLMCall, ...]] = {}
    for id, group in groupby(rows, key=attrgetter("id")):  # a record's calls are written one after another
        calls_of[id] = tuple([row.call() for row in group])
    for record in records:
        yield replace(record, calls=calls_of.get(record.id, record.calls))
