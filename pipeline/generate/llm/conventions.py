"""What the prompts ask of every project (`_system.jinja`), looked up in a program, since no request says it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from pipeline.analysis.values import Call
from pipeline.measures.delivery.code import Code, read_code
from pipeline.measures.delivery.sight import called_name

_SPLITS = r"train_test_split|\w*ShuffleSplit|\w*KFold|TimeSeriesSplit|random_split"
_SCALERS = frozenset(
    "StandardScaler MinMaxScaler RobustScaler MaxAbsScaler PowerTransformer QuantileTransformer PCA".split()
)
_BASELINES = re.compile(
    r"baseline|persisten|naive|majority|median|trivial|always|chance|one answer|any order|guess", re.IGNORECASE
)


def left_out(source: str) -> tuple[str, ...]:
    """The conventions that a program does not keep, a line each, as far as reading can tell; nothing of what is no
    Python."""
    code = read_code(source)
    return () if code is None else tuple(_left_out(code))


def _left_out(code: Code) -> Iterator[str]:
    if code.text("^DATA_DIR$") is None:
        yield "the folder that DATA_DIR names is not read"
    if not code.calls_named(r"set_(random_)?seed|manual_seed|seed_everything"):
        yield "no seed is set"
    fitted = [call for call in code.calls_named("fit|fit_transform") if _is_scaler(call.owner)]
    scaled, split = _first_line(fitted), _first_line(code.calls_named(_SPLITS))
    if scaled and split and scaled < split:
        yield f"scaling is fitted on line {scaled}, before the data are split on line {split}"
    printed = [ast.unparse(call) for call in code.nodes_of(ast.Call) if called_name(call) == "print"]
    if not any(map(_BASELINES.search, printed)):
        yield "no baseline is printed beside the result"
    if code.text(r"^results\.png$") is None:
        yield "no figure is saved to results.png"
    if not code.calls_named(r"save|save_model|save_weights|ModelCheckpoint"):
        yield "the trained model is not saved"


def _is_scaler(owner: object) -> bool:
    return isinstance(owner, Call) and owner.name in _SCALERS


def _first_line(calls: Iterable[Call]) -> int | None:
    return min((call.line for call in calls if call.line is not None), default=None)
