"""Beam search within a plan's grammar, over a batch of prompts, with a key-value cache.

A hypothesis' score is the mean log-probability of its chosen tokens, under the model's distribution over the tokens
that are allowed (tokens of the skeleton are no choice: they cost nothing and count nothing). One beam is greedy
decoding. While every hypothesis of the batch is in the skeleton, all tokens that are known beforehand are fed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from pipeline.planners.causal_lm.codec import PlanCodec
from pipeline.planners.causal_lm.constraint import PlanConstraint, Position
from pipeline.planners.causal_lm.kv_cache import SlotCache


@dataclass(slots=True)
class _Hypothesis:
    """A plan in the making, for the prompt `row`; `slot` is its place in the model's cache."""

    row: int
    slot: int
    position: Position
    tokens: tuple[int, ...] = ()
    score: float = 0.0
    chosen: int = 0

    @property
    def rank(self) -> float:
        return self.score / max(1, self.chosen)


@dataclass(slots=True)
class _Row:
    finished: list[_Hypothesis] = field(default_factory=list)


class PlanDecoder:
    """A GPT-2 that can only write plans. `beams` hypotheses are kept for each prompt."""

    def __init__(self, model: Any, codec: PlanCodec, *, beams: int = 3) -> None:
        self._model = model.eval()
        self._codec = codec
        self._beams = beams
        self._constraint = PlanConstraint(codec, int(model.config.vocab_size))
        self._masks = torch.zeros((0, int(model.config.vocab_size)), dtype=torch.bool, device=model.device)

    @torch.inference_mode()
    def decode(self, prompts: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
        """The tokens of each prompt's best plan, end token included; prompt and plan stay within the context.

        Deterministic. In another batch a prompt may get another plan where two are equally likely up to rounding.
        """
        rows = [_Row() for _ in prompts]
        run = _Run(self._model, prompts, self._codec, self._beams)
        starts = [self._constraint.start(self._codec.context - len(prompt)) for prompt in prompts]
        live = [_Hypothesis(row, row, position) for row, position in enumerate(starts)]
        while live:
            ahead = min(len(hypothesis.position.pending) for hypothesis in live)
            if ahead:
                for hypothesis in live:
                    self._force(hypothesis, ahead)
            else:
                live = self._choose(live, rows, run.logits)
            for hypothesis in live:
                if hypothesis.position.phase == "done":
                    self._force(hypothesis, len(hypothesis.position.pending))
                    rows[hypothesis.row].finished.append(hypothesis)
            live = [item for item in live if not item.position.done and len(rows[item.row].finished) < self._beams]
            if live:
                slots = run.feed([(item.slot, item.tokens[-max(1, ahead) :]) for item in live])
                for slot, hypothesis in zip(slots, live, strict=True):
                    hypothesis.slot = slot
        return [max(row.finished, key=lambda item: item.rank).tokens for row in rows]

    def _force(self, hypothesis: _Hypothesis, count: int) -> None:
        tokens = hypothesis.position.pending[:count]
        for token in tokens:
            hypothesis.position = self._constraint.advance(hypothesis.position, token)
        hypothesis.tokens += tokens

    def _choose(self, live: Sequence[_Hypothesis], rows: Sequence[_Row], logits: torch.Tensor) -> list[_Hypothesis]:
        """The best continuations of each row's hypotheses by one token, `beams` of them less those finished."""
        free = [number for number, item in enumerate(live) if not item.position.pending]
        sets = [self._constraint.mask(live[number].position) for number in free]
        allowed = self._table()[sets]
        scores = logits[[live[number].slot for number in free]].float().masked_fill(~allowed, -torch.inf)
        best = torch.log_softmax(scores, dim=-1).topk(min(self._beams, scores.shape[-1]), dim=-1)
        options: list[list[tuple[float, int, int, int]]] = [[] for _ in rows]
        for number, values, tokens in zip(free, best.values.tolist(), best.indices.tolist(), strict=True):
            item = live[number]
            options[item.row] += [
                (item.score + value, item.chosen + 1, number, token)
                for value, token in zip(values, tokens, strict=True)
                if value > -torch.inf
            ]
        for number, item in enumerate(live):
            if item.position.pending:
                options[item.row].append((item.score, item.chosen, number, item.position.pending[0]))
        survivors = []
        for row, found in enumerate(options):
            found.sort(key=lambda option: -option[0])
            for score, chosen, number, token in found[: self._beams - len(rows[row].finished)]:
                item = live[number]
                position = self._constraint.advance(item.position, token)
                survivors.append(_Hypothesis(row, item.slot, position, (*item.tokens, token), score, chosen))
        return survivors

    def _table(self) -> torch.Tensor:
        known, table = len(self._masks), self._constraint.mask_table()
        if known < len(table):
            new = [torch.from_numpy(mask) for mask in table[known:]]
            self._masks = torch.cat([self._masks, torch.stack(new).to(self._masks.device)])
        return self._masks


class _Run:
    """The model's pass over the live hypotheses, a slot each: `logits` are those after each slot's last token.

    Prompts are padded on the left, once; all hypotheses then grow by equally many tokens at a time.
    """

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]], codec: PlanCodec, beams: int) -> None:
        self._model = model
        longest = max(map(len, prompts))
        padded = [[codec.pad] * (longest - len(prompt)) + list(prompt) for prompt in prompts]
        real = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        self._attended = torch.tensor(real, device=model.device)
        self._cache = SlotCache(int(model.config.n_layer), len(prompts) * beams)
        self._pass(torch.tensor(padded, device=model.device))

    def feed(self, grown: Sequence[tuple[int, Sequence[int]]]) -> list[int]:
        """Goes on with these slots (one may be taken several times, or no more), each with its new tokens; gives each
        one's slot from now on."""
        sources = [slot for slot, _ in grown]
        slots = self._cache.rearrange(sources, self._attended.device)
        order = sorted(range(len(slots)), key=slots.__getitem__)
        tokens = torch.tensor([list(grown[number][1]) for number in order], device=self._attended.device)
        self._attended = torch.cat(
            [self._attended[[sources[number] for number in order]], torch.ones_like(tokens)], dim=1
        )
        self._pass(tokens)
        return slots

    def _pass(self, tokens: torch.Tensor) -> None:
        places = (self._attended.cumsum(dim=1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
        found = self._model(
            input_ids=tokens, attention_mask=self._attended, position_ids=places, past_key_values=self._cache,
            use_cache=True, logits_to_keep=1,
        )  # fmt: skip
        self.logits = found.logits[:, -1]
