"""What does the way through our pipeline cost, against the bare engine; and what does sharing one engine bring?

    python -m benchmarks.llm [--model FOLDER_OR_HUB_ID] [--rows 6] [--tokens 96] [--stages 2]

In one run, with equal prompts, sampling, output lengths and engine settings:

1. The requests straight into one vLLM engine (`vllm.LLM.chat`, all at once): the bar.
2. The same by Serve handle, as the batch stages send them, into one shared deployment. Bar: 0.9 of the tokens/s.
3. Rows whose stages follow each other (each row's next request after its last reply), into the shared deployment, and
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
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import ray
from ray import serve

from jobs.model_presets import engine_settings
from pipeline.config import LimitSettings, LLMSettings, PipelineSettings
from pipeline.inputs import read_requirements
from pipeline.llm.protocol import LLM, ChatReply, ChatRequest, Message, Sampling
from pipeline.methods import generation_stages
from pipeline.stage import run_local
from serving.code_llm import deploy, llm_config, served_name, undeploy
from serving.engine_settings import EngineSettings
from serving.serve_llm import ServeLLM

SMALL_CONTEXT = 2048
"""Tokens of prompt and reply, for the model that is made here; one that is given has its own."""


class Recorder:
    """Answers with a short program, and keeps what it was asked."""

    model = "recorder"

    def __init__(self) -> None:
        self.requests: list[ChatRequest] = []

    async def chat(self, request: ChatRequest) -> ChatReply:
        self.requests.append(request)
        return ChatReply(text="```python\nmodel = keras.Sequential([keras.layers.Dense(1)])\n```")


def row_requests(rows: int, tokens: int, context: int) -> list[list[ChatRequest]]:
    """The requests of DLCodeGen's stages for each row, in their order; prompts cut to half of the context, replies of
    `tokens` tokens each."""
    settings = PipelineSettings(llm="scripted", model="recorder", method="dlcodegen", context_length=context)
    requests = []
    for row in islice(read_requirements("starter"), rows):
        recorder = Recorder()
        list(run_local(generation_stages(settings, lambda made=recorder: made), [row]))
        requests.append(recorder.requests)
    return [
        [replace(asked, sampling=Sampling(temperature=1.0, max_tokens=tokens, seed=number)) for asked in asked_by_row]
        for number, asked_by_row in enumerate(requests)
    ]


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
    sampling = [
        SamplingParams(**{name: request["sampling"][name] for name in ("temperature", "max_tokens", "seed")})
        for request in task["requests"]
    ]
    engine.chat([[{"role": "user", "content": "Warm up."}]] * 4, SamplingParams(max_tokens=16), use_tqdm=False)
    start = time.perf_counter()
    outputs = engine.chat(chats, sampling, use_tqdm=False)
    seconds = time.perf_counter() - start
    result = {"tokens": sum(len(output.outputs[0].token_ids) for output in outputs), "seconds": seconds}
    Path(file).with_name("direct-result.json").write_text(json.dumps(result))


async def send(work: Sequence[tuple[Sequence[LLM], Sequence[ChatRequest]]]) -> tuple[float, list[ChatReply]]:
    """Seconds and replies; all rows at once, each row's requests one after another, to its stages' models in turn."""

    async def row(models: Sequence[LLM], requests: Sequence[ChatRequest]) -> list[ChatReply]:
        return [await model.chat(request) for model, request in zip(models, requests, strict=True)]

    start = time.perf_counter()
    replies = await asyncio.gather(*[row(models, requests) for models, requests in work])
    return time.perf_counter() - start, [reply for found in replies for reply in found]


def engines(engine: EngineSettings, apps: Sequence[str]) -> list[LLM]:
    """Deployments of the engine that are up and warm."""
    models: list[LLM] = []
    warm = ChatRequest(messages=(Message(role="user", content="Warm up."),), sampling=Sampling(max_tokens=16))
    for app in apps:
        deploy(engine, app=app)
        models.append(ServeLLM(app, served_name(engine.model), app, LimitSettings(concurrency=512)))
    asyncio.run(send([([model] * 4, [warm] * 4) for model in models]))
    return models


def tokens_of(replies: Sequence[ChatReply]) -> int:
    return sum(reply.usage.completion_tokens for reply in replies)


def show(name: str, tokens: float, seconds: float, note: str = "") -> float:
    print(f"{name:<44}{tokens:>9.0f} tokens {seconds:>8.1f} s {tokens / seconds:>9.1f} tokens/s  {note}", flush=True)
    return tokens / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="")
    parser.add_argument("--rows", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--stages", type=int, default=2, help="engines of the third comparison; 0 leaves it out")
    parser.add_argument("--cpus", type=int, default=2, help="cores of the shared engine, without a GPU")
    parser.add_argument("--eager", action="store_true", help="without torch.compile: starts sooner, runs slower")
    parser.add_argument("--direct", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.direct:
        return run_direct(arguments.direct)
    with tempfile.TemporaryDirectory(prefix="dlcodegen-bench-") as folder:
        compare(arguments, Path(folder))


def compare(arguments: argparse.Namespace, folder: Path) -> None:
    ray.init(address="local", num_cpus=arguments.cpus + 4, include_dashboard=False, log_to_driver=False)
    changes: dict[str, Any] = {
        "cpus": arguments.cpus,
        "kv_cache_gb": 2,
        "options": {"seed": 0, "enforce_eager": arguments.eager},
    }
    model = arguments.model or make_model(folder)
    context = None if arguments.model else SMALL_CONTEXT
    engine = engine_settings(LLMSettings(llm="vllm", model=model, context_length=context, engine=changes))
    rows = row_requests(arguments.rows, arguments.tokens, engine.context_length)
    requests = [request for row in rows for request in row]
    print(f"{len(requests)} requests of {len(rows)} rows, replies of {arguments.tokens} tokens, {model}")

    direct = measure_direct(engine, requests, folder)
    bare = show("1. bare vLLM engine", direct["tokens"], direct["seconds"])
    (shared,) = engines(engine, ["shared"])
    seconds, replies = asyncio.run(send([([shared], [request]) for request in requests]))
    ours = show("2. by handle into the shared engine", tokens_of(replies), seconds, hit_rate(replies))
    print(f"   ratio to the bare engine: {ours / bare:.2f} (bar 0.9)")

    stages = arguments.stages
    if stages and int(ray.cluster_resources().get("GPU", 0)) not in range(1, stages):
        # Other seeds and words than before, so that the shared engine has seen none of it.
        work = [[renewed(request) for request in row[:stages]] for row in rows]
        seconds, replies = asyncio.run(send([([shared] * stages, row) for row in work]))
        together = show("3. stages share the engine", tokens_of(replies), seconds, hit_rate(replies))
        undeploy("shared")
        own = engine.model_copy(update={"cpus": max(1, arguments.cpus // stages), "kv_cache_gb": 2 / stages})
        models = engines(own, [f"stage-{number}" for number in range(stages)])
        seconds, replies = asyncio.run(send([(models, row) for row in work]))
        apart = show("   one engine a stage", tokens_of(replies), seconds, hit_rate(replies))
        print(f"   shared over apart: {together / apart:.2f} (bar 1)")
    serve.shutdown()
    ray.shutdown()


def renewed(request: ChatRequest) -> ChatRequest:
    first, *rest = request.messages
    return replace(request, messages=(replace(first, content=f"Another day.\n{first.content}"), *rest))


def hit_rate(replies: Sequence[ChatReply]) -> str:
    """The share of prompt tokens that the engine's prefix cache had, in words."""
    cached = sum(reply.usage.cached_tokens for reply in replies)
    asked = sum(reply.usage.prompt_tokens for reply in replies)
    return f"{cached / asked:.0%} of {asked:,} prompt tokens from the prefix cache"


if __name__ == "__main__":
    main()
