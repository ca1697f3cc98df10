"""The stage that measures a generated project: what its source says, how far it keeps to its plan,
how near it comes to the known solution. Nothing is run here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.analysis.extract import extract
from pipeline.analysis.names import names_never_defined
from pipeline.analysis.parsing import compiles, parsed
from pipeline.keras import api as keras_api
from pipeline.measures.codebleu.codebleu import code_bleu, code_words
from pipeline.measures.conformance import Conformance, conformance
from pipeline.measures.delivery.not_done import without_list
from pipeline.measures.torch_facts import in_keras_words, torch_facts
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import SCRIPT, Delivered, Generated, Scored, Scores
from pipeline.stage import Stage, Step
from pipeline.torch import api as torch_api

MEASURES = (
    "conformance",
    "conformance_final",
    "codebleu",
    "ngram_match",
    "weighted_ngram_match",
    "syntax_match",
    "dataflow_match",
    "length_ratio",
)
"""The scores that means are taken of; each is None where it does not apply."""


def score_stage() -> Stage:
    """Delivered -> Scored."""
    return Stage(name="score", accepts=Delivered, returns=Scored, build=_build)


def _build() -> Step:
    return score_project


def score_project(record: Generated) -> dict[str, object]:
    """The scores of the record's main file. A record without code gets the worst of every measure,
    not a failure: left out of an average, it would raise it."""
    source = measured_source(record)
    scores = read_code(source, record.plan, record.plan_final)
    if record.reference and record.reference.strip():
        scores = _compared(scores, source, record.reference)
    return {"scores": scores}


def main_source(record: Generated) -> str:
    """The text of `project.py`, without one that of the first Python file, without any ""."""
    python = [file for file in record.files if file.path.endswith(".py")]
    for file in python:
        if file.path == SCRIPT:
            return file.text
    if not python:
        return ""
    return python[0].text


def measured_source(record: Generated) -> str:
    """The main file as it was written, without the list of what was not done: what is measured, compared and judged."""
    return without_list(main_source(record))


def read_code(source: str, plan: SolutionPlan | None, final: SolutionPlan | None = None) -> Scores:
    """What the source says by itself, and how far it keeps to the plan, and to the `final` one; no CodeBLEU."""
    lines = sum(bool(line.strip()) for line in source.splitlines())
    tree = parsed(source)
    if tree is None or not compiles(tree):
        # What Python refuses keeps nothing of its plan; without a plan there is nothing to keep.
        worst = [None if one is None else 0.0 for one in (plan, final)]
        return Scores(parses=False, lines=lines, conformance=worst[0], conformance_final=worst[1])
    kept: dict[SolutionPlan, Conformance] = {}
    if plan is not None or final is not None:
        of_torch = torch_facts(tree)
        facts = extract(tree) if of_torch is None else of_torch
        for one in (plan, final):
            if one is not None and one not in kept:
                kept[one] = conformance(facts, one if of_torch is None else in_keras_words(one))
    return Scores(
        parses=True,
        undefined_names=names_never_defined(tree),
        invalid_calls=(*keras_api.invalid_calls(tree), *torch_api.invalid_calls(tree)),
        conformance=_share(kept, plan),
        conformance_final=_share(kept, final),
        deviations=kept[plan].deviations if plan is not None else (),
        lines=lines,
    )


def _share(kept: Mapping[SolutionPlan, Conformance], plan: SolutionPlan | None) -> float | None:
    """None without a plan, and for one that states nothing that can be checked."""
    return kept[plan].share if plan is not None and kept[plan].statements else None


def _compared(scores: Scores, candidate: str, reference: str) -> Scores:
    """With CodeBLEU, unless a source is beyond its limits, and the candidate's
    words over the reference's."""
    scores = replace(scores, length_ratio=len(code_words(candidate)) / len(code_words(reference)))
    score = code_bleu(candidate, reference)
    if score is None:
        return scores
    return replace(
        scores,
        codebleu=score.codebleu,
        ngram_match=score.ngram_match,
        weighted_ngram_match=score.weighted_ngram_match,
        syntax_match=score.syntax_match,
        dataflow_match=score.dataflow_match,
    )
