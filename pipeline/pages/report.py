"""The HTML report of a job, from the scored rows.

All rows are counted; a bounded number can be opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.calls import LLMCall
from pipeline.pages.report_items import Selection, item_json
from pipeline.pages.report_page import LADDER_STYLES, Target, setting_rows, write_page
from pipeline.pages.report_summary import ReportSummary
from pipeline.records import Scored


def write_report(
    records: Iterable[Scored],
    out: Target,
    *,
    title: str,
    settings: Mapping[str, object],
    items: int = 200,
    shared_calls: Iterable[LLMCall] = (),
) -> None:
    """Writes the report of all records, which are read once; equal input gives equal bytes.

    `out` is an open binary file, a path or an fsspec URL; nothing is opened before the last record
    is read. At most `items` rows can be opened (`Selection` says which): about 20 kB and 40 ms
    each. `settings` are shown as they are, nested mappings with dotted names, so they must hold no
    secrets. `shared_calls` are of no single row. Raises ValueError if `items` is negative.
    """
    if items < 0:
        raise ValueError(f"items is the number of rows that can be opened: 0 or more, not {items}")
    summary, selection = ReportSummary(), Selection(items)
    for number, record in enumerate(records):
        summary.add(record)
        selection.add(number, record)
    for call in shared_calls:
        summary.add_call(call)
    shown = selection.items()
    write_page(
        out,
        "report.html.jinja",
        title=title,
        data=((item.number, item_json(item)) for item in shown),
        styles=("report.css", LADDER_STYLES) if summary.execution.projects else ("report.css",),
        images=bool(summary.execution.projects),
        settings=list(setting_rows(settings)),
        summary=summary,
        funnel=summary.execution,
        items=shown,
    )
