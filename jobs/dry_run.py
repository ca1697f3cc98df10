"""What a run or an experiment would ask and cost, before anything is sent.

    python -m jobs.dry_run requirements.csv --out out/run llm=openai model=NAME price.output=2

The words are those of `dlcodegen generate`; for an experiment there is `dlcodegen experiment SPEC.yaml --dry-run`.
"""

from __future__ import annotations

from jobs.experiments.spec import ExperimentConfig, arms_of, sweep_of
from jobs.generation.estimate import Estimate, estimate_run
from jobs.generation.settings import GenerateConfig
from pipeline.llm.protocol import ChatReply


def main(config: GenerateConfig | ExperimentConfig) -> list[Estimate]:
    """An estimate for each run, in their order: what an earlier one asks for is free to the later ones."""
    if isinstance(config, GenerateConfig) and not config.run.sweep:
        return [estimate_run(config)]
    experiment = sweep_of(config) if isinstance(config, GenerateConfig) else config
    replies: dict[str, ChatReply] = {}
    return [estimate_run(arm.config, arm.title, replies) for arm in arms_of(experiment)]


if __name__ == "__main__":
    from jobs import run_command

    run_command("generate", "--dry-run")
