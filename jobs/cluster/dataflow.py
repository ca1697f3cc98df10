"""The one place that knows Ray Data: a chain of stages over the shards of a run, and a step over numbered shards.

A shard of rows is one block. Neighbouring stages that want the same resources share an operator, and so a process:
rows then pass between them without being copied. Stages with resources of their own (a GPU model) get their own
operator, and Ray Data streams shards from one to the next. Stages that wait for a language model have one as well, with
little of a CPU: many rows of a shard are under way in it at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa
import ray

from jobs.cluster.faults import plain_faults
from jobs.cluster.isolation import run_isolated, run_limited
from jobs.cluster.metrics import RowMetrics
from jobs.runs.store import RunStore
from pipeline.errors import BudgetSpent
from pipeline.records import Requirement
from pipeline.stage import ROWS_IN_FLIGHT, Chain, Stage, check_chain
from pipeline.storage.arrow import from_rows, to_table
from pipeline.time_limit import be_replaceable

_SHARD, _SECONDS = "shard", "seconds"


@dataclass(frozen=True, slots=True)
class ShardDone:
    """A shard's result file is written: its number, its rows, and how many of them failed."""

    shard: int
    rows: int
    failed: int


def run_shards(
    stages: Sequence[Stage],
    store: RunStore,
    shards: Sequence[int],
    workers: int | None = None,
    *,
    elastic: bool = False,
    rows_in_flight: int = ROWS_IN_FLIGHT,
) -> Iterator[ShardDone]:
    """Runs the stages over the shards and yields each one when it is written, in the order they finish.

    Every operator gets `workers` processes; by default one per CPU there is now, and where the cluster is `elastic`, as
    many more as it adds nodes for. Those of waiting stages have `rows_in_flight` rows under way each.

    Needs an initialised Ray. A worker that dies is replaced and its shard done again, row by row in isolation unless
    its stages wait; an exception outside of the stages ends the job. Raises DLCodeGenError where a stage does (what no
    row would escape), FaultError where storage or Ray fails. After a stop (`store.stop`) the shards that
    are not finished stay pending.
    """
    check_chain(stages)
    operators = _operators(stages)
    last = len(operators) - 1
    received = stages[0].accepts
    with _own_context():
        flow = _shard_numbers(shards)
        for number, operator in enumerate(operators):
            flow = flow.map_batches(
                _ShardWorker,
                fn_constructor_args=(operator, received, store, number, number == last, rows_in_flight),
                batch_size=None,
                batch_format="pyarrow",
                zero_copy_batch=True,
                compute=_worker_pool(operator[0], len(shards), workers, elastic=elastic, alone=last == 0),
                num_cpus=operator[0].num_cpus,
            )
            received = operator[-1].returns
    yield from _done(flow)


def _operators(stages: Sequence[Stage]) -> list[tuple[Stage, ...]]:
    """The stages in groups of neighbours that want the same resources; a group shares its processes."""

    def resources(stage: Stage) -> tuple[float, int | None, bool, bool]:
        return stage.num_cpus, stage.workers, stage.waits, stage.elsewhere

    return [tuple(group) for _, group in groupby(stages, key=resources)]


def _worker_pool(first: Stage, shards: int, workers: int | None, *, elastic: bool, alone: bool) -> Any:
    """How many processes the operator of a stage gets; `alone` where it is the only operator."""
    cpus = int(ray.cluster_resources().get("CPU", 1))
    wanted = first.workers or workers or max(1, int(cpus / max(first.num_cpus, 1)))
    largest = smallest = min(wanted, shards)
    if elastic and not workers and not first.workers:
        largest = shards
    # Several operators share the CPUs: each starts with one worker, since a full first pool would starve the rest.
    # Those that wait want hardly any.
    idle = first.waits or first.elsewhere
    if not alone and not idle:
        smallest = 1
    # A shard that stands in line behind a waiting one could be under way in another process.
    in_line = 1 if idle else None
    return ray.data.ActorPoolStrategy(min_size=smallest, max_size=largest, max_tasks_in_flight_per_actor=in_line)


def _shard_numbers(shards: Sequence[int]) -> Any:
    """The shards as a Ray data set with a block for each, so that each can go to another worker."""
    return ray.data.from_items([{_SHARD: shard} for shard in shards], override_num_blocks=len(shards))


def _done(flow: Any) -> Iterator[ShardDone]:
    with plain_faults():
        # Prefetching would only hold the last shards back: what comes out is three numbers.
        for batch in flow.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            for row in batch.to_pylist():
                yield ShardDone(**row)


def run_step(
    build: Callable[[], Callable[[int], int]], shards: Sequence[int], workers: int | None = None
) -> Iterator[ShardDone]:
    """Runs a step over shard numbers, each of which it reads and writes by itself, and yields each one when it is done.

    `build` makes the step once per worker; the step gives the number of rows it did. Needs an initialised Ray.
    """
    wanted = min(len(shards), workers or max(1, int(ray.cluster_resources().get("CPU", 1))))
    with _own_context():
        flow = _shard_numbers(shards).map_batches(
            _StepWorker,
            fn_constructor_args=(build,),
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(min_size=wanted, max_size=wanted),
            num_cpus=1,
        )
    yield from _done(flow)


class _StepWorker:
    """A worker that holds a step."""

    def __init__(self, build: Callable[[], Callable[[int], int]]) -> None:
        be_replaceable()
        self._step = build()

    def __call__(self, batch: pa.Table) -> Iterator[pa.Table]:
        with plain_faults():
            for shard in batch[_SHARD].to_pylist():
                yield _shard_done(shard, self._step(shard), 0)


def _shard_done(shard: int, rows: int, failed: int) -> pa.Table:
    """A ShardDone as the block that a worker sends to the driver."""
    return pa.table({"shard": [shard], "rows": [rows], "failed": [failed]})


@contextmanager
def _own_context() -> Iterator[None]:
    """What is built in the block runs by settings of its own; the caller's stay as they were. A shard stays one block,
    however large. This job shows its own progress; Ray Data's goes to the log folder."""
    context = ray.data.DataContext.get_current().copy()
    context.target_max_block_size = None
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    # A shard whose rows wait for a slow language model may take longer than the half an hour after which Ray Data takes
    # a job for dead; rows and calls have limits of their own.
    context.execution_no_progress_timeout_s = -1
    # Ray Data logs its plan, and the traceback of what is raised anyway, to the terminal through handlers of its own,
    # which no setting of the context turns off. All of it is in the log folder.
    for handler in logging.getLogger("ray.data").handlers:
        if type(handler).__name__ == "PlainRayHandler" or isinstance(handler, logging.StreamHandler):
            handler.setLevel(logging.CRITICAL)
    with ray.data.DataContext.current(context):
        yield


class _ShardWorker:
    """One worker's part of the chain: the first operator reads a shard's rows, the last one writes them."""

    def __init__(
        self,
        stages: Sequence[Stage],
        received: type[Requirement],
        store: RunStore,
        number: int,
        last: bool,
        rows_in_flight: int,
    ) -> None:
        """`received` is the record that the operator before gives, which may have more than the first stage here
        accepts. `number` counts the operators from 0."""
        be_replaceable()
        self._chain = Chain(stages)
        self._received = received
        self._returns = stages[-1].returns
        self._store = store
        self._number = number
        self._last = last
        self._rows_in_flight = rows_in_flight
        self._metrics = RowMetrics()

    def __call__(self, batch: pa.Table) -> Iterator[pa.Table]:
        # Blocks are never split or joined on purpose, but a block may hold several shards if Ray Data chose to.
        with plain_faults():  # here, where the error still names its file
            for shard, records, seconds in self._shards(batch):
                if not self._last and self._store.stopped():
                    continue  # what has come as far as the last operator is finished
                try:
                    yield self._work(shard, records, seconds)
                except BudgetSpent as spent:
                    self._store.stop(str(spent))

    def _shards(self, batch: pa.Table) -> Iterator[tuple[int, Sequence[Requirement], list[dict[str, float]]]]:
        """The shards of a block: number, rows, and the seconds that the stages so far took for each."""
        if self._number == 0:
            for shard in batch[_SHARD].to_pylist():
                records = self._store.read_input(shard)
                yield shard, records, [{} for _ in records]
            return
        for shard, group in groupby(batch.to_pylist(), key=itemgetter(_SHARD)):
            rows = list(group)
            seconds: list[dict[str, float]] = []
            for row in rows:
                del row[_SHARD]
                seconds.append(dict(row.pop(_SECONDS)))
            yield shard, from_rows(rows, self._received), seconds

    def _work(self, shard: int, records: Sequence[Requirement], seconds: list[dict[str, float]]) -> pa.Table:
        finished: list[Any] = []
        for number, (done, taken) in enumerate(self._run(shard, records)):
            finished.append(done)
            seconds[number] = seconds[number] | taken
            if self._last:
                self._metrics.ended(done, seconds[number])
        if self._last:
            self._store.write_results(shard, finished, seconds)
            failed = sum(record.failure is not None for record in finished)
            return _shard_done(shard, len(finished), failed)
        table = to_table(finished, self._returns)
        timings = pa.array([list(item.items()) for item in seconds], type=pa.map_(pa.string(), pa.float64()))
        return table.append_column(_SHARD, pa.array([shard] * len(finished))).append_column(_SECONDS, timings)

    def _run(self, shard: int, records: Sequence[Requirement]) -> Iterator[tuple[Requirement, dict[str, float]]]:
        """The rows through the stages. Rows that wait for a model or are worked on elsewhere crash no process, and are
        not to wait one by one: only a shard of stages that compute is noted as begun, and isolated if it was begun
        before."""
        if self._chain.waits or self._chain.elsewhere:
            yield from self._chain.run(records, self._rows_in_flight)
            return
        with self._store.begun(shard, self._number) as suspicious:
            run_row = run_isolated if suspicious else run_limited
            for record in records:
                yield run_row(self._chain, record)
