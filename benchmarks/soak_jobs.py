"""The commands that `benchmarks.soak` kills, on inputs that are the same every time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.starter import requirement_rows
from tests.corpus_build.notebooks import code, markdown, notebook
from tests.pipeline.llm.client.fault_server import MODEL, FaultServer
from tests.ray.drivers import driver_environment

JOBS = ("generate", "generate-llm", "score", "corpus", "experiment")


@dataclass(frozen=True, kw_only=True)
class SoakJob:
    """A real command, and what of it has to be equal."""

    name: str

    command: Callable[[Path], list[str]]
    """Its words, for a folder of its own."""

    compared: tuple[str, ...]
    """Patterns of the files in that folder that have to be equal bytes."""

    runs: tuple[str, ...] = ()
    """Patterns of folders of runs whose rows are counted."""

    rows: int = 0
    """Rows of each run."""

    server: FaultServer | None = None


def _cli(*words: str) -> list[str]:
    return [sys.executable, "-m", "jobs.cli", *words]


def soak_jobs(names: list[str], folder: Path, rows: int, server: FaultServer) -> Iterator[SoakJob]:
    """The jobs of these names, on inputs that are the same every time."""
    plain = folder / "requirements.txt"
    plain.write_text("".join(f"Classify photos of {number + 2} kinds of beetles.\n" for number in range(rows)))
    starter = list(requirement_rows())[: min(rows, 40)]
    (folder / "starter.jsonl").write_text("\n".join(map(json.dumps, starter)))
    llm = ["llm=openai", f"model={MODEL}", f"base_url={server.url}"]
    if "generate" in names:
        yield SoakJob(
            name="generate",
            command=lambda out: _cli("generate", str(plain), "--out", f"{out}/run", "--workers", "2", "shard_rows=4"),
            compared=("run/results/part-*", "run/report.html", "run/failures.jsonl"),
            runs=("run",),
            rows=rows,
        )
    if "generate-llm" in names:
        source = str(folder / "starter.jsonl")
        words = ["--workers", "2", "shard_rows=4", "method=direct", *llm]
        yield SoakJob(
            name="generate-llm",
            command=lambda out: _cli(
                "generate",
                source,
                "--out",
                str(out / "run"),
                *words,
                f"llm.cache={out}/cache",
                "--max-tokens",
                "10000000",
            ),
            compared=("run/results/part-*",),
            runs=("run",),
            rows=len(starter),
            server=server,
        )
    if "score" in names:
        run = folder / "scored"
        done = subprocess.run(_cli("generate", str(plain), "--out", str(run), "-q"), env=driver_environment())
        assert done.returncode == 0
        yield SoakJob(
            name="score",
            command=lambda out: _cli("score", str(run), "--out", str(out), "--workers", "2"),
            compared=("*.csv", "work/*.parquet"),
        )
    if "corpus" in names:
        notebooks = folder / "notebooks"
        notebooks.mkdir()
        for number in range(rows):
            (notebooks / f"{number}.ipynb").write_bytes(_notebook(number))
        yield SoakJob(
            name="corpus",
            command=lambda out: _cli("corpus", "build", str(notebooks), "--out", str(out), "shard_files=8"),
            compared=("DL*/**/*.parquet", "drop_report.parquet"),
        )
    if "experiment" in names:
        spec = {
            "input": str(folder / "starter.jsonl"),
            "methods": ["direct"],
            "models": [{"llm": "openai", "model": MODEL, "base_url": server.url}],
            "seeds": [0, 1],
            "settings": {"shard_rows": 4, "llm_workers": 1},
            "workers": 2,
        }
        (folder / "spec.yaml").write_text(json.dumps(spec))
        yield SoakJob(
            name="experiment",
            command=lambda out: _cli("experiment", str(folder / "spec.yaml"), "--out", str(out / "experiment")),
            compared=("experiment/runs/*/results/part-*",),
            runs=("experiment/runs/*",),
            rows=len(starter),
            server=server,
        )


def _notebook(number: int) -> bytes:
    source = f"from tensorflow import keras\nmodel = keras.Sequential([keras.layers.Dense({number + 1})])\n"
    source += f"model.compile(optimizer='adam', loss='mse')\nmodel.fit(x, y, epochs={number + 1})\nprint({number})\n"
    return notebook(markdown(f"# Predict the level of river {number} from its last days"), code(source))
