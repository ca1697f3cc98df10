"""Lenient reading of plans as models and data sets write them.

Two schemas are mixed; lists stand for strings, and strings for numbers; keys are missing, JSON is cut off.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator, Mapping, Sequence

from pipeline.plan.fields import FIELD
from pipeline.plan.frameworks import canonical_framework
from pipeline.plan.json_objects import objects_in
from pipeline.plan.solution_plan import DatasetShape, Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.plan.vocabulary import is_unspecified

_NUMBER = re.compile(
    r"^[^\w.]*(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:\s?e[+-]?\d+)?)(?:f?(?![\w*\[])|(?=%))(?P<percent>\s?%)?", re.I
)
_NAMED = re.compile(r"^\W*(?:\w{1,20}[ _-]){0,2}\w{1,20}\s?[:=]\s?(?=[\d.])")
"""The name before a number ("lr=0.001")."""

_NEGATIVE = re.compile(r"^\W{0,3}[-−–](?=[\d.])")

# `Hypermeters` is a slip of the published schema, which many predictions repeat.
_HYPERPARAMETER_KEYS = ("hyperparameters", "hypermeters")


_WIDE_MARKS = str.maketrans("“”„‟：，｛｝［］", '""""' + ":,{}[]")
_SIGNS = str.maketrans("−–⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "--0123456789-")
_DIGITS = r"\d{1,20}(?:\.\d{0,20})?(?:e[+-]?\d{1,3})?"
_POWER = re.compile(
    rf"^\W*(?:(?P<factor>{_DIGITS})\s?[x×*·]\s?)?(?P<base>{_DIGITS})\s?(?:\^|\*\*|(?=[⁻⁰¹²³⁴-⁹]))\s?[({{]?"
    r"(?P<exponent>[+\-−–⁻]?[\d⁰¹²³⁴-⁹]{1,3}(?:\.\d{1,4})?)[)}]?(?![\w.*^/])",
    re.I,
)
_FRACTION = re.compile(rf"^\W*(?P<numerator>{_DIGITS})\s?[/÷]\s?\(?(?P<denominator>{_DIGITS})\)?(?![\w.*^/])", re.I)
_THOUSANDS = re.compile(r"^\s*(?P<number>\d{1,3}(?:,\d{3})+)(?![\d,.])")
_DECIMAL_COMMA = re.compile(r"^\s*0,(?P<digits>\d{1,9})\s*$")
_FORMULA_BEHIND = re.compile(r"\s?(?:\*|\^|[/÷]\s?[\d(]|-e\d|in \d)")
"""What makes a number the beginning of a formula, whose value it is not."""

_LONGEST_NUMBER = 200
"""Characters of a text in which its number is looked for."""

_PLAN_KEYS = ("taskcategory", "dataset", "preprocess", "modelarchitecture")
_PLACEHOLDERS = ("", "...", "…", "string", "null", "none")
_ELLIPSES = ("...", "…")
_START_VALUES = ("initial", "initialvalue", "initiallearningrate", "start", "base", "value")
"""Keys of the number in an object that stands for one, as of a schedule."""

_DEEPEST = 6
"""Objects in one another, and texts of JSON, down to which a plan is looked for."""


class UnreadablePlanError(ValueError):
    """The text holds no plan at all."""


def read_plan(source: str | Mapping[str, object]) -> SolutionPlan:
    """The plan that a JSON text or an object holds, as far as it can be understood.

    Keys are matched without regard to case, spaces and underscores; `Hypermeters` is read as
    `Hyperparameters`; JSON that is cut off or closed wrongly is repaired. An object that wraps the
    plan (`Code Plan`) is opened. Raises UnreadablePlanError where no object, or none of a plan's
    keys, is found.
    """
    if isinstance(source, str):
        source = _load(source)
    body = _opened(source)
    architecture = _section(body, "modelarchitecture", "model", "architecture")
    dataset = _section(body, "dataset", "data")
    if not {"taskcategory", "dataset", "modelarchitecture", "preprocess"} & body.keys():
        raise UnreadablePlanError("no plan: none of Task Category, Dataset, Preprocess, Model Architecture is there")
    hyper = _section(architecture, *_HYPERPARAMETER_KEYS) or _section(body, *_HYPERPARAMETER_KEYS)
    return SolutionPlan(
        task_category=_text(_first_present(body, FIELD["task_category"].names)),
        dataset=DatasetShape(
            input=_text(_first_present(dataset, FIELD["input"].names)),
            output=_text(_first_present(dataset, FIELD["output"].names)),
        ),
        preprocess=_text(_first_present(body, FIELD["preprocess"].names)),
        architecture=ModelArchitecture(layers=_layers(architecture), hyperparameters=_hyperparameters(hyper)),
        framework=canonical_framework(_text(body.get("framework"))),
    )


def read_text(value: object) -> str:
    """Any JSON value as a line of text: lists joined by commas, objects as "key: value" pairs, null as ""."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {read_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(read_text(item) for item in value)
    return str(value)


def read_number(value: object) -> float | None:
    """The positive number that a value starts with ("1e-4 with warm-up", "10^-3", "1/1000", "1,000"), or None; so for a
    formula of another kind."""
    if isinstance(value, list | tuple) and value:
        value = value[0]
    if isinstance(value, Mapping):
        named = _fold(value)
        value = next((named[name] for name in _START_VALUES if name in named), None)
    if isinstance(value, str):
        value = _number_in(value)
    # To Python a bool is an int, but `true` is no number of epochs.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def _text(value: object) -> str:
    """A plan's text, none where dots stand in its place; half of a surrogate pair, where JSON was cut off, becomes a
    question mark."""
    text = read_text(value).encode("utf-8", "replace").decode()
    return "" if text in _ELLIPSES else text


def _number_in(text: str) -> float | None:
    text = _NAMED.sub("", text.strip())
    if _NEGATIVE.match(text):
        return None
    if len(text) > _LONGEST_NUMBER:  # no number is cut in two
        text = text[:_LONGEST_NUMBER].rpartition(" ")[0]
    power = _POWER.match(text)
    if power:
        exponent = float(power["exponent"].translate(_SIGNS))
        return _computed(float(power["base"]), exponent, float(power["factor"] or 1))
    fraction = _FRACTION.match(text)
    if fraction and float(fraction["denominator"]):
        return float(fraction["numerator"]) / float(fraction["denominator"])
    decimal = _DECIMAL_COMMA.match(text)
    if decimal:
        return float(f"0.{decimal['digits']}")
    thousands = _THOUSANDS.match(text)
    if thousands:
        return float(thousands["number"].replace(",", ""))
    match = _NUMBER.match(text.translate(_SIGNS))
    if not match or _FORMULA_BEHIND.match(text, match.end()):
        return None
    number = float(re.sub(r"\s", "", match["number"]))
    return number / 100 if match["percent"] else number


def _computed(base: float, exponent: float, factor: float) -> float | None:
    try:
        return factor * math.pow(base, exponent)
    except (OverflowError, ValueError):  # ValueError: a negative power of 0
        return None


def _load(text: str) -> Mapping[str, object]:
    """The object of a text that is the fullest plan, the last of equal ones: a model may quote the format, or draft.
    What chats, web pages and encoders do to JSON is undone where there is no plan without."""
    best: Mapping[str, object] | None = None
    best_fullness = 0
    for mend in (str, _unescaped, html.unescape, _with_plain_marks):
        mended = mend(text)
        if mended == text and mend is not str:
            continue
        for found in objects_in(mended):
            fullest = max(_plans_within(found.value, _DEEPEST), key=_fullness)
            fullness = _fullness(fullest)
            if best is None or fullness >= best_fullness:
                best, best_fullness = fullest, fullness
        if best_fullness:
            break
    if best is None:
        raise UnreadablePlanError("no plan: the text holds no JSON object that can be read")
    return best


def _plans_within(value: object, depth: int) -> Iterator[Mapping[str, object]]:
    """An object that is a plan; of another one itself, and the plans that lie in it, those in texts of JSON too."""
    if isinstance(value, Mapping):
        is_plan = bool({"taskcategory", "modelarchitecture"} & _fold(value).keys())
        if is_plan or depth == _DEEPEST:
            yield value
        if is_plan:
            return
        value = list(value.values())
    if not depth:
        return
    if isinstance(value, list):
        for item in value:
            yield from _plans_within(item, depth - 1)
    elif isinstance(value, str) and "{" in value:
        yield from _plans_within([found.value for found in objects_in(value)], depth - 1)


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").replace('\\"', '"')


def _with_plain_marks(text: str) -> str:
    """The text with the quotes, colons and commas of JSON in the place of typographic and wide ones."""
    return text.translate(_WIDE_MARKS)


def _opened(values: Mapping[str, object]) -> dict[str, object]:
    """A plan's object, keys folded, without what wraps it (`Code Plan`); a JSON schema that was filled in is one."""
    body = _fold(values)
    inner = _section(body, "codeplan", "solutionplan", "plan")
    if not inner and body.get("type") == "object":
        inner = _section(body, "properties")
    return inner or body


def _fullness(values: Mapping[str, object]) -> int:
    """How many of a plan's parts an object has, its fields and layers among them."""
    body = _opened(values)
    architecture, dataset = _section(body, "modelarchitecture"), _section(body, "dataset")
    hyper = _section(architecture, *_HYPERPARAMETER_KEYS) or _section(body, *_HYPERPARAMETER_KEYS)
    parts = [body.get(key) for key in _PLAN_KEYS]
    parts += [dataset.get("input"), dataset.get("output"), architecture.get("layers"), *hyper.values()]
    return sum(read_text(part).lower() not in _PLACEHOLDERS for part in parts)


def _fold(values: Mapping[str, object]) -> dict[str, object]:
    """Keys lower-cased, without blanks, underscores and hyphens; the first of equal keys wins."""
    folded: dict[str, object] = {}
    for key, value in values.items():
        folded.setdefault(re.sub(r"[\s_-]", "", str(key).lower()), value)
    return folded


def _section(values: Mapping[str, object], *names: str) -> dict[str, object]:
    """The first of the named parts that is an object (of a list, its first object), keys folded; {} without one."""
    for name in names:
        part = values.get(name)
        if isinstance(part, list) and part:
            part = part[0]
        if isinstance(part, str) and part.lstrip().startswith("{"):  # encoded once more
            part = next((found.value for found in objects_in(part)), None)
        if isinstance(part, Mapping):
            return _fold(part)
    return {}


def _layers(architecture: Mapping[str, object]) -> tuple[str, ...]:
    """The layers in order; where a plan names several networks instead (`Generator`, ...), theirs one after another."""
    layers = architecture.get("layers")
    if layers is not None:
        return tuple(_layer_lines(layers))
    lines: list[str] = []
    for key, value in architecture.items():
        if key not in _HYPERPARAMETER_KEYS:
            lines += _layer_lines(value)
    return tuple(lines)


def _layer_lines(value: object) -> list[str]:
    if isinstance(value, Mapping):
        inner = _fold(value).get("layers")
        if inner is not None:
            return _layer_lines(inner)
        return [_text(value)]
    if isinstance(value, list | tuple):
        lines: list[str] = []
        for item in value:
            lines += _layer_lines(item)
        return lines
    text = _text(value)
    return [text] if text else []


def _hyperparameters(values: Mapping[str, object]) -> Hyperparameters:
    def value(field: str) -> object:
        return _first_present(values, FIELD[field].names)

    def name(field: str) -> str:
        text = _text(value(field))
        return "" if is_unspecified(text) else text

    def count(field: str) -> int | None:
        number = read_number(value(field))
        # Tables keep counts in 32 bits.
        if number is None or not 1 <= number < 2**31:
            return None
        return int(number)

    return Hyperparameters(
        optimizer=name("optimizer"),
        loss=name("loss"),
        learning_rate=read_number(value("learning_rate")),
        batch_size=count("batch_size"),
        epochs=count("epochs"),
        metric=name("metric"),
    )


def _first_present(values: Mapping[str, object], keys: Sequence[str]) -> object:
    """The value of the first of the keys that is there; None without one."""
    for key in keys:
        if key in values:
            return values[key]
    return None
