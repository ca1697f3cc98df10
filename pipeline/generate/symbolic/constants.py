"""A project's constants: what their names mean, and what values they have.

Projects set sizes and training settings at the top, under names that are much the same everywhere:
the bundled samples keep to those of docs/starter.md, published notebooks to a few more (`IMG_SIZE`,
`bs`, `look_back`). Which constants of a sample hold facts of a user's own data, its sidecar declares.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.analysis.values import arithmetic
from pipeline.generate.asked_settings import asked_setting
from pipeline.generate.symbolic.notebook import Notebook
from pipeline.generate.symbolic.statement import Edit, Statement, edit_statement
from pipeline.generate.symbolic.target import Target
from pipeline.own_data.constants import Fact

_MEANINGS: tuple[tuple[str, str], ...] = (
    (r"(image|img|im)_?(height|h|rows)|height|rows", "height"),
    (r"(image|img|im)_?(width|w|cols)|width|cols", "width"),
    (r"(num_|n_|image_|img_)?channels?", "channels"),
    (r"(image|img|im|input|target)_?(size|shape|dims?)|size", "size"),
    (r"(num|n|nb|number_of)_?(classes|class|labels|categories)", "classes"),
    (r"(num|n)_features", "features"),
    (r"(num|n)_targets", "targets"),
    (r"(seq|sequence|max|max_seq|max_sequence)_?len(gth)?|time_?steps|look_?back|window(_size)?", "sequence_length"),
    (r"(max_)?vocab(ulary)?_?size|max_(words|features|tokens)|num_words", "vocabulary"),
    (r"horizon", "horizon"),
    (r"(num|n)_frames", "frames"),
    (r"sample_rate|sampling_rate|sr", "sample_rate"),
    (r"clip_seconds|duration", "clip_seconds"),
    (r"scale|upscale_factor|scale_factor", "scale"),
    (r"(latent|noise)_dim", "latent"),
    (r"(num|n)_users", "users"),
    (r"(num|n)_(items|movies|books|products)", "items"),
    (r"batch_?size|batch|bs", "batch_size"),
    (r"(num_|n_)?epochs?|nb_epochs?", "epochs"),
    (r"learning_?rate|lr|initial_lr", "learning_rate"),
)
"""Names of constants and the field of DatasetFacts or Target that they stand for ("size": height,
width and channels). The first pattern that matches counts."""

_MEANING_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), fact) for pattern, fact in _MEANINGS)

_TRAINING_SETTINGS = ("batch_size", "epochs", "learning_rate")

_LIMITS = {
    "height": (8, 1024), "width": (8, 1024), "channels": (1, 16), "classes": (2, 20_000), "features": (1, 5_000),
    "targets": (1, 1_000), "sequence_length": (2, 5_000), "vocabulary": (20, 200_000), "horizon": (1, 1_000),
    "frames": (2, 64), "sample_rate": (1_000, 96_000), "clip_seconds": (1, 30), "scale": (2, 8), "latent": (2, 2_048),
    "users": (2, 5_000_000), "items": (2, 5_000_000),
}  # fmt: skip
"""Sizes outside these bounds are more likely misread than meant; the sample's own value stays."""

_FOLDED_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv)
"""What whole numbers are computed with; the other operators give fractions or huge numbers."""


def assigned_names(statement: Statement) -> tuple[str, ...]:
    """The names a plain assignment statement gives values to."""
    node = statement.node
    if not isinstance(node, ast.Assign):
        return ()
    return tuple(target.id for target in node.targets if isinstance(target, ast.Name))


def whole_number_constants(notebook: Notebook) -> dict[str, int]:
    """The project's whole-number constants, those computed from others included (`TIME_STEPS = RATE // STEP`)."""
    constants: dict[str, int] = {}
    for statement in notebook.statements:
        node = statement.node
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            value = whole_number(node.value, constants)
            if value is not None:
                constants[node.targets[0].id] = value
    return constants


def whole_number(node: ast.expr, constants: Mapping[str, int]) -> int | None:
    """The value of an expression of whole numbers and constants; None for any other."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node, ast.Name):
        return constants.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, _FOLDED_OPERATORS):
        left, right = whole_number(node.left, constants), whole_number(node.right, constants)
        if left is not None and right is not None:
            value = arithmetic(type(node.op), left, right)
            return value if isinstance(value, int) else None
    return None


def constant_edits(node: ast.Assign, target: Target, names: frozenset[str] = frozenset()) -> list[Edit]:
    """The edit that gives a constant the target's value; none where the name, the value or the target says nothing.
    `names` are all constants of the project."""
    name = node.targets[0]
    if len(node.targets) != 1 or not isinstance(name, ast.Name):
        return []
    if target.asked and isinstance(node.value, ast.Constant | ast.List):
        asked = asked_setting(name.id, _literal_value(node.value), target.asked, names)
        if asked is not None:
            return [(node.value, repr(asked))]
    fact = _meaning(name.id)
    if fact == "size":
        return _size_edits(node.value, target)
    if not fact or not isinstance(node.value, ast.Constant) or not isinstance(node.value.value, int | float):
        return []
    value = _target_value(fact, target)
    if value is None or value == node.value.value:
        return []
    return [(node.value, repr(value))]


def _literal_value(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _meaning(name: str) -> str:
    for pattern, fact in _MEANING_PATTERNS:
        if pattern.fullmatch(name):
            return fact
    return ""


def _size_edits(node: ast.expr, target: Target) -> list[Edit]:
    """The edit of an image size, which is one number, a pair or a shape."""
    height = _target_value("height", target)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return [] if height is None else [(node, repr(height))]
    if isinstance(node, ast.Tuple) and len(node.elts) in (2, 3):
        sizes = [height, _target_value("width", target), _target_value("channels", target)][: len(node.elts)]
        if None not in sizes and all(isinstance(item, ast.Constant) for item in node.elts):
            return [(node, f"({', '.join(map(repr, sizes))})")]
    return []


def _target_value(fact: str, target: Target) -> int | float | None:
    """The target's value for a fact; None where it has none or an unlikely one."""
    if fact in _TRAINING_SETTINGS:
        setting: int | float | None = getattr(target, fact)
        return setting
    size: int | None = getattr(target.facts, fact)
    low, high = _LIMITS[fact]
    if size is None or not low <= size <= high:
        return None
    return size


LINE_LENGTH = 100
"""Characters of a line up to which a list stays on it."""


def with_data(notebook: Notebook, constants: Mapping[str, str], facts: Mapping[str, Fact]) -> Notebook:
    """The notebook with each declared constant set to its fact; what the data leave open keeps the sample's value."""
    statements: list[Statement] = []
    for statement in notebook.statements:
        edits = _edits(statement.node, constants, facts)
        statements.append(edit_statement(statement, edits))
    return replace(notebook, statements=tuple(statements))


def _edits(node: ast.stmt, constants: Mapping[str, str], facts: Mapping[str, Fact]) -> Sequence[Edit]:
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        return ()
    name = node.targets[0].id
    fact = constants.get(name)
    if fact is None or fact not in facts:
        return ()
    value = node.value
    if isinstance(value, ast.Call) and value.args:  # os.environ.get("DATA_DIR", "data"): what holds by default
        value = value.args[-1]
    return [(value, _literal(name, facts[fact]))]


def _literal(name: str, value: Fact) -> str:
    """The value as Python writes it, a long list with an item a line."""
    text = _quoted(value)
    if isinstance(value, list | dict) and len(f"{name} = {text}") > LINE_LENGTH:
        items = [_quoted(item) for item in value]
        if isinstance(value, dict):
            items = [f"{_quoted(key)}: {_quoted(item)}" for key, item in value.items()]
        brackets = "[]" if isinstance(value, list) else "{}"
        lines = "".join(f"    {item},\n" for item in items)
        return f"{brackets[0]}\n{lines}{brackets[1]}"
    return text


def _quoted(value: object) -> str:
    """As `repr`, with double quotes where that needs no escapes."""
    if isinstance(value, str):
        text = repr(value)
        return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in value else text
    if isinstance(value, list):
        return f"[{', '.join(_quoted(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(key)}: {_quoted(item)}" for key, item in value.items()) + "}"
    return repr(value)
