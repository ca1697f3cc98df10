"""What jobs and service tell in numbers, scraped by Prometheus: no drawing of the board is empty."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import ray
import yaml

from jobs.deployment.monitoring import monitoring_files
from jobs.generate import main
from jobs.generation.settings import GenerateConfig
from pipeline.config import load_settings
from pipeline.starter import requirement_rows
from tests.pipeline.llm.client.fault_server import MODEL, FaultServer
from tests.ray.service import ASKED, Online, running_service
from tests.ray.test_llm_job import answered
from tests.waiting import scaled

PROMETHEUS = shutil.which("prometheus")

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.skipif(PROMETHEUS is None, reason="needs prometheus on PATH (make tools)"),
]


class Prometheus:
    """Scrapes this Ray once a second, and answers queries."""

    def __init__(self, folder: Path) -> None:
        nodes = [f"{node['NodeManagerAddress']}:{node['MetricsExportPort']}" for node in ray.nodes()]
        files = monitoring_files()
        scraping = yaml.safe_load(files["prometheus.yaml"])
        scraping["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        scraping["scrape_configs"] = [{"job_name": "ray", "static_configs": [{"targets": nodes}]}]
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(scraping))
        (folder / "rules.yaml").write_text(files["rules.yaml"])
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        options = [f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data"]
        command = [str(PROMETHEUS), *options, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
        self._process = subprocess.Popen(command)
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=scaled(10))

    def values(self, expression: str) -> list[float]:
        """What the expression is now, a value a series. Raises AssertionError where Prometheus does not take it."""
        answer = self._client.get("/query", params={"query": expression}).json()
        assert answer["status"] == "success", answer
        return [float(series["value"][1]) for series in answer["data"]["result"]]

    def rules(self) -> list[dict[str, Any]]:
        """The rules as they are evaluated."""
        (group,) = self._client.get("/rules").json()["data"]["groups"]
        rules: list[dict[str, Any]] = group["rules"]
        return rules

    def ready(self) -> bool:
        try:
            return self._client.get("/query", params={"query": "1"}).is_success
        except httpx.TransportError:
            return False

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Prometheus]:
    running = Prometheus(tmp_path)
    _wait_until(running.ready)
    yield running
    running.close()


@pytest.fixture
def online(tmp_path: Path) -> Iterator[Online]:
    with running_service(tmp_path, most_under_way=1) as running:
        yield running


def test_every_drawing_of_the_board_has_data(prometheus: Prometheus, online: Online, tmp_path: Path) -> None:
    panels = json.loads(monitoring_files()["grafana.json"])["panels"]
    expressions = [panel["targets"][0]["expr"] for panel in panels if panel["type"] != "row"]
    empty = set(expressions)
    # Ray's processes report every ten seconds, so the job is long enough to be seen under way.
    with FaultServer(answer=answered, seconds=lambda body: scaled(12)).running() as server:
        _run_job(tmp_path / "run", server)
    for _ in range(20):
        _ask(online)
        time.sleep(scaled(3))
        empty = {expression for expression in empty if not _had_data(prometheus, expression)}
        if not empty:
            break
    assert empty == set()
    # Jobs of other tests may have told theirs before.
    assert _had_data(prometheus, 'ray_dlcodegen_job_rows{batch_job="generate", state="total"} == 2')
    assert {rule["health"] for rule in prometheus.rules()} == {"ok"}


def _run_job(out: Path, server: FaultServer) -> None:
    source = out.with_suffix(".jsonl")
    source.write_text("\n".join(json.dumps(row) for row in list(requirement_rows())[:2]))
    given = ["llm=openai", f"model={MODEL}", f"base_url={server.url}", "price.input=1", "price.output=2"]
    given += ["method=direct", "cache=off", "quiet=true", "pool=starter40"]
    assert main(load_settings(GenerateConfig, None, given, input=str(source), out=str(out))).generated == 2


def _ask(online: Online) -> None:
    body = {"model": "echo", "messages": [{"role": "user", "content": "one two three"}]}
    assert online.client.post("/v1/chat/completions", json=body).status_code == 200
    first = online.client.post("/v1/projects", json={"requirement": ASKED}, headers={"Prefer": "respond-async"})
    assert first.status_code == 202
    online.client.post("/v1/projects", json={"requirement": ASKED})  # a second one at once is too many
    _wait_until(lambda: online.client.get(first.headers["location"]).json()["status"] != "under_way")


def _had_data(prometheus: Prometheus, expression: str) -> bool:
    """Whether there was a point of its line at any time: nan is none, where nothing happened within the interval."""
    line = expression.replace("$__rate_interval", "1m")
    return any(value == value for value in prometheus.values(f"max_over_time(({line})[30m:2s])"))


def _wait_until(condition: Any) -> None:
    end = time.monotonic() + scaled(60)
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)
