"""Fine-tunes a GPT-2 to write solution plans, on Ray Train (paper, section IV.A).

    ray job submit --working-dir . -- python -m jobs.train_planner --data s3://bucket/plans.jsonl --out s3://bucket/planner

The same command goes on after a kill, from the last checkpoint. As a call: `main(TrainConfig(...))`.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
from ray.train.torch import TorchTrainer

from jobs.cluster.dataflow import start_ray
from jobs.cluster.progress import RowProgress
from jobs.runs.versions import versions_of
from jobs.training.data import Encoded, PlanSplit, load_split, write_examples
from jobs.training.model import prepare_model
from jobs.training.report import CARD, write_card, write_events, write_plot
from jobs.training.settings import TrainConfig
from jobs.training.state import PROGRESS, History, read_history
from pipeline.config import load_settings
from pipeline.errors import DLCodeGenError
from pipeline.planners.causal_lm.codec import PlanCodec
from pipeline.planners.causal_lm.model_folder import MODEL
from pipeline.retrieval.sample_pool import KnownPlan
from pipeline.storage.files import exists, fingerprint, join, read_bytes, upload_files, write_bytes

_VERSIONED = ("dlcodegen-ray", "ray", "torch", "transformers", "tokenizers", "numpy")
_STAGED = "staged.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainSummary:
    """What a run came to. `eval_loss` is the kept model's, in nats a plan token, `best_epoch` from 1."""

    out: str
    rows: int
    eval_rows: int
    steps: int
    best_epoch: int
    eval_loss: float
    ended: str
    seconds: float


def main(config: TrainConfig) -> TrainSummary:
    """Trains, or goes on training, and writes the run's folder. Raises DLCodeGenError for settings or data that cannot
    work, for a folder of another run, and where training diverged."""
    start = time.monotonic()
    if "://" not in config.out:
        config = config.model_copy(update={"out": os.path.abspath(config.out)})
    staged = _staged(config)
    if not exists(join(config.out, CARD)):
        _run_workers(config, staged)
    history = read_history(config.out)
    if not history.best_epoch:
        raise DLCodeGenError(
            f"--out {config.out}: training {history.ended}, and no epoch gave a model worth keeping; lower "
            f"learning_rate (now {config.learning_rate}) or raise warm_up, and choose another folder"
        )
    seconds = round(time.monotonic() - start, 1)
    if not exists(join(config.out, CARD)):
        write_plot(config.out, history)
        write_events(config.out, history)
        write_card(config.out, _card(config, staged, history, seconds), history)
    return TrainSummary(
        out=config.out,
        rows=staged["train"]["rows"],
        eval_rows=staged["evaluation"]["rows"],
        steps=len(history.steps),
        best_epoch=history.best_epoch,
        eval_loss=history.best_loss,
        ended=history.ended,
        seconds=seconds,
    )


def _staged(config: TrainConfig) -> dict[str, Any]:
    """What the run trains: data as tokens, model and tokenizer to start from, written once. A folder that was staged
    before must belong to the same run."""
    marker = join(config.out, _STAGED)
    sources = {name: fingerprint(place) for name, place in (("data", config.data), ("model", config.model))}
    owner = {"settings": config.digest(), "sources": sources}
    if exists(marker):
        found: dict[str, Any] = json.loads(read_bytes(marker))
        if found["owner"] != owner:
            raise DLCodeGenError(
                f"--out {config.out} holds a training run with other settings, data or model; choose another folder"
            )
        return found
    split = load_split(config)
    with tempfile.TemporaryDirectory(prefix="dlcodegen-train-") as folder:
        texts = (f"{row.requirement}\n{row.attributes}\n{row.plan.to_json()}" for row in split.train)
        tokenizer = prepare_model(config, texts, Path(folder))
        positions = json.loads((Path(folder) / "config.json").read_text()).get("n_positions", config.context)
        codec = PlanCodec(tokenizer, min(config.context, int(positions)), name=config.model)
        upload_files(folder, join(config.out, f"{MODEL}-start"))
        tokenizer.save_pretrained(Path(folder) / "tokenizer")
        upload_files(os.path.join(folder, "tokenizer"), join(config.out, MODEL))
    encoded = {
        name: write_examples(join(config.out, "data", f"{name}.parquet"), rows, codec)
        for name, rows in (("train", split.train), ("evaluation", split.evaluation))
    }
    found = {"owner": owner, "pad": codec.pad, "context": codec.context} | _described(split, encoded)
    write_bytes(marker, json.dumps(found, indent=2).encode())
    return found


def _described(split: PlanSplit, encoded: dict[str, Encoded]) -> dict[str, Any]:
    parts = {"train": split.train, "evaluation": split.evaluation}
    found: dict[str, Any] = {
        name: {
            "rows": part.rows, "tokens": part.tokens, "digest": part.digest, "shortened": part.shortened,
            "categories": _categories(parts[name]),
        }
        for name, part in encoded.items()
    }  # fmt: skip
    found["evaluation"]["source"] = split.eval_source
    found["benchmarks"] = {
        "compared_with": list(split.benchmarks), "rows_that_repeat_them": split.overlaps, "left_out": split.dropped,
    }  # fmt: skip
    return found


def _categories(rows: Sequence[KnownPlan]) -> int:
    return len({row.plan.canonical().task_category for row in rows})


def _run_workers(config: TrainConfig, staged: dict[str, Any]) -> None:
    start_ray(config.address, None)
    on_gpu = config.device == "gpu" or (config.device == "auto" and ray.cluster_resources().get("GPU", 0) > 0)
    threads = config.cpus_per_worker or _cpus_per_worker(config.workers)
    # Checkpoints are this project's own (jobs.training.state), so Ray Train has nothing to store but its bookkeeping.
    trainer = TorchTrainer(
        _train_worker,
        train_loop_config={"config": config.model_dump(mode="json"), "pad": staged["pad"], "threads": threads},
        scaling_config=ScalingConfig(
            num_workers=config.workers,
            use_gpu=on_gpu,
            resources_per_worker={"CPU": threads} | ({"GPU": 1} if on_gpu else {}),
        ),
        run_config=RunConfig(
            name=f"train-{int(time.time())}",
            storage_path=join(config.out, "ray"),
            failure_config=FailureConfig(max_failures=config.max_failures),
        ),
    )
    try:
        with _progress(config, staged["train"]["rows"]):
            trainer.fit()
    except TrainingFailedError as error:
        reason = str(error).strip().split("\n")[-1]
        raise DLCodeGenError(
            f"training failed, {config.max_failures + 1} times in a row: {reason}. Ray's logs tell more; the same "
            "command goes on from the last checkpoint"
        ) from error


def _train_worker(values: dict[str, Any]) -> None:
    from jobs.training.loop import train_worker

    train_worker(values)


def _cpus_per_worker(workers: int) -> int:
    """The CPUs of the cluster's smallest machine, divided among the workers that share it."""
    machines = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    cpus = [number for number in machines if number]
    return max(1, min(cpus) // max(1, -(-workers // len(cpus)))) if cpus else 1


@contextmanager
def _progress(config: TrainConfig, rows: int) -> Iterator[None]:
    """Shows the rows done, which the first worker leaves in the run's folder, while the block runs."""
    over = threading.Event()

    def watch() -> None:
        before = _rows_done(config.out)
        with RowProgress("train", rows * config.epochs, before, quiet=config.quiet) as progress:
            while not over.wait(2.0):
                done = _rows_done(config.out)
                if done > before:
                    progress.advance(done - before, 0)
                    before = done

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _rows_done(out: str) -> int:
    url = join(out, PROGRESS)
    return int(json.loads(read_bytes(url))["rows"]) if exists(url) else 0


def _card(config: TrainConfig, staged: dict[str, Any], history: History, seconds: float) -> dict[str, Any]:
    trained = sum(step["tokens"] for step in history.steps)
    return {
        "result": {
            "ended": history.ended, "kept_epoch": history.best_epoch, "evaluation_loss": history.best_loss,
            "steps": len(history.steps), "plan_tokens_learned_from": int(trained), "seconds_of_this_call": seconds,
        },
        "data": {name: staged[name] for name in ("train", "evaluation", "benchmarks")},
        "settings": config.model_dump(mode="json"),
        "context": staged["context"],
        "seed": config.seed,
        "workers": config.workers,
        "sources": staged["owner"]["sources"],
        "versions": versions_of(_VERSIONED),
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", help="YAML file of settings")
    parser.add_argument("--data")
    parser.add_argument("--eval")
    parser.add_argument("--out")
    parser.add_argument("settings", nargs="*", metavar="key=value")
    arguments = parser.parse_args()
    given = {name: getattr(arguments, name) for name in ("data", "eval", "out") if getattr(arguments, name)}
    print(main(load_settings(TrainConfig, arguments.config, arguments.settings, **given)))
