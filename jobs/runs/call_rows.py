"""Calls to language models as a data set of their own, beside the results: one flat row a call.

What a call took (seconds, cost, cache) differs from run to run; the results, which are equal bytes for equal input,
keep the rest of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import groupby
from operator import attrgetter

from pipeline.records import CallMeasures, LLMCall, Scored

_ASKED = tuple(field.name for field in fields(LLMCall) if field.name != "measured")
_MEASURED = tuple(field.name for field in fields(CallMeasures))


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRow:
    """The `number`-th call, from 0, that was made for the row `id`, "" for one that all rows share; the other columns
    are those of `LLMCall` and `CallMeasures`: tokens, `seconds` of waiting, `cost` as paid, `cached` for an answer of
    the response cache."""

    id: str
    number: int
    stage: str
    prompt: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    cut: tuple[str, ...]
    reference_share: float | None
    seconds: float
    cached: bool
    cached_tokens: int
    cost: float

    @property
    def tokens(self) -> int:
        """Of prompt and reply together."""
        return self.prompt_tokens + self.completion_tokens

    def call(self) -> LLMCall:
        asked = {name: getattr(self, name) for name in _ASKED}
        return LLMCall(**asked, measured=CallMeasures(**{name: getattr(self, name) for name in _MEASURED}))


def call_rows(records: Iterable[Scored]) -> Iterator[CallRow]:
    """All measured calls of the records."""
    for record in records:
        for number, call in enumerate(record.calls):
            if call.measured is not None:
                yield call_row(record.id, number, call, call.measured)


def call_row(id: str, number: int, call: LLMCall, measured: CallMeasures) -> CallRow:
    asked = {name: getattr(call, name) for name in _ASKED}
    return CallRow(id=id, number=number, **asked, **{name: getattr(measured, name) for name in _MEASURED})


def without_measures(record: Scored) -> Scored:
    """The record as it is stored among the results."""
    return (
        replace(record, calls=tuple(replace(call, measured=None) for call in record.calls)) if record.calls else record
    )


def with_measures(records: Sequence[Scored], rows: Iterable[CallRow]) -> Iterator[Scored]:
    """The records with their calls as they were made; `rows` are those of the same shard, in its order."""
    made = {key: tuple(row.call() for row in group) for key, group in groupby(rows, key=attrgetter("id"))}
    for record in records:
        yield replace(record, calls=made.get(record.id, record.calls))
