"""Which planner a run uses, by name: `planner=retrieval`, `planner=hybrid:out/planner`, `planner=gpt2:out/gpt2`, ...

Each planner is a step: a requirement in, the fields `plan` and `plan_sources` out.
"""

from __future__ import annotations

from pipeline.config import PlannerSettings
from pipeline.errors import DLCodeGenError
from pipeline.llm.build import AskerBuilder
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


def build_planner(
    planner: PlannerSettings, requirement_similarity: float, build_asker: AskerBuilder | None = None
) -> Step:
    """The planner that `planner.use` names, with its plans, model or folder loaded. `build_asker` makes what
    `planner=llm` asks. `requirement_similarity` is the firewall's: from there on a known plan is kept out.

    Raises DLCodeGenError where these are not there or not what they should be.
    """
    firewall = Firewall(requirement_similarity=requirement_similarity)
    if planner.kind == "retrieval":
        known = load_known_plans(planner.plans)
        return RetrievalPlanner(known, neighbours=planner.neighbours, firewall=firewall)
    if planner.kind == "hybrid":
        folder = planner.folder
        fitted = load_fitted(folder) if folder else fit(load_known_plans(planner.plans))
        return HybridPlanner(fitted, others=_others(fitted, firewall), firewall=firewall)
    if planner.kind == "gpt2":
        return Gpt2Planner(planner.folder)
    if build_asker is None:
        raise DLCodeGenError("planner=llm asks a language model and none is set; add llm=openai base_url=... model=...")
    known = load_known_plans(planner.plans)
    return FewShotPlanner(build_asker(), known, examples=planner.examples, firewall=firewall)


def _others(fitted: Fitted, firewall: Firewall) -> dict[str, Step]:
    """By field, the planners that the fit found better than its ridge, each made once."""
    names = {item.field: item.best for item in fitted.contest if item.best != RIDGE}
    made = {
        name: Gpt2Planner(name.partition(":")[2]) if name.startswith("gpt2:") else rival(name, fitted.known, firewall)
        for name in set(names.values())
    }
    return {field: made[name] for field, name in names.items()}
