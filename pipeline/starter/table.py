"""The matrix of samples as the table of docs/starter.md, made of the sidecars.

    python -m pipeline.starter.table docs/starter.md

puts it between the marks in that file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.starter import matrix_rows

BEGIN, END = "<!-- matrix: made by pipeline.starter.table -->", "<!-- end of matrix -->"

_HEAD = "| problem | data | variant | Keras | PyTorch |\n|---|---|---|---|---|"
_FRAMEWORKS = ("tensorflow", "pytorch")


def matrix_table(rows: Iterable[Mapping[str, Any]]) -> str:
    """A line for each problem, kind of data and variant, with the samples in each framework and their architectures."""
    lines: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for row in rows:
        cell = row["Cell"]
        place = (_words(cell, "problem"), _words(cell, "data"), _words(cell, "variants"))
        samples = lines.setdefault(place, {framework: [] for framework in _FRAMEWORKS})
        architecture = _words(cell, "families", "backbones", "datasets")
        samples[cell["framework"]].append(f"`{row['id']}`" + (f" ({architecture})" if architecture else ""))
    text = [_HEAD]
    for place, samples in sorted(lines.items()):
        cells = [*place, *("; ".join(sorted(samples[framework])) for framework in _FRAMEWORKS)]
        text.append(f"| {' | '.join(cells)} |")
    return "\n".join(text)


def with_table(document: str, table: str) -> str:
    """The document with the table between its marks. Raises ValueError where it has none."""
    before, _, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"no line {BEGIN!r} followed by {END!r}")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def _words(cell: Mapping[str, Any], *names: str) -> str:
    values: list[str] = []
    for name in names:
        value = cell.get(name, ())
        values += [value] if isinstance(value, str) else value
    return ", ".join(value.replace("_", " ") for value in values)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_table(page.read_text("utf-8"), matrix_table(row for row, _ in matrix_rows())), "utf-8")
