"""Beam search within a plan's grammar, over a batch of prompts, with a key-value cache.

A hypothesis' score is the mean log-probability of its chosen tokens, under the model's distribution
over the tokens that are allowed (tokens of the skeleton are no choice: they cost nothing and count
nothing). One beam is greedy decoding. While every hypothesis of the batch is in the skeleton, all
tokens that are known beforehand are fed at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from pipeline.planners.causal_lm.codec import PlanCodec
from pipeline.planners.causal_lm.constraint import PlanConstraint, Position
from pipeline.planners.causal_lm.kv_cache import SlotCache


@dataclass(slots=True)
class _Hypothesis:
    """A plan in the making."""

    row: int
    """Index of its prompt."""
    slot: int
    """Where its keys and values lie in the model's cache."""
    position: Position
    tokens: tuple[int, ...] = ()
    score: float = 0.0
    """Sum of the chosen tokens' log-probabilities."""
    chosen: int = 0
    """How many tokens were chosen, not forced."""

    @property
    def rank(self) -> float:
        return self.score / max(1, self.chosen)


class _Continuation(NamedTuple):
    """A hypothesis with one token more."""

    score: float
    chosen: int
    parent: _Hypothesis
    token: int


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
        """The tokens of each prompt's best plan, end token included; prompt and plan stay within
        the context.

        Deterministic. In another batch a prompt may get another plan where two are equally likely
        up to rounding.
        """
        finished: list[list[_Hypothesis]] = [[] for _ in prompts]
        run = _Run(self._model, prompts, self._codec, self._beams)
        live = []
        for row, prompt in enumerate(prompts):
            position = self._constraint.start(self._codec.context - len(prompt))
            live.append(_Hypothesis(row, row, position))
        while live:
            # All hypotheses grow by equally many tokens at a time, since they share the model's pass.
            ahead = min(len(hypothesis.position.pending) for hypothesis in live)
            if ahead:
                for hypothesis in live:
                    self._force(hypothesis, ahead)
            else:
                live = self._choose(live, finished, run.logits)
            live = self._unfinished(live, finished)
            if live:
                new = max(1, ahead)  # a chosen token is one, forced ones are `ahead`
                grown = [(hypothesis.slot, hypothesis.tokens[-new:]) for hypothesis in live]
                for hypothesis, slot in zip(live, run.feed(grown), strict=True):
                    hypothesis.slot = slot
        best_tokens = []
        for plans in finished:
            best = max(plans, key=lambda hypothesis: hypothesis.rank)
            best_tokens.append(best.tokens)
        return best_tokens

    def _force(self, hypothesis: _Hypothesis, count: int) -> None:
        tokens = hypothesis.position.pending[:count]
        for token in tokens:
            hypothesis.position = self._constraint.advance(hypothesis.position, token)
        hypothesis.tokens += tokens

    def _unfinished(self, live: Sequence[_Hypothesis], finished: list[list[_Hypothesis]]) -> list[_Hypothesis]:
        """Moves whole plans to `finished`; gives the hypotheses of the rows that want more of them."""
        unfinished = []
        for hypothesis in live:
            if hypothesis.position.phase == "done":
                # Nothing is left to choose, so the end needs no further pass of the model.
                self._force(hypothesis, len(hypothesis.position.pending))
                finished[hypothesis.row].append(hypothesis)
            else:
                unfinished.append(hypothesis)
        # Only now, since a row's later hypotheses may have finished it.
        return [hypothesis for hypothesis in unfinished if len(finished[hypothesis.row]) < self._beams]

    def _choose(
        self, live: Sequence[_Hypothesis], finished: Sequence[Sequence[_Hypothesis]], logits: torch.Tensor
    ) -> list[_Hypothesis]:
        """The best continuations of each row's hypotheses by one token, `beams` of them less those
        finished."""
        continuations: list[list[_Continuation]] = [[] for _ in finished]
        for continuation in self._free_choices(live, logits):
            continuations[continuation.parent.row].append(continuation)
        for parent in live:
            if parent.position.pending:
                # A forced token is no choice: it adds nothing to the score.
                forced = _Continuation(parent.score, parent.chosen, parent, parent.position.pending[0])
                continuations[parent.row].append(forced)
        survivors = []
        for row, candidates in enumerate(continuations):
            # The sort is stable: of equally likely ones those of earlier hypotheses, and free choices, come first.
            candidates.sort(key=lambda candidate: -candidate.score)
            for score, chosen, parent, token in candidates[: self._beams - len(finished[row])]:
                position = self._constraint.advance(parent.position, token)
                tokens = (*parent.tokens, token)
                survivors.append(_Hypothesis(row, parent.slot, position, tokens, score, chosen))
        return survivors

    def _free_choices(self, live: Sequence[_Hypothesis], logits: torch.Tensor) -> Iterator[_Continuation]:
        """The `beams` best allowed tokens of each hypothesis that has nothing pending."""
        free, slots, mask_numbers = [], [], []
        for hypothesis in live:
            if not hypothesis.position.pending:
                free.append(hypothesis)
                slots.append(hypothesis.slot)
                mask_numbers.append(self._constraint.mask(hypothesis.position))
        # After the loop: asking for a mask may add it to the table.
        allowed = self._mask_table()[mask_numbers]
        # In float32: bfloat16, in which the model runs on a GPU, has too few digits to sum scores.
        scores = logits[slots].float().masked_fill(~allowed, -torch.inf)
        best = torch.log_softmax(scores, dim=-1).topk(min(self._beams, scores.shape[-1]), dim=-1)
        for hypothesis, values, tokens in zip(free, best.values.tolist(), best.indices.tolist(), strict=True):
            for value, token in zip(values, tokens, strict=True):
                if value > -torch.inf:  # fewer tokens than beams may be allowed
                    yield _Continuation(hypothesis.score + value, hypothesis.chosen + 1, hypothesis, token)

    def _mask_table(self) -> torch.Tensor:
        known, table = len(self._masks), self._constraint.mask_table()
        if known < len(table):
            new = torch.stack([torch.from_numpy(mask) for mask in table[known:]])
            self._masks = torch.cat([self._masks, new.to(self._masks.device)])
        return self._masks


class _Run:
    """The model's pass over the live hypotheses, a slot each: `logits` are those after each slot's
    last token.

    Prompts are padded on the left, once; all hypotheses then grow by equally many tokens at a time.
    """

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]], codec: PlanCodec, beams: int) -> None:
        self._model = model
        longest = max(map(len, prompts))
        padded, real = [], []
        for prompt in prompts:
            padding = longest - len(prompt)
            padded.append([codec.pad] * padding + list(prompt))
            real.append([0] * padding + [1] * len(prompt))
        self._attended = torch.tensor(real, device=model.device)
        self._cache = SlotCache(int(model.config.n_layer), len(prompts) * beams)
        self._pass(torch.tensor(padded, device=model.device))

    def feed(self, grown: Sequence[tuple[int, Sequence[int]]]) -> list[int]:
        """Goes on with these slots, each with its new tokens; gives the slot of each from now on.

        A slot may be gone on from several times, or no more.
        """
        sources = [slot for slot, _ in grown]
        slots = self._cache.rearrange(sources, self._attended.device)
        # The cache's rows are the slots, so the new tokens have to come in the order of these.
        ordered_sources, ordered_tokens = [], []
        for number in sorted(range(len(slots)), key=slots.__getitem__):
            source, new_tokens = grown[number]
            ordered_sources.append(source)
            ordered_tokens.append(list(new_tokens))
        tokens = torch.tensor(ordered_tokens, device=self._attended.device)
        self._attended = torch.cat([self._attended[ordered_sources], torch.ones_like(tokens)], dim=1)
        self._pass(tokens)
        return slots

    def _pass(self, tokens: torch.Tensor) -> None:
        # Positions count from the first real token, so that a prompt's padding changes nothing.
        positions = (self._attended.cumsum(dim=1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
        output = self._model(
            input_ids=tokens, attention_mask=self._attended, position_ids=positions, past_key_values=self._cache,
            use_cache=True, logits_to_keep=1,
        )  # fmt: skip
        self.logits = output.logits[:, -1]
