"""Texts that bring readers to their knees: one piece repeated until the text has a given size.

Backtracking regular expressions, nested loops over positions, and recursive parsers show on these what they cost. The
pieces are what people and language models really write without end (blanks, line breaks, open brackets, quotes), and what
the readers of this project look for (headings, fences, layers, shapes, keys of a plan, magics, HTML).
"""

from __future__ import annotations

from collections.abc import Iterator

PIECES = (
    # white space and line ends
    " ", "\n", "\t", "\r", "\r\n", " \n", "\n ", "\u00a0", "\u200b", "\x00", "\ufeff",
    # marks of Markdown
    "#", "# ", "#\n", "`", "```", "```\n", "```python\n", "~~~\n", "[", "![", "](", "[a](", "*", "**a", "_", "> ", "- ", "|", "| a ", "---\n",
    # brackets, quotes, escapes
    "(", ")", "[[", "]", "{", "}", "{}", '{"a":', '{"a":{', "[{", '"', '""', '"a" ', "'", "'''", '"""', "\\", '\\"', "$", "$$", "${",
    # HTML and thinking
    "<", "<a ", "<b>", "</", "<!--", "&", "&amp;", "<think>", "</think>", "<|im_end|>", "<|channel|>",
    # numbers and their neighbours
    "1", "1 ", "1.", "1,", "1e", "-", "1-", "10^", "1/", "1x", "1x1x", "224x224 ", "(1, ", "1 classes ", "one ", "%", "1%",
    # words
    "a", "a ", "A", "a.", "a. ", "a, ", "a_", "a-", "a/", "ab\n", "class ", "classes of ", "of ", "and ", "with ", "the images are ", "shape ",
    # layers and settings
    "Dense", "Dense(", "Dense(1), ", "Dense(1)\n", "Conv2D -> ", "conv ", "layer ", "relu ", "activation=", "(units=", "1 units ", "Adam, ",
    # code
    "x=", "x = 1\n", "x=[", "x(", "x.", "if x:\n ", "if x:\n", "def f():\n", "lambda:", "not ", "@", "@x\n", "!", "!ls\n", "%a\n", "# %%\n", "import a\n",
    "from a import ", "a;", ":", ": ", "a: ", "f'{", "\\\n", "\f", "else ", "for x in x ", "x if x else ", "-x", "x+", "x,", "~",
    # keys and values of a plan
    '"Layers": [', '"Input": "', '{"Dataset": {"Input": "', "null, ", '"Dense(1)", ',
    # letters of other kinds
    "é", "e\u0301", "中", "।", "\u202e", "😀", "\ud83d",
)  # fmt: skip
"""What is repeated."""

BEFORE_AND_AFTER = (
    ("# ", " ", "x"),
    ("# ", "#", " x"),
    ("[", "a", ""),
    ("![", " ", "]("),
    ("(", "1, ", ""),
    ('"', " ", ""),
    ('a,"', "a\n", ""),
    ('{"Dataset": {"Input": "', " ", ""),
    ('{"Model Architecture": {"Layers": ["Dense(1)', " ", '", "Dense(2)"]}}'),
    ('{"Model Architecture": {"Layers": ["', "Dense(1)\\n", '"]}}'),
    ('{"a": "', "\\", ""),
    ("```python\n", "x = 1\n", ""),
    ("```python\n", " ", "\n```"),
    ("x = (", "(", ""),
    ("x = '''", "a\n", ""),
    ("<think>", "a ", ""),
    ("I want to classify ", "very ", "big images"),
    ("images of ", "1 x ", "pixels"),
    ("Dense", " ", "(64)"),
    ("Dense(", " ", ")"),
    ("Dense(units", " ", "= 3)"),
    ("Dense layer with ", "1", " units"),
    ("learning rate ", "0", "1"),
    ("", 'a","\n', ""),
    ("\n{x", "\n{x", ""),
    ("", '\n{"a":', ""),
    ("Dense(", "x.", "x)"),
    ("Conv2D filters", " ", "x"),
    ("```", " ", "`"),
    ("# %% a", " ", "b"),
    ("as ", "a, ", ""),
    ("classes", "class", ""),
    ("x = 1\n", "\n\n", "x = ("),
    ("if a:\n 1\n", "elif a:\n 1\n", ""),
    ("x = a", " if a else a", ""),
    ("x = a", "(a)", ""),
    ("a: &a [x]\n", "b: &a [*a, *a]\n", ""),
    ("- id: ", "'", ""),
)
"""Texts with a beginning, a repeated piece and an end: (beginning, piece, end)."""


def awkward_texts(size: int) -> Iterator[tuple[str, str]]:
    """(name, text) of all awkward texts, each of about `size` characters. The name is the Python text of its pieces."""
    for piece in PIECES:
        yield repr(piece), piece * (size // len(piece))
    for before, piece, after in BEFORE_AND_AFTER:
        yield f"{before!r} {piece!r}* {after!r}", before + piece * (size // len(piece)) + after
