"""Which planner a run uses, by name: `planner=retrieval`, `planner=hybrid:out/planner`, `planner=gpt2:out/gpt2`, ...

Each planner is a step: a requirement in, the fields `plan` and `plan_sources` out. Whichever it is, the one repair
(`pipeline.planners.repair`) comes after it.
"""

from __future__ import annotations

from pipeline.config import PlannerSettings
from pipeline.errors import DLCodeGenError
from pipeline.llm.build import AskerBuilder
from pipeline.planners.causal_lm.planner import Gpt2Planner
from pipeline.planners.repair.repair import RepairedPlanner
from pipeline.planners.retrieval import RetrievalPlanner
from pipeline.retrieval.firewall import Firewall
from pipeline.retrieval.sample_pool import load_known_plans
from pipeline.stage import Step


def build_planner(
    planner: PlannerSettings,
    requirement_similarity: float,
    build_asker: AskerBuilder | None = None,
    *,
    falls_back: bool = False,
) -> Step:
    """The planner that `planner.use` names, with its plans, model or folder loaded, and the repair behind it.

    `build_asker` makes what `planner=llm` asks; where that gives no plan, with `falls_back` the plan is drawn from
    similar projects. `requirement_similarity` is the firewall's: from there on a known plan
    is kept out.

    Raises DLCodeGenError where these are not there or not what they should be.
    """
    firewall = Firewall(requirement_similarity=requirement_similarity)
    return RepairedPlanner(_planner_alone(planner, firewall, build_asker, falls_back))


def _planner_alone(
    planner: PlannerSettings, firewall: Firewall, build_asker: AskerBuilder | None, falls_back: bool
) -> Step:
    if planner.kind == "retrieval":
        known = load_known_plans(planner.plans)
        return RetrievalPlanner(known, neighbours=planner.neighbours, firewall=firewall)
    if planner.kind == "hybrid":
        return _hybrid(planner, firewall)
    if planner.kind == "gpt2":
        return Gpt2Planner(planner.folder)
    if build_asker is None:
        raise DLCodeGenError("planner=llm asks a language model and none is set; add llm=openai base_url=... model=...")
    from pipeline.planners.few_shot import FewShotPlanner  # after scikit-learn, which takes two seconds to import

    known = load_known_plans(planner.plans)
    otherwise = RetrievalPlanner(known, neighbours=planner.neighbours, firewall=firewall) if falls_back else None
    return FewShotPlanner(build_asker(), known, examples=planner.examples, firewall=firewall, otherwise=otherwise)


def _hybrid(planner: PlannerSettings, firewall: Firewall) -> Step:
    # After scikit-learn, too.
    from pipeline.planners.hybrid.field_choice import other_planners
    from pipeline.planners.hybrid.fit import fit
    from pipeline.planners.hybrid.folder import load_fitted
    from pipeline.planners.hybrid.planner import HybridPlanner

    folder = planner.folder
    fitted = load_fitted(folder) if folder else fit(load_known_plans(planner.plans))
    return HybridPlanner(fitted, other_planners=other_planners(fitted, firewall), firewall=firewall)
