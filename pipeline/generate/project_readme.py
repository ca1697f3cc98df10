"""The README.md of a project: what was asked, how to run it, where data go, and what became of each thing asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.foreign_text import markdown_text
from pipeline.generate.not_done import not_done, one_line
from pipeline.measures.delivery.code import Code, read_code
from pipeline.measures.delivery.data.files import files_read
from pipeline.records import NOTEBOOK, REQUIREMENTS, SCRIPT, Generated
from pipeline.request.delivery import Assumption, ConstraintCheck, Delivery
from pipeline.request.subject import title_of
from pipeline.request.wording import assumption_words, constraint_words

_LONGEST_REQUEST = 2_000
_MOST_FILES = 12


def readme(record: Generated, delivery: Delivery, plain: str) -> str:
    """The README as Markdown. What others wrote is words in it: no HTML, no images, no links but to web pages.
    `plain` is the script as it was looked up."""
    paragraphs = [
        f"# {_words(title_of(record.requirement, record.constraints))}",
        f"You asked: “{_words(_cut(record.requirement))}”",
        f"## Run it\n\n    pip install -r {REQUIREMENTS}\n    python {SCRIPT}\n\n"
        f"in an environment of its own. `{NOTEBOOK}` has the same steps as a notebook.",
        f"## Data\n\n{_data(record, plain)}",
        *_asked(delivery),
        *_decided(record),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _asked(delivery: Delivery) -> Iterator[str]:
    by_outcome: dict[str, list[ConstraintCheck]] = {"met": [], "not_met": [], "not_checkable": []}
    for check in delivery.checks:
        by_outcome[check.outcome].append(check)
    if delivery.checks:
        yield "## Asked\n\nWhat was read in the request, looked up in the code. Nothing was run."
    else:
        yield "## Asked\n\nNothing that can be looked up in code was read in the request."
    yield from _list("### Met", [_met(check) for check in by_outcome["met"]])
    yield from _list("### Not done", [not_done(check) for check in by_outcome["not_met"]])
    told = [f"{constraint_words(check.constraint)}: {check.evidence}" for check in by_outcome["not_checkable"]]
    yield from _list("### Cannot be told from the code", told)
    yield from _list("## Assumed\n\nNobody asked for these; change them where they do not fit.", _assumed(delivery))


def _decided(record: Generated) -> Iterator[str]:
    """What a model that wrote the project says it assumed, and what was corrected in the plan."""
    if record.decisions is not None:
        yield from _list("## Assumed by the model\n\nIn its own words.", record.decisions.assumptions)
    corrected = []
    for one in record.corrections:
        corrected.append(f"{one.field.replace('_', ' ')}: {_cut(one.now)} ({_cut(one.because)})")
    yield from _list("## Corrected\n\nWhere the project is otherwise than it was planned.", corrected)


def _assumed(delivery: Delivery) -> list[str]:
    return [_assumption(one) for one in delivery.assumptions]


def _assumption(one: Assumption) -> str:
    # Which projects a plan was drawn from is for the row and the report: here nobody has seen them.
    source = "as in similar projects" if one.origin == "neighbour" else assumption_words(one)
    return f"{one.name.replace('_', ' ')} {one.value} ({source})"


def _met(check: ConstraintCheck) -> str:
    words = constraint_words(check.constraint)
    return words if check.line is None else f"{words} (line {check.line})"


def _list(heading: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield "\n".join([heading, "", *(f"- {_words(item)}" for item in items)])


def _data(record: Generated, plain: str) -> str:
    if record.data_folder:
        return f"The script reads your data where they are: {_words(record.data_folder)}."
    code = read_code(plain)
    for call in code.calls if code is not None else ():
        if call.path == "os.environ.get" and call.args[:1] == ("DATA_DIR",):
            folder = call.argument(1)
            default = f", by default {_words(folder)}" if isinstance(folder, str) else ""
            return (
                f"The script reads the folder that the environment variable `DATA_DIR` names{default}: put your data "
                f"there{_named_data(code)}. The cell “Data” says how they are to lie in it; where there is no such "
                "folder, the script runs on made-up data and says so."
            )
    found = files_read(code) if code is not None else ()
    names = list(dict.fromkeys(one_line(str(file.value)) for file in found))
    if not names:
        return f"See the first lines of `{SCRIPT}`: no file of data is named there that could be recognised."
    items = [f"- {_words(name)}" for name in names[:_MOST_FILES]]
    return "\n".join(["The script names these; put your own there, or change the lines.", "", *items])


_DATA_NAME = re.compile(r"[A-Z_]*(FILE|FOLDER|COLUMN|COLUMNS|TARGET|TARGETS)")


def _named_data(code: Code | None) -> str:
    """The constants at the top that name files and columns, with their values."""
    named: list[str] = []
    for constant in code.named if code is not None else ():
        if constant.value and _DATA_NAME.fullmatch(constant.name) and len(named) < _MOST_FILES:
            named.append(f"`{constant.name}` {_words(_cut(str(constant.value)))}")
    return f" ({'; '.join(named)})" if named else ""


def _words(text: str) -> str:
    return markdown_text(one_line(text))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_REQUEST else text[:_LONGEST_REQUEST] + " …"
