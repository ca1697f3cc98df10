"""The folder of `dlcodegen execute`: the staged projects, and a result file for each shard of them.

    input/part-000000.parquet    projects as read
    input/staged.json            how many, their digest, the settings: written last, so its presence means "complete"
    results/part-000000.parquet  how far each project of the shard came
    executed.csv, executed.parquet, report.html, manifest.json

A shard is done when its result file is there; files appear whole. So a killed job goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, islice

from jobs.execution.inputs import Inputs
from jobs.execution.settings import ExecuteConfig
from pipeline.errors import DLCodeGenError
from pipeline.execution.running.rows import ExecutedProject, ProjectRow
from pipeline.foreign_text import without_secrets
from pipeline.storage.files import join, names_in, remove_temporary
from pipeline.storage.parquet import read_columns, read_records, write_records
from pipeline.storage.shard_folder import (
    STAGED_DIGITS,
    RowsDigest,
    ShardFolder,
    in_shards,
    read_description,
    stage_shards,
    write_description,
)

EXECUTION_VERSION = 1
"""The layout of the folder. Raise it when files move or change their columns or meaning."""

_FEW, _SHARD = 1000, 8
"""Up to so many projects a shard is one of them; of more, so many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedProjects:
    """What was staged, as input/staged.json describes it."""

    inputs: list[str]
    rows: int
    shards: int
    digest: str
    """Of all projects."""
    settings: str
    """The digest of the settings that decide the results."""
    shard_rows: int
    """Projects of every shard but the last."""
    rows_without_project: int
    """Rows of runs that have no project to run."""

    def rows_in(self, shard: int) -> int:
        return min(self.shard_rows, self.rows - shard * self.shard_rows)


@dataclass(frozen=True, slots=True)
class ExecutionStore:
    """One such folder. It is small enough to be sent to every worker."""

    folder: str

    def stage(self, config: ExecuteConfig) -> StagedProjects:
        """Reads the inputs and writes them as shards, once. Raises DLCodeGenError where the folder belongs to other
        inputs or settings, or the inputs have changed since."""
        inputs = Inputs(config.inputs, config.env)
        shown = list(map(without_secrets, config.inputs))
        description = read_description(self._path("input", "staged.json"), EXECUTION_VERSION, self.folder)
        if description is not None:
            staged = StagedProjects(**description)
            self._check(staged, config, inputs, shown)
            return staged
        projects = inputs.projects()
        first = list(islice(projects, _FEW + 1))
        shard_rows = config.shard_rows or (_SHARD if len(first) > _FEW else 1)
        written = stage_shards(self._shards("input"), in_shards(chain(first, projects), shard_rows), _write_input)
        staged = StagedProjects(
            inputs=shown,
            rows=written.rows,
            shards=written.shards,
            digest=written.digest,
            settings=config.digest(),
            shard_rows=shard_rows,
            rows_without_project=inputs.rows_without_project,
        )
        write_description(self._path("input", "staged.json"), asdict(staged), EXECUTION_VERSION)
        return staged

    def _check(self, staged: StagedProjects, config: ExecuteConfig, inputs: Inputs, shown: list[str]) -> None:
        way_out = "choose another --out, or delete the folder to start over"
        if staged.inputs != shown:
            raise DLCodeGenError(f"{self.folder} holds the results of {', '.join(staged.inputs)}; {way_out}")
        if staged.settings != config.digest():
            raise DLCodeGenError(f"{self.folder} holds results with other settings (env, data or limits); {way_out}")
        digest = RowsDigest()
        for project in inputs.projects():
            digest.add(project)
        if digest.digits(STAGED_DIGITS) != staged.digest:
            raise DLCodeGenError(f"the projects have changed since they were run into {self.folder}; {way_out}")

    def pending(self, staged: StagedProjects) -> list[int]:
        """Shards without a result file."""
        remove_temporary(self.folder)
        return self._shards("results").pending(staged.shards)

    def environments(self, shards: Sequence[int]) -> list[str]:
        """The names of the environments that these shards' projects are run in."""
        names: set[str] = set()
        for shard in shards:
            table = read_columns(self._shards("input").path(shard), ["environment"], EXECUTION_VERSION)
            names.update(table["environment"].to_pylist())
        return sorted(names)

    def read_input(self, shard: int) -> list[ProjectRow]:
        return read_records(self._shards("input").path(shard), ProjectRow, EXECUTION_VERSION)

    def write_results(self, shard: int, executed: Sequence[ExecutedProject]) -> None:
        """Publishes a shard."""
        write_records(self._shards("results").path(shard), executed, ExecutedProject, EXECUTION_VERSION)

    def results(self) -> Iterator[ExecutedProject]:
        """All finished projects in input order, a shard in memory at a time."""
        for name in names_in(self._path("results")):
            yield from read_records(self._path("results", name), ExecutedProject, EXECUTION_VERSION)

    def runs(self) -> Iterator[tuple[ProjectRow, ExecutedProject]]:
        """All finished projects as they were given, each with how far it came."""
        inputs, results = self._path("input"), self._path("results")
        for name in names_in(results):
            projects = read_records(join(inputs, name), ProjectRow, EXECUTION_VERSION)
            yield from zip(projects, read_records(join(results, name), ExecutedProject, EXECUTION_VERSION), strict=True)

    def _path(self, *names: str) -> str:
        return join(self.folder, *names)

    def _shards(self, name: str) -> ShardFolder:
        return ShardFolder(self._path(name))


def _write_input(url: str, projects: Sequence[ProjectRow]) -> None:
    write_records(url, projects, ProjectRow, EXECUTION_VERSION)
