"""Files, folders, columns and formats, by string literals."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from pipeline.analysis.values import Call
from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    Finding,
    Found,
    equal,
    listed,
    met,
    missing,
    plain,
    unknown,
)
from pipeline.request.constraints import Constraint

_DATA_FILE = re.compile(
    r"\.(csv|tsv|parquet|xlsx?|jsonl?|npz|npy|txt|wav|mp3|png|jpe?g|h5|hdf5|tif+|pkl|mat|zip)$", re.I
)


def files_read(code: Code) -> Iterator[Found]:
    """Files that are named and do not look like the model's or a plot's."""
    for text in code.texts:
        value = str(text.value)
        if _DATA_FILE.search(value) and not re.search(
            r"model|weights|best|plot|curve|pred|loss|confusion|history", value, re.I
        ):
            yield Found(value, text.line)


def _file(constraint: Constraint, code: Code) -> Finding:
    wanted = constraint.value.replace("\\", "/").strip("/")
    name = wanted.rpartition("/")[2]
    for text in code.texts:
        value = str(text.value).replace("\\", "/").rstrip("/")
        if value in (wanted, name) or value.endswith(("/" + wanted, "/" + name)):
            return met(text.line)
    read = list(files_read(code))
    return missing(f"reads {listed(read)}" if read else "the file is not named", read[0].line if read else None)


def _folder(constraint: Constraint, code: Code) -> Finding:
    wanted = constraint.value.replace("\\", "/").strip("/.")
    for text in code.texts:
        value = str(text.value).replace("\\", "/").strip("/.")
        if value == wanted or re.search(rf"(^|/){re.escape(wanted)}(/|$)", value):
            return met(text.line)
    folders = [item for item in code.values(r"\w*(dir|folder|directory|path|root)") if isinstance(item.value, str)]
    return missing(
        f"reads {listed(folders)}" if folders else "the folder is not named", folders[0].line if folders else None
    )


def _column_line(name: str, code: Code) -> int | None:
    """Where a column is named, but for made-up data; as it is written before other spellings of it."""
    texts = [text for text in code.texts if not code.is_made_up(text.line)]
    wanted = plain(name)
    exact = [text.line for text in texts if text.value == name]
    alike = [text.line for text in texts if plain(str(text.value)) == wanted]
    if exact or alike:
        return (exact or alike)[0]
    for node in code.nodes_of(ast.Attribute):
        if node.attr == name and not code.is_made_up(node.lineno):  # `table.age`
            return node.lineno
    return None


def _reads_table(code: Code) -> int | None:
    calls = code.calls_named(
        "read_csv|read_excel|read_parquet|read_table|read_json|DictReader|reader|fetch_openml|load_dataset|read_sql"
    )
    return calls[0].line if calls else None


def _column(constraint: Constraint, code: Code) -> Finding:
    """By its name in a text. One that must not be used is dropped by name, or no list of columns names it."""
    line = _column_line(constraint.value, code)
    table = _reads_table(code)
    if constraint.negated:
        return _unused_column(constraint, code, line, table)
    if line is not None:
        return met(line)
    if table is None:
        return missing("reads no table")
    if _by_position(code):
        return unknown("columns are taken as they come, not by name")
    return missing("the column is not named", table)


def _by_position(code: Code) -> bool:
    """Whether a table's columns are taken as they come: no two of them are picked by name."""
    picked: set[str] = set()
    for node in code.nodes_of(ast.Subscript):
        if isinstance(node.value, ast.Name):
            parts = node.slice.elts if isinstance(node.slice, ast.List) else [node.slice]
            picked |= {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    if len(picked) > 1:
        return False
    return code.word("^(iloc|select_dtypes|to_numpy|values)$") is not None or bool(code.calls_named("drop|pop"))


def _unused_column(constraint: Constraint, code: Code, line: int | None, table: int | None) -> Finding:
    """Says whether it *is* used: the caller turns it round."""
    if line is None:
        if table is None:
            return missing("reads no table")
        if _by_position(code):
            return met(table, "all columns are taken")
        return missing("no list of columns names it")
    for call in code.calls:
        if call.name in ("drop", "pop") and _names(call, constraint.value):
            return missing("dropped", call.line)
    for node in code.nodes_of(ast.Delete):
        if any(_is_column(target, constraint.value) for target in node.targets):
            return missing("deleted", node.lineno)
    return met(line)


def _is_column(node: ast.expr, name: str) -> bool:
    """`table["name"]`"""
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == name


def _names(call: Call, column: str) -> bool:
    for value in (*call.args, *call.keywords.values()):
        texts = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(text, str) and plain(text) == plain(column) for text in texts):
            return True
    return False


def _target(constraint: Constraint, code: Code) -> Finding:
    line = _column_line(constraint.value, code)
    if line is not None:
        return met(line)
    table = _reads_table(code)
    if table is None:
        return missing("reads no table")
    named = [
        item for item in code.values(r"(\w+_)?target(_\w+)?|label_col\w*|y_col(umn)?") if isinstance(item.value, str)
    ]
    if named:
        return missing(f"the target is {listed(named)}", named[0].line)
    if _by_position(code):
        return unknown("the target is taken by its position")
    return missing("the target is not named", table)


_FORMATS = {
    "csv": (r"read_csv|loadtxt|genfromtxt|DictReader|CSVLogger|make_csv_dataset", r"\.csv$"),
    "parquet": (r"read_parquet", r"\.parquet$"),
    "excel": (r"read_excel", r"\.xlsx?$"),
    "json": (r"read_json|json_normalize", r"\.jsonl?$"),
    "npz": (r"", r"\.npz$"),
    "npy": (r"", r"\.npy$"),
    "wav": (r"decode_wav|wavfile|audio_dataset_from_directory", r"\.wav$"),
    "png": (r"decode_png|image_dataset_from_directory|flow_from_directory|load_img|decode_image|ImageFolder", r"\.png$"),
    "jpg": (r"decode_jpeg|image_dataset_from_directory|flow_from_directory|load_img|decode_image|ImageFolder", r"\.jpe?g$"),
    "txt": (r"text_dataset_from_directory|TextLineDataset", r"\.txt$"),
    "hdf5": (r"read_hdf", r"\.(h5|hdf5)$"),
}  # fmt: skip


def _format(constraint: Constraint, code: Code) -> Finding:
    if constraint.value not in _FORMATS:
        return unknown(f"no check for the format {constraint.value}")
    names, ending = _FORMATS[constraint.value]
    calls = code.calls_named(names) if names else []
    line = calls[0].line if calls else code.text(ending)
    if line is None and constraint.value == "wav":
        line = next((call.line for call in code.calls if call.path.endswith(("wavfile.read", "wave.open"))), None)
    if line is None and constraint.value == "json":
        line = next((call.line for call in code.calls if call.path in ("json.load", "json.loads")), None)
    if line is not None:
        return met(line)
    read = list(files_read(code))
    return missing(f"reads {listed(read)}" if read else "no file of this format", read[0].line if read else None)


_OPTIONS = re.compile(r"^(?P<name>[A-Z_]*OPTIONS) = (?P<value>\{.*\})", re.MULTILINE)


def _options_handed_over(names: Sequence[str], code: Code) -> Iterator[Found]:
    """Options in a dict at the top that is handed over as a whole, by a function that may not be followed."""
    for match in _OPTIONS.finditer(code.source):
        if f", **{match['name']})" not in code.source:
            continue
        try:
            options = ast.literal_eval(match["value"])
        except (ValueError, SyntaxError):
            continue
        line = code.source.count("\n", 0, match.start()) + 1
        for name in names:
            if name in options:
                yield Found(options[name], line)


def _read_option(*names: str, default: str) -> Check:
    """An option of what reads a table or a text."""

    def find(constraint: Constraint, code: Code) -> Finding:
        calls = code.calls_named(r"read_\w+|open|DictReader|reader|genfromtxt|loadtxt")
        given = [Found(call.keywords[name], call.line) for call in calls for name in names if name in call.keywords]
        given += _options_handed_over(names, code)
        wanted = {"tab": "\t", "comma": ",", "semicolon": ";"}.get(constraint.value, constraint.value)
        for item in given:
            same = item.value == wanted or (plain(wanted) != "" and equal(item.value, wanted))
            if same or (
                isinstance(item.value, str) and plain(item.value) == plain(wanted).replace("iso88591", "latin1") != ""
            ):
                return met(item.line)
        if not calls:
            return missing("reads no file of this kind")
        if not given and plain(wanted) == plain(default) and (plain(wanted) or wanted == default):
            return met(calls[0].line, "the default")
        return missing(listed(given) or "the default", (given or [Found("", calls[0].line)])[0].line)

    return find


FILES: dict[str, Check] = {
    "file": _file,
    "folder": _folder,
    "column": _column,
    "target": _target,
    "format": _format,
    "separator": _read_option("sep", "delimiter", default=","),
    "encoding": _read_option("encoding", default="utf-8"),
}
