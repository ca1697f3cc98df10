"""Comparison: section by section the better of two drafts, merged into one project (DLCodeGen, section III.D).

A section's points are its conformance to the plan and the validity of its calls. Where both drafts
agree there is nothing to choose; where the points are equal the adapted sample (draft 1) is kept,
since its code has run before.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import lru_cache

from pipeline.generate.symbolic.coherence import make_coherent, names_no_statement_defines
from pipeline.generate.symbolic.notebook import Notebook
from pipeline.generate.symbolic.statement import SECTIONS, Statement
from pipeline.generate.symbolic.target import Target
from pipeline.generate.symbolic.torch.adapting import is_torch
from pipeline.keras import api as keras_api
from pipeline.keras.facts import canonical_layer, layer_names
from pipeline.measures.conformance import layer_classes, longest_common_subsequence
from pipeline.plan.frameworks import KERAS, PYTORCH
from pipeline.records import SectionChoice
from pipeline.torch import api as torch_api

CODE, TEMPLATE, BOTH = "code draft", "template draft", "both"

_CLOSER_TO_THE_PLAN = {
    "model": "its layers are closer to the plan's",
    "compile": "its optimizer, loss and metric are closer to the plan's",
}
"""Why a section won, in the sections that the plan says something about."""

_MORE_VALID = "more of its calls are valid"
"""Why a section won, in all others: the plan says nothing about them."""


def compare(code: Notebook, template: Notebook, target: Target) -> tuple[Notebook, tuple[SectionChoice, ...]]:
    """The final project and where each of its sections came from.

    If sections of draft 2 would leave a name undefined that draft 1 defines, draft 1 is taken whole.
    """
    choices: list[SectionChoice] = []
    merged = code
    framework = PYTORCH if is_torch(code) else KERAS
    for section in SECTIONS:
        first, second = code.section(section), template.section(section)
        if not first and not second:
            continue
        choice = _choose(section, first, second, target, framework)
        choices.append(choice)
        if choice.chosen == TEMPLATE:
            merged = merged.with_section(section, second)
    final = make_coherent(merged)
    mixed = any(choice.chosen == TEMPLATE for choice in choices)
    # A published sample may lack names of its own; only what the merge has made undefined counts
    # against it.
    if mixed and names_no_statement_defines(final) - names_no_statement_defines(code):
        choices = [_taken_back(choice) for choice in choices]
        return make_coherent(code), tuple(choices)
    return final, tuple(choices)


def _choose(
    section: str, code: Sequence[Statement], template: Sequence[Statement], target: Target, framework: str
) -> SectionChoice:
    code_points = _points(section, code, target, framework)
    if _source(code) == _source(template):
        return _choice(section, BOTH, code_points, code_points, "the drafts agree")
    template_points = _points(section, template, target, framework)
    reason = _CLOSER_TO_THE_PLAN.get(section, _MORE_VALID)
    if template_points > code_points:
        return _choice(section, TEMPLATE, code_points, template_points, reason)
    if template_points == code_points:
        reason = "equal points; the sample's own code has run before"
    return _choice(section, CODE, code_points, template_points, reason)


def _choice(section: str, chosen: str, code_points: float, template_points: float, reason: str) -> SectionChoice:
    return SectionChoice(
        section=section,
        chosen=chosen,
        code_draft=round(code_points, 4),
        template_draft=round(template_points, 4),
        reason=reason,
    )


def _taken_back(choice: SectionChoice) -> SectionChoice:
    """The choice where draft 1 is taken whole."""
    if choice.chosen != TEMPLATE:
        return choice
    reason = "the template draft's sections would leave names undefined"
    return _choice(choice.section, CODE, choice.code_draft, choice.template_draft, reason)


def _points(section: str, statements: Sequence[Statement], target: Target, framework: str) -> float:
    """Points in [0, 1]: half for conformance to the plan, half for valid calls; an empty section has none."""
    if not statements:
        return 0.0
    source = _source(statements)
    return 0.5 * _conformance(section, source, target) + 0.5 / (1 + _invalid_calls(source, framework))


def _source(statements: Sequence[Statement]) -> str:
    return "\n".join(statement.source for statement in statements)


def _conformance(section: str, source: str, target: Target) -> float:
    """How far a section keeps to the plan, in [0, 1]; 1 where the plan says nothing about it."""
    if section == "model":
        return _layer_similarity(_code_layers(source), _plan_layers(target.layers))
    if section == "compile":
        return _share_named(source, [target.optimizer, target.loss, target.metric])
    return 1.0


def _share_named(source: str, names: Sequence[str]) -> float:
    """The share of the plan's names that occur in the source; 1 where the plan has none."""
    planned = [name for name in names if name]
    if not planned:
        return 1.0
    named = 0
    for name in planned:
        if re.search(rf"\b{re.escape(name)}\b", source, re.IGNORECASE):
            named += 1
    return named / len(planned)


_IMPORTS = {
    KERAS: "from tensorflow import keras\nfrom tensorflow.keras import layers\nimport tensorflow as tf\n",
    PYTORCH: "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n",
}
"""What a section alone does not say: what `keras`, `layers` and `nn` are."""


@lru_cache(maxsize=4096)
def _invalid_calls(source: str, framework: str) -> int:
    """How many calls the framework does not have in this form."""
    invalid_calls = torch_api.invalid_calls if framework == PYTORCH else keras_api.invalid_calls
    try:
        return len(invalid_calls(ast.parse(_IMPORTS[framework] + source)))
    except (SyntaxError, ValueError):
        return 100  # worse than any section that parses


@lru_cache(maxsize=4096)
def _code_layers(source: str) -> tuple[str, ...]:
    """Names of the Keras layers called in a piece of code, in the order they are written."""
    known = layer_names()
    layers: list[str] = []
    for name in re.findall(r"\b([A-Z]\w*)\(", source):
        layer = canonical_layer(name)
        if layer in known and name != "Input":
            layers.append(layer)
    return tuple(layers)


@lru_cache(maxsize=4096)
def _plan_layers(texts: tuple[str, ...]) -> tuple[str, ...]:
    layers: list[str] = []
    for text in texts:
        for name in layer_classes(text):
            if name not in ("Input", "InputLayer"):
                layers.append(name)
    return tuple(layers)


@lru_cache(maxsize=4096)
def _layer_similarity(code: tuple[str, ...], plan: tuple[str, ...]) -> float:
    """Twice the longest common subsequence over all layers, as the score has it; 1 for a plan without layers."""
    if not plan:
        return 1.0
    return 2 * len(longest_common_subsequence(plan, code)) / (len(plan) + len(code))
