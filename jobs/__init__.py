"""Thin entry points for `ray job submit` and the command line, and all Ray Data glue."""

from __future__ import annotations

from importlib import import_module


def run_command(*name: str) -> None:
    """What an entry point does as a module: `python -m jobs.generate WORDS` is `dlcodegen generate WORDS`."""
    # By name: the command line imports the commands, and these the entry points, so an import would close a circle.
    import_module("jobs.cli").run_command(*name)
