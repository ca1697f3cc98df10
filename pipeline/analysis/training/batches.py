"""The batches that a training is given: those of the data set that it goes through, and of no other.

A data set is followed back from `fit`, or from the loop around the gradients, through `map`, `shuffle` and the like to
the call that makes batches of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.analysis.training.given import Unread, count_given, is_given, whole
from pipeline.analysis.values import Call, Instance, Loop, Unknown

READERS = {
    "audio_dataset_from_directory": (-1, 32),
    "flow": (2, 32),
    "flow_from_dataframe": (-1, 32),
    "flow_from_directory": (-1, 32),
    "image_dataset_from_directory": (-1, 32),
    "make_csv_dataset": (1, None),
    "numpy_input_fn": (2, 128),
    "pandas_input_fn": (2, 128),
    "prepare_tf_dataset": (1, 8),
    "text_dataset_from_directory": (-1, 32),
    "timeseries_dataset_from_array": (-1, 128),
    "TimeseriesGenerator": (-1, 128),
    "to_tf_dataset": (1, None),
}
"""Calls that give batches: the position of the batch size among their arguments (-1 for none), and its default."""

GIVES_DATA = frozenset(
    "apply as_numpy_iterator batch cache enumerate experimental_distribute_dataset filter flat_map flow "
    "flow_from_dataframe flow_from_directory interleave map padded_batch prefetch prepare_tf_dataset rebatch repeat "
    "shuffle skip take to_tf_dataset unbatch window with_options".split()
)
"""Methods that give a data set, or a generator of batches: their calls are followed from one to the next."""

_BATCHES = frozenset({"batch", "padded_batch", "ragged_batch", "rebatch"})
_PASSES_ON = frozenset(
    {"enumerate", "experimental_distribute_dataset", "from_generator", "iter", "list", "tqdm", "zip"}
)
_OWN_NAMES = ("batch_size", "batchsize", "bs", "batch")
_MOST_STEPS = 60


def batches_of(data: object) -> int | Unread | None:
    """The size of a data set's batches; None where it is no data set that is batched, as far as can be seen."""
    for _ in range(_MOST_STEPS):
        if isinstance(data, list | tuple):
            data = next((item for item in data if isinstance(item, Call | Instance)), None)
        if isinstance(data, Instance):
            return _own_batches(data)
        if not isinstance(data, Call):
            return None
        if data.name in _BATCHES:
            return count_given(data, 0, "batch_size")
        if data.name in READERS:
            position, default = READERS[data.name]
            stated = count_given(data, position, "batch_size")
            return default if stated is None else stated
        if is_given(data, -1, "batch_size"):
            return count_given(data, -1, "batch_size")
        if data.name == "unbatch":
            return None
        if data.name in GIVES_DATA and data.owner is not None and data.name != "experimental_distribute_dataset":
            data = data.owner
        elif data.name in _PASSES_ON:
            data = list(data.args)
        else:
            return None
    return None


def is_data_set(data: object) -> bool:
    """Whether the value is known as a data set or a generator, whatever its batches are."""
    return isinstance(data, Instance) or (isinstance(data, Call) and (data.name in GIVES_DATA or data.name in READERS))


def looped_over(loops: Iterable[Loop]) -> int | Unread | None:
    """The batches of the data that the loops around a training go through, the innermost first."""
    for loop in sorted(loops, key=lambda loop: -loop.node.lineno):
        found = batches_of(loop.items)
        if found is not None:
            return found
    return None


def _own_batches(generator: Instance) -> int | None:
    """Of an object of the project: a Sequence's attribute."""
    for name in _OWN_NAMES:
        value = generator.attributes.get(name, Unknown.ANY)
        if value is Unknown.ANY:
            value = generator.cls.member(name)
        if (size := whole(value)) is not None:
            return size
    return None
