"""Human rating: a page for raters from runs, and their files back into tables.

`export_page` writes the page, and beside it the key that says which project is whose. `import_ratings` reads what
raters saved and writes, each as CSV and Parquet: ratings, rated (as judged by an LLM, but the samples are raters),
rated_comparisons, agreement, and correlations with the automatic measures of a `dlcodegen score` folder and with the
judgements of a `dlcodegen judge` folder.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import pyarrow.parquet as pq

from jobs.runs.result_files import write_tables
from jobs.scoring.run_outputs import open_runs
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.judge_rows import JudgedRow, Judgement, judged_comparisons, judged_rows
from pipeline.comparison.rater_agreement import Agreement, Correlation, agreement, correlation
from pipeline.comparison.verdict import paired_values
from pipeline.errors import DLCodeGenError
from pipeline.measures.judge import ASPECTS
from pipeline.measures.outputs import MethodName
from pipeline.measures.project_scores import measured_source
from pipeline.pages.rating import HUMANS, RatingKey, ratables, read_ratings, write_rating_page
from pipeline.storage.files import exists, join, read_bytes, write_bytes

_OF_A_PROTOCOL = ("codebleu", "equal_length_codebleu", "length_ratio")
_AUTOMATIC = (*_OF_A_PROTOCOL, "conformance", "lines", "lines_in_common")
"""Columns of `dlcodegen score`'s items that ratings are correlated with."""

_Output = tuple[str, str, str]
"""Model, method and item."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """A page for raters, as it was written."""

    page: str
    key: str
    """Which project is whose; raters do not get it."""
    projects: int
    """Projects on the page; equal ones count once."""


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
    ids = [record.id for record in opened[0].records() if measured_source(record).strip()]
    step = max(1, -(-len(ids) // items))  # rounded up, so that no more than `items` are chosen
    chosen = set(ids[::step])
    outputs = []
    for run in opened:
        for record in run.records():
            code = measured_source(record)
            if record.id in chosen and code.strip():
                outputs.append((run.name, record.id, record.requirement, record.attributes, code))
    projects = ratables(outputs, seed)
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
    texts = {file: _text(file) for file in files}
    ratings = tuple(read_ratings(texts, _key(key)))
    if not ratings:
        raise DLCodeGenError("no project is rated in these files; raters save with 'Save to a file'")
    # All raters together are one judge, and each rater's answer is one of its samples.
    as_one = [replace(row, judge=HUMANS) for row in ratings]
    agreements = [agreement(aspect, _by_output(ratings, aspect)) for aspect in ASPECTS]
    rated = Rated(
        ratings=ratings,
        rows=tuple(judged_rows(as_one)),
        comparisons=tuple(judged_comparisons(as_one, MethodName.of(ratings[0]))),
        agreements=tuple(agreements),
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


def _by_output(ratings: Sequence[Judgement], aspect: str) -> dict[_Output, dict[str, float]]:
    """Ratings of an aspect by output and rater."""
    by_output: dict[_Output, dict[str, float]] = {}
    for row in ratings:
        value = getattr(row, aspect)
        if value is not None:
            by_output.setdefault((row.model, row.method, row.item), {})[row.judge] = value
    return by_output


def _correlations(ratings: Sequence[Judgement], scores: str | None, judged: str | None) -> Iterator[Correlation]:
    """Each aspect's mean ratings with each measure, where two outputs or more have both."""
    measures = _automatic_measures(_rows(scores, "items.parquet"))
    measures |= _judged_measures(_rows(judged, "judgements.parquet"))
    for aspect in ASPECTS:
        by_output = _by_output(ratings, aspect)
        means = {output: fmean(by_rater.values()) for output, by_rater in by_output.items()}
        for measure, values in measures.items():
            rated, measured = paired_values(means, values)
            if len(rated) > 1:
                yield correlation(aspect, measure, rated, measured)


def _automatic_measures(items: Sequence[Mapping[str, Any]]) -> dict[str, dict[_Output, float]]:
    """By measure the outputs' values, from the items of a scoring, which have a row for each protocol."""
    measures: dict[str, dict[_Output, float]] = {}
    for row in items:
        output = row["model"], row["method"], row["id"]
        for name in _AUTOMATIC:
            value = row.get(name)
            if value is None:
                continue
            measure = name
            if name in _OF_A_PROTOCOL:
                measure += f" {row['protocol']}"
            measures.setdefault(measure, {})[output] = float(value)
    return measures


def _judged_measures(judgements: Sequence[Mapping[str, Any]]) -> dict[str, dict[_Output, float]]:
    """By aspect and judge the outputs' mean scores, from the judgements of a language model."""
    samples: dict[str, dict[_Output, list[float]]] = {}
    for row in judgements:
        output = row["model"], row["method"], row["item"]
        for aspect in ASPECTS:
            value = row.get(aspect)
            if value is not None:
                by_output = samples.setdefault(f"{aspect} by {row['judge']}", {})
                by_output.setdefault(output, []).append(float(value))
    means = {}
    for measure, by_output in samples.items():
        means[measure] = {output: fmean(values) for output, values in by_output.items()}
    return means


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
        return read_bytes(path).decode("utf-8-sig")  # editors may have put a byte order mark before it
    except (OSError, ValueError) as error:
        raise DLCodeGenError(f"{path}: cannot be read ({error})") from error
