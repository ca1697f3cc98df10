"""The online service against the batch job's stages, and its gateway against an engine that costs nothing.

    python -m benchmarks.serving [--projects 60] [--streams 200]

Prints ratios of one run: projects a second over those of `run_local` on the same rows; the gateway's time before the
first token and its tokens a second against those of an ingress that does nothing but pass on what the engine says, as
Ray's own OpenAI app does; streams at once that end without an error; and what the gateway's memory grows by.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import ray
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from ray import serve
from ray.serve.handle import DeploymentHandle

from jobs.cluster.access import use_own_token
from jobs.serve import settled
from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.records import Requirement
from pipeline.stage import run_local
from pipeline.starter import STARTER
from serving.api.code_model import CodeModelAddress
from serving.application import application, listen, start
from serving.settings import QuotaSettings, ServeConfig
from serving.store.database import Database
from serving.store.keys import SCOPES, Keys

_TOKENS = 40
_TOKEN_SECONDS = 0.05
_ALONE = 20
_OURS, _BARE = "/v1", "/bare"
_ROUNDS = (_BARE, _OURS, _OURS, _BARE, _BARE, _OURS)
"""Of streams at once: each pair in another order, so that what the machine does meanwhile favours neither."""


class TimedEngine:
    """Says a word every 50 ms, as many times at once as it is asked."""

    async def stream(self, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        for count in range(1, _TOKENS + 1):
            await asyncio.sleep(_TOKEN_SECONDS)
            choices = [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]
            yield {"choices": choices, "usage": {"prompt_tokens": 1, "completion_tokens": count}}


bare_app = FastAPI()


@serve.ingress(bare_app)
class BareIngress:
    """Passes on what the engine says: no keys, no quotas, nothing kept."""

    def __init__(self, engine: DeploymentHandle) -> None:
        self._engine = engine.options(stream=True)

    @bare_app.post("/chat/completions")
    async def chat(self, request: Request) -> StreamingResponse:
        return StreamingResponse(self._events(await request.json()), media_type="text/event-stream")

    async def _events(self, body: dict[str, Any]) -> AsyncIterator[str]:
        async for chunk in self._engine.stream.remote(body):
            yield f"data: {json.dumps(chunk)}\n\n"
        yield "data: [DONE]\n\n"


def main() -> None:
    """Starts Ray and the service on this machine, measures, and ends both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=60)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--port", type=int, default=8701)
    options = parser.parse_args()
    texts = [row.requirement for row in read_requirements(STARTER)]
    texts = [texts[place % len(texts)] for place in range(options.projects)]
    with tempfile.TemporaryDirectory() as folder:
        quotas = QuotaSettings(requests_per_minute=None, concurrent=None)
        database = str(Path(folder) / "db.sqlite")
        most = max(options.streams, options.projects) + 64
        service = {"database": database, "port": options.port, "most_under_way": most}
        config = settled(ServeConfig(serve={**service, "stages": {"min": 1, "max": 1}}))
        local = _local_rate(config, texts)
        _, secret = Keys(Database(database)).add("benchmark", quotas, SCOPES)
        use_own_token()
        ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        try:
            _start(config, options.port)
            asyncio.run(_measure(f"http://127.0.0.1:{options.port}", secret, texts, options.streams, local))
        finally:
            serve.shutdown()
            ray.shutdown()


def _local_rate(config: ServeConfig, texts: list[str]) -> float:
    stages = generation_stages(config)
    rows = [Requirement(id=f"row-{place}", row=place, requirement=text) for place, text in enumerate(texts)]
    results = run_local(stages, [rows[0], *rows])
    next(results)  # builds the stages
    start_of_rows = time.perf_counter()
    count = sum(1 for _ in results)
    return count / (time.perf_counter() - start_of_rows)


def _start(config: ServeConfig, port: int) -> None:
    listen("127.0.0.1", port)
    engine = serve.deployment(TimedEngine, max_ongoing_requests=1_000, ray_actor_options={"num_cpus": 0})
    serve.run(engine.bind(), name="engine", route_prefix=None)  # type: ignore[attr-defined]
    bare = serve.deployment(BareIngress, max_ongoing_requests=1_000, ray_actor_options={"num_cpus": 0})
    handle = serve.get_deployment_handle("TimedEngine", "engine")
    serve.run(bare.bind(handle), name="bare", route_prefix=_BARE)  # type: ignore[attr-defined]
    address = CodeModelAddress(name="engine", app="engine", deployment="TimedEngine", context_length=1_000)
    start(application(config, generation_stages(config), address))


async def _measure(address: str, secret: str, texts: list[str], streams: int, local: float) -> None:
    headers = {"Authorization": f"Bearer {secret}"}
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=600, limits=limits) as client:
        await client.post("/v1/projects", json={"requirement": texts[0]})  # warm
        begun = time.perf_counter()
        answers = await asyncio.gather(*(client.post("/v1/projects", json={"requirement": text}) for text in texts))
        rate = len(texts) / (time.perf_counter() - begun)
        wrong = sum(answer.status_code != 201 for answer in answers)
        print(f"projects: {rate:.1f}/s by one process, {local:.1f}/s by run_local: {rate / local:.2f}; {wrong} errors")
        ours, bare = [], []
        for _ in range(_ALONE):  # in turns, so that what else the machine does meets both
            ours.append(await _stream(client, _OURS))
            bare.append(await _stream(client, _BARE))
        first, first_bare = (statistics.median(one.first for one in several) for several in (ours, bare))
        print(
            f"gateway: {1000 * (first - first_bare):.1f} ms more before the first token than a bare ingress "
            f"({1000 * (first - _TOKEN_SECONDS):.1f} and {1000 * (first_bare - _TOKEN_SECONDS):.1f}; "
            f"medians of {_ALONE})"
        )
        before = _gateway_memory()
    rounds: dict[str, list[tuple[float, int]]] = {_OURS: [], _BARE: []}
    for prefix in _ROUNDS:
        # A pool gets slower with the connections it has had, so each round has one of its own.
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=600, limits=limits) as client:
            rounds[prefix].append(await _at_once(client, prefix, streams))
    rate_ours, rate_bare = (statistics.median(rate for rate, _ in rounds[prefix]) for prefix in (_OURS, _BARE))
    errors_ours, errors_bare = (sum(errors for _, errors in rounds[prefix]) for prefix in (_OURS, _BARE))
    print(
        f"streams: {streams} at once, {errors_ours} errors ({errors_bare}), {rate_ours:.0f} tokens/s, "
        f"{rate_ours / rate_bare:.2f} of a bare ingress (medians of {len(_ROUNDS) // 2})"
    )
    print(f"memory: the gateway grew by {_gateway_memory() - before:.0f} MB")


@dataclass(frozen=True, slots=True)
class _Streamed:
    first: float
    """Seconds to the first token."""

    took: float
    """Seconds to the end."""

    whole: bool
    """Whether all tokens came."""


async def _at_once(client: httpx.AsyncClient, prefix: str, streams: int) -> tuple[float, int]:
    """Tokens a second of so many streams, and how many of them did not end as they should."""
    ended = await asyncio.gather(*(_stream(client, prefix) for _ in range(streams)))
    rate = streams * _TOKENS / max(one.took for one in ended)
    return rate, sum(not one.whole for one in ended)


async def _stream(client: httpx.AsyncClient, prefix: str) -> _Streamed:
    body = {"model": "engine", "stream": True, "messages": [{"role": "user", "content": "go"}]}
    begun, first, count, done = time.perf_counter(), 0.0, 0, False
    async with client.stream("POST", f"{prefix}/chat/completions", json=body) as answer:
        async for line in answer.aiter_lines():
            if "word" in line:
                first = first or time.perf_counter() - begun
                count += 1
            done = done or line == "data: [DONE]"
    return _Streamed(first, time.perf_counter() - begun, done and count == _TOKENS)


def _gateway_memory() -> float:
    """Resident megabytes of the gateway's process."""
    for process in psutil.process_iter(["cmdline", "memory_info"]):
        if "ServeReplica:dlcodegen:Gateway" in " ".join(process.info["cmdline"] or ()):
            return float(process.info["memory_info"].rss / 1e6)
    return 0.0


if __name__ == "__main__":
    main()
