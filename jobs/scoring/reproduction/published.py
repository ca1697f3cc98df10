"""The numbers that the DLCodeGen paper prints (`configs/published.yaml`), and the released files they belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.scoring.reproduction.output_names import method_in, model_in, plain, temperature_in
from pipeline.config import Settings, load_settings
from pipeline.storage.files import join, names_in

FILE = Path(__file__).parents[2] / "configs" / "published.yaml"

OURS = "DLCodeGen"
"""The paper's method, which the others are compared with."""


class PublishedCodeTable(Settings):
    """One model's rows of a table of generated code: a folder with an output file a method, and the printed values."""

    table: str
    source: str
    folder: str
    model: str
    methods: dict[str, tuple[float, ...]]


class TemperatureFigure(Settings):
    """Fig. 5: CodeBLEU by sampling temperature, an output file a temperature."""

    table: str
    source: str
    folder: str
    model: str
    codebleu: dict[str, float]


class PublishedCode(Settings):
    columns: tuple[str, ...]
    tables: tuple[PublishedCodeTable, ...]
    temperatures: TemperatureFigure


class PublishedPlans(Settings):
    """Table IV and Fig. 4, with protocol P's values over all 400 rows, to be compared with those over fewer."""

    columns: tuple[str, ...]
    source: str
    folder: str
    planners: dict[str, tuple[float, ...]]
    line_bleu: dict[str, float]
    all_rows: dict[str, tuple[float, ...]]

    def by_planner(self, *, on_all_rows: bool = False) -> dict[str, dict[str, float]]:
        """Values by planner and column: as printed, or by protocol P over all rows."""
        source = self.all_rows if on_all_rows else self.planners
        found = {name: dict(zip(self.columns, values, strict=True)) for name, values in source.items()}
        for name, value in self.line_bleu.items() if not on_all_rows else ():
            found.setdefault(name, {})["line_bleu"] = value
        return found


class JudgedTable(Settings):
    """Table III: points by aspect."""

    aspects: tuple[str, ...]
    source: str
    methods: dict[str, tuple[float, ...]]

    def of(self, name: str) -> dict[str, float]:
        """What is printed for the method that a run's name contains, by aspect; {} for none."""
        method = method_in(name, list(self.methods))
        return dict(zip(self.aspects, self.methods[method], strict=True)) if method else {}


class Published(Settings):
    code: PublishedCode
    judged: JudgedTable
    plans: PublishedPlans


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputFile:
    """A released file of generated code, and what the paper prints for it by column ("codebleu", ...)."""

    table: str
    model: str
    method: str
    path: str
    published: dict[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class PredictionFile:
    """A released file of predicted plans, a line a row of DLPlanData/Test.txt."""

    planner: str
    path: str


def load_published() -> Published:
    return load_settings(Published, str(FILE))


def output_files(root: str, published: Published) -> tuple[list[OutputFile], list[str]]:
    """The files of Tables II and V and of Fig. 5 that a checkout holds; and in words the absent ones, and those that
    belong to nothing.

    Names are read leniently (`jobs.scoring.reproduction.output_names`): prefix, case and separators do not matter.
    """
    found, unread = [], []
    for table in published.code.tables:
        folder = _folder(root, table.folder)
        by_method, unfit = _by_method(join(root, folder), list(table.methods)) if folder else ({}, [])
        unread += [f"{folder}/{name}: not read, it names no method of {table.table}" for name in unfit]
        for method, values in table.methods.items():
            names = by_method.get(method, [])
            if folder is None or not names:
                unread.append(f"{table.table}, {table.model}, {method}: no {table.folder}/*_{method}.txt")
                continue
            unread += [f"{folder}/{name}: not read, {names[0]} is taken for {method}" for name in names[1:]]
            printed = dict(zip(published.code.columns, values, strict=True))
            path = join(root, folder, names[0])
            found.append(OutputFile(table=table.table, model=table.model, method=method, path=path, published=printed))
    figure = published.code.temperatures
    at_temperatures, unfit = _temperatures(root, figure, [table.model for table in published.code.tables])
    unread += [f"{name}: not read, it names no temperature, or one that another file has" for name in unfit]
    if not at_temperatures:
        unread.append(f"{figure.table}: no {figure.folder}/*<temperature>.txt")
    return found + at_temperatures, unread


def prediction_files(root: str, published: Published) -> tuple[list[PredictionFile], list[str]]:
    """The files of Table IV that a checkout holds, and the absent ones in words."""
    folder = published.plans.folder
    names = set(names_in(join(root, folder)))
    found = [
        PredictionFile(planner=planner, path=join(root, folder, f"{planner}.txt"))
        for planner in published.plans.planners
        if f"{planner}.txt" in names
    ]
    absent = [
        f"Table IV, {name}: no {folder}/{name}.txt" for name in published.plans.planners if f"{name}.txt" not in names
    ]
    return found, absent


def _folder(root: str, wanted: str) -> str | None:
    """The folder as it is written in the checkout: case and separators aside."""
    parent, _, name = wanted.rpartition("/")
    match = next((item for item in names_in(join(root, parent)) if plain(item) == plain(name)), None)
    return f"{parent}/{match}" if match else None


def _by_method(folder: str, methods: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    found: dict[str, list[str]] = {}
    unfit = []
    for name in names_in(folder):
        method = method_in(name, methods) if name.lower().endswith(".txt") else None
        if method is not None:
            found.setdefault(method, []).append(name)
        elif name.lower().endswith(".txt"):
            unfit.append(name)
    return found, unfit


def _temperatures(root: str, figure: TemperatureFigure, models: Sequence[str]) -> tuple[list[OutputFile], list[str]]:
    """The temperature files, in the figure's folder or in one of a model inside it, and those without a temperature."""
    found: dict[tuple[str, float], OutputFile] = {}
    unfit = []
    folder = _folder(root, figure.folder) or figure.folder
    for name in _text_files(join(root, folder)):
        temperature = temperature_in(name)
        model = model_in(name, models) or figure.model
        if temperature is None or (model, temperature) in found:
            unfit.append(f"{folder}/{name}")
            continue
        printed = next((value for at, value in figure.codebleu.items() if float(at) == temperature), None)
        found[model, temperature] = OutputFile(
            table=figure.table,
            model=model,
            method=f"temperature {temperature}",
            path=join(root, folder, name),
            published={} if printed is None or model != figure.model else {"codebleu": printed},
        )
    return [found[key] for key in sorted(found)], unfit


def _text_files(folder: str) -> Iterator[str]:
    """Text files in a folder and its folders, by their paths inside it."""
    for name in names_in(folder):
        if name.lower().endswith(".txt"):
            yield name
        else:  # a folder's name may have a dot: `DeepSeek-V2.5`
            yield from (f"{name}/{inner}" for inner in names_in(join(folder, name)) if inner.lower().endswith(".txt"))
