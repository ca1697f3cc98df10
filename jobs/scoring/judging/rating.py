"""Human rating: a page for raters from runs, and their files back into tables.

`export_page` writes the page, and beside it the key that says which project is whose. `import_ratings` reads what
raters saved and writes, each as CSV and Parquet: ratings, rated (as judged by an LLM, but the samples are raters),
rated_comparisons, agreement, and correlations with the automatic measures of a `dlcodegen score` folder and with the
judgements of a `dlcodegen judge` folder.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import pyarrow.parquet as pq

from jobs.runs.result_files import write_tables
from jobs.scoring.run_outputs import open_runs
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.judge_rows import JudgedRow, Judgement, judged_comparisons, judged_rows
from pipeline.comparison.rater_agreement import Agreement, Correlation, agreement, correlation
from pipeline.errors import DLCodeGenError
from pipeline.measures.judge import ASPECTS
from pipeline.measures.outputs import MethodName
from pipeline.measures.project_scores import main_source
from pipeline.pages.rating import HUMANS, RatingKey, ratables, read_ratings, write_rating_page
from pipeline.storage.files import exists, join, read_bytes, write_bytes

_AUTOMATIC = ("codebleu", "equal_length_codebleu", "length_ratio", "conformance", "lines", "lines_in_common")


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """The page and its key, and how many projects the page has; equal ones count once."""

    page: str
    key: str
    projects: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Rated:
    """What raters said, and how far they agree."""

    ratings: tuple[Judgement, ...]
    rows: tuple[JudgedRow, ...]
    comparisons: tuple[Comparison, ...]
    agreements: tuple[Agreement, ...]
    correlations: tuple[Correlation, ...]
    out: str


def export_page(runs: Sequence[str], out: str, *, items: int = 20, seed: int = 0, title: str = "") -> Exported:
    """Writes the page `out` for at most `items` items of the first run, evenly spaced, with every run's project."""
    opened = open_runs([run.rstrip("/") for run in runs])
    ids = [record.id for record in opened[0].records() if main_source(record).strip()]
    chosen = set(ids[:: max(1, -(-len(ids) // items))])
    projects = ratables(
        (
            (run.name, record.id, record.requirement, record.attributes, main_source(record))
            for run in opened
            for record in run.records()
            if record.id in chosen and main_source(record).strip()
        ),
        seed,
    )
    key = write_rating_page(projects, out, title=title or "Rate deep-learning projects", seed=seed)
    path = key_path(out)
    write_bytes(path, key.to_json().encode())
    return Exported(page=out, key=path, projects=len(projects))


def key_path(page: str) -> str:
    return f"{page.removesuffix('.html')}.key.json"


def import_ratings(
    files: Sequence[str], key: str, out: str, *, scores: str | None = None, judged: str | None = None
) -> Rated:
    """Merges the raters' files. Raises DLCodeGenError for a file that cannot be read or is of another page."""
    ratings = tuple(read_ratings({file: _text(file) for file in files}, _key(key)))
    if not ratings:
        raise DLCodeGenError("no project is rated in these files; raters save with 'Save to a file'")
    names = list(dict.fromkeys(MethodName.of(row) for row in ratings))
    as_one = [replace(row, judge=HUMANS) for row in ratings]
    rated = Rated(
        ratings=ratings,
        rows=tuple(judged_rows(as_one)),
        comparisons=tuple(judged_comparisons(as_one, names[0])),
        agreements=tuple(agreement(aspect, _by_output(ratings, aspect)) for aspect in ASPECTS),
        correlations=tuple(_correlations(ratings, scores, judged)),
        out=out,
    )
    write_tables(
        out,
        {
            "ratings": (rated.ratings, Judgement),
            "rated": (rated.rows, JudgedRow),
            "rated_comparisons": (rated.comparisons, Comparison),
            "agreement": (rated.agreements, Agreement),
            "correlations": (rated.correlations, Correlation),
        },
    )
    return rated


def _by_output(ratings: Sequence[Judgement], aspect: str) -> dict[tuple[str, str, str], dict[str, float]]:
    """Ratings of an aspect by output (model, method, item) and rater."""
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for row in ratings:
        if (value := getattr(row, aspect)) is not None:
            found.setdefault((row.model, row.method, row.item), {})[row.judge] = value
    return found


def _correlations(ratings: Sequence[Judgement], scores: str | None, judged: str | None) -> Iterator[Correlation]:
    measures: dict[str, dict[tuple[str, str, str], float]] = {}
    for row in _rows(scores, "items.parquet"):
        for name in _AUTOMATIC:
            of_protocol = name in ("codebleu", "equal_length_codebleu", "length_ratio")
            measure = f"{name} {row['protocol']}" if of_protocol else name
            if (value := row.get(name)) is not None:
                measures.setdefault(measure, {})[row["model"], row["method"], row["id"]] = float(value)
    judgements: dict[str, dict[tuple[str, str, str], list[float]]] = {}
    for row in _rows(judged, "judgements.parquet"):
        for aspect in ASPECTS:
            if (value := row.get(aspect)) is not None:
                place = row["model"], row["method"], row["item"]
                judgements.setdefault(f"{aspect} by {row['judge']}", {}).setdefault(place, []).append(float(value))
    for measure, values in judgements.items():
        measures[measure] = {place: fmean(found) for place, found in values.items()}
    for aspect in ASPECTS:
        means = {place: fmean(by_rater.values()) for place, by_rater in _by_output(ratings, aspect).items()}
        for measure, known in measures.items():
            both = [place for place in means if place in known]
            if len(both) > 1:
                yield correlation(aspect, measure, [means[place] for place in both], [known[place] for place in both])


def _rows(folder: str | None, name: str) -> list[dict[str, Any]]:
    if folder is None:
        return []
    path = join(folder, name)
    if not exists(path):
        raise DLCodeGenError(f"{path}: not there; give a folder that `dlcodegen score` or `dlcodegen judge` wrote")
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(read_bytes(path))).to_pylist()
    return rows


def _key(path: str) -> RatingKey:
    try:
        return RatingKey.from_json(_text(path))
    except (ValueError, KeyError, TypeError) as error:
        raise DLCodeGenError(f"{path}: no key file of a rating page ({error!r})") from error


def _text(path: str) -> str:
    try:
        return read_bytes(path).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise DLCodeGenError(f"{path}: cannot be read ({error})") from error
