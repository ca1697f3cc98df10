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
    """One model's rows of a table of generated code."""

    table: str
    source: str
    folder: str
    """Holds an output file for each method."""
    model: str
    methods: dict[str, tuple[float, ...]]
    """The printed values, as PublishedCode's `columns` name them."""


class TemperatureFigure(Settings):
    """Fig. 5: CodeBLEU by sampling temperature, an output file a temperature."""

    table: str
    source: str
    folder: str
    model: str
    codebleu: dict[str, float]
    """The printed values by temperature, where the paper gives a number."""


class PublishedCode(Settings):
    columns: tuple[str, ...]
    tables: tuple[PublishedCodeTable, ...]
    temperatures: TemperatureFigure


class PublishedPlans(Settings):
    """Table IV and Fig. 4."""

    columns: tuple[str, ...]
    source: str
    folder: str
    """Holds a file of predictions for each planner."""
    planners: dict[str, tuple[float, ...]]
    """Table IV."""
    line_bleu: dict[str, float]
    """Fig. 4."""
    all_rows: dict[str, tuple[float, ...]]
    """Protocol P's values over all 400 rows, to be compared with those over fewer."""

    def by_planner(self, *, on_all_rows: bool = False) -> dict[str, dict[str, float]]:
        """Values by planner and column: as printed, or by protocol P over all rows."""
        rows = self.all_rows if on_all_rows else self.planners
        by_planner: dict[str, dict[str, float]] = {}
        for name, values in rows.items():
            by_planner[name] = dict(zip(self.columns, values, strict=True))
        if not on_all_rows:
            for name, value in self.line_bleu.items():
                by_planner.setdefault(name, {})["line_bleu"] = value
        return by_planner


class JudgedTable(Settings):
    """Table III: points by aspect."""

    aspects: tuple[str, ...]
    source: str
    methods: dict[str, tuple[float, ...]]

    def of(self, name: str) -> dict[str, float]:
        """What is printed for the method that a run's name contains, by aspect; {} for none."""
        method = method_in(name, list(self.methods))
        if method is None:
            return {}
        return dict(zip(self.aspects, self.methods[method], strict=True))


class Published(Settings):
    code: PublishedCode
    judged: JudgedTable
    plans: PublishedPlans


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputFile:
    """A released file of generated code."""

    table: str
    model: str
    method: str
    path: str
    published: dict[str, float]
    """What the paper prints for it, by column ("codebleu", ...)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PredictionFile:
    """A released file of predicted plans, a line a row of DLPlanData/Test.txt."""

    planner: str
    path: str


def load_published() -> Published:
    return load_settings(Published, str(FILE))


def output_files(root: str, published: Published) -> tuple[list[OutputFile], list[str]]:
    """The files of Tables II and V and of Fig. 5 that a checkout holds, and in words those absent or unread.

    Names are read leniently (`jobs.scoring.reproduction.output_names`): prefix, case and separators do not matter.
    """
    files: list[OutputFile] = []
    unread: list[str] = []
    for table in published.code.tables:
        of_table, unread_of_table = _table_files(root, table, published.code.columns)
        files += of_table
        unread += unread_of_table
    figure = published.code.temperatures
    models = [table.model for table in published.code.tables]
    at_temperatures, unnamed = _temperature_files(root, figure, models)
    unread += [f"{name}: not read, it names no temperature, or one that another file has" for name in unnamed]
    if not at_temperatures:
        unread.append(f"{figure.table}: no {figure.folder}/*<temperature>.txt")
    return files + at_temperatures, unread


def prediction_files(root: str, published: Published) -> tuple[list[PredictionFile], list[str]]:
    """The files of Table IV that a checkout holds, and the absent ones in words."""
    folder = published.plans.folder
    names = set(names_in(join(root, folder)))
    files, absent = [], []
    for planner in published.plans.planners:
        name = f"{planner}.txt"
        if name in names:
            files.append(PredictionFile(planner=planner, path=join(root, folder, name)))
        else:
            absent.append(f"Table IV, {planner}: no {folder}/{name}")
    return files, absent


def _table_files(root: str, table: PublishedCodeTable, columns: Sequence[str]) -> tuple[list[OutputFile], list[str]]:
    """A file for each method of a table; and in words the methods without one, and the files that are not read."""
    files, unread = [], []
    folder = _folder(root, table.folder)
    names_of: dict[str, list[str]] = {}
    if folder is not None:
        names_of, unnamed = _names_by_method(join(root, folder), list(table.methods))
        unread += [f"{folder}/{name}: not read, it names no method of {table.table}" for name in unnamed]
    for method, values in table.methods.items():
        names = names_of.get(method, [])
        if folder is None or not names:
            unread.append(f"{table.table}, {table.model}, {method}: no {table.folder}/*_{method}.txt")
            continue
        unread += [f"{folder}/{name}: not read, {names[0]} is taken for {method}" for name in names[1:]]
        files.append(
            OutputFile(
                table=table.table,
                model=table.model,
                method=method,
                path=join(root, folder, names[0]),
                published=dict(zip(columns, values, strict=True)),
            )
        )
    return files, unread


def _folder(root: str, wanted: str) -> str | None:
    """The folder as it is written in the checkout: case and separators aside."""
    parent, _, name = wanted.rpartition("/")
    for written in names_in(join(root, parent)):
        if plain(written) == plain(name):
            return f"{parent}/{written}"
    return None


def _names_by_method(folder: str, methods: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """The text files in a folder by the method that they name, and those that name none."""
    by_method: dict[str, list[str]] = {}
    unnamed = []
    for name in names_in(folder):
        if not name.lower().endswith(".txt"):
            continue
        method = method_in(name, methods)
        if method is None:
            unnamed.append(name)
        else:
            by_method.setdefault(method, []).append(name)
    return by_method, unnamed


def _temperature_files(
    root: str, figure: TemperatureFigure, models: Sequence[str]
) -> tuple[list[OutputFile], list[str]]:
    """The temperature files, in the figure's folder or in one of a model inside it; and what is not read of them."""
    printed = {float(temperature): value for temperature, value in figure.codebleu.items()}
    files: dict[tuple[str, float], OutputFile] = {}
    unnamed = []
    folder = _folder(root, figure.folder) or figure.folder
    for name in _text_files(join(root, folder)):
        temperature = temperature_in(name)
        model = model_in(name, models) or figure.model
        if temperature is None or (model, temperature) in files:
            unnamed.append(f"{folder}/{name}")
            continue
        # The figure is about one model; what was released of others has nothing to be compared with.
        values = {}
        if model == figure.model and temperature in printed:
            values["codebleu"] = printed[temperature]
        files[model, temperature] = OutputFile(
            table=figure.table,
            model=model,
            method=f"temperature {temperature}",
            path=join(root, folder, name),
            published=values,
        )
    return [files[key] for key in sorted(files)], unnamed


def _text_files(folder: str) -> Iterator[str]:
    """Text files in a folder and its folders, by their paths inside it."""
    for name in names_in(folder):
        if name.lower().endswith(".txt"):
            yield name
            continue
        # Taken for a folder whatever it is called: the name of one may have a dot (`DeepSeek-V2.5`).
        for inner in names_in(join(folder, name)):
            if inner.lower().endswith(".txt"):
                yield f"{name}/{inner}"
