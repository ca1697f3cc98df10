"""Which planner a run uses, by name: `planner=retrieval`, `planner=hybrid:out/planner`, `planner=gpt2:out/gpt2`, ...

Each planner is a step: a requirement in, the fields `plan` and `plan_sources` out.
"""

from __future__ import annotations

from pipeline.config import PipelineSettings
from pipeline.errors import DLCodeGenError
from pipeline.llm.asking.asker import Asker
from pipeline.llm.build import LLMBuilder
from pipeline.planners.causal_lm.planner import Gpt2Planner
from pipeline.planners.few_shot import FewShotPlanner
from pipeline.planners.hybrid.contest import RIDGE
from pipeline.planners.hybrid.fit import Fitted, fit
from pipeline.planners.hybrid.folder import load_fitted
from pipeline.planners.hybrid.planner import HybridPlanner
from pipeline.planners.hybrid.rivals import rival
from pipeline.planners.retrieval import RetrievalPlanner
from pipeline.retrieval.firewall import Firewall
from pipeline.retrieval.sample_pool import load_known_plans
from pipeline.stage import Step


def build_planner(settings: PipelineSettings, llm: LLMBuilder | None = None) -> Step:
    """The planner that `settings.planner.use` names, with its plans, model or folder loaded; `llm` is what
    `planner=llm` asks, and waits for.

    Raises DLCodeGenError where these are not there or not what they should be.
    """
    firewall = Firewall(requirement_similarity=settings.retrieval.requirement_similarity)
    if settings.planner.kind == "retrieval":
        known = load_known_plans(settings.plans)
        return RetrievalPlanner(known, neighbours=settings.planner.neighbours, firewall=firewall)
    if settings.planner.kind == "hybrid":
        folder = settings.planner.folder
        fitted = load_fitted(folder) if folder else fit(load_known_plans(settings.plans))
        return HybridPlanner(fitted, others=_others(fitted, firewall), firewall=firewall)
    if settings.planner.kind == "gpt2":
        return Gpt2Planner(settings.planner.folder)
    if llm is None:
        raise DLCodeGenError("planner=llm asks a language model and none is set; add llm=openai base_url=... model=...")
    known = load_known_plans(settings.plans)
    return FewShotPlanner(Asker(llm(), settings), known, examples=settings.planner.examples, firewall=firewall)


def _others(fitted: Fitted, firewall: Firewall) -> dict[str, Step]:
    """By field, the planners that the fit found better than its ridge, each made once."""
    names = {item.field: item.best for item in fitted.contest if item.best != RIDGE}
    made = {
        name: Gpt2Planner(name.partition(":")[2]) if name.startswith("gpt2:") else rival(name, fitted.known, firewall)
        for name in set(names.values())
    }
    return {field: made[name] for field, name in names.items()}
