"""How many classes there are, and their names."""

from __future__ import annotations

import re

from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.data.sizes import in_the_data, output_sizes
from pipeline.measures.delivery.findings import (
    Finding,
    Found,
    as_number,
    equal,
    is_known,
    listed,
    met,
    missing,
    one_of,
    plain,
    unknown,
)
from pipeline.request.constraints import Constraint


def _count(constraint: Constraint, code: Code) -> Finding:
    """By the units of the last layer; one unit tells two classes apart. A constant of the usual name counts too."""
    named = code.values(
        r"(n|num|number_of|no_of|n_?b)?_?(classes|labels|categories|tags|class_count|num_class)|out_classes"
    )
    lists = [
        item
        for item in code.named
        if re.fullmatch("(class|label|target)(_?names|es|s)|categories|labels", item.name.lower())
    ]
    sizes = [Found(len(item.value), item.line) for item in lists if isinstance(item.value, list | tuple)]
    heads = output_sizes(code)
    if constraint.value == "2":
        heads = [Found(2, head.line) if equal(head.value, "1") else head for head in heads]
    known = [item for item in heads if is_known(item.value)]
    for item in known:
        if equal(item.value, constraint.value):
            return met(item.line)
    stated = [item for item in (*named, *sizes) if is_known(item.value)]
    wanted = as_number(constraint.value)
    for item in stated:
        with_background = any(equal(head.value, str(int(wanted or 0) + 1)) for head in known)
        if equal(item.value, constraint.value) and (not known or with_background):
            return met(item.line)
    if known:
        return missing(f"{listed(known)} outputs", known[-1].line)
    if heads:
        return unknown("the number of classes comes from the data")
    return one_of(stated, constraint.value, missing("no output layer found"))


_READ_AT_RUN_TIME = re.compile(
    r"class_names|class_indices|listdir|iterdir|label_?encoder|factorize|unique|classes_|get_dummies"
)


def _name(constraint: Constraint, code: Code) -> Finding:
    wanted = plain(constraint.value)
    for text in code.texts:
        if plain(str(text.value)) == wanted:
            return met(text.line)
    line = next((line for word, line in code.words.items() if _READ_AT_RUN_TIME.search(word)), None)
    if line is not None or any("from_directory" in call.name or call.name == "ImageFolder" for call in code.calls):
        return unknown("the names of classes come from the data")
    return missing("no class of this name")


CLASSES: dict[str, Check] = {"count": _count, "name": _name, "imbalance": in_the_data}
