"""What a method's prompts come to, and what a prefix cache serves of them: on bundled requirements, where replies are
stand-ins of the expected length, or in a finished run. No model is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter
from typing import get_args

from jobs.generation.estimate import stand_in
from jobs.runs.shown.calls import cache_of_run
from jobs.runs.store import RunStore
from pipeline.config import WITHOUT_LLM, Method, PipelineSettings, load_settings
from pipeline.errors import DLCodeGenError
from pipeline.inputs import read_requirements
from pipeline.llm.prefix_share import ServedPrompt, served_prompts, share
from pipeline.llm.protocol import ChatRequest
from pipeline.llm.scripted import ScriptedLLM
from pipeline.methods import WITH_CHAINS, generation_stages
from pipeline.stage import run_local
from pipeline.starter import STARTER

ROWS = 3
"""Requirements that are tried: the shares of further ones are much the same."""


@dataclass(frozen=True, slots=True)
class PromptShare:
    """One of a method's prompts, over the rows that were tried."""

    prompt: str
    """Its file; "" for all of them together."""

    tokens: float
    """Of its mean prompt."""

    within_row: float
    """The share of it that a prefix cache serves, in [0, 1], with the row's earlier calls in it."""

    within_run: float
    """The same, with the calls of all earlier rows too."""

    by_engine: float | None = None
    """The share that the engine itself says it had; None where no call of a run was answered by one."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """A prompt of a row, and what an engine said of it."""

    prompt: str
    request: ChatRequest
    tokens: int = 0
    """By the engine's count; 0 for a prompt that was not sent to one."""
    cached_tokens: int = 0


def prompt_shares(method: str, rows: int = ROWS) -> Iterator[PromptShare]:
    """The prompts of a method in the order of its calls, and all of them together. Raises DLCodeGenError for what is no
    method that asks a model, and for those that need C-CoT's chains, which are made in a run."""
    known = [name for name in get_args(Method) if name not in (*WITHOUT_LLM, *WITH_CHAINS)]
    if method not in known:
        raise DLCodeGenError(f"--method {method}: choose one of {', '.join(known)}")
    llm = ScriptedLLM(stand_in)
    settings = load_settings(PipelineSettings, None, [f"method={method}", "llm=scripted"])
    sent_of_rows: list[list[_Sent]] = []
    sent = 0
    stages = generation_stages(settings, lambda: llm)
    for record in run_local(stages, islice(read_requirements(STARTER), rows), rows_in_flight=1):
        names = [call.prompt for call in record.calls]
        sent_of_rows.append([_Sent(*pair) for pair in zip(names, llm.requests[sent:], strict=True)])
        sent = len(llm.requests)
    yield from _shares(sent_of_rows)


def shares_of_run(run: str) -> Iterator[PromptShare]:
    """The prompts of a finished run, as they lie in its response cache: by characters, as if its rows had come one
    after another, beside what the engine counted. Raises DLCodeGenError where there are none."""
    cache = cache_of_run(run)
    sent_of_rows: list[list[_Sent]] = []
    for _, calls in groupby(RunStore(run).calls(), key=attrgetter("id")):
        of_row: list[_Sent] = []
        for call in calls:
            kept = cache.exchange(call.key) if cache is not None and call.key else None
            if kept is None or not kept.messages:
                continue
            request = ChatRequest(messages=kept.messages)
            asked = (0, 0) if call.cached else (call.prompt_tokens, call.cached_tokens)
            of_row.append(_Sent(call.prompt, request, *asked))
        sent_of_rows.append(of_row)
    if not any(sent_of_rows):
        raise DLCodeGenError(f"{run}: none of its prompts are in a response cache")
    yield from _shares(sent_of_rows)


def _shares(sent_of_rows: Sequence[Sequence[_Sent]]) -> Iterator[PromptShare]:
    """Of each prompt in the order of the first row's calls, and of all of them together."""
    sent = [one for of_row in sent_of_rows for one in of_row]
    within_row: list[ServedPrompt] = []
    for of_row in sent_of_rows:
        within_row += served_prompts(one.request for one in of_row)
    within_run = served_prompts(one.request for one in sent)
    by_name: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(sent):
        by_name[one.prompt].append(place)
    by_name[""] = list(range(len(sent)))
    for name, places in by_name.items():
        tokens = sum(within_row[place].tokens for place in places) / (len(places) if name else len(sent_of_rows))
        of_rows, of_run = [within_row[place] for place in places], [within_run[place] for place in places]
        counted = [ServedPrompt(sent[place].tokens, sent[place].cached_tokens) for place in places]
        by_engine = share(counted) if any(prompt.tokens for prompt in counted) else None
        yield PromptShare(name, tokens, share(of_rows), share(of_run), by_engine)
