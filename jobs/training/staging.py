"""What a run trains from, written to its folder once: data as tokens, the model to start from, its tokenizer."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jobs.training.data import EncodedRows, PlanSplit, load_split, write_examples
from jobs.training.model import prepare_model
from jobs.training.settings import TrainConfig
from pipeline.errors import DLCodeGenError
from pipeline.planners.causal_lm.codec import PlanCodec
from pipeline.planners.causal_lm.model_folder import MODEL
from pipeline.retrieval.sample_pool import KnownPlan
from pipeline.storage.files import fingerprint, join, upload_files
from pipeline.storage.shard_folder import read_description, write_description

TRAINING_VERSION = 1
"""The layout of a training run's folder, with its checkpoint and encoded rows. Raise it when one of them changes its
form, so that an older program does not go on with a newer run; `stage_run` then has to take the older one along."""

STAGED = "staged.json"
"""Written last: a folder that has it holds everything that training starts from."""


@dataclass(frozen=True, slots=True)
class StagedRun:
    """`staged.json`."""

    owner: dict[str, Any]
    """Digests of the settings, the data and the model: what only this run has."""
    pad: int
    """The token that pads a batch."""
    context: int
    """Tokens of the longest example."""
    train: dict[str, Any]
    """The training rows: rows, tokens, digest, how many were shortened how, categories."""
    evaluation: dict[str, Any]
    """The same of the evaluation rows, with their source."""
    benchmarks: dict[str, Any]
    """What the rows were compared with, how many repeat it, how many were left out for that."""


def stage_run(config: TrainConfig) -> StagedRun:
    """Stages the run, or reads what was staged before. Raises DLCodeGenError for a folder that holds another run."""
    marker = join(config.out, STAGED)
    sources = {"data": fingerprint(config.data), "model": fingerprint(config.model)}
    owner = {"settings": config.digest(), "sources": sources}
    description = read_description(marker, TRAINING_VERSION, config.out)
    if description is not None:
        staged = StagedRun(**description)
        if staged.owner != owner:
            raise DLCodeGenError(
                f"--out {config.out} holds a training run with other settings, data or model; choose another folder"
            )
        return staged
    split = load_split(config)
    codec = _stage_model(config, split)
    train = write_examples(join(config.out, "data", "train.parquet"), split.train, codec)
    evaluation = write_examples(join(config.out, "data", "evaluation.parquet"), split.evaluation, codec)
    staged = StagedRun(
        owner=owner,
        pad=codec.pad,
        context=codec.context,
        train=_described(train, split.train),
        evaluation=_described(evaluation, split.evaluation) | {"source": split.eval_source},
        benchmarks={
            "compared_with": list(split.benchmarks),
            "rows_that_repeat_them": split.overlaps,
            "left_out": split.dropped,
        },
    )
    write_description(marker, asdict(staged), TRAINING_VERSION)
    return staged


def _stage_model(config: TrainConfig, split: PlanSplit) -> PlanCodec:
    """Writes the model and its tokenizer; gives the codec of both."""
    with tempfile.TemporaryDirectory(prefix="dlcodegen-train-") as folder:
        texts = (f"{row.requirement}\n{row.attributes}\n{row.plan.to_json()}" for row in split.train)
        tokenizer = prepare_model(config, texts, Path(folder))
        gpt2 = json.loads((Path(folder) / "config.json").read_text())
        positions = gpt2.get("n_positions", config.context)
        codec = PlanCodec(tokenizer, min(config.context, int(positions)), name=config.model)
        upload_files(folder, join(config.out, f"{MODEL}-start"))
        # The trained model's folder gets its tokenizer now; the workers write only weights and configuration there.
        tokenizer.save_pretrained(Path(folder) / "tokenizer")
        upload_files(os.path.join(folder, "tokenizer"), join(config.out, MODEL))
    return codec


def _described(encoded: EncodedRows, rows: Sequence[KnownPlan]) -> dict[str, Any]:
    categories = {row.plan.canonical().task_category for row in rows}
    return {
        "rows": encoded.rows,
        "tokens": encoded.tokens,
        "digest": encoded.digest,
        "shortened": encoded.shortened,
        "categories": len(categories),
    }
