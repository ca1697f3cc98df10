"""The numbers that the DLCodeGen paper prints (`configs/published.yaml`), and the released files they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Settings, load_settings
from pipeline.storage import join, names_in

FILE = Path(__file__).parent / "configs" / "published.yaml"

OURS = "DLCodeGen"
"""The paper's method, which the others are compared with."""

_TEMPERATURE = re.compile(r"(\d+(?:\.\d+)?)\.txt$")


class CodeTable(Settings):
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


class CodeTables(Settings):
    columns: tuple[str, ...]
    tables: tuple[CodeTable, ...]
    temperatures: TemperatureFigure


class PlanTables(Settings):
    """Table IV and Fig. 4, with protocol P's values over all 400 rows, to be compared with those over fewer."""

    columns: tuple[str, ...]
    source: str
    folder: str
    planners: dict[str, tuple[float, ...]]
    line_bleu: dict[str, float]
    all_rows: dict[str, tuple[float, ...]]


class Published(Settings):
    code: CodeTables
    plans: PlanTables


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
    """The files of Tables II and V and of Fig. 5 that a checkout holds, and the absent ones in words.

    A file belongs to the method its name ends in, whatever the prefix and its case: deepseekcoder_PS.txt. Any folder
    under Results/RQ1 may stand for a model by its name, case aside.
    """
    found, absent = [], []
    for table in published.code.tables:
        folder = _folder(root, table.folder)
        names = names_in(join(root, folder)) if folder else []
        for method, values in table.methods.items():
            name = next((name for name in names if name.lower().endswith(f"_{method}.txt".lower())), None)
            if folder is None or name is None:
                absent.append(f"{table.table}, {table.model}, {method}: no {table.folder}/*_{method}.txt")
                continue
            printed = dict(zip(published.code.columns, values, strict=True))
            path = join(root, folder, name)
            found.append(OutputFile(table=table.table, model=table.model, method=method, path=path, published=printed))
    figure = published.code.temperatures
    at_temperatures = list(_temperatures(root, figure))
    if not at_temperatures:
        absent.append(f"{figure.table}: no {figure.folder}/*<temperature>.txt")
    return found + at_temperatures, absent


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
    parent, _, name = wanted.rpartition("/")
    match = next((item for item in names_in(join(root, parent)) if item.lower() == name.lower()), None)
    return f"{parent}/{match}" if match else None


def _temperatures(root: str, figure: TemperatureFigure) -> Iterator[OutputFile]:
    for name in names_in(join(root, figure.folder)):
        if match := _TEMPERATURE.search(name):
            temperature = float(match[1])
            printed = next((value for at, value in figure.codebleu.items() if float(at) == temperature), None)
            yield OutputFile(
                table=figure.table,
                model=figure.model,
                method=f"temperature {temperature}",
                path=join(root, figure.folder, name),
                published={} if printed is None else {"codebleu": printed},
            )
