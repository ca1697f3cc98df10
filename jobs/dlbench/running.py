"""Running candidates on Ray: a piece of work for each task, variant and sample, resumed where a kill left it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from jobs.dlbench.certifying import main as certify_tasks
from jobs.dlbench.drawing import Answers, Drawing, answers_of, asked, replayed
from jobs.dlbench.pieces import work_on
from jobs.dlbench.settings import CertifyConfig
from jobs.dlbench.store import BenchStore
from jobs.generation.language_model import language_model
from jobs.runs.terminal import say_error
from pipeline.config import LLMSettings
from pipeline.dlbench.agreement.generated import GeneratedTest, generated_tests
from pipeline.dlbench.agreement.matrix import program_key, unique_tests
from pipeline.dlbench.cells import Cell, CellResult, run_cell
from pipeline.dlbench.certifying import located_task
from pipeline.dlbench.running.sandboxes import SuiteSandboxes
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.storage.files import join, read_json, write_json
from pipeline.storage.one_writer import one_writer
from pipeline.storage.shard_folder import ShardFolder

_CELLS = TypeAdapter(list[Cell])
_RESULT = TypeAdapter(CellResult)


class RunConfig(BaseModel):
    """What `dlcodegen dlbench run` runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    certify: CertifyConfig
    samples: int = Field(8, ge=1, le=200)
    """Candidates a task, of the original prompt and again of its variants."""
    operators: tuple[str, ...] = ()
    rewritten_by: str = Field("rules", pattern="^(rules|model)$")
    temperature: float = Field(0.8, ge=0, le=2)
    llm: LLMSettings
    """The model; `none` replays what the tasks bring along."""

    def drawing(self) -> Drawing:
        return Drawing(
            samples=self.samples,
            operators=self.operators,
            temperature=self.temperature,
            rewritten_by=self.rewritten_by,
        )


@dataclass(frozen=True, slots=True)
class RunStore:
    """The part of the folder that a run adds.

    answers/part-000000.json    what was drawn for task 0
    cells.json                  which candidates are run: task, operator, sample
    results/part-000000.json    what became of the first of them
    """

    bench: BenchStore

    @property
    def answers(self) -> ShardFolder:
        return ShardFolder(join(self.bench.folder, "answers"), "json")

    @property
    def results(self) -> ShardFolder:
        return ShardFolder(join(self.bench.folder, "results"), "json")

    def read_answers(self, task: int) -> Answers | None:
        value = read_json(self.answers.path(task))
        return None if value is None else answers_of(value)

    def cells(self) -> list[Cell]:
        """Raises DLCodeGenError where nothing was run."""
        described = self.bench.described("cells")
        if described is None:
            raise DLCodeGenError(f"{self.bench.folder}: nothing was run; `dlcodegen dlbench run TASKS --out` does it")
        return _CELLS.validate_python(described["cells"])

    def stage(self, cells: Sequence[Cell], settings: dict[str, Any]) -> None:
        """Keeps which cells there are. Raises DLCodeGenError where the folder belongs to other settings."""
        rows = _CELLS.dump_python(list(cells), mode="json")
        if not self.bench.keeps("cells", rows, settings):
            raise DLCodeGenError(f"{self.bench.folder} holds a run with other settings; choose another --out")

    def settings(self) -> dict[str, Any]:
        described = self.bench.described("cells") or {}
        return dict(described.get("settings", {}))

    def all_results(self) -> list[CellResult]:
        """Of all finished cells, in their order."""
        found = [read_json(self.results.path(number)) for number in range(len(self.cells()))]
        return [_RESULT.validate_python(value) for value in found if value is not None]


def main(config: RunConfig) -> list[CellResult]:
    """The results of all cells, those of earlier starts included."""
    out = config.certify.out
    certificates = certify_tasks(config.certify)
    with one_writer(out):
        store = RunStore(BenchStore(out))
        certified = [number for number, one in enumerate(certificates) if one.certified]
        if not certified:
            raise DLCodeGenError("no task is certified, so there is nothing that a candidate could be judged by")
        _draw(config, store, certified)
        cells = []
        for number in certified:
            answers = store.read_answers(number)
            assert answers is not None
            for operator, candidates in answers.candidates.items():
                cells += [Cell(task=number, operator=operator, sample=sample) for sample in range(len(candidates))]
        settings = config.model_dump(mode="json", include={"samples", "operators", "rewritten_by", "temperature"})
        store.stage(cells, {**settings, "model": config.llm.model if config.llm.backend != "none" else "replayed"})
        pending = store.results.pending(len(cells))
        pending += [number for number in range(len(cells)) if number not in pending and _is_infra(store, number)]
        step = partial(RunStep, store, config.certify)
        work_on(sorted(pending), step, config.certify, command="run", unit="candidates", total=len(cells))
        return store.all_results()


def _is_infra(store: RunStore, number: int) -> bool:
    value = read_json(store.results.path(number))
    return value is not None and value["status"] == "infra"


def _draw(config: RunConfig, store: RunStore, certified: Sequence[int]) -> None:
    """Draws for the tasks that have no answers yet, and keeps them, a file a task."""
    store.answers.pending(0)  # what a killed writer left goes
    tasks = store.bench.tasks()
    missing = [number for number in certified if store.read_answers(number) is None]
    if not missing:
        return
    settings = config.llm.with_cache_for(config.certify.out)
    with language_model(settings) as builder:
        if builder is not None:
            drawn = asked(builder(), [tasks[number] for number in missing], config.drawing())
        else:
            drawn = [_replayed(tasks[number], config.drawing()) for number in missing]
    for number, answers in zip(missing, drawn, strict=True):
        write_json(store.answers.path(number), answers.as_json())
    without = [tasks[number].id for number, answers in zip(missing, drawn, strict=True) if not answers.candidates]
    if without:
        say_error(f"{len(without)} tasks have no answers ({', '.join(without[:3])}): they are in no share")


def _replayed(task: Any, drawing: Drawing) -> Answers:
    try:
        return replayed(task, drawing)
    except StageFailure as failure:
        return Answers(variants={}, candidates={}, suites=[], failures={"all": str(failure)})


class RunStep:
    """Runs one candidate. A worker makes one of it and keeps its warm processes, and what equal programs came to."""

    def __init__(self, store: RunStore, settings: CertifyConfig) -> None:
        self._store = store
        self._cells = store.cells()
        self._tasks = store.bench.tasks()
        self._checkouts = settings.checkouts
        self._sandboxes = SuiteSandboxes(warm=settings.warm, accept_weaker=settings.accept_weaker)
        self._known: dict[tuple[int, str], CellResult] = {}

    def __call__(self, number: int) -> int:
        cell = self._cells[number]
        answers = self._store.read_answers(cell.task)
        certificate = self._store.bench.read_certificate(cell.task)
        assert answers is not None
        assert certificate is not None
        task = self._tasks[cell.task]
        answer = answers.candidates[cell.operator][cell.sample]
        key = cell.task, program_key(answer) + answers.variants[cell.operator].renamed_to
        known = self._known.get(key)
        if known is not None and known.counts:
            result = CellResult(**{**asdict(known), "operator": cell.operator, "sample": cell.sample})
        else:
            located = located_task(task, self._sandboxes, self._checkouts)
            tests = tests_of(answers, task.function)[0]
            variant = answers.variants[cell.operator]
            result = run_cell(cell, located, certificate, variant, answer, tests, self._sandboxes)
            self._known[key] = result
        write_json(self._store.results.path(number), asdict(result))
        return 1

    def close(self) -> None:
        """Ends the warm processes."""
        self._sandboxes.close()


def tests_of(answers: Answers, function: str) -> tuple[list[GeneratedTest], list[tuple[int, ...]]]:
    """The different generated tests of a task, and each suite as places among them."""
    return unique_tests([generated_tests(reply, function) for reply in answers.suites])
