"""Where the data of each row lie: its own, or those given for all rows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pipeline.records import Requirement


def folder_of(url: str) -> str:
    """The folder that paths in an input are relative to; the working folder for what is no local file or folder."""
    if os.path.isdir(url):
        return os.path.abspath(url)
    return os.path.dirname(os.path.abspath(url)) if os.path.isfile(url) else os.getcwd()


def with_own_data(
    rows: Iterable[Requirement], folder: str, for_all: str, target: tuple[str, ...]
) -> Iterator[Requirement]:
    """The rows with an absolute path of their data, since workers may start in another folder.

    `for_all` and `target` are for rows that name no data, and no target, of their own.
    """
    for row in rows:
        path = os.path.join(folder, os.path.expanduser(row.data_folder)) if row.data_folder else for_all
        if path:
            row = replace(row, data_folder=os.path.normpath(path), data_target=row.data_target or target)
        yield row
