"""Plans/s and time to the first plan of constrained beams, against plain `transformers.generate` on the same model."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoTokenizer, GPT2LMHeadModel

from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.causal_lm.codec import PlanCodec
from pipeline.planners.causal_lm.decoding import PlanDecoder
from pipeline.planners.causal_lm.model_folder import local_model_folder
from pipeline.retrieval.sample_pool import KnownPlan

BATCH = 16


@dataclass(frozen=True, slots=True)
class Measured:
    rows: int
    seconds: float
    """For all rows."""
    tokens: int
    """Written, for all rows."""
    valid: int
    """Rows whose tokens spell a plan."""


def measure_decoding(folder: str, rows: Sequence[KnownPlan], beams: int) -> None:
    """Prints both decoders for the first row and for all rows, in batches of 16 sorted by length."""
    with local_model_folder(folder) as path:
        model, tokenizer = GPT2LMHeadModel.from_pretrained(path).eval(), AutoTokenizer.from_pretrained(path)
    if torch.cuda.is_available():
        model = model.to("cuda", torch.bfloat16)
    codec = PlanCodec(tokenizer, model.config.n_positions)
    decoder = PlanDecoder(model, codec, beams=beams)
    prompts = sorted((codec.prompt(row.requirement, row.attributes) for row in rows), key=len, reverse=True)
    decoders: dict[str, Callable[[Sequence[Sequence[int]]], list[Sequence[int]]]] = {
        "constrained": lambda batch: list(decoder.decode(batch)),
        "transformers.generate": lambda batch: _plain(model, codec, batch, beams),
    }
    print(f"\nDecoding, {beams} beams, {model.num_parameters():,} weights on {model.device}, {folder}")
    heads = ("rows", "first plan", "plans/s", "tokens/plan", "tokens/s", "valid", "10,000 take")
    print(f"{'':24}" + "".join(f"{head:>12}" for head in heads))
    plan_rates, token_rates = {}, {}
    for name, decode in decoders.items():
        decode(prompts[-1:])  # warm
        some = prompts[:: max(1, len(prompts) // 3)]
        first = statistics.median(_measure(decode, codec, [prompt]).seconds for prompt in some)
        measured = _measure(decode, codec, prompts)
        plan_rates[name] = measured.rows / measured.seconds
        token_rates[name] = measured.tokens / measured.seconds
        print(
            f"{name:24}{measured.rows:>12}{first:>10.2f} s{plan_rates[name]:>12.2f}"
            f"{measured.tokens / measured.rows:>12.0f}{token_rates[name]:>12.0f}"
            f"{measured.valid / measured.rows:>12.0%}{10_000 / plan_rates[name] / 60:>8.0f} min"
        )
    plans = plan_rates["constrained"] / plan_rates["transformers.generate"]
    tokens = token_rates["constrained"] / token_rates["transformers.generate"]
    # What is no plan may be of any length, so plans/s compare only where plain decoding writes plans too.
    print(f"constrained / plain: {tokens:.2f} x tokens/s, {plans:.2f} x plans/s")


def _measure(
    decode: Callable[[Any], list[Sequence[int]]], codec: PlanCodec, prompts: Sequence[Sequence[int]]
) -> Measured:
    start = time.perf_counter()
    plans: list[Sequence[int]] = []
    for first in range(0, len(prompts), BATCH):
        plans += decode(prompts[first : first + BATCH])
    seconds = time.perf_counter() - start
    return Measured(len(prompts), seconds, sum(map(len, plans)), sum(is_plan(codec, plan) for plan in plans))


def _plain(model: Any, codec: PlanCodec, batch: Sequence[Sequence[int]], beams: int) -> list[Sequence[int]]:
    """What a user of transformers would write: left padding, an end token, the rest of the context as the limit."""
    longest = max(map(len, batch))
    tokens = torch.tensor(
        [[codec.pad] * (longest - len(prompt)) + list(prompt) for prompt in batch], device=model.device
    )
    real = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in batch], device=model.device)
    with torch.inference_mode():
        rows = model.generate(
            input_ids=tokens, attention_mask=real, num_beams=beams, do_sample=False, pad_token_id=codec.pad,
            eos_token_id=codec.end, max_new_tokens=codec.context - longest,
        )  # fmt: skip
    written = rows[:, longest:].tolist()
    return [row[: row.index(codec.end) + 1] if codec.end in row else row for row in written]


def is_plan(codec: PlanCodec, tokens: Sequence[int]) -> bool:
    """Whether the tokens spell a plan."""
    try:
        return isinstance(codec.decode(tokens), SolutionPlan)
    except ValueError:
        return False
