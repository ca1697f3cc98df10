"""The runnable parts of a program: what a user can do with it beside training, found by what it calls.

The paper leaves open (its third question) how useful code of a sample survives the comparison: measures of likeness do
not miss what a user does, the loading of real data, plots, predictions.
"""

from __future__ import annotations

import ast
import re

from pipeline.analysis.parsing import parsed

_CALLED = {
    "loading data": re.compile(
        r"(?:load|read|fetch)_\w+|(?:np|numpy|tfds)\.load|loadtxt|genfromtxt|\w+_from_directory|flow_from_dataframe|from_generator"
        r"|ImageFolder|glob|imread|TFRecordDataset|TextLineDataset"
    ),
    "plots": re.compile(r"plot|imshow|savefig|scatter|hist|bar|heatmap|plot_\w+|pairplot|countplot"),
    "evaluation": re.compile(
        r"evaluate|classification_report|confusion_matrix|\w+_score|mean_\w+_error|roc_curve|roc_auc_score"
    ),
    "inference": re.compile(r"predict|predict_\w+|generate|inference|translate|recommend|detect|forecast"),
    "saving the model": re.compile(r"save|save_\w+|export"),
}
"""What the function or method is called by whose call a part is known, or the function that holds it."""

_NOT_LOADING = frozenset({"load_model", "load_weights", "load_state_dict"})
"""Loads that are of a model, not of data."""

_LEFT_OUT = re.compile(r"^[ \t]*#[ \t]*left out:[ \t]*(?P<said>\S[^\n]*)", re.IGNORECASE | re.MULTILINE)
_BECAUSE = re.compile(r"[:,(–-]\s*(?:because|since)?\b|\b(?:because|since|as|for)\b", re.IGNORECASE)
_SHORTEST_REASON = 8
"""Characters."""


def useful_parts(code: str) -> tuple[str, ...]:
    """The parts that a program has, in the order of the table; none of one that does not parse."""
    tree = parsed(code)
    if tree is None:
        return ()
    called = _names_called(tree)
    return tuple(part for part, pattern in _CALLED.items() if any(pattern.fullmatch(name) for name in called))


def reasons_given(code: str) -> dict[str, str]:
    """Parts that a program says to have left out, each with the reason it gives."""
    reasons: dict[str, str] = {}
    for match in _LEFT_OUT.finditer(code):
        said = match["said"]
        for part in _CALLED:
            word = part.split()[0].rstrip("s")
            behind = re.split(rf"\b{word}\w*", said, maxsplit=1, flags=re.IGNORECASE)
            if len(behind) < 2:
                continue
            reason = _BECAUSE.split(behind[1], maxsplit=1)[-1].strip(" .,:()-")
            if len(reason) >= _SHORTEST_REASON:
                reasons[part] = reason
    return reasons


def dropped_parts(code: str, drafts: tuple[str, ...]) -> tuple[str, ...]:
    """The parts that a draft has and the program has not, and says nothing of."""
    there = {*useful_parts(code), *reasons_given(code)}
    wanted = {part for draft in drafts for part in useful_parts(draft)}
    return tuple(part for part in _CALLED if part in wanted and part not in there)


def _names_called(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Attribute):
            names.add(function.attr)
            if isinstance(function.value, ast.Name):
                names.add(f"{function.value.id}.{function.attr}")
        elif isinstance(function, ast.Name):
            names.add(function.id)
    return names - _NOT_LOADING
