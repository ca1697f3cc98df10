"""The page of `dlcodegen score` and `reproduce`: tables with plots, what they say
in words, and items to open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.comparison.code_rows import ALL, BASELINES, CLEAN, CodeRow
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.method_costs import MethodCost
from pipeline.comparison.method_rows import MethodRow
from pipeline.comparison.verdict import WITHIN_NOISE
from pipeline.measures.outputs import MethodName
from pipeline.pages.report_page import Target, setting_rows, write_page
from pipeline.pages.score_items import ScoreItem, score_item_json


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedRow:
    """A method's values in a table of the paper."""

    method: str
    values: Mapping[str, tuple[float | None, float]]
    """By column: published (None where the paper prints none), and reproduced."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedTable:
    title: str
    columns: Sequence[str]
    rows: Sequence[PublishedRow]

    def mean_difference(self, column: str) -> float | None:
        """The mean absolute difference of a column's values that are published."""
        differences = []
        for row in self.rows:
            published, reproduced = row.values.get(column, (None, 0.0))
            if published is not None:
                differences.append(abs(reproduced - published))
        if not differences:
            return None
        return sum(differences) / len(differences)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlainTable:
    """A table of ready texts."""

    title: str
    about: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    """As many cells as `heads`; the first one names the row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScorePage:
    """Everything the page shows."""

    title: str
    lede: str
    """The sentence under the title."""
    findings: Sequence[str]
    """What the figures say, in sentences (`pipeline.pages.findings`)."""
    methods: Sequence[MethodRow]
    rows: Sequence[CodeRow]
    comparisons: Sequence[Comparison]
    items: Sequence[ScoreItem]
    asked: int
    published: Sequence[PublishedTable] = ()
    tables: Sequence[PlainTable] = ()
    costs: Sequence[MethodCost] = ()
    """What the methods that ask a language model cost."""
    absent: Sequence[str] = ()
    seeds: frozenset[MethodName] = frozenset()
    """Single runs of methods that ran several times: their means are in the tables,
    and they in one of their own."""
    settings: Mapping[str, object] = field(default_factory=dict)

    def came(self, subset: str) -> list[MethodRow]:
        return [row for row in self.methods if row.subset == subset]

    def corpora(self, protocol: str, subset: str) -> list[CodeRow]:
        """Methods in their order, then baselines by CodeBLEU; seeds only in their mean."""
        methods = []
        baselines = []
        for row in self._of(protocol, subset):
            if MethodName.of(row) in self.seeds:
                continue
            if row.table == BASELINES:
                baselines.append(row)
            else:
                methods.append(row)
        return methods + sorted(baselines, key=lambda row: row.codebleu)

    def single_seeds(self, protocol: str) -> list[CodeRow]:
        return [row for row in self._of(protocol, ALL) if MethodName.of(row) in self.seeds]

    def _of(self, protocol: str, subset: str) -> list[CodeRow]:
        return [row for row in self.rows if (row.protocol, row.subset) == (protocol, subset)]

    def compared(self, measure: str, protocol: str, subset: str) -> list[Comparison]:
        key = (measure, protocol, subset)
        return [row for row in self.comparisons if (row.measure, row.protocol, row.subset) == key]


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the scatter of CodeBLEU over length, in the plot's units."""

    row: CodeRow
    x: float
    y: float
    label_y: float
    """The height of its label."""


LABEL_HEIGHT = 12
"""How far labels of the scatter are apart at least, in the plot's units."""


def _codebleu(row: CodeRow, equal_length: bool) -> float:
    if equal_length:
        return row.equal_length_codebleu
    return row.codebleu


def scatter(rows: Sequence[CodeRow], *, width: float, height: float, equal_length: bool) -> list[Point]:
    """Corpora by length ratio (from 0) and CodeBLEU (from 0); labels of methods
    keep a distance of a line."""
    if not rows:
        return []
    # Short of these the axes are as in other plots, so that pages can be compared by eye.
    widest = 1.0
    highest = 50.0
    for row in rows:
        widest = max(widest, row.length_ratio)
        highest = max(highest, row.codebleu, row.equal_length_codebleu)
    points: list[Point] = []
    label_above: float | None = None
    # From the top down, so that a label that is in the way of another moves down, never up.
    for row in sorted(rows, key=lambda row: -_codebleu(row, equal_length)):
        y = height * (1 - _codebleu(row, equal_length) / highest)
        label_y = y
        if row.table != BASELINES:  # baselines are points without a label
            if label_above is not None:
                label_y = max(y, label_above + LABEL_HEIGHT)
            label_above = label_y
        x = width * row.length_ratio / (1.08 * widest)  # the longest stays off the right edge
        points.append(Point(row, x, y, label_y))
    return points


def span(rows: Sequence[Comparison]) -> float:
    """The largest end of any interval, so that zero is in the middle of the plot."""
    ends = [max(abs(row.low), abs(row.high)) for row in rows]
    return max(ends, default=1.0) or 1.0


def write_score_report(page: ScorePage, out: Target) -> None:
    """Writes the page; equal input gives equal bytes."""
    # A generator: an item's JSON is made when it is written, not all of them held.
    data = ((item.number, score_item_json(item)) for item in page.items)
    write_page(
        out,
        "score_report.html.jinja",
        title=page.title,
        data=data,
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
