"""What do errors of an endpoint cost? The OpenAI-compatible client against a server on loopback, with and without them.

    python -m benchmarks.llm_faults [--calls 3000] [--concurrency 64] [--seconds 0.2] [--errors 0.05]

In one run, twice in turns: calls that are answered after the same time; and the same with that share of the requests
met by 429 with Retry-After, 500, resets, cut-off bodies, bad JSON. Bar: at least 0.8 of the calls a second.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections import Counter
from itertools import cycle

from pipeline.config import LimitSettings, LLMSettings
from pipeline.llm.client.openai_compatible import OpenAICompatibleLLM
from pipeline.llm.protocol import ChatReply, ChatRequest, Message
from tests.pipeline.llm.client.fault_server import MODEL, Fault, FaultServer

FAULTS: tuple[Fault, ...] = ("429", "500", "reset", "cut-off", "bad-json")


def measure(server: FaultServer, calls: int, concurrency: int) -> tuple[float, Counter[str]]:
    """Calls a second, and how they ended."""
    limits = LimitSettings(concurrency=concurrency)
    llm = OpenAICompatibleLLM(LLMSettings(backend="openai", base_url=server.url, model=MODEL, limits=limits))

    async def run() -> list[ChatReply | BaseException]:
        requests = [ChatRequest(messages=(Message(role="user", content=f"call {n}"),)) for n in range(calls)]
        try:
            return await asyncio.gather(*map(llm.chat, requests), return_exceptions=True)
        finally:
            await llm.close()

    start = time.perf_counter()
    outcomes = asyncio.run(run())
    seconds = time.perf_counter() - start
    return calls / seconds, Counter(type(outcome).__name__ for outcome in outcomes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=0.2, help="what a good answer takes")
    parser.add_argument("--errors", type=float, default=0.05, help="the share of requests that meet an error")
    arguments = parser.parse_args()
    chooser, kinds = random.Random(0), cycle(FAULTS)
    faults: list[Fault | None] = [
        next(kinds) if chooser.random() < arguments.errors else None for _ in range(2 * arguments.calls)
    ]
    rates: dict[str, list[float]] = {}
    for name, injected in 2 * (("no errors", []), (f"{arguments.errors:.0%} errors", faults)):
        server = FaultServer(faults=injected, seconds=lambda body: arguments.seconds, retry_after=1.0)
        with server.running():
            rate, ended = measure(server, arguments.calls, arguments.concurrency)
        met = {name: count for name, count in sorted(server.served.items()) if name != "good"}
        print(f"{name:<12}{rate:>8.1f} calls/s  {dict(ended)}  met: {met or 'nothing'}", flush=True)
        rates.setdefault(name, []).append(rate)
    without, with_errors = map(sum, rates.values())
    print(f"ratio {with_errors / without:.2f} (bar 0.8)")


if __name__ == "__main__":
    main()
