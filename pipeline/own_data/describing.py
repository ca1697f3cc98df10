"""A row's data, looked at once per worker: the contract, and the words that go to planners and prompts."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from functools import lru_cache

from pipeline.data_description.describe import describe
from pipeline.data_description.description import DataDescription
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.own_data.examples import example_rows


# Rows of a job name the same data many times over; those of other rows are looked at by other workers at the same time.
@lru_cache(maxsize=64)
def described(path: str, target: tuple[str, ...]) -> DataDescription:
    """The data's description. Raises StageFailure: `unreadable_data` for what cannot be read, `unserved_data` where it
    cannot be told which of several files are meant, or what is to be predicted."""
    try:
        description = describe(path, target)
    except (DLCodeGenError, OSError) as error:
        raise StageFailure("unreadable_data", str(error)) from error
    contract = description.contract
    if contract is None or not contract.targets:
        why = description.notes[0] if description.notes else "which column is the target cannot be told; name it"
        raise StageFailure("unserved_data", f"{os.path.basename(path)}: {why}")
    return description


def data_words(description: DataDescription, path: str, *, share_examples: bool) -> str:
    """What is said of the data: names, kinds and counts, and only where it was allowed a few rows of a table."""
    if not share_examples:
        return description.attributes
    return " ".join([description.attributes, *example_rows(path, description)])


def description_digest(path: str, target: Sequence[str]) -> str:
    """Sixteen hexadecimal digits that change when what is said of the data does.

    Raises DLCodeGenError for data that cannot be read, or that no project could be told of.
    """
    try:
        description = described(os.path.abspath(os.path.expanduser(path)), tuple(target))
    except StageFailure as failure:
        raise DLCodeGenError(str(failure)) from failure
    return hashlib.sha256(json.dumps(description.as_json()).encode()).hexdigest()[:16]
