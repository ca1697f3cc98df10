"""Texts that want to be more than text: in Python, notebooks, HTML, spreadsheets, Markdown, Rich markup, terminals, shells."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = (
    # what Python reads in a file's first two lines (PEP 263), and where it ends a line
    "label encoding: integers from zero to four", "coding: raw_unicode_escape \\u000aopen('pwned', 'w')  #", "coding=utf-7 +AAo-x",
    "coding: utf-8", "vim: set fileencoding=latin-1 :", "coding:", "\ufeff", "\r", "\n", "\r\n", "\f", "\v", "\x1c", "\x1d", "\x1e",
    "\x85", "\u2028", "\u2029", "\x00", "\x1a", "\\", "\\N{LINE FEED}", "\\u000a", '"""', "'''", '"', "'", "#", "# type: ignore",
    "from __future__ import braces", "import os", "raise SystemExit", "{x}", "{{ x }}", "{% x %}", "${x}", "%(x)s", "<<x>>",
    # cells and magics
    "%%", "%% [markdown]", "# %%", "\n# %% Model\n", "!touch pwned", "%run pwned", "%%bash", "? os", "In[1]:", "# In[ ]:", "+", "# +",
    # HTML, Markdown, maths
    "<script>pwned()</script>", "</script>", "<img src=x onerror=pwned()>", "<!--", "-->", "<a href='javascript:pwned()'>", "<https://x.example>",
    "&lt;", "&#60;", "]]>", "![x](https://x.example/t.png)", "[x](javascript:pwned())", "[x]: data:text/html,x", "](", "```", "|", "$x$", "$\\frac{$",
    # spreadsheets, YAML, Rich, shells
    "=HYPERLINK(\"http://x\")", "+cmd|' /C calc'!A", "-x", "@SUM(A)", "\t=x", "- !!python/object:x", "---\n", "[red]", "[/b]", "[link=x]", ":smile:",
    "; rm x", "$(pwned)", "`pwned`", "&& x", "../../x", "/etc/x", "CON", "a/b",
    # terminals and what reorders or hides
    "\x1b[2J", "\x1b]0;x\x07", "\x9b31m", "\x07", "\x08", "\x7f", "\u202egnp.exe\u202c", "\u2066x\u2069", "\u200f", "مرحبا", "é", "中", "😀", "\ud83d", "\udc80",
    # plain words between
    "classify", "images", "of leaves", "with a CNN",
)  # fmt: skip
"""What hostile texts are put together from."""


def hostile_texts() -> st.SearchStrategy[str]:
    """Pieces and any characters, half of a surrogate pair included, in any order."""
    any_characters = st.text(st.characters(exclude_categories=("Nd",)), max_size=12)  # a digit may be a class count
    pieces = st.lists(st.one_of(st.sampled_from(PIECES), any_characters), min_size=1, max_size=6)
    return st.builds(str.join, st.sampled_from(("", " ", "\n")), pieces)
