"""Parts of what is read: coefficients of a sound, a known network's own preparation, a file beside the script."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence

from pipeline.generate.parts.script import Script, keyword_of, name_of
from pipeline.keras.facts import backbones
from pipeline.own_data.roles import is_id, kind_of
from pipeline.request.constraints import Constraint

_LOG_MEL = re.compile(r"np\.log\([^()\n]*@[^()\n]*\)")
"""The logarithm of mel bands, where a sample computes it."""

_BANDS = re.compile(r"^(?:MEL_BANDS|NUM_MELS) = \d+.*\n", re.MULTILINE)


def representation(script: Script, constraint: Constraint) -> Script | None:
    """Mel-frequency cepstral coefficients of the log-mel spectrogram that is there."""
    source = script.source
    bands = _BANDS.search(source)
    if constraint.value != "mfcc" or bands is None or len(_LOG_MEL.findall(source)) != 1:
        return None
    axis = 0 if "import torch" in source else -1  # a column for each moment, or a row
    function = (
        "def mfcc(log_mel):\n"
        '    """Mel-frequency cepstral coefficients: the first of the cosine transform of each moment\'s bands."""\n'
        f'    return dct(log_mel, axis={axis}, norm="ortho")[{"" if axis == 0 else "..., "}:NUM_MFCC]\n\n\n'
    )
    number = "NUM_MFCC = 20  # coefficients that are kept of the bands\n"
    source = f"{source[: bands.end()]}{number}{source[bands.end() :]}"
    source = _LOG_MEL.sub(lambda match: f"mfcc({match[0]})", source)
    source = source.replace("(FRAMES, MEL_BANDS, 1)", "(FRAMES, NUM_MFCC, 1)").replace('"mel band"', '"coefficient"')
    changed = Script(source)
    return changed.with_lines_before(changed.calls("mfcc")[0], function).with_import("from scipy.fft import dct")


_PREPARATION = {
    r"mobilenet\w*|xception|inception\w+|nasnet\w+|resnet\d+v2": "layers.Rescaling(2.0, offset=-1.0)",
    r"efficientnet\w+|convnext\w+": "layers.Rescaling(255.0)",
}
"""From pixels of 0 to 1 to what a network was trained on: -1 to 1, or 0 to 255 where it rescales by itself. Those that
take colours in the order blue, green, red have no layer for that."""


def frozen(script: Script, constraint: Constraint) -> Script | None:
    """A known network inside a stack, made before it, frozen, and given pixels as it knows them."""
    calls = script.calls(*backbones())
    if len(calls) != 1 or "/ 255" not in script.source or keyword_of(calls[0], "input_shape") is not None:
        return None
    (call,) = calls
    layers = [layer for names, layer in _PREPARATION.items() if re.fullmatch(names, name_of(call).lower())]
    for stack in script.calls("Sequential"):
        elements = stack.args[0] if stack.args else None
        if not layers or not isinstance(elements, ast.List) or call not in elements.elts:
            continue
        shaped = script.text(call)[:-1] + ", input_shape=(IMAGE_HEIGHT, IMAGE_WIDTH, 3))"
        lines = f"backbone = {shaped}\nbackbone.trainable = False\n\n\n"
        changed = script.replaced(call, f"{layers[0]},\n{' ' * call.col_offset}backbone")
        return changed.with_lines_before(changed.calls("Sequential")[0], lines)
    return None


_SCALERS = {"standard": "StandardScaler", "min_max": "MinMaxScaler", "robust": "RobustScaler"}
_OWN_ATTRIBUTES = re.compile(r"\.(?:mean_|scale_|var_|center_|data_min_|data_max_)\b")


def scaling(script: Script, constraint: Constraint) -> Script | None:
    """One scaler of scikit-learn in the place of another, where nothing of it is read but what it gives."""
    wanted = _SCALERS.get(constraint.value)
    there = [name for name in _SCALERS.values() if re.search(rf"\b{name}\b", script.source)]
    if wanted is None or len(there) != 1 or _OWN_ATTRIBUTES.search(script.source):
        return None
    return Script(re.sub(rf"\b{there[0]}\b", wanted, script.source))


_TABLE = re.compile(
    r"^(?:folder, )?table(?:, images)? = .*read_(?:table|rows)\((?:TRAIN|TABLE)_FILE\)+(?:, TRAIN_FILE\))?\n",
    re.MULTILINE,
)
_NONE_NAMED = re.compile(r"^(?:NUMBER_COLUMNS|UNUSED_COLUMNS) = \[\].*\n", re.MULTILINE)
_FOUND_BY_KIND = re.compile(
    r"\.drop\(columns=\[[^\]]*UNUSED_COLUMNS|\.columns\.drop\(\[|name not in \(TARGET, \*UNUSED_COLUMNS\)"
)
"""What reads a table whole, and takes the columns for what they hold."""

_READ_BESIDES = ("TARGET", "TARGETS", "TEXT_COLUMN", "FILE_COLUMN", "ID_COLUMN", "TIME_COLUMN")
_EXAMPLES = re.compile(r"(?:\blike|such as|including|e\.g\.|for example)[\s:,(]*$", re.IGNORECASE)
_AND_SO_ON = re.compile(r"[,\s]*(?:and so on|etc|and more|\.\.\.|and others)", re.IGNORECASE)

FEWEST_COLUMNS = 3
"""Columns that a request has to name before they are taken for all there are."""


def with_named_columns(source: str, constraints: Sequence[Constraint], requirement: str) -> str:
    """The source with the table cut down to the columns that the request names, where it takes all that it finds."""
    asked = [one for one in constraints if one.name == "column" and not one.negated and one.source == "requirement"]
    # The columns of files, texts and answers have constants of their own.
    known = set(re.findall(rf'^(?:{"|".join(_READ_BESIDES)}) = "(.*)"', source, re.MULTILINE))
    names = list(dict.fromkeys(one.value for one in asked if not is_id(one.value) and one.value not in known))
    read, empty = _TABLE.search(source), _NONE_NAMED.search(source)
    if len(names) < FEWEST_COLUMNS or read is None or empty is None or not _FOUND_BY_KIND.search(source):
        return source
    if "NUMBER_COLUMNS = " in source and "NUMBER_COLUMNS = []" not in source:
        return source  # their kinds are known by their names
    if any(f'"{name}"' in source for name in names) or "INPUT_COLUMNS" in source:
        return source
    before, behind = requirement[: asked[0].start], requirement[asked[-1].end :]
    if _EXAMPLES.search(before) or _AND_SO_ON.match(behind):
        return source
    source = _made_up_by(source, names)
    read, empty = _TABLE.search(source), _NONE_NAMED.search(source)
    assert read is not None
    assert empty is not None
    listed = "".join(f"    {name!r},\n".replace("'", '"') for name in names)
    constant = f"INPUT_COLUMNS = [\n{listed}]  # what is read of the table; their kinds are found when it is\n"
    kept = []
    for name in _READ_BESIDES:
        if re.search(rf"^{name} = ", source, re.MULTILINE):
            kept.append(f"*{name}" if name == "TARGETS" else name)
    if '"path"' in source:  # where the image of a row lies, found when the table is read
        kept.append('"path"')
    file = "TABLE_FILE" if "TABLE_FILE" in read[0] else "TRAIN_FILE"
    cut = (
        "if not SYNTHETIC:\n"
        "    absent = [name for name in INPUT_COLUMNS if name not in table]\n"
        "    if absent:\n"
        '        names = ", ".join(map(str, table.columns))\n'
        f'        raise SystemExit(f"{{{file}}} has no column {{absent[0]!r}}; it has {{names}}")\n'
        f"    table = table[[name for name in table if name in [{', '.join(kept)}, *INPUT_COLUMNS]]]\n"
    )
    source = f"{source[: read.end()]}{cut}{source[read.end() :]}"
    return f"{source[: empty.start()]}{constant}{source[empty.start() :]}"


_MADE_UP = re.compile(r"\b(?P<kind>NUMBER|CATEGORY)_COLUMNS or (?P<names>\[(?:\"[^\"\n]*\"(?:, )?)+\])")


def _made_up_by(source: str, names: Sequence[str]) -> str:
    """The source with made-up columns called as the request's: categories where their names say so, else numbers."""
    by_kind = {"NUMBER": [name for name in names if kind_of(name) != "category"]}
    by_kind["CATEGORY"] = [name for name in names if name not in by_kind["NUMBER"]]

    def named(match: re.Match[str]) -> str:
        own = by_kind[match["kind"]]
        return f"{match['kind']}_COLUMNS or {json.dumps(own, ensure_ascii=False) if own else match['names']}"

    return _MADE_UP.sub(named, source)


_SYNTHETIC = "SYNTHETIC = not os.path.isdir(DATA_DIR)\n"


def beside_script(source: str, constraints: Sequence[Constraint]) -> str:
    """The source with the asked file looked for beside the script too, where there is no folder of data."""
    for one in constraints:
        if one.name != "file" or one.negated or source.count(_SYNTHETIC) != 1:
            continue
        constant = re.search(rf'^(\w+_FILE) = "{re.escape(one.value)}"', source, re.MULTILINE)
        if constant is not None:
            looked = (
                f"if not os.path.isdir(DATA_DIR) and os.path.isfile({constant[1]}):\n"
                '    DATA_DIR = "."  # the file lies beside this script\n'
            )
            return source.replace(_SYNTHETIC, looked + _SYNTHETIC)
    return source
