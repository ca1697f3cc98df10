"""The GPT-2 planner online: the class that the batch job uses, behind a Serve handle that gathers requests.

handle = serve.run(planner_application("out/planner"), name="planner", route_prefix=None)
row = handle.plan.remote("Classify photos of shells.", "RGB, 96x96 pixels").result()
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from ray import serve
from ray.serve import Application

from pipeline.planners.causal_lm.planner import BEAMS, Gpt2Planner
from pipeline.planners.repair.repair import repair_plan
from pipeline.records import Requirement
from pipeline.understanding import asked_of


class PlannerServer:
    """Plans from the model in `folder`, many at once. Plain: it can be made and called without Serve."""

    def __init__(self, folder: str, *, beams: int = BEAMS, batch: int = 16, device: str | None = None) -> None:
        self._planner = Gpt2Planner(folder, beams=beams, batch=batch, device=device)

    async def plan(self, requirements: Sequence[str], attributes: Sequence[str]) -> list[dict[str, Any]]:
        """The repaired plan's JSON object for each requirement with its attributes ("" for none)."""
        records = [
            Requirement(id=f"request-{row}", row=row, requirement=requirement, attributes=words)
            for row, (requirement, words) in enumerate(zip(requirements, attributes, strict=True))
        ]
        # In a thread of its own, so that the replica answers health checks and gathers the next batch meanwhile.
        plans = await asyncio.to_thread(self._planner.plans, records)
        answers = []
        for record, predicted in zip(records, plans, strict=True):
            plan, _ = repair_plan(predicted, asked_of(record), f"{record.requirement}\n{record.attributes}")
            answers.append(plan.model_dump(by_alias=True, mode="json"))
        return answers


def planner_application(
    folder: str,
    *,
    beams: int = BEAMS,
    batch: int = 16,
    wait_seconds: float = 0.02,
    device: str | None = None,
    **options: Any,
) -> Application:
    """A Serve application whose `plan` takes one requirement and its attributes. Requests that arrive within
    `wait_seconds` of one another, up to `batch`, are decoded together. `options` are Serve's own: num_replicas,
    ray_actor_options, autoscaling_config, ..."""
    gather = serve.batch(max_batch_size=batch, batch_wait_timeout_s=wait_seconds)
    batched = type("Planner", (PlannerServer,), {"plan": gather(PlannerServer.plan)})
    options.setdefault("max_ongoing_requests", 2 * batch)  # the next batch may gather while one is decoded
    return serve.deployment(batched, **options).bind(folder, beams=beams, batch=batch, device=device)
