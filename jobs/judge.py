"""A language model judges runs: scores by a rubric (Table III), and pairs in both orders.

    python -m jobs.judge out/direct out/ours --out out/judged llm=openai model=... base_url=...

Answers come through the response cache, so the same command goes on after a kill without asking twice. Written to the
folder, each as CSV and Parquet: judged (a method's aspect a row), judged_comparisons, preferred, and the single
answers as judgements and preferences; with report.html and manifest.json.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from jobs.cluster.ray_start import start_ray
from jobs.generation.language_model import language_model
from jobs.scoring.judging.asking import Questions, ask_judge, contaminated_by, sides_of
from jobs.scoring.judging.page import judge_page
from jobs.scoring.judging.results import Judging, judging_of, write_judging
from jobs.scoring.run_outputs import Run, open_runs, run_named
from jobs.scoring.settings import JudgeConfig
from pipeline.errors import DLCodeGenError
from pipeline.llm.protocol import Sampling
from pipeline.pages.judge_report import write_judge_report
from pipeline.storage.files import join
from pipeline.storage.one_writer import one_writer

__all__ = ["JudgeConfig", "main"]


def main(config: JudgeConfig) -> Judging:
    """Judges the runs and writes the folder. Raises DLCodeGenError for settings without a model, and for no run."""
    if config.llm.backend == "none":
        raise DLCodeGenError(
            "a judge is a language model; set llm=openai model=NAME base_url=URL, or llm=vllm model=NAME"
        )
    runs = open_runs([run.rstrip("/") for run in config.runs])
    against = run_named(runs, config.against)
    with one_writer(config.out):
        return _judge(config, runs, against)


def _judge(config: JudgeConfig, runs: Sequence[Run], against: Run) -> Judging:
    if config.llm.backend == "vllm":
        start_ray(config.address, None, config.out)
    sides = sides_of(runs, config.items)
    ours = next(side for side in sides if side.run is against)
    questions = Questions(
        judge=config.llm.model,
        sampling=Sampling(temperature=config.temperature, max_tokens=config.max_tokens, seed=config.seed),
        samples=config.samples,
        pairs=config.pairs,
        at_once=config.at_once,
        quiet=config.quiet,
    )
    with language_model(config.llm.with_cache_for(config.out)) as build:
        assert build is not None  # the backend is not "none"
        judgements, answers = asyncio.run(ask_judge(build(), questions, sides, ours))
    known = contaminated_by(sides)
    judging = judging_of(config.llm.model, runs, against.name, judgements, answers, known, config.out)
    write_judging(judging, config)
    aside: dict[str, Any] = {"llm": {"api_key_env"}, "runs": True, "out": True, "quiet": True, "address": True}
    shown = config.model_dump(mode="json", exclude=aside)
    write_judge_report(judge_page(judging, sides, ours, shown, config.report_items), join(config.out, "report.html"))
    return judging


if __name__ == "__main__":
    from jobs import run_command

    run_command("judge")
