"""What a constant prediction would have to hit: a few figures of the training targets, taken without changing them."""

from __future__ import annotations

import sys
from typing import Any, Dict, Optional

_MOST_VALUES = 4_000_000
_MOST_CLASSES = 1000


def summary(targets: Any, *, values: bool = True) -> Optional[Dict[str, Any]]:
    """Of an array, tensor, list or column: count, and as far as they apply the number of classes, the share of the
    commonest, the entropy in nats over the classes and over each output apart, variance and mean distance to the
    median. None for what is no array of numbers. `values` False leaves the last two out."""
    array = as_array(targets)
    if array is None or array.size == 0 or array.dtype.kind not in "iufb":
        return None
    numpy = sys.modules["numpy"]
    found: Dict[str, Any] = {"count": int(array.shape[0]) if array.ndim else 1}
    if array.size > _MOST_VALUES:
        array = array[:: array.size // _MOST_VALUES + 1]
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    array = array.astype("float64")
    if not numpy.isfinite(array).all():
        return None
    found.update(_classes(array, numpy))
    if values:
        flat = array.reshape(array.shape[0], -1) if array.ndim > 1 else array
        found["variance"] = float(flat.var(axis=0).mean())
        found["deviation"] = float(numpy.abs(flat - numpy.median(flat, axis=0)).mean())
    return found


def as_array(values: Any) -> Any:
    """A numpy array of what holds numbers; None for everything else, iterators and data sets above all."""
    numpy = sys.modules.get("numpy")
    if numpy is None or values is None or isinstance(values, (str, bytes, dict)):
        return None
    if isinstance(values, (list, tuple)):
        return numpy.asarray(values) if len(values) and not hasattr(values[0], "shape") else None
    if not hasattr(values, "shape") or (not hasattr(values, "dtype") and not hasattr(values, "to_numpy")):
        return None
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    elif hasattr(values, "numpy"):
        values = values.numpy()
    return numpy.asarray(values)


def _classes(array: Any, numpy: Any) -> Dict[str, Any]:
    """Class numbers of any shape, or a row of zeros and ones an example."""
    if not (array == numpy.floor(array)).all() or array.min() < 0:
        return {}
    binary = array.max() <= 1
    if binary and array.ndim == 2 and (array.sum(axis=1) == 1).all():
        counts = array.sum(axis=0)
    else:
        _, counts = numpy.unique(array, return_counts=True)
        if len(counts) > 100 * _MOST_CLASSES:
            return {}
    shares = counts[counts > 0] / counts.sum()
    found = {
        "classes": len(counts),
        "majority": float(shares.max()),
        "entropy": float(-(shares * numpy.log(shares)).sum()),
    }
    if binary:
        ones = array.reshape(array.shape[0], -1).mean(axis=0)
        inner = numpy.clip(ones, 1e-12, 1 - 1e-12)
        entropies = -(inner * numpy.log(inner) + (1 - inner) * numpy.log(1 - inner))
        found["binary_entropy"] = float(entropies.mean())
        found["binary_majority"] = float(numpy.maximum(ones, 1 - ones).mean())
    return found
