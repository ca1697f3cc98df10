"""How much each column of a table matters: the error once its values have changed places (Breiman 2001)."""

from __future__ import annotations

import re

from pipeline.generate.parts.script import Script

_TARGETS = ("TARGET", "TARGETS")


def feature_importance(script: Script) -> Script | None:
    """For scripts whose `predict` takes rows of a table, and that keep those of the test."""
    rows = next((name for name in ("test_rows", "test") if _is_table(script, name)), "")
    target = next((name for name in _TARGETS if f"[{name}]" in script.source), "")
    functions = re.search(r"^def predict\((?:table|rows)\):", script.source, re.MULTILINE)
    if not rows or not target or functions is None or "TEXT_COLUMN" in script.source or "FILE_COLUMN" in script.source:
        return None
    of_classes = "classification_report" in script.source or "class_names" in script.source
    error, says = (
        ("told != true", "share of wrong classes")
        if of_classes
        else ("np.abs(told.astype(float) - true.astype(float))", "mean absolute error")
    )
    names = "[TARGET]" if target == "TARGET" else "TARGETS"
    cell = (
        "# %% Show: feature importance\n"
        "def error_of(table):\n"
        f'    """The {says} of rows with known answers."""\n'
        "    told = predict(table)\n"
        f"    told = told[{names}] if isinstance(told, pd.DataFrame) else told\n"
        f"    told, true = np.ravel(np.asarray(told)), np.ravel(table[{names}].to_numpy())\n"
        f"    return np.mean({error})\n\n\n"
        "# A column matters as much as the error grows when its values change places.\n"
        "feature_importance = {}\n"
        f"for name in {rows}.columns.drop({names}):\n"
        "    mixed = np.random.default_rng(0)\n"
        f"    changed = {rows}.assign(**{{name: mixed.permutation({rows}[name].to_numpy())}})\n"
        f"    feature_importance[name] = error_of(changed) - error_of({rows})\n"
        "feature_importance = pd.Series(feature_importance).sort_values()\n"
        'print(feature_importance.to_string(float_format="{:.4f}".format))\n'
        "plt.figure()\n"
        "plt.barh(feature_importance.index[-20:].astype(str), feature_importance.to_numpy()[-20:])\n"
        f'plt.xlabel("growth of the {says}")\n'
        "plt.tight_layout()\n"
        'plt.savefig("feature_importance.png")\n'
        "plt.show()\n"
    )
    changed = script.with_lines_at_end(cell)
    for line in ("import numpy as np", "import pandas as pd", "import matplotlib.pyplot as plt"):
        changed = changed.with_import(line)
    return changed


def _is_table(script: Script, name: str) -> bool:
    """Whether a name holds rows of the table with their answers."""
    return re.search(rf"\b{name}\[TARGETS?\]|\b(?:features_of|labels_of)\({name}\)", script.source) is not None
