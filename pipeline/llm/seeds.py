"""Seeds of single calls, made from the seed of a run."""

from __future__ import annotations

import hashlib
import json

_BITS = 31
"""Of a seed: what every server takes, signed or not."""


def call_seed(seed: int | None, *names: str | int) -> int | None:
    """A seed in [0, 2^31) for the call that `names` name: row, prompt, attempt. None where the run has none.

    With one seed for all its calls, a run's rows draw from the same random numbers, and their errors go together: an
    interval over rows would be too narrow. Equal names give equal seeds, so a run is repeated exactly, and the response
    cache answers what was asked before.
    """
    if seed is None:
        return None
    digest = hashlib.sha256(json.dumps([seed, *names]).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> (32 - _BITS)
