"""What a method's prompts come to on bundled requirements, and what a prefix cache serves of them. No model is asked:
replies are stand-ins of the expected length."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import get_args

from jobs.generation.estimate import stand_in
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


def prompt_shares(method: str, rows: int = ROWS) -> Iterator[PromptShare]:
    """The prompts of a method in the order of its calls, and all of them together. Raises DLCodeGenError for what is no
    method that asks a model, and for those that need C-CoT's chains, which are made in a run."""
    known = [name for name in get_args(Method) if name not in (*WITHOUT_LLM, *WITH_CHAINS)]
    if method not in known:
        raise DLCodeGenError(f"--method {method}: choose one of {', '.join(known)}")
    llm = ScriptedLLM(stand_in)
    settings = load_settings(PipelineSettings, None, [f"method={method}", "llm=scripted"])
    within_row: list[ServedPrompt] = []
    requests: list[ChatRequest] = []
    names: list[str] = []
    stages = generation_stages(settings, lambda: llm)
    for record in run_local(stages, islice(read_requirements(STARTER), rows), rows_in_flight=1):
        of_row = llm.requests[len(requests) :]
        requests += of_row
        names += [call.prompt for call in record.calls]
        within_row += served_prompts(of_row)
    within_run = served_prompts(requests)
    by_name: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        by_name[name].append(place)
    by_name[""] = list(range(len(names)))
    for name, places in by_name.items():
        tokens = sum(within_row[place].tokens for place in places) / (len(places) if name else rows)
        of_rows, of_run = [within_row[place] for place in places], [within_run[place] for place in places]
        yield PromptShare(name, tokens, share(of_rows), share(of_run))
