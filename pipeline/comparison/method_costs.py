"""What methods cost beside what they reach: tokens a row, and the share of what was asked that a thousand buy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.comparison.code_rows import ALL
from pipeline.comparison.execution_rows import ExecutionRow
from pipeline.comparison.method_rows import MethodRow
from pipeline.execution.ladder import Rung
from pipeline.measures.call_totals import CallTotals
from pipeline.measures.outputs import MethodName

_PER = 1_000
"""Tokens that a share is given for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MethodCost:
    """A method that asks a language model, over all its rows."""

    method: str
    model: str

    rows: int
    """Finished ones, failed ones included."""

    calls: float
    """Of a row."""

    prompt_tokens: float
    """Of a row, as the engine counted them; what came from the response cache counts as well."""

    completion_tokens: float
    """Of a row."""

    csr: float | None
    """Share of what was asked that is met, in [0, 1]; what failed rows were asked is not met."""

    finishes: float | None
    """Share of the rows whose project comes to its end, in [0, 1]; None where projects were not run."""

    @property
    def tokens(self) -> float:
        return self.prompt_tokens + self.completion_tokens

    @property
    def csr_per_thousand(self) -> float | None:
        """CSR over thousands of tokens a row; None without either."""
        return None if self.csr is None or not self.tokens else self.csr * _PER / self.tokens


def method_costs(
    methods: Sequence[MethodRow], executions: Iterable[ExecutionRow], calls: Mapping[MethodName, CallTotals]
) -> tuple[MethodCost, ...]:
    """The costs of the methods that made `calls`, in the order of `methods`."""
    finishing = {MethodName.of(row): row.share for row in executions if row.rung == Rung.FINISHES.value}
    costs: list[MethodCost] = []
    for row in methods:
        name = MethodName.of(row)
        made = calls.get(name, CallTotals())
        if row.subset != ALL or not made.calls or not row.asked:
            continue
        costs.append(
            MethodCost(
                method=row.method,
                model=row.model,
                rows=row.asked,
                calls=made.calls / row.asked,
                prompt_tokens=made.prompt_tokens / row.asked,
                completion_tokens=made.completion_tokens / row.asked,
                csr=row.csr,
                finishes=finishing.get(name),
            )
        )
    return tuple(costs)
