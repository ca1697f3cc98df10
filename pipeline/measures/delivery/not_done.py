"""How the list of what was not done looks in a script, for what writes it and for what measures the code."""

from __future__ import annotations

HEAD = "# Not done of what was asked:"
ITEM = "# - "


def without_list(script: str) -> str:
    """The script without the list in its first cell. Of a script without one, the script."""
    lines = script.split("\n")
    if HEAD not in lines:
        return script
    start = lines.index(HEAD)
    end = start + 1
    while end < len(lines) and lines[end].startswith(ITEM):
        end += 1
    if start and lines[start - 1] == "#":
        start -= 1
    elif start and lines[start - 1] == "# %% [markdown]":  # a cell of its own
        start -= 1
        end += 2 if lines[end : end + 2] == ["", "# %%"] else 1
    return "\n".join(lines[:start] + lines[end:])
