"""Many sets of numbers of different sizes in one file: all numbers in a row, and the bounds between the sets."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from corpus_build.deduplicate.shingles import Hashes
from pipeline.errors import DLCodeGenError
from pipeline.storage.files import read_bytes, write_bytes

Arrays = dict[str, npt.NDArray[np.generic]]


def write_arrays(url: str, **arrays: npt.NDArray[np.generic]) -> None:
    """Named arrays as an .npz file, whole or not at all."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    write_bytes(url, buffer.getvalue())


def read_arrays(url: str) -> Arrays:
    """The named arrays of an .npz file."""
    with np.load(io.BytesIO(read_bytes(url)), allow_pickle=False) as archive:
        return dict(archive)


def packed(sets: Sequence[Hashes], name: str) -> Arrays:
    """The sets as two arrays: all numbers, and where each set begins and the last one ends."""
    bounds = np.cumsum([0, *map(len, sets)], dtype=np.int64)
    # The empty array gives the type of the result where there is no set.
    return {name: np.concatenate([*sets, np.empty(0, np.uint64)]), f"{name}_bounds": bounds}


def unpacked(arrays: Arrays, name: str) -> list[Hashes]:
    """The sets that `packed` put under this name, as views of one array. Raises DLCodeGenError where there are none."""
    if name not in arrays:
        raise DLCodeGenError(f"work/ of this build is of an older version (no {name!r}): remove it and build anew")
    numbers = arrays[name].astype(np.uint64, copy=False)
    bounds = arrays[f"{name}_bounds"].tolist()
    return [numbers[start:end] for start, end in pairwise(bounds)]
