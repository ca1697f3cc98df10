"""What one worker does: its share of every batch, in step with the others.

The gradient of a step is that of the mean loss over all plan tokens of the whole batch, however the batch is divided:
so the loss curve does not depend on the number of workers (but for rounding and dropout).
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from ray import train
from ray.train.torch import get_device, prepare_model
from transformers import get_cosine_schedule_with_warmup

from jobs.training.data import epoch_batches, read_examples
from jobs.training.model import build_model
from jobs.training.settings import TrainConfig
from jobs.training.state import PROGRESS, Cursor, History, load_checkpoint, save_checkpoint
from pipeline.planners.causal_lm.codec import Example
from pipeline.planners.causal_lm.model_folder import MODEL
from pipeline.storage.files import download_files, join, upload_files, write_bytes

IGNORED = -100
"""The label of what is not learned: the prompt, and padding."""

_PROGRESS_SECONDS = 2.0
"""Between two reports; the driver looks as often (jobs.training.workers)."""


def collate(examples: Sequence[Example], pad: int) -> dict[str, torch.Tensor]:
    """A batch, a row an example, padded on the right.

    Nothing attends to padding or to another example, and only the plan's tokens have labels.
    """
    longest = max(len(example.tokens) for example in examples)
    tokens = torch.full((len(examples), longest), pad)
    attended = torch.zeros_like(tokens)
    labels = torch.full_like(tokens, IGNORED)
    for row, example in enumerate(examples):
        length = len(example.tokens)
        tokens[row, :length] = torch.tensor(example.tokens)
        attended[row, :length] = 1
        labels[row, example.plan_start : length] = tokens[row, example.plan_start : length]
    return {"input_ids": tokens, "attention_mask": attended, "labels": labels}


def _plan_tokens(batch: dict[str, torch.Tensor]) -> float:
    """Tokens of a batch that are learned; the first of a row is predicted from nothing."""
    return float((batch["labels"][:, 1:] != IGNORED).sum())


class PlanLoss(torch.nn.Module):
    """A GPT-2 as what is trained: a batch in, the summed negative log-likelihood (nats) of its labelled tokens out."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        states = self.model.transformer(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
        labels = batch["labels"][:, 1:]
        learned = labels != IGNORED
        # The output layer is a large part of a small model's work: it is spared for prompts and padding.
        logits = self.model.lm_head(states.last_hidden_state[:, :-1][learned])
        return torch.nn.functional.cross_entropy(logits.float(), labels[learned], reduction="sum")


class Worker:
    """One of `world` training processes. All of them run the same steps; the first one writes."""

    def __init__(self, config: TrainConfig, steps_per_epoch: int) -> None:
        context = train.get_context()
        self.rank, self.world = context.get_world_rank(), context.get_world_size()
        self.config = config
        self.device = get_device()
        torch.manual_seed(config.seed)
        with tempfile.TemporaryDirectory() as folder:
            download_files(join(config.out, f"{MODEL}-start"), folder)
            model = build_model(folder)
        if self.device.type == "cuda":
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
            model.config.use_cache = False  # keys and values are kept for generation only
        self.plain = PlanLoss(model)
        self.model = prepare_model(self.plain)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        total = steps_per_epoch * config.epochs
        self.schedule = get_cosine_schedule_with_warmup(self.optimizer, round(config.warm_up * total), total)
        self.parts = {"model": self.plain, "optimizer": self.optimizer, "schedule": self.schedule}
        self._last_progress = 0.0

    def step(self, batch: dict[str, torch.Tensor], rows: int, cursor: Cursor, history: History) -> float:
        """One optimizer step on this worker's part of a batch, of which `rows` are real; the batch's mean loss."""
        self.model.train()
        # A function of the cursor: a run that goes on draws the dropout that one never killed would have drawn.
        # The hash of numbers, unlike that of texts, is the same in every process.
        torch.manual_seed(hash((self.config.seed, cursor.epoch, cursor.batch, self.rank)) & 0x7FFFFFFF)
        loss, tokens = self._summed_loss(self.model, batch), _plan_tokens(batch)
        if not rows:
            # Zero, but still computed from the weights: backward must meet the other workers' in DDP's all-reduce.
            loss, tokens = loss * 0.0, 0.0
        total, count = self._summed(float(loss.detach()), tokens)
        self.optimizer.zero_grad(set_to_none=True)
        # DDP takes the mean of the workers' gradients, and what is wanted is their sum over the batch's tokens.
        (loss * self.world / count).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.largest_gradient)
        rate = self.schedule.get_last_lr()[0]
        self.optimizer.step()
        self.schedule.step()
        history.steps.append({"loss": total / count, "learning_rate": rate, "tokens": count})
        return total / count

    @torch.no_grad()
    def evaluate(self, examples: Sequence[Example], pad: int) -> float:
        """The mean loss per plan token over the evaluation rows, of which this worker takes its share."""
        self.model.eval()
        loss, tokens = 0.0, 0.0
        own = examples[self.rank :: self.world]
        for start in range(0, len(own), self.config.batch_size):
            batch = self.to_device(collate(own[start : start + self.config.batch_size], pad))
            # Not through DDP: workers may have unequal numbers of batches, and nothing is to be synchronised.
            loss += float(self._summed_loss(self.plain, batch))
            tokens += _plan_tokens(batch)
        total, count = self._summed(loss, tokens)
        return total / count

    def to_device(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: value.to(self.device, non_blocking=True) for name, value in batch.items()}

    def save(self, cursor: Cursor, history: History) -> None:
        if self.rank == 0:
            save_checkpoint(self.config.out, cursor, history, self.parts)

    def export(self) -> None:
        """Writes the model, as the best so far, beside its tokenizer."""
        if self.rank == 0:
            with tempfile.TemporaryDirectory() as folder:
                self.plain.model.save_pretrained(folder, max_shard_size="1000GB")  # in one file
                upload_files(folder, join(self.config.out, MODEL))

    def report_progress(self, cursor: Cursor, rows: int, loss: float) -> None:
        """Leaves for the driver how many rows are done, now and then."""
        if self.rank == 0 and time.monotonic() - self._last_progress > _PROGRESS_SECONDS:
            self._last_progress = time.monotonic()
            state = {"epoch": cursor.epoch + 1, "rows": rows, "loss": loss}
            write_bytes(join(self.config.out, PROGRESS), json.dumps(state).encode())

    def _summed_loss(self, model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            loss: torch.Tensor = model(batch)
        return loss

    def _summed(self, *values: float) -> list[float]:
        numbers = torch.tensor(values, dtype=torch.float64, device=self.device)
        if self.world > 1:
            dist.all_reduce(numbers)
        return list(numbers.tolist())


def train_worker(values: dict[str, Any]) -> None:
    """Ray Train's entry point: goes on from the run's checkpoint, or starts."""
    config, pad = TrainConfig(**values["config"]), int(values["pad"])
    torch.set_num_threads(values["threads"])
    examples = read_examples(join(config.out, "data", "train.parquet"))
    evaluation = read_examples(join(config.out, "data", "evaluation.parquet"))
    lengths = [len(example.tokens) for example in examples]
    worker = Worker(config, math.ceil(len(examples) / config.batch_size))
    cursor, history = load_checkpoint(config.out, worker.parts)
    while not history.ended:
        batches = epoch_batches(lengths, config.batch_size, config.seed, cursor.epoch)
        start, tokens = time.perf_counter(), 0
        for number in range(cursor.batch, len(batches)):
            own = batches[number][worker.rank :: worker.world]
            # A worker without a row of its own takes part with one that counts nothing: all must step together.
            rows = own or batches[number][:1]
            batch_examples = [examples[row] for row in rows]
            batch = worker.to_device(collate(batch_examples, pad))
            loss = worker.step(batch, len(own), Cursor(cursor.epoch, number), history)
            cursor = Cursor(cursor.epoch, number + 1)
            tokens += sum([lengths[row] for row in batches[number]])
            if not math.isfinite(loss):
                history.ended = f"diverged: the loss at step {len(history.steps)} is {loss}"
                break
            rows_of_epoch = min(cursor.batch * config.batch_size, len(examples))
            worker.report_progress(cursor, cursor.epoch * len(examples) + rows_of_epoch, loss)
            if cursor.batch % config.checkpoint_steps == 0 and cursor.batch < len(batches):
                worker.save(cursor, history)
        if not history.ended:
            rate = tokens / max(time.perf_counter() - start, 1e-9)
            loss = worker.evaluate(evaluation, pad)
            if history.end_epoch(loss, rate, epochs=config.epochs, patience=config.patience):
                worker.export()
        cursor = Cursor(cursor.epoch + 1)
        worker.save(cursor, history)
