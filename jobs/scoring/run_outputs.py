"""Finished runs of `dlcodegen generate` as the outputs of methods: what they were asked, gave, and failed in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.generation.settings import GenerateConfig
from jobs.runs.store import RunStore
from pipeline.calls import LLMCall
from pipeline.config import PlannerSettings, grouped
from pipeline.errors import DLCodeGenError
from pipeline.foreign_text import masked_url
from pipeline.measures.outputs import MethodName, Output, Shown
from pipeline.measures.project_scores import measured_source
from pipeline.pages.report_summary import category
from pipeline.records import Scored
from pipeline.retrieval.sample_pool import load_samples
from pipeline.starter import STARTER
from pipeline.storage.files import exists, join, read_bytes
from pipeline.understanding import asked_in

RUNS = "Runs"
"""What stands for a table where the outputs are runs of this project."""

_DIFFER_BY_SEED = {
    "llm": {"cache", "limits"},
    "writing": {"seed"},
    "execution": {"warm", "accept_weaker"},
    "run": {"out", "workers", "quiet", "address", "projects", "report_items", "shard_rows"},
}
"""Settings in which runs of one method may differ: runs that agree in all others are its seeds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A finished run of `dlcodegen generate`, or one that was ended early."""

    folder: str
    name: MethodName
    """What its outputs are called in tables."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Those of its manifest, in their groups; {} where it has none."""
    rows: int = 0
    """Finished rows, failed ones included."""

    @property
    def pool(self) -> str:
        return str(self.settings.get("retrieval", {}).get("pool") or STARTER)

    @property
    def plans(self) -> tuple[str, ...]:
        """Where the known plans are, and those that a fitted or trained planner learned from."""
        planner = PlannerSettings.model_validate(self.settings.get("planner") or {"plans": STARTER})
        known, learned = planner.plans, learned_from(planner.folder)
        if learned is None or learned == known:
            return (known,)
        return (known, learned)

    def records(self) -> Iterator[Scored]:
        return RunStore(self.folder).results()

    def calls(self) -> Iterator[LLMCall]:
        """The calls of all its rows."""
        for record in self.records():
            yield from record.calls

    def outputs(self) -> Iterator[Output]:
        """Every row as an output, read as it is needed."""
        samples = {sample.id: sample.code for sample in load_samples(self.pool)}
        for record in self.records():
            yield output_of(record, samples)


def output_of(record: Scored, samples: Mapping[str, str]) -> Output:
    """`samples`: the pool's codes by id; a sample that is not in it any more is not shown."""
    shown: list[Shown] = []
    for sample in record.samples:
        if sample.id in samples:
            shown.append(Shown(id=sample.id, code=samples[sample.id]))
    reference_shares = [call.reference_share or 0.0 for call in record.calls]
    return Output(
        item=record.id,
        requirement=record.requirement,
        # A run of an older version has not read them.
        constraints=record.constraints or asked_in(record.requirement, record.attributes),
        category=category(record),
        code=measured_source(record),
        reference=record.reference,
        plan=record.plan,
        shown=tuple(shown),
        prompted=max(reference_shares, default=0.0),
        failure=record.failure,
    )


def learned_from(planner: str) -> str | None:
    """The location of the plans that a planner's folder was fitted or trained on, as its card says.

    None where it does not say, or they are not there any more.
    """
    if not planner:
        return None
    # A fitted planner's card, and a trained one's.
    for card, group in (("planner.json", "about"), ("run_card.json", "settings")):
        path = join(planner, card)
        if exists(path):
            location = json.loads(read_bytes(path)).get(group, {}).get("data")
            if location and (location == STARTER or exists(str(location))):
                return str(location)
            return None
    return None


def open_runs(folders: Sequence[str]) -> list[Run]:
    """The runs, each under a name of its own.

    Raises DLCodeGenError where a folder holds no run, or a run without a finished row.
    """
    if len(set(folders)) < len(folders):
        raise DLCodeGenError("the same run is named twice; give each run once")
    runs = []
    for folder, label in zip(folders, _labels(folders), strict=True):
        if not RunStore(folder).exists():
            raise DLCodeGenError(f"{folder}: no run there; give the folder of a `dlcodegen generate` run")
        model = str(_settings(folder).get("llm", {}).get("model") or "")
        run = open_run(folder, MethodName(RUNS, model, label))
        if not run.rows:
            raise DLCodeGenError(f"{folder}: no row of the run is finished; run `dlcodegen generate` to its end first")
        runs.append(run)
    return runs


def open_run(folder: str, name: MethodName) -> Run:
    """A run under a name; it may have no finished row."""
    rows = sum(1 for _ in RunStore(folder).results())
    return Run(folder=folder, name=name, settings=_settings(folder), rows=rows)


def run_named(runs: Sequence[Run], wanted: str | None) -> Run:
    """The run with a folder or label; the first for None. Raises DLCodeGenError where there is none."""
    if wanted is None:
        return runs[0]
    for run in runs:
        if wanted.rstrip("/") in (run.folder, run.name.method):
            return run
    folders = [run.folder for run in runs]
    raise DLCodeGenError(f"--against {wanted}: none of the runs; give one of {folders}")


def group_seeds(runs: Sequence[Run]) -> dict[MethodName, list[MethodName]]:
    """Methods that were run with several seeds: runs whose settings differ in nothing else."""
    same_settings: dict[str, list[Run]] = {}
    for run in runs:
        shared = json.dumps(_without_seed(run.settings), sort_keys=True, default=str)
        same_settings.setdefault(shared, []).append(run)
    groups = {}
    for group in same_settings.values():
        seeds = {run.settings.get("writing", {}).get("seed") for run in group}
        # Runs that have even the seed in common are the same run made twice, no second draw.
        if len(group) < 2 or len(seeds) < len(group):
            continue
        names = [run.name for run in group]
        label = _shared_start([name.method for name in names]) or "method"
        mean = names[0]._replace(method=f"{label} (mean of {len(group)} seeds)")
        groups[mean] = names
    return groups


def _without_seed(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The settings that all seeds of a method share."""
    shared = {}
    for group, values in settings.items():
        ignored = _DIFFER_BY_SEED.get(group, set())
        shared[group] = {name: value for name, value in values.items() if name not in ignored}
    return shared


def _shared_start(texts: Sequence[str]) -> str:
    """What all texts begin with, without the hyphens and the like at its end."""
    length = 0
    for letters in zip(*texts, strict=False):
        if len(set(letters)) > 1:
            break
        length += 1
    return texts[0][:length].rstrip("-_ /")


def _settings(folder: str) -> dict[str, Any]:
    """The settings of a run's manifest, in their groups; runs of older versions have them flat."""
    path = join(folder, "manifest.json")
    if not exists(path):
        return {}  # the run was ended early: its rows can be scored all the same
    try:
        settings = grouped(GenerateConfig, json.loads(read_bytes(path)).get("settings") or {})
        if "base_url" in settings.get("llm", {}):  # manifests of older versions have it with its secrets
            settings["llm"]["base_url"] = masked_url(str(settings["llm"]["base_url"]))
        return settings
    except (ValueError, TypeError, AttributeError):
        return {}


def _labels(folders: Sequence[str]) -> list[str]:
    """The shortest endings of the paths that differ, without what all of them end in (`-deepseek-t1.5-s0`)."""
    paths = [folder.rstrip("/").split("/") for folder in folders]
    longest = max(map(len, paths))
    for length in range(1, longest + 1):
        labels = ["/".join(path[-length:]) for path in paths]
        if len(set(labels)) == len(labels):
            return _without_shared_words(labels)
    return list(folders)


def _without_shared_words(labels: Sequence[str]) -> list[str]:
    """The labels without the last words, between hyphens, that all have; each keeps one word at least."""
    words = [label.split("-") for label in labels]
    if len(words) < 2:
        return list(labels)
    while min(map(len, words)) > 1:
        last_words = {label[-1] for label in words}
        if len(last_words) > 1:
            break
        for label in words:
            label.pop()
    return ["-".join(label) for label in words]
