"""Inputs that mean harm or mishap, a kind at a time: rows for `generate`, and files for `generate` and `corpus build`.

A row of each kind stands between good ones; what becomes of it (a project, or a failure with its kind) is for the test
to judge. Every text that tries to run something would write the file `CANARY`, so that one look tells.
"""

from __future__ import annotations

import gzip
import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

CANARY = "hostile-canary"
_RUN = f"open('{CANARY}','w')"

REQUIREMENTS = {
    # what Python, a notebook or a shell would take for code
    "pep263": "label encoding: integers from 0 to 4",
    "pep263 escape": f"Classify photos. coding: raw_unicode_escape \\u000a{_RUN}",
    "pep263 utf-7": f"coding=utf-7 Classify clouds +AAo-{_RUN}",
    "docstring end": f'Classify clouds """\n{_RUN}\n"""',
    "single docstring end": f"Classify clouds '''\n{_RUN}\n'''",
    "backslash end": "Classify clouds by height \\",
    "backslash quote": f'Classify clouds \\"""\n{_RUN}#',
    "unicode name": "Classify clouds \\N{BULLET} and \\x41 and \\u0041",
    "line break": f"Classify clouds\n{_RUN}",
    "carriage return": f"Classify clouds\r{_RUN}",
    "form feed": f"Classify clouds\f{_RUN}",
    "vertical tab": f"Classify clouds\v{_RUN}",
    "next line": f"Classify clouds\u0085{_RUN}",
    "line separator": f"Classify clouds\u2028{_RUN}\u2029{_RUN}",
    "file separator": f"Classify clouds\x1c{_RUN}\x1d\x1e",
    "shell magic": f"Classify clouds\n!touch {CANARY}\n%%bash\ntouch {CANARY}",
    "cell mark": f"Classify clouds\n# %%\n{_RUN}",
    "template": "Classify clouds {{ 7 * 7 }} {% for x in y %} <<units>> ${HOME} %(name)s {0}",
    "f-string": f"Classify clouds {{{_RUN}}}",
    "shell words": f"Classify clouds; touch {CANARY} $(touch {CANARY}) `touch {CANARY}` | tee {CANARY}",
    "fence": f"Classify clouds\n```python\n{_RUN}\n```\n",
    # what a page, a table or a terminal would take for its own
    "script": f"<script>fetch('/{CANARY}')</script> classify clouds </script><!--",
    "image": "<img src=x onerror=alert(1)> classify clouds",
    "json end": '"}</script><svg onload=alert(1)> classify clouds',
    "entity": "classify &lt;clouds&gt; &#x3c;b&#x3e; &amp;amp;",
    "link": "[classify clouds](javascript:alert(1)) ![x](//example.invalid/x.png)",
    "table": "classify | clouds |\n|---|---|\n| a | b |",
    "formula": "=1+1 classify clouds",
    "formula call": '=HYPERLINK("//example.invalid","classify clouds")',
    "formula at": "@SUM(1+1) classify clouds",
    "formula plus": "+1 classify clouds",
    "formula minus": "-2+3 classify clouds",
    "rich": "[red]classify[/red] clouds [/b] [link=x]y[/link] \\[",
    "ansi": "\x1b[31mclassify\x1b[0m clouds \x1b]0;title\x07",
    "c1": "\u009b31mclassify clouds \u0090",
    "bell": "classify clouds \x07\x08\x7f",
    "bidi": "classify \u202eclouds\u202c by \u2066height\u2069",
    "zero width": "classi\u200bfy clo\u200duds \ufeff",
    "combining": "classify clouds " + "e" + "\u0301" * 500,
    "emoji": "classify \U0001f468\u200d\U0001f469\u200d\U0001f467 clouds",
    "private use": "classify clouds \ue000\U000f0000\uffff",
    # what readers loop on
    "blanks": "classify clouds" + " " * 15_000 + "x",
    "newlines": "classify clouds" + "\n" * 15_000 + "x",
    "braces": "{" * 15_000,
    "brackets": "[" * 15_000,
    "digits": "1" * 15_000,
    "sizes": "224x" * 4_000,
    "dense": "Dense(" * 3_000,
    "dollars": "$" * 15_000,
    "hashes": "#" * 15_000,
    "commas": "1," * 7_000,
    "huge number": "classify clouds into " + "9" * 400 + " classes, images of " + "9" * 30 + "x" + "9" * 30,
    "zero classes": "classify clouds into 0 classes, images 0x0, batch size 0, -5 epochs, learning rate 0",
    "negative": "classify clouds, -64x-64 pixels, learning rate -1e-999, 1e999 epochs",
    "too long": "x" * 100_000,
    "one letter": "x",
    "marks alone": "?!.,;:",
    "other language": "请对云的照片进行分类，共五类。",
    "right to left": "صنّف صور السحب إلى خمس فئات",
}  # fmt: skip
"""Requirements that are text, by their kind: each a row that can be read."""

LINES = {
    "broken json": b'{"id": "broken", "requirement": "cut',
    "not an object": b'["classify clouds"]',
    "a number": b"17",
    "empty": b'{"requirement": "  "}',
    "missing": b'{"attributes": "images"}',
    "null": b'{"requirement": null}',
    "wrong type": b'{"requirement": {"a": 1}}',
    "nan": b'{"requirement": NaN}',
    "nul": b'{"requirement": "a\\u0000b"}',
    "half a pair": b'{"requirement": "classify \\ud83d clouds"}',
    "latin-1": b'{"requirement": "\xff\xfe caf\xe9"}',
    "deep": b'{"requirement": "classify clouds", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "many digits": b'{"requirement": "classify clouds", "x": ' + b"9" * 100_000 + b"}",
    "our columns": b'{"requirement": "Estimate rents.", "plan": "mine", "failure": 7, "files": [], "row": "x"}',
    "a key twice": b'{"requirement": "Estimate rents.", "requirement": "Classify clouds."}',
    "id path": b'{"id": "../../../etc/passwd", "requirement": "Classify clouds."}',
    "id absolute": b'{"id": "/tmp/hostile-canary", "requirement": "Classify clouds."}',
    "id device": b'{"id": "CON", "requirement": "Classify clouds."}',
    "id dots": b'{"id": "..", "requirement": "Classify clouds."}',
    "id long": b'{"id": "' + b"n" * 5000 + b'", "requirement": "Classify clouds."}',
    "id markup": b'{"id": "[/b]<b>\\u001b[31m", "requirement": "Classify clouds."}',
    "id option": b'{"id": "--out", "requirement": "Classify clouds."}',
    "id blank": b'{"id": " ", "requirement": "Classify clouds."}',
    "id object": b'{"id": {"a": [1]}, "requirement": "Classify clouds."}',
    "attributes list": b'{"requirement": "Classify clouds.", "attributes": [1, null, {"a": "b"}]}',
    "attributes long": b'{"requirement": "Classify clouds.", "attributes": "' + b"(" * 30_000 + b'"}',
    "reference broken": b'{"requirement": "Classify clouds.", "code": "def f(:\\n  \'\'\'open"}',
    "reference nested": b'{"requirement": "Classify clouds.", "code": "x = ' + b"(" * 5_000 + b'"}',
    "reference long": b'{"requirement": "Classify clouds.", "code": "' + b"x = 1\\n" * 20_000 + b'"}',
}  # fmt: skip
"""Lines of a JSONL file that are broken, or whose other columns are."""


def row_lines() -> list[bytes]:
    """A JSONL line of each kind; a hostile text is id, requirement and attributes at once."""
    texts = [
        json.dumps({"id": name, "requirement": text, "attributes": text[:19_000]}).encode()
        for name, text in REQUIREMENTS.items()
    ]
    return [*LINES.values(), *texts]


def write_rows(folder: Path) -> int:
    """Writes the rows of all kinds, in every format, between good ones; returns how many rows there are."""
    good = json.dumps({"requirement": "Classify photos of clouds into 5 kinds."}).encode()
    lines = [line for hostile in row_lines() for line in (good, hostile)]
    (folder / "rows.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    texts = list(REQUIREMENTS.values())
    pq.write_table(pa.table({"requirement": texts}), folder / "rows.parquet")
    quoted = ['"{}"'.format(text.replace('"', '""')) for text in texts]
    (folder / "rows.csv").write_bytes("\r\n".join(["requirement", *quoted]).encode())
    return len(lines) + 2 * len(texts)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


IRREGULAR: dict[str, Callable[[Path], None]] = {
    "a fifo": _fifo,
    "a socket": _socket,
    "a link to a device": _link("/dev/zero"),
    "a link to nothing": _link("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
}
"""Things in a folder that are no regular files: each a failure with its name, while the files beside it are read."""


def _parquet_bomb(path: Path) -> None:
    """A few KB that become gigabytes: one long text, repeated by reference."""
    text = pa.array(["x" * 1_000_000])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), text)
    # Without the Arrow schema a reader meets plain text, 5 GB of it.
    pq.write_table(pa.table({"requirement": column}), path, compression="zstd", store_schema=False)


DAMAGED: dict[str, tuple[str, Callable[[Path], object]]] = {
    "empty": (".jsonl", lambda path: path.write_bytes(b"")),
    "gzip bomb": (".jsonl.gz", lambda path: path.write_bytes(gzip.compress(b"\n" * 200_000_000))),
    "gzip of one line": (".jsonl.gz", lambda path: path.write_bytes(gzip.compress(b"x" * 200_000_000))),
    "gzip cut off": (".jsonl.gz", lambda path: path.write_bytes(gzip.compress(b"{}" * 1000)[:-9])),
    "not gzip": (".jsonl.gz", lambda path: path.write_bytes(b"{}\n")),
    "parquet bomb": (".parquet", _parquet_bomb),
    "parquet cut off": (".parquet", lambda path: path.write_bytes(b"PAR1" + b"\0" * 100)),
    "parquet without the column": (".parquet", lambda path: pq.write_table(pa.table({"x": [1]}), path)),
    "csv without the column": (".csv", lambda path: path.write_text("x\n1\n")),
    "csv with an open quote": (".csv", lambda path: path.write_text('requirement\n"' + f"{'a' * 200}\n" * 3_000)),
    "csv of quotes": (".csv", lambda path: path.write_text("requirement\n" + '"' * 500_001)),
    "utf-16": (".csv", lambda path: path.write_text("requirement\nClassify clouds\n", encoding="utf-16")),
    "json cut off": (".json", lambda path: path.write_text('[{"requirement": "a"}, {"requ')),
    "json deep": (".json", lambda path: path.write_text("[" * 200_000)),
    "json of braces": (".json", lambda path: path.write_text('{"a":' * 100_000)),
    "unknown extension": (".exe", lambda path: path.write_bytes(b"MZ")),
}
"""Files for `generate` that are damaged or explode: a folder with one of them is refused in one line, or read."""


def notebooks() -> Iterator[tuple[str, bytes]]:
    """Files for `corpus build` by name: one good notebook, and hostile ones of each kind."""
    yield "good.ipynb", _notebook("# Classify clouds", _program("good"))
    for name, text in REQUIREMENTS.items():
        yield f"text {name}.ipynb", _notebook(f"# {text}", _program(name))
    for name, text in {
        "heading of blanks": "# " + " " * 20_000 + "x",
        "open links": "![" * 40_000,
        "lines": "\n" * 60_000,
    }.items():
        yield f"markdown {name}.ipynb", _notebook(text, _program(name))
    for name, code in {
        "deep": "x = " + "(" * 20_000,
        "nested": "x = " + "[" * 90 + "]" * 90,
        "minus": "x = " + "-" * 50_000 + "1",
        "many lines": "x = 1\n" * 60_000,
        "nul": "x = '\0'\n",
        "magics": "!ls\n%%bash\n" * 2_000,
        "open string": "'''",
        "tabs": "if x:\n\ty=1\n        z=2\n",
    }.items():
        yield f"code {name}.ipynb", _notebook("# Classify clouds", _program(name) + code)
    for name, data in {
        "empty": b"",
        "not json": b"\x00\x01PK",
        "deep": b"[" * 200_000,
        "list": b"[]",
        "cells a number": b'{"cells": 7, "nbformat": 4}',
        "cell a text": b'{"cells": ["x"], "nbformat": 4, "metadata": {}}',
        "source an object": b'{"cells": [{"cell_type": "code", "source": {"a": 1}}], "nbformat": 4, "metadata": {}}',
        "old": b'{"worksheets": [{"cells": []}], "nbformat": 3, "metadata": {}}',
    }.items():
        yield f"file {name}.ipynb", data


def _program(name: str) -> str:
    """A program of its own, so that none is another's duplicate."""
    lines = [f"{name.replace(' ', '_').replace('-', '_')}_{number} = load({name!r}, {number})" for number in range(30)]
    model = (
        "model = keras.Sequential([keras.layers.Dense(1)])\nmodel.compile('adam', 'mse')\nmodel.fit(x, y, epochs=3)\n"
    )
    return "import keras\n" + "\n".join(lines) + "\n" + model


def _notebook(markdown: str, code: str) -> bytes:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": markdown},
        {"cell_type": "code", "metadata": {}, "source": code, "outputs": [], "execution_count": 1},
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()
