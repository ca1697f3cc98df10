"""Constants that hold what a request may state of a model and its training: widths, filters, heads, rates, shares.

Names are those of docs/starter.md. A constant that is a list keeps its meaning, one entry a layer: "3 hidden layers"
changes its length, "128/64/32" its entries.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.request.constraints import Constraint

Number = int | float

_NUMBERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"embed(ding)?_(dim|size|units)", ("embedding",)),
    (r"kernel_?size", ("kernel_size",)),
    (r"(num_|n_)?heads", ("heads",)),
    (r"(num_|n_)?(blocks|layers)", ("encoder_layers", "recurrent_layers", "conv_blocks", "depth")),
    (r"dropout(_rate)?", ("dropout",)),
    (r"weight_decay", ("weight_decay",)),
    (r"l2", ("l2",)),
    (r"l1", ("l1",)),
    (r"momentum", ("momentum",)),
    (r"label_smoothing", ("label_smoothing",)),
    (r"patience", ("patience",)),
    (r"fine_tuned_layers", ("fine_tuned_layers",)),
    (r"(val|validation)_(split|share)", ("validation_split",)),
    (r"test_(split|share)", ("test_split",)),
    (r"(num_|n_)?folds", ("folds",)),
    (r"seed|random_state", ("seed",)),
    (r"(num_)?samples|generated_(count|images)", ("samples",)),
)
"""Names of constants that are one number, and the constraints that state it, the first that does counts."""

_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), names) for pattern, names in _NUMBERS)

_RECURRENT = {
    "lstm_units": frozenset({"lstm", "bilstm"}),
    "gru_units": frozenset({"gru", "bigru"}),
    "rnn_units": frozenset({"rnn"}),
}
"""Constants of recurrent widths, and the families that they belong to."""

_DENSE = frozenset({"hidden_layers", "dense_layers"})
_CONVOLUTIONS = frozenset({"conv_blocks", "conv_layers", "depth"})

_MOST_LAYERS = 12
"""Entries of a list up to which a stated count is taken for layers of such a model."""

_MOST_FILTERS = 512


_FINE_TUNING_RATES = frozenset({"fine_tune_learning_rate", "fine_tuning_rate"})

_FAR_FROM_FINE_TUNING = 30
"""Characters between "fine-tune" and a rate from which on the rate is the whole training's."""


def learning_rates(constraints: Sequence[Constraint]) -> tuple[Number | None, Number | None]:
    """The rate of the training and that of fine-tuning, each None where it is not asked for: "frozen first, then
    fine-tuned at 1e-5" says the second alone."""
    training: Number | None = None
    fine_tuning: Number | None = None
    for one in constraints:
        if one.name != "learning_rate" or one.negated or one.number is None:
            continue
        if _is_of_fine_tuning(one, constraints):
            fine_tuning = one.number if fine_tuning is None else fine_tuning
        elif training is None:
            training = one.number
    return training, fine_tuning


def _is_of_fine_tuning(rate: Constraint, constraints: Sequence[Constraint]) -> bool:
    """Whether "fine-tuned" stands shortly before it, and no optimizer between the two."""
    for one in constraints:
        if one.name in ("fine_tuned", "fine_tuned_layers") and one.source == rate.source and not one.negated:
            optimizers = [other.start for other in constraints if other.name == "optimizer"]
            between = any(one.end <= start < rate.end for start in optimizers)
            if 0 <= rate.start - one.end < _FAR_FROM_FINE_TUNING and not between:
                return True
    return False


def asked_setting(name: str, value: object, constraints: Sequence[Constraint], names: frozenset[str]) -> object:
    """The value that the constraints state for a constant; None where they state none, or another kind of value.

    `value` is the constant's own, `names` are all constants of the project.
    """
    asked = [one for one in constraints if not one.negated]
    lowered = name.lower()
    squeezed = _squeezed_widths(asked, names)
    if squeezed and lowered in ("hidden_units", "latent_dim"):
        return squeezed[-1] if lowered == "latent_dim" else squeezed[:-1]
    if isinstance(value, list) and lowered in ("hidden_units", "dense_units"):
        return _hidden_units(value, asked)
    if isinstance(value, list) and lowered == "filters":
        return [] if _is_recurrent_alone(asked, names) else _filters(value, asked)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if lowered in ("hidden_units", "dense_units"):
        widths = _hidden_units([value], asked) or []
        return widths[0] if len(widths) == 1 and widths != [value] else None
    if lowered in _RECURRENT:
        return _whole(_recurrent_units(_cells_of(lowered, asked), asked))
    if lowered in ("num_blocks", "num_layers") and "FILTERS" in names:
        asked = [one for one in asked if one.name not in _CONVOLUTIONS]  # a list of filters has one entry for each
    if lowered in _FINE_TUNING_RATES:
        return _alike(learning_rates(asked)[1], value)
    if lowered == "fine_tuned_layers" and _stays_frozen(asked):
        return 0
    if lowered == "top_k":
        tops = [re.fullmatch(r"top_(\d+)_accuracy", one.value) for one in asked if one.name == "metric"]
        return next((int(top[1]) for top in tops if top is not None), None)
    for pattern, wanted in _PATTERNS:
        if pattern.fullmatch(name):
            if wanted == ("embedding",) and "LATENT_DIM" not in names:
                wanted = ("embedding", "latent")  # "20 latent factors" are the vectors of users and items
            return _alike(_stated(asked, wanted), value)
    return None


def _stays_frozen(asked: Sequence[Constraint]) -> bool:
    """Whether a frozen network is asked for, and no fine-tuning of it."""
    names = {one.name for one in asked}
    return "frozen" in names and not names & {"fine_tuned", "fine_tuned_layers"}


def _stated(asked: Sequence[Constraint], names: Sequence[str]) -> Number | None:
    for name in names:
        for one in asked:
            if one.name == name and one.number is not None:
                return one.number
    return None


def _alike(stated: Number | None, value: Number) -> Number | None:
    """A stated number as the constant has it: whole, or with a fraction."""
    if stated is None:
        return None
    return _whole(stated) if isinstance(value, int) else float(stated)


def _whole(stated: Number | None) -> int | None:
    return int(stated) if stated is not None and stated >= 1 and stated == int(stated) else None


def _numbers(value: str) -> list[int]:
    """ "128,64,32" as numbers; nothing for what is none."""
    parts = value.split(",")
    return [int(part) for part in parts] if all(part.isdecimal() for part in parts) else []


def _squeezed_widths(asked: Sequence[Constraint], names: frozenset[str]) -> list[int]:
    """The widths of an encoder, the bottleneck last: of "an autoencoder 20-10-5", where no size of it is said."""
    if not {"HIDDEN_UNITS", "LATENT_DIM"} <= names or any(one.name == "latent" for one in asked):
        return []
    if all((one.name, one.value) != ("family", "autoencoder") for one in asked):
        return []
    listed = [_numbers(one.value) for one in asked if one.name in _DENSE]
    falling = [widths for widths in listed if len(widths) > 1 and widths == sorted(widths, reverse=True)]
    return falling[0] if falling else []


def _hidden_units(value: list[object], asked: Sequence[Constraint]) -> list[object] | None:
    """Widths as they are listed; or so many layers as are asked for, of the asked width or the sample's."""
    listed = [_numbers(one.value) for one in asked if one.name in (*_DENSE, "units")]
    for numbers in listed:
        if len(numbers) > 1:
            return list(numbers)
    counts = [one for one in asked if one.name in _DENSE and one.number is not None]
    wanted = int(counts[0].number or 0) if counts else len(value)
    units = [one for one in asked if one.name == "units" and _nearest(one, asked) not in _recurrent_families()]
    if not 1 <= wanted <= _MOST_LAYERS or not (counts or units):
        return None
    widths = value[:wanted] + value[-1:] * (wanted - len(value))
    return widths if not units or units[0].number is None else [int(units[0].number)] * wanted


def _filters(value: list[object], asked: Sequence[Constraint]) -> list[object] | None:
    """As listed; or so many as there are to be, the further ones twice as many each."""
    listed = next((_numbers(one.value) for one in asked if one.name == "filters"), [])
    if len(listed) > 1:
        return list(listed)
    count = _whole(_stated(asked, sorted(_CONVOLUTIONS)))
    if not listed and count is None:
        return None
    wanted = count if count is not None and count <= _MOST_LAYERS else len(value)
    start = listed[0] if listed else None
    grown: list[object] = list(value) if start is None else [start]
    doubles = start is None or any(one.value == "unet" for one in asked)
    while len(grown) < wanted:
        last = grown[-1]
        if not isinstance(last, int):
            return None
        grown.append(min(2 * last, _MOST_FILTERS) if doubles else last)
    return grown[:wanted]


_RECURRENT_WIDTHS = frozenset({"LSTM_UNITS", "GRU_UNITS"})

_NEEDS_CONVOLUTIONS = frozenset({"IMAGE_HEIGHT", "SAMPLE_RATE"})
"""Constants of data that a recurrent layer does not read as they are."""


def _is_recurrent_alone(asked: Sequence[Constraint], names: frozenset[str]) -> bool:
    """Whether "an LSTM" is asked for and no convolution, of a project that has convolutions before its own."""
    families = {one.value for one in asked if one.name == "family"}
    if not families or not families <= _recurrent_families() or _NEEDS_CONVOLUTIONS & names:
        return False
    sized = {one.name for one in asked} & (_CONVOLUTIONS | {"filters", "kernel_size"})
    return bool(_RECURRENT_WIDTHS & names) and not sized


def _recurrent_families() -> frozenset[str]:
    return frozenset().union(*_RECURRENT.values())


def _cells_of(name: str, asked: Sequence[Constraint]) -> frozenset[str]:
    """The families that a constant holds the width of: its own, or, where another cell alone is asked for, that one,
    which takes its place."""
    families = frozenset(one.value for one in asked if one.name == "family") & _recurrent_families()
    return families if families and not families & _RECURRENT[name] else _RECURRENT[name]


def _recurrent_units(families: frozenset[str], asked: Sequence[Constraint]) -> Number | None:
    """The width that stands nearest to one of the families; of a request that states one width, that one."""
    units = [one for one in asked if one.name == "units"]
    for one in units:
        if _nearest(one, asked) in families:
            return one.number
    return units[0].number if len(units) == 1 else None


def _nearest(units: Constraint, asked: Sequence[Constraint]) -> str:
    """What a width belongs to: the family, or the name of the kind of layers, that stands nearest to it."""
    others = [one for one in asked if one.source == units.source and (one.name == "family" or one.name in _DENSE)]
    if not others:
        return ""

    def distance(one: Constraint) -> int:
        return max(one.start - units.end, units.start - one.end, 0)

    nearest = min(others, key=distance)
    return nearest.value if nearest.name == "family" else nearest.name
