"""A language model judges runs: scores by a rubric (Table III), and pairs in both orders.

    python -m jobs.judge out/direct out/ours --out out/judged llm=openai model=... base_url=...

Answers come through the response cache, so the same command goes on after a kill without asking twice. Written to the
folder, each as CSV and Parquet: judged (a method's aspect a row), judged_comparisons, preferred, and the single
answers as judgements and preferences; with report.html and manifest.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator, Sequence

from pydantic import Field

from jobs.cluster.dataflow import start_ray
from jobs.generation.language_model import language_model
from jobs.runs.result_files import write_tables
from jobs.runs.versions import versions_of
from jobs.scoring.judging.asking import Judging, Questions, ask_judge, contaminated_by, sides_of
from jobs.scoring.judging.page import judge_page
from jobs.scoring.run_outputs import Run, open_runs, run_named
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.judge_rows import (
    JudgedRow,
    Judgement,
    Preference,
    PreferenceRow,
    judged_comparisons,
    judged_rows,
    preference_rows,
)
from pipeline.config import LLMSettings, load_settings
from pipeline.errors import DLCodeGenError
from pipeline.llm.protocol import Sampling
from pipeline.measures.judge import ASPECTS, model_family, own_family
from pipeline.pages.judge_report import write_judge_report
from pipeline.storage.files import join, write_bytes


class JudgeConfig(LLMSettings):
    """`samples`: how often each question is asked, each time with another seed. `against`: the run that the others are
    compared with, by default the first; `pairs` compares projects side by side as well. `items`: how many are judged,
    evenly spaced over the first run; by default all. `at_once`: questions under way. `report_items`: items that the
    page opens."""

    runs: tuple[str, ...] = Field(min_length=1)
    out: str
    against: str | None = None
    samples: int = Field(3, ge=1)
    temperature: float = Field(0.7, ge=0)
    max_tokens: int = Field(600, ge=50)
    seed: int = 0
    pairs: bool = True
    items: int | None = Field(None, ge=1)
    at_once: int = Field(32, ge=1)
    report_items: int = Field(60, ge=0)
    address: str | None = None
    quiet: bool = False


def main(config: JudgeConfig) -> Judging:
    """Judges the runs and writes the folder. Raises DLCodeGenError for settings without a model, and for no run."""
    if config.llm == "none":
        raise DLCodeGenError(
            "a judge is a language model; set llm=openai model=NAME base_url=URL, or llm=vllm model=NAME"
        )
    runs = open_runs([run.rstrip("/") for run in config.runs])
    against = run_named(runs, config.against)
    settings = config.model_copy(update={"cache": config.cache_for(config.out) or "off"})
    if config.llm == "vllm":
        start_ray(config.address, None)
    sides = sides_of(runs, config.items)
    ours = next(side for side in sides if side.run is against)
    questions = Questions(
        judge=config.model,
        sampling=Sampling(temperature=config.temperature, max_tokens=config.max_tokens, seed=config.seed),
        samples=config.samples,
        pairs=config.pairs,
        at_once=config.at_once,
        quiet=config.quiet,
    )
    with language_model(settings) as build:
        assert build is not None
        judgements, preferences = asyncio.run(ask_judge(build(), questions, sides, ours))
    known = contaminated_by(sides)
    judging = Judging(
        judge=config.model,
        rows=tuple(judged_rows(judgements, known)),
        comparisons=tuple(judged_comparisons(judgements, against.name, known)),
        preferences=tuple(preference_rows(preferences, known)),
        failures=sum(bool(row.failure) for row in judgements) + sum(bool(row.failure) for row in preferences),
        warnings=tuple(_warnings(config.model, runs)),
        judgements=tuple(judgements),
        answers=tuple(preferences),
        contaminated=known,
        out=config.out,
    )
    _write(judging, config)
    shown = config.model_dump(mode="json", exclude={"api_key_env", "runs", "out", "quiet", "address"})
    write_judge_report(judge_page(judging, sides, ours, shown, config.report_items), join(config.out, "report.html"))
    return judging


def _warnings(judge: str, runs: Sequence[Run]) -> Iterator[str]:
    own = [run.name.method for run in runs if own_family(judge, run.name.model)]
    if own:
        family = model_family(judge) or judge
        yield f"{judge} judges its own family ({family}) in {', '.join(own)}: models favour what their family writes"
    if not model_family(judge):
        yield f"the family of {judge} is not known from its name, so whether it judges its own was not checked"
    if any(run.name.model and not model_family(run.name.model) for run in runs):
        yield "the family of a writer is not known from its name, so whether it is the judge's was not checked"


def _write(judging: Judging, config: JudgeConfig) -> None:
    write_tables(
        config.out,
        {
            "judged": (judging.rows, JudgedRow),
            "judged_comparisons": (judging.comparisons, Comparison),
            "preferred": (judging.preferences, PreferenceRow),
            "judgements": (judging.judgements, Judgement),
            "preferences": (judging.answers, Preference),
        },
    )
    manifest = {
        "judge": config.model,
        "family": model_family(config.model),
        "warnings": list(judging.warnings),
        "aspects": list(ASPECTS),
        "settings": config.model_dump(mode="json", exclude={"api_key_env"}),
        "versions": versions_of(("dlcodegen-ray", "numpy")),
        "asked": sum(not row.unasked for row in judging.judgements) + len(judging.answers),
        "failed": judging.failures,
        "contaminated": dict(judging.contaminated),
    }
    write_bytes(join(config.out, "manifest.json"), json.dumps(manifest, indent=2).encode() + b"\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="run or key=value")
    parser.add_argument("--out", required=True, help="the folder to write to")
    arguments = parser.parse_args()
    given = [text for text in arguments.runs if "=" in text]
    folders = tuple(text for text in arguments.runs if "=" not in text)
    print(main(load_settings(JudgeConfig, None, given, runs=folders, out=arguments.out)))
