"""What a run would ask of its language model, and what that would cost.

The rows go through the method's own stages with a model that answers nothing real: a reply that the response cache
holds is taken from there, and counted as free; any other is a stand-in of the expected length. So prompts that need no
reply of the model (the first call of a row, and more where plan and samples come without one) are exact; those that
contain earlier replies are as long as expected. Tokens are estimated from characters in both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import takewhile

from jobs.generation.language_model import with_preset
from jobs.generation.method_stages import chains_file, ensure_chains
from jobs.generation.settings import GenerateConfig
from jobs.runs.store import RunStore
from pipeline.inputs import read_requirements
from pipeline.llm.protocol import ChatReply, ChatRequest, Usage
from pipeline.llm.spending.budget import Spending
from pipeline.llm.spending.cache import ResponseCache, request_key
from pipeline.llm.spending.cost import cost_of
from pipeline.llm.tokens import CHARACTERS_PER_TOKEN, estimate_prompt, estimate_tokens
from pipeline.methods import WITH_CHAINS, generation_stages
from pipeline.records import Requirement
from pipeline.stage import run_local
from pipeline.storage.files import exists, join

MOST_ROWS = 500
"""Rows that an estimate is made from; more are counted up from these."""

EXPECTED_TOKENS = 1_200
"""What a reply with a program is expected to have: the published outputs have a quarter to half of the words of their
references, which have about 10,000 characters."""

_MORE_ROOM = 2
"""How many times its tokens a reply may have that is asked for again (`pipeline.llm.asking`)."""

_AGAIN_TOKENS = 1_500
"""What a second asking, or one to go on, adds to a prompt at most: its own words, and what it quotes of the reply."""

_TEMPLATE_TOKENS = 64
"""What a chat template puts around the messages."""

_STAND_IN = "stand_in_for_a_reply"
_PLAN = '{"Task Category": "%s", "Dataset": {"Input": "%s"}, "Preprocess": "%s", "Model Architecture": {}}'


@dataclass(slots=True)
class Estimate:
    """A run's calls, as far as they can be foreseen."""

    title: str
    rows: int = 0
    calls: int = 0
    free: int = 0
    """Calls whose reply is in the response cache already, or that another run makes before. Tokens and cost below are
    of the other calls."""
    exact: int = 0
    """Calls to pay whose prompt is known word for word."""
    prompt_tokens: int = 0
    reply_tokens: int = 0
    """Tokens of replies as expected."""
    most_calls: int = 0
    """Calls to pay at most: each question may be asked twice, and each reply continued."""
    most_prompt_tokens: int = 0
    """Tokens of prompts at most."""
    most_reply_tokens: int = 0
    """Tokens of replies at most."""
    cost: float = 0.0
    """Of prompts and replies as expected, in the currency of `price`."""
    most_cost: float = 0.0

    def for_rows(self, rows: int, once: Estimate) -> Estimate:
        """The estimate counted up to so many rows; `once` is the part of it that does not grow with them."""
        share = rows / self.rows if self.rows else 0.0
        grown = {name: getattr(once, name) + share * (getattr(self, name) - getattr(once, name)) for name in _GROWING}
        counts = {name: round(value) for name, value in grown.items() if name not in ("cost", "most_cost")}
        return Estimate(self.title, rows, **counts, cost=grown["cost"], most_cost=grown["most_cost"])


_GROWING = (
    "calls",
    "free",
    "exact",
    "prompt_tokens",
    "reply_tokens",
    "most_calls",
    "most_prompt_tokens",
    "most_reply_tokens",
    "cost",
    "most_cost",
)


class EstimatingLLM:
    """Answers from the cache or with stand-ins, and counts in `estimate` what that would come to. `known` are the
    replies to requests that other runs have made before, by their digest in the cache."""

    def __init__(self, config: GenerateConfig, estimate: Estimate, known: dict[str, ChatReply]) -> None:
        self.model = config.llm.model
        self._price, self._estimate, self._known = config.llm.price, estimate, known
        self._continuations, self._context = config.writing.continuations, config.llm.context_length
        location = config.llm.cache_for(config.run.out)
        self._cache = ResponseCache(location) if location else None

    async def chat(self, request: ChatRequest) -> ChatReply:
        key = request_key(self.model, request)
        reply = None
        if self._cache is not None:
            reply = self._known.get(key) or self._cache.get(key)
        self._estimate.calls += 1
        if reply is not None:
            self._estimate.free += 1
            return reply
        self._known[key] = self._count(request)
        return self._known[key]

    def _count(self, request: ChatRequest) -> ChatReply:
        estimate = self._estimate
        text = stand_in(request)
        prompt, expected = estimate_prompt(request), estimate_tokens(text)
        estimate.exact += all(_STAND_IN not in message.content for message in request.messages)
        estimate.prompt_tokens += prompt
        estimate.reply_tokens += expected
        usage = Usage(prompt_tokens=prompt, completion_tokens=expected)
        estimate.cost += cost_of(usage, self._price)
        most_calls, most = self._most(request)
        estimate.most_calls += most_calls
        estimate.most_prompt_tokens += most.prompt_tokens
        estimate.most_reply_tokens += most.completion_tokens
        estimate.most_cost += cost_of(most, self._price)
        return ChatReply(text=text, usage=usage)

    def _most(self, request: ChatRequest) -> tuple[int, Usage]:
        """The calls that a question can come to, and their tokens: a reply that is cut off each time, continued, and
        asked for once more with twice the room; and a prompt with a token for each byte, which no tokenizer exceeds,
        in which earlier replies are as long as they can be."""
        replies = 1 if request.schema is not None else 1 + self._continuations
        shorter = request.sampling.max_tokens
        longest_reply = replies * _MORE_ROOM * shorter
        text = "".join(message.content for message in request.messages)
        prompt = len(text.encode()) + _TEMPLATE_TOKENS + text.count(_STAND_IN) * longest_reply
        prompts = 0
        for tokens in (shorter, _MORE_ROOM * shorter):
            for number in range(replies):
                longer = prompt + _AGAIN_TOKENS + number * tokens
                prompts += longer if self._context is None else min(longer, self._context)
        return 2 * replies, Usage(prompt_tokens=prompts, completion_tokens=replies * shorter + longest_reply)


def estimate_run(config: GenerateConfig, title: str = "", known: dict[str, ChatReply] | None = None) -> Estimate:
    """An estimate for one run; `known` are replies to what others ask before it, to which its own are added."""
    config = config.for_input(config.run.input)
    config = with_preset(config)
    method = config.writing.method
    known = {} if known is None else known
    estimate = Estimate(title or method)
    rows, total = _pending_rows(config)
    if config.llm.backend == "none" or not rows:
        estimate.rows = total
        return estimate
    estimate.rows = len(rows)
    llm = EstimatingLLM(config, estimate, known)
    with ExitStack() as stack:
        chains = None
        if method in WITH_CHAINS:
            chains = chains_file(config)
            if not exists(chains):
                chains = join(stack.enter_context(tempfile.TemporaryDirectory()), "chains.json")
            ensure_chains(chains, config, lambda: llm)
        asked_once = replace(estimate)  # the chains, which all rows share
        all_stages = generation_stages(config, lambda: llm, chains)
        stages = list(takewhile(lambda stage: stage.name != "score", all_stages))
        for _ in run_local(stages, rows):
            pass
    return estimate.for_rows(total, asked_once)


def _pending_rows(config: GenerateConfig) -> tuple[list[Requirement], int]:
    """The rows that are not done yet, up to MOST_ROWS of them, and how many there are."""
    store = RunStore(config.run.out)
    done = store.done_rows() if store.exists() else frozenset[int]()
    rows: list[Requirement] = []
    total = 0
    for row in read_requirements(config.run.input, data=config.data.path, target=config.data.target):
        if row.row in done:
            continue
        total += 1
        if len(rows) < MOST_ROWS:
            rows.append(row)
    return rows, total


def stand_in(request: ChatRequest) -> str:
    """A reply of the expected length to a request that no reply is known of: a plan where a schema is wanted, else a
    program."""
    if request.schema is not None:
        return _PLAN % ("Image Classification", _STAND_IN, "words " * 120)
    tokens = min(EXPECTED_TOKENS, request.sampling.max_tokens)
    line = "x = x + 1\n"
    lines = max(1, (int(tokens * CHARACTERS_PER_TOKEN) - len(_STAND_IN) - 20) // len(line))
    return f"```python\n{_STAND_IN} = 0\n{line * lines}```"


def totals_of(estimates: Iterable[Estimate]) -> tuple[Spending, Spending]:
    """Calls, tokens and cost of all runs, as expected and at most."""
    expected = most = Spending()
    for estimate in estimates:
        calls, tokens = estimate.calls - estimate.free, estimate.prompt_tokens + estimate.reply_tokens
        expected += Spending(calls=calls, tokens=tokens, cost=estimate.cost)
        tokens = estimate.most_prompt_tokens + estimate.most_reply_tokens
        most += Spending(calls=estimate.most_calls, tokens=tokens, cost=estimate.most_cost)
    return expected, most
