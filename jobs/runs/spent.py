"""What a run's calls to language models came to so far, as its account in the run's folder says."""

from __future__ import annotations

from pipeline.llm.spending.budget import Spending
from pipeline.storage.files import join, read_json

SPENT_FILE = "spent.json"
"""The account (jobs.generation.budget), in a run's folder."""

IN_FLIGHT = "in_flight"
"""The key under which calls under way stand, with the most they can come to."""

SERVER_STEPS = "server_steps"
"""The key under which stands what the model's server did not take, and how it was asked instead."""


def spent_in(folder: str) -> Spending:
    """What was spent in a run's folder so far, and may have been by calls that were under way when it was killed."""
    values = read_json(join(folder, SPENT_FILE))
    if values is None:
        return Spending()
    in_flight = values.pop(IN_FLIGHT, {})
    values.pop(SERVER_STEPS, None)
    return Spending(**values) + Spending(**in_flight)


def server_steps_in(folder: str) -> list[str]:
    """What the model's server did not take in a run so far."""
    values = read_json(join(folder, SPENT_FILE)) or {}
    return [str(words) for words in values.get(SERVER_STEPS, [])]


def spending_words(spent: Spending) -> str:
    """As "120 calls, 48,000 tokens, 0.12 spent"; empty for no call."""
    if not spent.calls:
        return ""
    counted = f"{spent.calls:,} calls, {spent.tokens:,} tokens"
    return f"{counted}, {spent.cost:.4g} spent" if spent.cost else counted
