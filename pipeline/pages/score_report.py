"""The page of `dlcodegen score` and `reproduce`: tables with plots, what they say in words, and items to open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.comparison.code_rows import ALL, BASELINES, CLEAN, CodeRow, MethodRow
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.verdict import WITHIN_NOISE
from pipeline.measures.outputs import MethodName
from pipeline.pages.report_page import Target, setting_rows, write_page
from pipeline.pages.score_items import ScoreItem, score_item_json


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedRow:
    """A method's values by column: published (None where the paper prints none) and reproduced."""

    method: str
    values: Mapping[str, tuple[float | None, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedTable:
    title: str
    columns: Sequence[str]
    rows: Sequence[PublishedRow]

    def mean_difference(self, column: str) -> float | None:
        """The mean absolute difference of a column's values that are published."""
        found = [abs(ours - printed) for printed, ours in self._column(column) if printed is not None]
        return sum(found) / len(found) if found else None

    def _column(self, column: str) -> Iterable[tuple[float | None, float]]:
        return [row.values[column] for row in self.rows if column in row.values]


@dataclass(frozen=True, kw_only=True, slots=True)
class PlainTable:
    """A table of ready texts: heads, and rows of as many cells; the first cell names the row."""

    title: str
    about: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScorePage:
    """Everything the page shows. `lede` is a sentence under the title, `findings` are those that matter. `seeds`: runs
    that stand apart, since their mean is shown."""

    title: str
    lede: str
    findings: Sequence[str]
    methods: Sequence[MethodRow]
    rows: Sequence[CodeRow]
    comparisons: Sequence[Comparison]
    items: Sequence[ScoreItem]
    asked: int
    published: Sequence[PublishedTable] = ()
    tables: Sequence[PlainTable] = ()
    absent: Sequence[str] = ()
    seeds: frozenset[MethodName] = frozenset()
    settings: Mapping[str, object] = field(default_factory=dict)

    def came(self, subset: str) -> list[MethodRow]:
        return [row for row in self.methods if row.subset == subset]

    def corpora(self, protocol: str, subset: str) -> list[CodeRow]:
        """Methods in their order, then baselines by CodeBLEU; seeds only in their mean."""
        rows = [row for row in self._of(protocol, subset) if MethodName.of(row) not in self.seeds]
        copies = sorted((row for row in rows if row.table == BASELINES), key=lambda row: row.codebleu)
        return [row for row in rows if row.table != BASELINES] + copies

    def single_seeds(self, protocol: str) -> list[CodeRow]:
        return [row for row in self._of(protocol, ALL) if MethodName.of(row) in self.seeds]

    def _of(self, protocol: str, subset: str) -> list[CodeRow]:
        return [row for row in self.rows if (row.protocol, row.subset) == (protocol, subset)]

    def compared(self, measure: str, protocol: str, subset: str) -> list[Comparison]:
        key = (measure, protocol, subset)
        return [row for row in self.comparisons if (row.measure, row.protocol, row.subset) == key]


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the scatter of CodeBLEU over length, in the plot's units; `label_y` is where its label stands."""

    row: CodeRow
    x: float
    y: float
    label_y: float


def scatter(rows: Sequence[CodeRow], *, width: float, height: float, equal_length: bool) -> list[Point]:
    """Corpora by length ratio (from 0) and CodeBLEU (from 0); labels of methods keep a distance of a line."""
    if not rows:
        return []
    widest = max(1.0, *(row.length_ratio for row in rows))
    highest = max(50.0, *(row.codebleu for row in rows), *(row.equal_length_codebleu for row in rows))
    points: list[Point] = []
    taken: list[float] = []
    for row in sorted(rows, key=lambda row: -(row.equal_length_codebleu if equal_length else row.codebleu)):
        value = row.equal_length_codebleu if equal_length else row.codebleu
        y = height * (1 - value / highest)
        label = max([y, *(taken[-1:] and [taken[-1] + 12])]) if row.table != BASELINES else y
        if row.table != BASELINES:
            taken.append(label)
        points.append(Point(row, width * row.length_ratio / (1.08 * widest), y, label))
    return points


def span(rows: Sequence[Comparison]) -> float:
    """The largest end of any interval, so that zero is in the middle of the plot."""
    return max((abs(end) for row in rows for end in (row.low, row.high)), default=1.0) or 1.0


def write_score_report(page: ScorePage, out: Target) -> None:
    """Writes the page; equal input gives equal bytes."""
    write_page(
        out,
        "score_report.html.jinja",
        title=page.title,
        data=((item.number, score_item_json(item)) for item in page.items),
        styles=("report.css", "score_report.css"),
        page=page,
        items=page.items,
        settings=list(setting_rows(page.settings)),
        baselines=BASELINES,
        noise=WITHIN_NOISE,
        everything=ALL,
        clean=CLEAN,
        scatter=scatter,
        span=span,
    )
