"""Ray's instruments for the rows of the table of metrics (`pipeline.monitoring`). Made in Ray's processes, one of each:
what an instrument has told is told no longer when it is gone."""

from __future__ import annotations

from functools import cache

from ray.util.metrics import Counter, Gauge, Histogram

from pipeline.monitoring import COST, SECONDS, TOKENS, Metric


@cache
def counter(metric: Metric) -> Counter:
    return Counter(metric.name, metric.description, tag_keys=metric.tags)


@cache
def gauge(metric: Metric) -> Gauge:
    return Gauge(metric.name, metric.description, tag_keys=metric.tags)


@cache
def histogram(metric: Metric) -> Histogram:
    """One whose values are seconds."""
    return Histogram(metric.name, metric.description, boundaries=list(SECONDS), tag_keys=metric.tags)


class Spent:
    """Tokens and cost of calls to language models."""

    def __init__(self) -> None:
        self._tokens, self._cost = counter(TOKENS), counter(COST)

    def add(self, prompt_tokens: int, completion_tokens: int, cost: float = 0.0) -> None:
        for side, tokens in (("prompt", prompt_tokens), ("completion", completion_tokens)):
            if tokens:  # a counter takes no zero
                self._tokens.inc(tokens, tags={"side": side})
        if cost:
            self._cost.inc(cost)
