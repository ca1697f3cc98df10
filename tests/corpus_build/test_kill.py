"""Killed with signal 9 again and again, the build comes to the same bytes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from jobs.corpus import main
from jobs.corpus_config import CorpusConfig
from tests.corpus_build.notebooks import small_corpus, write
from tests.corpus_build.test_build import SPLIT, results


def command(folder: Path, out: Path) -> list[str]:
    split = SPLIT.model_dump_json()
    settings = ["local=true", "shard_files=9", f"split={split}"]
    return [sys.executable, "-m", "jobs.cli", "corpus", "build", str(folder), "--out", str(out), "-q", *settings]


def test_a_killed_build_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", small_corpus())
    main(CorpusConfig(input=str(folder), out=str(tmp_path / "whole"), quiet=True, split=SPLIT, shard_files=50))
    out = tmp_path / "killed"
    for stage in ("scan/part-000003.parquet", "signatures/part-000005.npz", "extracted/part-000002.parquet"):
        process = subprocess.Popen(command(folder, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 120
        while not (out / "work" / stage).exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (out / "manifest.json").exists(), f"the build was over before {stage} was seen"
    subprocess.run(command(folder, out), check=True, stdout=subprocess.DEVNULL)
    assert results(out) == results(tmp_path / "whole")
