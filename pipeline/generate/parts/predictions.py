"""Predictions in the form that is asked for: the columns of predictions.csv, a probability instead of a class, masks as
run lengths. For rows with data of their own, whose examples without answers the project predicts."""

from __future__ import annotations

import ast
import re

from pipeline.generate.parts.script import Script, keyword_of, name_of
from pipeline.own_data.predictions import PREDICTIONS, prediction_columns
from pipeline.request.data_contract import DataContract, DataTarget
from pipeline.syntax import walk
from pipeline.torch.facts import imports_torch

_PROBABILITY = re.compile(
    r"\bprobabilit(y|ies)\b|\bhow likely\b|\blikelihood\b|\b(a|risk) scores?\b|\bchances? (of|that)\b", re.IGNORECASE
)
_RUN_LENGTHS = re.compile(r"\brun[- ]?lengths?\b|\bRLE\b", re.IGNORECASE)
_POSITIVE = frozenset({"1", "yes", "true", "y", "t", "positive"})
_READ_BY_PANDAS = (".csv", ".tsv", ".txt")
_NEEDLESS = ("drop", "join", "assign")
"""Methods of a table whose result has the rows' own columns still."""


def with_asked_form(source: str, contract: DataContract, requirement: str) -> str:
    """The script with its predictions as the request wants them; as it is, where that is not told or not seen."""
    if not contract.unlabelled:
        return source
    script = Script(source)
    columns = prediction_columns(contract)
    layout = contract.inputs[0].layout
    if layout == "arrays":
        return _of_arrays(script, contract, columns).source
    if layout == "paired_folders":
        wants_runs = len(columns) == 2 and _RUN_LENGTHS.search(requirement) is not None
        return _as_run_lengths(script, contract, columns).source if wants_runs else source
    if _asks_for_probability(contract, requirement):
        script = _with_probability(script, _positive_class(contract))
    if columns and script.assigned("PREDICTION_COLUMNS") is None:
        script = _with_columns(script, contract, columns, requirement)
    return script.source


def _asks_for_probability(contract: DataContract, requirement: str) -> bool:
    if len(contract.targets) != 1 or contract.targets[0].kind != "class" or contract.targets[0].classes != 2:
        return False
    return _PROBABILITY.search(requirement) is not None


def _positive_class(contract: DataContract) -> int:
    """The number of the class whose probability is meant."""
    return _positive_of(contract.targets[0])


def _positive_of(target: DataTarget) -> int:
    return 0 if target.class_names and target.class_names[0].lower() in _POSITIVE else 1


def _writing_call(script: Script) -> ast.Call | None:
    """The call that writes the predictions, where there is one, without an index."""
    found: list[ast.Call] = []
    for call in script.calls("to_csv"):
        first = call.args[0] if call.args else None
        if isinstance(first, ast.Constant) and first.value == PREDICTIONS:
            found.append(call)
    if len(found) != 1 or keyword_of(found[0], "index") is None:
        return None
    return found[0]


def _with_probability(script: Script, positive: int) -> Script:
    """With a probability where the predictions for new examples have a class; other uses of classes stay."""
    call = _writing_call(script)
    if call is None or imports_torch(script.source):
        return script
    writing = script.statement_of(call)
    for node in walk(script.tree):
        if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Call):
            continue
        if ast.unparse(node.value) != "class_names" or name_of(node.slice) != "predicted_classes":
            continue
        statement = script.statement_of(node)
        if statement is writing or _is_used_in_alone(script, statement, writing):
            changed = script.replaced(node, f"probability({script.text(node.slice.args[0])})")
            single = "outputs[:, 0]" if positive else "1 - outputs[:, 0]"
            function = (
                "def probability(outputs):\n"
                f'    """The probability of the class {positive}, from one output (sigmoid) or one per class."""\n'
                f"    return {single} if outputs.shape[-1] == 1 else outputs[:, {positive}]\n\n\n"
            )
            return changed.with_lines_before(node, function)
    return script


def _is_used_in_alone(script: Script, function: ast.stmt | None, writing: ast.stmt | None) -> bool:
    """Whether a function is called by the statement that writes the predictions and nowhere else."""
    if not isinstance(function, ast.FunctionDef):
        return False
    uses = [call for call in script.calls(function.name) if isinstance(call.func, ast.Name)]  # no `model.predict`
    return all(script.statement_of(call) is writing for call in uses)


def _with_columns(script: Script, contract: DataContract, columns: tuple[str, ...], requirement: str) -> Script:
    call = _writing_call(script)
    if call is None or not isinstance(call.func, ast.Attribute):
        return script
    table = call.func.value
    lines = _renamed(script, contract, columns, requirement)
    if contract.targets[0].kind == "labels" and script.assigned("LABEL_SEPARATOR") is not None:
        lines += _labels_in_columns(contract, columns)
    is_series = contract.inputs[0].kind == "series"
    has_own_columns = not isinstance(table, ast.Call) or name_of(table) in _NEEDLESS
    if is_series or not has_own_columns:
        lines += _columns_given(script, contract)
    if _asks_for_probability(contract, requirement) and script.assigned("POSITIVE_CLASS") is not None:
        lines += '    table = table.assign(**{TARGET: table[f"{TARGET}={POSITIVE_CLASS}"]})\n'
    function = (
        f"ASKED_COLUMNS = {_listed(columns)}  # of {PREDICTIONS}, in this order\n\n\n"
        "def in_asked_form(table):\n"
        '    """The predictions in the columns that were asked for."""\n'
        f"{lines}"
        "    absent = [name for name in ASKED_COLUMNS if name not in table]\n"
        "    if absent:\n"
        f'        print(f"{PREDICTIONS} has no column {{absent[0]!r}}: nothing here gives it")\n'
        "    return table[[name for name in ASKED_COLUMNS if name in table]]\n\n\n"
    )
    changed = script.replaced(table, f"in_asked_form({script.text(table)})").with_lines_before(call, function)
    changed = changed.with_import("import os").with_import("import pandas as pd")
    return _with_horizon(changed, contract) if is_series else changed


def _renamed(script: Script, contract: DataContract, columns: tuple[str, ...], requirement: str) -> str:
    """Files by their names alone, as they are asked for, and the class under the name that the request has for it."""
    if contract.inputs[0].layout == "class_folders" and len(columns) == 2:
        names = {"file": columns[0], "class": columns[1]}
        new = {old: name for old, name in names.items() if old != name}
        lines = f"    table = table.rename(columns={_mapped(new)})\n" if new else ""
        file = _quoted(columns[0])
        return f"{lines}    table = table.assign(**{{{file}: [os.path.basename(path) for path in table[{file}]]}})\n"
    if '"similarity"' in script.source and "similarity" not in columns:
        name = contract.targets[0].name
        lines = f"    table = table.rename(columns={_mapped({'similarity': name})})\n"
        return lines if _PROBABILITY.search(requirement) else lines + _as_classes(contract.targets[0], _quoted(name))
    return ""


def _as_classes(target: DataTarget, name: str) -> str:
    """A line that makes one of two classes of a similarity between 0 and 1, from a half on."""
    if target.kind != "class" or len(target.class_names) != 2:
        return ""
    positive = _positive_of(target)
    alike, apart = target.class_names[positive], target.class_names[1 - positive]
    chosen = f"{_quoted(alike)} if score > 0.5 else {_quoted(apart)}"
    return f"    table = table.assign(**{{{name}: [{chosen} for score in table[{name}]]}})\n"


def _labels_in_columns(contract: DataContract, columns: tuple[str, ...]) -> str:
    names = [name for name in columns if name in contract.targets[0].class_names]
    if not names:
        return ""
    return (
        '    found = [str(labels).split(LABEL_SEPARATOR) for labels in table[TARGET].fillna("")]\n'
        f"    for name in {_listed(names)}:\n"
        "        table = table.assign(**{name: [int(name in labels) for labels in found]})\n"
    )


def _columns_given(script: Script, contract: DataContract) -> str:
    """Lines that add the columns that stand in the table of the new rows: their ids."""
    if not contract.unlabelled.lower().endswith(_READ_BY_PANDAS):
        return ""
    return (
        f"    given = {_read(script, contract)}\n"
        "    beside = [name for name in ASKED_COLUMNS if name in given and name not in table]\n"
        "    if len(given) == len(table):\n"
        "        table = given[beside].join(table.reset_index(drop=True))\n"
    )


def _with_horizon(script: Script, contract: DataContract) -> Script:
    """With as many steps ahead as there are rows to predict."""
    horizon, synthetic = script.assigned("HORIZON"), script.assigned("SYNTHETIC")
    if horizon is None or synthetic is None or not contract.unlabelled.lower().endswith(_READ_BY_PANDAS):
        return script
    last = max((horizon, synthetic), key=lambda node: node.lineno)
    statement = script.statement_of(last)
    assert statement is not None
    lines = (
        f"if not SYNTHETIC:\n    HORIZON = len({_read(script, contract)})  # a step for each row that is asked for\n"
    )
    return script.with_lines_after(statement, lines)


def _read(script: Script, contract: DataContract) -> str:
    options = ", **READ_OPTIONS" if script.assigned("READ_OPTIONS") is not None else ""
    return f"pd.read_csv(os.path.join(DATA_DIR, {_quoted(contract.unlabelled)}){options})"


def _of_arrays(script: Script, contract: DataContract, columns: tuple[str, ...]) -> Script:
    """With a cell that predicts the test's file of arrays, an example a row."""
    functions = {node.name: node for node in script.tree.body if isinstance(node, ast.FunctionDef)}
    is_file = contract.unlabelled.endswith(".npz") and len(contract.targets) == 1
    has_array = script.assigned("INPUT_ARRAY") is not None
    if not is_file or not has_array or "read_array" not in functions or script.calls("to_csv"):
        return script
    if len(functions["read_array"].args.args) < 2:  # the file and the array in it
        return script
    predicted = _predicted_arrays(script, set(functions))
    if not predicted:
        return script
    index, answer = columns if len(columns) == 2 else ("index", contract.targets[0].name)
    cell = (
        "# %% Evaluate: new examples\n"
        "if not SYNTHETIC:\n"
        f"    new = read_array({_quoted(contract.unlabelled)}, INPUT_ARRAY)\n"
        f"    answers = np.ravel({predicted})\n"
        f"    table = pd.DataFrame({{{_quoted(index)}: range(len(new)), {_quoted(answer)}: answers}})\n"
        f"    table.to_csv({_quoted(PREDICTIONS)}, index=False)\n"
        f'    print(f"{PREDICTIONS}: {{len(table)}} rows")\n'
    )
    if contract.targets[0].kind not in ("class", "number"):
        return script
    return script.with_lines_at_end(cell).with_import("import pandas as pd")


def _predicted_arrays(script: Script, functions: set[str]) -> str:
    """The predictions for `new`: by the sample's `predict`, or by its parts where a draft has left it out."""
    if "predict" in functions:
        return "predict(new)"
    if "as_inputs" not in functions:
        return ""
    if "predicted_classes" in functions and script.binds("mean") and script.binds("class_names"):
        return "class_names[predicted_classes(model.predict((as_inputs(new) - mean) / scale, verbose=0))]"
    if script.binds("scaler") and script.binds("target_scaler"):
        return "target_scaler.inverse_transform(model.predict(scaler.transform(as_inputs(new)), verbose=0))"
    return ""


def _as_run_lengths(script: Script, contract: DataContract, columns: tuple[str, ...]) -> Script:
    """With a cell that writes the masks of new images, at the size of each, as starts and lengths."""
    functions = {node.name for node in script.tree.body if isinstance(node, ast.FunctionDef)}
    if "predict" not in functions or contract.targets[0].kind != "mask" or script.calls("to_csv"):
        return script
    cell = (
        "# %% Evaluate: masks of new images as run lengths\n"
        "def run_lengths(mask):\n"
        '    """First pixel, counted from 1 and row by row, and length of each run of marked pixels."""\n'
        "    marked = np.concatenate([[0], np.ravel(mask) > 0, [0]]).astype(int)\n"
        "    edges = np.flatnonzero(np.diff(marked)) + 1\n"
        "    runs = zip(edges[::2], edges[1::2], strict=True)\n"
        '    return " ".join(f"{start} {end - start}" for start, end in runs)\n\n\n'
        "if not SYNTHETIC:\n"
        "    rows = []\n"
        f'    folder = os.path.join(glob.escape(os.path.join(DATA_DIR, {_quoted(contract.unlabelled)})), "*")\n'
        "    for path in sorted(glob.glob(folder)):\n"
        "        with Image.open(path) as image:\n"
        "            size = image.size\n"
        '        mask = Image.fromarray(predict(path).astype("uint8")).resize(size, Image.NEAREST)\n'
        f"        rows.append({{{_quoted(columns[0])}: os.path.basename(path), "
        f"{_quoted(columns[1])}: run_lengths(np.asarray(mask))}})\n"
        f"    pd.DataFrame(rows).to_csv({_quoted(PREDICTIONS)}, index=False)\n"
        f'    print(f"{PREDICTIONS}: {{len(rows)}} rows")\n'
    )
    changed = script.with_lines_at_end(cell)
    for line in ("import glob", "import os", "import numpy as np", "import pandas as pd", "from PIL import Image"):
        changed = changed.with_import(line)
    return changed


def _quoted(text: str) -> str:
    """A name as a literal, with double quotes where that needs no escapes."""
    return repr(text) if '"' in text or "\\" in text or not text.isprintable() else f'"{text}"'


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return f"[{', '.join(map(_quoted, names))}]"


def _mapped(names: dict[str, str]) -> str:
    return "{" + ", ".join(f"{_quoted(old)}: {_quoted(new)}" for old, new in names.items()) + "}"
