"""The second sample as the template's prompt shows it: what it does otherwise than the first.

Both samples whole would be most of what a row asks. What stands in the first, statement by statement, is not said
again; of a sample that solves another problem the sections that belong to the problem are left out, since the template
has a placeholder for each of them.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace

from pipeline.analysis.parsing import parsed
from pipeline.generate.symbolic.notebook import read_notebook
from pipeline.generate.symbolic.statement import Statement

_OF_THE_PROBLEM = frozenset({"data", "preprocessing", "model", "evaluate"})
"""Sections that samples of different problems have nothing of in common."""


def shown_beside(first: str, second: str, *, alike: bool) -> str:
    """The second sample's statements that do not stand in the first, under their cells, without prose; the sample as it
    is where one of the two does not parse. `alike`: they solve the same problem on the same kind of data."""
    if parsed(first) is None or parsed(second) is None:
        return second
    known = Counter(ast.dump(statement.node) for statement in read_notebook(first).statements)
    notebook = read_notebook(second)
    shown: list[Statement] = []
    heading = ""
    for statement in notebook.statements:
        heading = statement.heading or heading
        key = ast.dump(statement.node)
        if known[key]:
            known[key] -= 1
            continue
        if not alike and statement.section in _OF_THE_PROBLEM:
            continue
        # A cell whose first statement stands in the first sample opens with the next one.
        shown.append(replace(statement, heading=heading, note=""))
        heading = ""
    return replace(notebook, title="", statements=tuple(shown)).text().strip("\n")
