"""A transformer's keys and values for the hypotheses of a beam search, each in a slot of its own.

transformers' own cache is copied whole for every token: once to append to it, once to reorder it
for the beams. Here a buffer grows by blocks, and only the slots change hands whose hypothesis was
given up for another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

_BLOCK = 128
"""Tokens by which a buffer grows."""


class _SlotLayer(DynamicLayer):
    """One layer's keys and values: views of buffers of shape [slots, heads, tokens, width]."""

    def __init__(self, slots: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._slots = slots
        self._buffers: list[torch.Tensor] = []
        self._used = 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        rows, heads, new, width = key_states.shape
        start, self._used = self._used, self._used + new
        if not self._buffers or self._buffers[0].shape[2] < self._used:
            blocks = -(-self._used // _BLOCK)  # rounded up
            shape = (self._slots, heads, blocks * _BLOCK, width)
            grown = [key_states.new_empty(shape) for _ in range(2)]
            for old, buffer in zip(self._buffers, grown, strict=False):
                buffer[:, :, :start] = old[:, :, :start]
            self._buffers = grown
            self.is_initialized = True
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:rows, :, start : self._used] = states
        return self._view(rows)

    def move(self, sources: torch.Tensor, targets: torch.Tensor, rows: int) -> None:
        """Copies slots onto others; `rows` of them are then in use."""
        if len(targets):
            for buffer in self._buffers:
                buffer[targets, :, : self._used] = buffer[sources, :, : self._used]
        self._view(rows)

    def _view(self, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
        self.keys, self.values = (buffer[:rows, :, : self._used] for buffer in self._buffers)
        return self.keys, self.values


class SlotCache(Cache):
    """For a model of `layers` layers and at most `slots` hypotheses; what its `past_key_values`
    takes."""

    def __init__(self, layers: int, slots: int) -> None:
        self._slotted = [_SlotLayer(slots) for _ in range(layers)]
        super().__init__(layers=list(self._slotted))

    def rearrange(self, sources: Sequence[int], device: torch.device) -> list[int]:
        """Makes room for one hypothesis for each entry of `sources`, the slot that it goes on from;
        gives the slot of each from now on. It keeps its own wherever it can; a slot may be gone on
        from several times, or not at all."""
        count = len(sources)
        kept: dict[int, int] = {}  # slot -> the first hypothesis that goes on from it
        for number, source in enumerate(sources):
            if source < count:
                kept.setdefault(source, number)
        free = iter(sorted(set(range(count)) - kept.keys()))
        slots, moved_from, moved_to = [], [], []
        for number, source in enumerate(sources):
            if kept.get(source) == number:
                slots.append(source)
                continue
            slot = next(free)
            slots.append(slot)
            moved_from.append(source)
            moved_to.append(slot)
        # No slot is both read and written: every slot below `count` that is read is kept, not free.
        from_slots = torch.tensor(moved_from, dtype=torch.long, device=device)
        to_slots = torch.tensor(moved_to, dtype=torch.long, device=device)
        for layer in self._slotted:
            layer.move(from_slots, to_slots, count)
        return slots
