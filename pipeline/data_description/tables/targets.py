"""Which columns of a table are to be predicted, and as what; every guess names its rule."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipeline.data_description.tables.columns import FEW, ID_NAME, ColumnFacts
from pipeline.data_description.wording import listed, shown_name
from pipeline.errors import DLCodeGenError
from pipeline.request.data_contract import DataTarget, TargetKind

_PLAIN_NAMES = frozenset("target targets label labels class classes y outcome output response ground_truth".split())
"""Names that say: this is the target."""

_ALSO_INPUTS = frozenset("class classes y output response".split())
"""Those of them that name an input as well, where another column is what is usually predicted."""

_USUAL_NAMES = frozenset(
    "price saleprice sale_price selling_price median_house_value medv churn churned exited attrition survived species "
    "diagnosis sentiment fraud is_fraud isfraud is_anomaly anomaly toxic spam is_spam".split()
)
"""Names of what is usually predicted."""

_LAST_NAMES = frozenset(
    "quality rating salary income category genre genres emotion intent disease variety default type tag tags".split()
)
"""Names of what is often predicted and often an input: the target where the last column has them."""

_NUMBERED = re.compile(r"(target|label|y|output)_?\d+|(target|label)_\w+", re.IGNORECASE)
_AMOUNT_NAME = re.compile(
    r".*(price|amount|count|age|salary|income|cost|weight|height|score|sales|demand).*", re.IGNORECASE
)


_CLASS_NAME_LENGTH = 80
"""Characters of a class's name at most; what is longer is a text, and stays where it is."""

_LANGUAGE_WORDS = 5.0
"""Mean words from which on a text is language."""

_LEAST_WORDS = 2.0
"""The same beside labels, which tell that it is a text as well."""

_LEAST_LABELS = 3
"""Columns of two values at least that are labels together; one or two may be anything."""

_READINGS = 16
"""Columns at least of a table of readings, each row of which is a series."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetChoice:
    """The target's columns and the rule that chose them; no column where nothing tells."""

    names: tuple[str, ...] = ()
    rule: str = ""
    guessed: bool = False
    note: str = ""
    """What to do where there is no target, or where the rule is only a guess."""


def choose_targets(
    facts: Sequence[ColumnFacts],
    asked: Sequence[str],
    *,
    lacking: Sequence[str] = (),
    submitted: Sequence[str] = (),
    series: bool = False,
    class_names: Sequence[str] = (),
    table: str,
) -> TargetChoice:
    """The target of a table.

    `asked`: names that the user gave. `lacking`: columns that the test's table does not have. `submitted`: columns of
    the sample submission. `series`: whether the rows are steps of time. `class_names`: those that the file lists before
    its rows. Raises DLCodeGenError where a name that was
    asked for is no column.
    """
    names = [fact.name for fact in facts]
    if asked:
        return TargetChoice(names=tuple(_named(name, names, table) for name in asked), rule="as asked for")
    if lacking and len(lacking) < len(names):
        wanted = [name for name in submitted if name in lacking] or list(lacking)
        return TargetChoice(
            names=tuple(wanted), rule="the test's table lacks it" if len(wanted) == 1 else "the test's table lacks them"
        )
    predicted = [fact.name for fact in facts if fact.name in submitted and fact.role not in ("id", "time")]
    if predicted and len(predicted) < len(names):
        return TargetChoice(names=tuple(predicted), rule="the sample submission holds it")
    usable = [fact for fact in facts if fact.role not in ("id", "time", "unused") and fact.kind not in ("date", "path")]
    by_name = _by_name(usable)
    labels = _flags_beside_text(usable)
    if labels is not None and not (by_name is not None and _is_plain(by_name)):
        return labels
    if by_name is not None:
        return by_name
    if series:
        return _of_series(usable)
    if (beside_text := _beside_text(usable)) is not None:
        return beside_text
    last = usable[-1] if usable and len(usable) > 1 and usable[-1].name == names[-1] else None
    if last is not None and class_names and last.column.distinct == len(class_names):
        return TargetChoice(names=(last.name,), rule=f"the first line lists its {len(class_names)} classes")
    if last is not None and _few_values(last) and _numbers_classes(last):
        return TargetChoice(
            names=(last.name,),
            rule=f"a guess: the last column, with {last.column.distinct} values",
            guessed=True,
            note="that the last column is the target is a guess; --target NAME names another",
        )
    if _is_label_before_readings(usable, names):
        return TargetChoice(
            names=(names[0],),
            rule=f"a guess: the first column, with {usable[0].column.distinct} values, before columns of readings",
            guessed=True,
            note="that the first column is the target is a guess; --target NAME names another",
        )
    return TargetChoice(note="which column is the target cannot be told; name it with --target NAME")


def _named(name: str, names: Sequence[str], table: str) -> str:
    if name in names:
        return name
    same = [other for other in names if other.lower() == name.lower()]
    if len(same) == 1:
        return same[0]
    raise DLCodeGenError(f"{table}: no column {name!r} for the target; there are {listed(names)}")


def _by_name(usable: Sequence[ColumnFacts]) -> TargetChoice | None:
    """The target by the columns' names; None where no name tells, a choice without names where several do."""
    lowered = {fact.name: fact.name.lower().replace(" ", "_") for fact in usable}
    numbered = [fact.name for fact in usable if _NUMBERED.fullmatch(fact.name)]
    ids = [fact.name for fact in usable if ID_NAME.fullmatch(fact.name) or ID_NAME.fullmatch(fact.name.lower())]
    ratings = [name for name, low in lowered.items() if low in ("rating", "ratings", "score", "stars")]
    if len(ids) >= 2 and len(ratings) == 1:
        return TargetChoice(names=tuple(ratings), rule="its name, beside the ids of who rates what")
    for known in (_PLAIN_NAMES, _USUAL_NAMES, _LAST_NAMES):
        among = lowered if known is not _LAST_NAMES else dict(list(lowered.items())[-1:])
        found = [name for name, low in among.items() if low in known]
        if "y" in [lowered[name] for name in found] and _is_coordinate(lowered.values()):
            found = [name for name in found if lowered[name] != "y"]
        if known is _PLAIN_NAMES and len(found) == 1 and lowered[found[0]] in _ALSO_INPUTS:
            found += [name for name, low in lowered.items() if low in _USUAL_NAMES]
        if known is _PLAIN_NAMES and len(numbered) > 1 and not found:
            return TargetChoice(names=tuple(numbered), rule="their names")
        if len(found) == 1:
            return TargetChoice(names=tuple(found), rule="its name")
        if len(found) > 1:
            names = " or ".join(shown_name(name) for name in found[:4])
            return TargetChoice(note=f"the target may be {names}; name it with --target NAME")
    return None


def _beside_text(usable: Sequence[ColumnFacts]) -> TargetChoice | None:
    """The only column of few values beside the only one of language: what texts are sorted into."""
    texts = [fact for fact in usable if fact.kind == "text" and fact.words >= _LANGUAGE_WORDS]
    classes = [fact for fact in usable if _few_values(fact) and _numbers_classes(fact)]
    if len(texts) != 1 or len(classes) != 1:
        return None
    return TargetChoice(
        names=(classes[0].name,),
        rule=f"a guess: the only column of few values ({classes[0].column.distinct}) beside a text",
        guessed=True,
        note="that it is the target is a guess; --target NAME names another",
    )


def _is_plain(choice: TargetChoice) -> bool:
    return any(name.lower() in _PLAIN_NAMES for name in choice.names)


def _flags_beside_text(usable: Sequence[ColumnFacts]) -> TargetChoice | None:
    """Three columns of two values or more and nothing else beside a text: labels, of which any number holds."""
    texts = [fact for fact in usable if fact.kind == "text" and fact.words >= _LEAST_WORDS]
    flags = [fact for fact in usable if fact.kind == "flag"]
    if len(texts) != 1 or len(flags) < _LEAST_LABELS or len(flags) != len(usable) - 1:
        return None
    return TargetChoice(
        names=tuple(fact.name for fact in flags),
        rule=f"a guess: the {len(flags)} columns of two values beside a text",
        guessed=True,
        note="that they are the labels is a guess; --target NAME names another",
    )


def _is_coordinate(names: Collection[str]) -> bool:
    return "x" in names and any(name in names for name in ("z", "w", "h", "width", "height"))


def _of_series(usable: Sequence[ColumnFacts]) -> TargetChoice:
    numbers = [fact.name for fact in usable if fact.kind == "number"]
    if len(numbers) == 1:
        return TargetChoice(names=tuple(numbers), rule="the only series")
    return TargetChoice(note="which series is to be forecast cannot be told; name it with --target NAME")


def _is_label_before_readings(usable: Sequence[ColumnFacts], names: Sequence[str]) -> bool:
    """Whether the first column may hold classes and all others measurements, as in the files of the UCR archive."""
    if len(usable) < _READINGS or len(usable) < len(names) or not _few_values(usable[0]):
        return False
    return _numbers_classes(usable[0]) and all(fact.kind == "number" and not fact.whole for fact in usable[1:])


def _few_values(fact: ColumnFacts) -> bool:
    """Whether a column may hold classes: few different values, each of them several times."""
    distinct = fact.column.distinct
    if distinct is None or distinct < 2 or fact.unique or len(fact.values) < 2:
        return False
    if distinct > FEW or 5 * distinct > fact.present:
        return False
    return fact.kind in ("category", "flag") or fact.whole


def _numbers_classes(fact: ColumnFacts) -> bool:
    """Whether values are names, or numbers of classes: from 0 or 1 on without gaps. Other numbers count things."""
    if fact.kind != "number":
        return True
    numbers = [float(value.replace(",", ".")) for value in fact.values]
    return len(numbers) <= 10 and numbers[0] in (0, 1) and numbers[-1] - numbers[0] + 1 == len(numbers)


def target_of(fact: ColumnFacts, path: str, class_names: Sequence[str] = (), *, series: bool = False) -> DataTarget:
    """A column as target: its kind by what it holds. `series`: numbers are forecast, however few there are."""
    kind = "number" if series and fact.kind == "number" else target_kind(fact)
    if kind == "labels":
        labels = sorted({label.strip() for value in fact.values for label in value.split(fact.joined_by)})
        return DataTarget(name=fact.name, kind=kind, path=path, classes=len(labels), class_names=tuple(labels))
    if kind == "class":
        listed_in_file = len(class_names) == len(fact.values)
        names = tuple(class_names) if listed_in_file else tuple(_class_name(value) for value in fact.values)
        if any(len(name) > _CLASS_NAME_LENGTH for name in names):
            names = ()  # texts
        return DataTarget(name=fact.name, kind=kind, path=path, classes=fact.column.distinct, class_names=names)
    return DataTarget(name=fact.name, kind=kind, path=path)


def _class_name(value: str) -> str:
    """A class's number as it is usually written: "1.000e+00" -> "1"."""
    if re.fullmatch(r"[+-]?\d+\.\d+(e[+-]\d+)?", value, re.IGNORECASE) and float(value).is_integer():
        return str(int(float(value)))
    return value


def target_kind(fact: ColumnFacts) -> TargetKind:
    if fact.joined_by and fact.values:
        return "labels"
    if fact.kind in ("category", "flag"):
        # What hardly repeats is no class: names, addresses, tickets.
        return "class" if 2 * (fact.column.distinct or 0) <= fact.present else "text"
    if fact.kind == "number":
        few = fact.whole and 2 <= len(fact.values) <= FEW and 2 * len(fact.values) <= fact.present
        if few and not _AMOUNT_NAME.fullmatch(fact.name):
            return "class"
        return "number"
    return "text"


def combined(targets: Sequence[DataTarget], facts: Sequence[ColumnFacts], path: str) -> tuple[DataTarget, ...]:
    """Several flags are labels of which any number holds; other targets stay as they are."""
    if len(targets) > 2 and all(fact.kind == "flag" for fact in facts):
        names = tuple(fact.name for fact in facts)
        return (DataTarget(name="labels", kind="labels", path=path, classes=len(names), class_names=names),)
    return tuple(targets)
