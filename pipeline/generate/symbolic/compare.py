"""Comparison: section by section the better of two drafts, merged into one project (DLCodeGen, section III.D).

A section's points are its conformance to the plan and the validity of its calls. Where both drafts agree there is
nothing to choose; where the points are equal the adapted sample (draft 1) is kept, since its code has run before.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import lru_cache

from pipeline.generate.symbolic.coherence import make_coherent, undefined_names
from pipeline.generate.symbolic.notebook import Notebook
from pipeline.generate.symbolic.statement import SECTIONS, Statement
from pipeline.generate.symbolic.target import Target
from pipeline.keras.api import invalid_calls
from pipeline.keras.facts import canonical_layer, layer_names
from pipeline.measures.conformance import layer_classes, longest_common_subsequence
from pipeline.records import SectionChoice

CODE, TEMPLATE, BOTH = "code draft", "template draft", "both"


def compare(code: Notebook, template: Notebook, target: Target) -> tuple[Notebook, tuple[SectionChoice, ...]]:
    """The final project and where each of its sections came from.

    If sections of draft 2 would leave a name undefined that draft 1 defines, draft 1 is taken whole.
    """
    choices: list[SectionChoice] = []
    merged = code
    for section in SECTIONS:
        first, second = code.section(section), template.section(section)
        if not first and not second:
            continue
        choice = _choose(section, first, second, target)
        choices.append(choice)
        if choice.chosen == TEMPLATE:
            merged = merged.with_section(section, second)
    final = make_coherent(merged)
    if any(choice.chosen == TEMPLATE for choice in choices) and undefined_names(final) - undefined_names(code):
        return make_coherent(code), tuple(_whole(choice) for choice in choices)
    return final, tuple(choices)


def _choose(section: str, code: Sequence[Statement], template: Sequence[Statement], target: Target) -> SectionChoice:
    points = _points(section, code, target)
    if _source(code) == _source(template):
        return _choice(section, BOTH, points, points, "the drafts agree")
    others = _points(section, template, target)
    if others > points:
        return _choice(section, TEMPLATE, points, others, _REASONS.get(section, "more of its calls are valid"))
    reason = "equal points; the sample's own code has run before" if others == points else _REASONS.get(section, "")
    return _choice(section, CODE, points, others, reason or "more of its calls are valid")


_REASONS = {
    "model": "its layers are closer to the plan's",
    "compile": "its optimizer, loss and metric are closer to the plan's",
}


def _choice(section: str, chosen: str, code: float, template: float, reason: str) -> SectionChoice:
    return SectionChoice(
        section=section, chosen=chosen, code_draft=round(code, 4), template_draft=round(template, 4), reason=reason
    )


def _whole(choice: SectionChoice) -> SectionChoice:
    if choice.chosen != TEMPLATE:
        return choice
    reason = "the template draft's sections would leave names undefined"
    return _choice(choice.section, CODE, choice.code_draft, choice.template_draft, reason)


def _points(section: str, statements: Sequence[Statement], target: Target) -> float:
    """Points in [0, 1]: half for conformance to the plan, half for valid calls; an empty section has none."""
    if not statements:
        return 0.0
    source = _source(statements)
    return 0.5 * _conformance(section, source, target) + 0.5 / (1 + _invalid(source))


def _source(statements: Sequence[Statement]) -> str:
    return "\n".join(statement.source for statement in statements)


def _conformance(section: str, source: str, target: Target) -> float:
    if section == "model":
        return _layer_similarity(layers_in(source), _plan_layers(target.layers))
    wanted: list[object] = []
    if section == "compile":
        wanted = [target.optimizer, target.loss, target.metric]
    stated = [str(item) for item in wanted if item]
    named = sum(re.search(rf"\b{re.escape(item)}\b", source, re.IGNORECASE) is not None for item in stated)
    return named / len(stated) if stated else 1.0


@lru_cache(maxsize=4096)
def _invalid(source: str) -> int:
    imports = "from tensorflow import keras\nfrom tensorflow.keras import layers\nimport tensorflow as tf\n"
    try:
        return len(invalid_calls(ast.parse(imports + source)))
    except (SyntaxError, ValueError):
        return 100


@lru_cache(maxsize=4096)
def layers_in(source: str) -> tuple[str, ...]:
    """Names of the Keras layers called in a piece of code, in the order they are written."""
    known = layer_names()
    names = re.findall(r"\b([A-Z]\w*)\(", source)
    return tuple(canonical_layer(name) for name in names if canonical_layer(name) in known and name != "Input")


@lru_cache(maxsize=4096)
def _plan_layers(layers: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for layer in layers for name in layer_classes(layer) if name not in ("Input", "InputLayer"))


@lru_cache(maxsize=4096)
def _layer_similarity(code: tuple[str, ...], plan: tuple[str, ...]) -> float:
    """Twice the longest common subsequence over all layers, as the score has it; 1 for a plan without layers."""
    return 2 * len(longest_common_subsequence(plan, code)) / (len(plan) + len(code)) if plan else 1.0
