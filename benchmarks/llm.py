"""What does the way through our pipeline cost, against the bare engine; and what does sharing one engine bring?

    python -m benchmarks.llm [--model FOLDER_OR_HUB_ID] [--rows 32] [--tokens 96] [--stages 2]

In one run, with equal prompts, sampling, output lengths and engine settings:

1. The requests straight into one vLLM engine (`vllm.LLM.chat`, all at once): the bar.
2. The same by Serve handle, all at once, into one shared deployment. Bar: 0.9 of the tokens/s.
3. The whole job (`jobs.generate`), whose stages send the same requests: each row's drafts wait for its template, its
   comparison for the drafts. Timed from its call to its written results, Ray Data's start and the scoring included.
   Bar: 0.9 of the tokens/s.
4. Rows whose stages follow each other (each row's next request after its last reply), into the shared deployment, and
   into one engine a stage with the same cores in all. Bar: shared is faster. On GPUs it needs one GPU a stage.

Prompts are those that DLCodeGen's stages send for the starter requirements. Without `--model`, the model is a Llama of
100M parameters with random weights, made on the spot: what it says is noise, but what it costs is not. It never ends a
text by itself, so that all replies have the same length.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import ray
from ray import serve

from jobs.cluster.ray_start import start_ray
from jobs.generate import main as generate
from jobs.generation.model_presets import engine_settings
from jobs.generation.settings import GenerateConfig
from pipeline.config import LimitSettings, LLMSettings, PipelineSettings
from pipeline.inputs import read_requirements
from pipeline.llm.protocol import LLM, ChatReply, ChatRequest, Message, Sampling, Usage
from pipeline.measures.call_totals import CallTotals
from pipeline.methods import generation_stages
from pipeline.records import Requirement
from pipeline.stage import run_local
from serving.code_llm import deploy, llm_config, served_name, undeploy
from serving.engine_settings import EngineSettings
from serving.serve_llm import ServeLLM

SMALL_CONTEXT = 2048
"""Tokens of prompt and reply, for the model that is made here; one that is given has its own."""

SEQUENCES = 32
"""Requests that an engine on CPUs computes together, in all arms."""

REPLY = "```python\nmodel = keras.Sequential([keras.layers.Dense(1)])\n```"
"""What the stages read in place of a reply's noise, so that they go on as they would."""


class Recorder:
    """Answers with a short program, and keeps what it was asked."""

    model = "recorder"

    def __init__(self) -> None:
        self.requests: list[ChatRequest] = []

    async def chat(self, request: ChatRequest) -> ChatReply:
        self.requests.append(request)
        return ChatReply(text=REPLY)


@dataclass(frozen=True)
class Rehearsal:
    """Has the engine write `tokens` tokens for whatever it is asked, and answers with the short program instead."""

    engine: LLM
    tokens: int

    @property
    def model(self) -> str:
        return self.engine.model

    async def chat(self, request: ChatRequest) -> ChatReply:
        reply = await self.engine.chat(renewed(replace(request, sampling=sampling(self.tokens)), "By job."))
        return replace(reply, text=REPLY, finish_reason="stop")


def sampling(tokens: int) -> Sampling:
    return Sampling(temperature=1.0, max_tokens=tokens, seed=0)


def method_settings(context: int) -> dict[str, Any]:
    return {"llm": "scripted", "model": "recorder", "method": "dlcodegen", "context_length": context}


def row_requests(rows: Sequence[Requirement], tokens: int, context: int) -> list[list[ChatRequest]]:
    """The requests of DLCodeGen's stages for each row, in their order; prompts cut to half of the context, replies of
    `tokens` tokens each."""
    settings = PipelineSettings(**method_settings(context))
    requests = []
    for row in rows:
        recorder = Recorder()
        list(run_local(generation_stages(settings, lambda made=recorder: made), [row]))
        requests.append([replace(request, sampling=sampling(tokens)) for request in recorder.requests])
    return requests


def make_model(folder: Path) -> str:
    from tests.vllm import tiny_models

    return str(tiny_models.llama(folder / "llama-100m", hidden=768, layers=12, heads=12, vocabulary=8192))


def measure_direct(engine: EngineSettings, requests: Sequence[ChatRequest], folder: Path) -> dict[str, float]:
    """Tokens and seconds of the bare engine, in a process of its own."""
    use_gpu = bool(ray.cluster_resources().get("GPU"))
    config = llm_config(engine, use_gpu=use_gpu)
    arguments = dict(config["engine_kwargs"])
    del arguments["enable_prompt_tokens_details"]  # of the HTTP API, not of the engine
    task = {"model": engine.model, "arguments": arguments, "requests": [asdict(request) for request in requests]}
    (folder / "direct.json").write_text(json.dumps(task))
    environment = os.environ | config["runtime_env"]["env_vars"]
    command = [sys.executable, "-m", "benchmarks.llm", "--direct", str(folder / "direct.json")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout[-6000:] + done.stderr[-3000:])
    return dict(json.loads((folder / "direct-result.json").read_text()))


def run_direct(file: str) -> None:
    """The part in a process of its own: writes tokens and seconds beside its task, since engines print too."""
    from vllm import LLM as Engine
    from vllm import SamplingParams

    task = json.loads(Path(file).read_text())
    engine = Engine(task["model"], **task["arguments"])
    chats = [request["messages"] for request in task["requests"]]
    parameters = []
    for request in task["requests"]:
        values = request["sampling"]
        parameters.append(
            SamplingParams(temperature=values["temperature"], max_tokens=values["max_tokens"], seed=values["seed"])
        )
    engine.chat([[{"role": "user", "content": "Warm up."}]] * 4, SamplingParams(max_tokens=16), use_tqdm=False)
    start = time.perf_counter()
    outputs = engine.chat(chats, parameters, use_tqdm=False)
    seconds = time.perf_counter() - start
    result = {"tokens": sum(len(output.outputs[0].token_ids) for output in outputs), "seconds": seconds}
    Path(file).with_name("direct-result.json").write_text(json.dumps(result))


async def send(work: Sequence[tuple[Sequence[LLM], Sequence[ChatRequest]]]) -> tuple[float, list[ChatReply]]:
    """Seconds and replies; all rows at once, each row's requests one after another, to its stages' models in turn."""

    async def row(models: Sequence[LLM], requests: Sequence[ChatRequest]) -> list[ChatReply]:
        return [await model.chat(request) for model, request in zip(models, requests, strict=True)]

    start = time.perf_counter()
    replies = await asyncio.gather(*[row(models, requests) for models, requests in work])
    seconds = time.perf_counter() - start
    return seconds, list(chain.from_iterable(replies))


def engines(engine: EngineSettings, apps: Sequence[str]) -> list[LLM]:
    """Deployments of the engine that are up and warm."""
    models: list[LLM] = []
    warm = ChatRequest(messages=(Message(role="user", content="Warm up."),), sampling=Sampling(max_tokens=16))
    for app in apps:
        deploy(engine, app=app)
        models.append(ServeLLM(app, served_name(engine.model), app, LimitSettings(concurrency=512)))
    asyncio.run(send([([model] * 4, [warm] * 4) for model in models]))
    return models


def measure_job(
    engine: EngineSettings, app: str, rows: Sequence[Requirement], tokens: int, folder: Path
) -> tuple[float, CallTotals]:
    """Seconds and calls of `generate` over the rows, with its stages' calls sent to the engine of `app`."""
    source = folder / "rows.jsonl"
    with source.open("w") as stream:
        for row in rows:
            fields = {"id": row.id, "requirement": row.requirement, "attributes": row.attributes}
            stream.write(json.dumps(fields) + "\n")
    config = GenerateConfig(
        input=str(source), out=str(folder / "run"), cache="off", quiet=True, **method_settings(engine.context_length)
    )
    start = time.perf_counter()
    summary = generate(config, backend=partial(rehearsal, served_name(engine.model), app, tokens))
    assert not summary.failures, summary.failures
    return time.perf_counter() - start, summary.calls


def rehearsal(model: str, app: str, tokens: int) -> LLM:
    return Rehearsal(ServeLLM(app, model, app, LimitSettings(concurrency=512)), tokens)


def tokens_of(replies: Sequence[ChatReply]) -> int:
    return sum(reply.usage.completion_tokens for reply in replies)


def show(name: str, tokens: float, seconds: float, note: str = "") -> float:
    print(f"{name:<44}{tokens:>9.0f} tokens {seconds:>8.1f} s {tokens / seconds:>9.1f} tokens/s  {note}", flush=True)
    return tokens / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--stages", type=int, default=2, help="engines of the last comparison; 0 leaves it out")
    parser.add_argument("--cpus", type=int, default=2, help="cores of the shared engine, without a GPU")
    parser.add_argument("--eager", action="store_true", help="without torch.compile: starts sooner, runs slower")
    parser.add_argument("--direct", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.direct:
        return run_direct(arguments.direct)
    with tempfile.TemporaryDirectory(prefix="dlcodegen-bench-") as folder:
        compare(arguments, Path(folder))


def compare(arguments: argparse.Namespace, folder: Path) -> None:
    start_ray(None, arguments.cpus + 4)
    changes: dict[str, Any] = {
        "cpus": arguments.cpus,
        "kv_cache_gb": 2,
        "max_sequences": SEQUENCES,
        "options": {"seed": 0, "enforce_eager": arguments.eager},
    }
    model = arguments.model or make_model(folder)
    context = None if arguments.model else SMALL_CONTEXT
    engine = engine_settings(LLMSettings(backend="vllm", model=model, context_length=context, engine=changes))
    requirements = list(islice(read_requirements("starter"), arguments.rows))
    rows = row_requests(requirements, arguments.tokens, engine.context_length)
    requests = [request for row in rows for request in row]
    print(f"{len(requests)} requests of {len(rows)} rows, replies of {arguments.tokens} tokens, {model}")

    direct = measure_direct(engine, requests, folder)
    bare = show("1. bare vLLM engine", direct["tokens"], direct["seconds"])
    (shared,) = engines(engine, ["shared"])
    seconds, replies = asyncio.run(send([([shared], [request]) for request in requests]))
    ours = show(
        "2. by handle into the shared engine", tokens_of(replies), seconds, hit_rate(reply.usage for reply in replies)
    )
    print(f"   ratio to the bare engine: {ours / bare:.2f} (bar 0.9)")
    seconds, calls = measure_job(engine, "shared", requirements, arguments.tokens, folder)
    ours = show("3. the whole job, its stages in turn", calls.completion_tokens, seconds, hit_rate([calls]))
    print(f"   ratio to the bare engine: {ours / bare:.2f} (bar 0.9)")

    stages = arguments.stages
    if stages and int(ray.cluster_resources().get("GPU", 0)) not in range(1, stages):
        work = [[renewed(request, "In turn.") for request in row[:stages]] for row in rows]
        seconds, replies = asyncio.run(send([([shared] * stages, row) for row in work]))
        together = show(
            "4. stages share the engine", tokens_of(replies), seconds, hit_rate(reply.usage for reply in replies)
        )
        undeploy("shared")
        own = engine.model_copy(update={"cpus": max(1, arguments.cpus // stages), "kv_cache_gb": 2 / stages})
        models = engines(own, [f"stage-{number}" for number in range(stages)])
        seconds, replies = asyncio.run(send([(models, row) for row in work]))
        separate = show(
            "   one engine a stage", tokens_of(replies), seconds, hit_rate(reply.usage for reply in replies)
        )
        print(f"   shared over apart: {together / separate:.2f} (bar 1)")
    serve.shutdown()
    ray.shutdown()


def renewed(request: ChatRequest, words: str) -> ChatRequest:
    """The request with other words in front, so that an engine's prefix cache has seen none of it in an earlier arm."""
    first, *rest = request.messages
    return replace(request, messages=(replace(first, content=f"{words}\n{first.content}"), *rest))


def hit_rate(usages: Iterable[Usage | CallTotals]) -> str:
    """The share of prompt tokens that the engine's prefix cache had, in words."""
    cached = prompts = 0
    for usage in usages:
        cached += usage.cached_tokens
        prompts += usage.prompt_tokens
    return f"{cached / prompts:.0%} of {prompts:,} prompt tokens from the prefix cache"


if __name__ == "__main__":
    main()
