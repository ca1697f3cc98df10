"""Killed with signal 9 again and again, the build comes to the same bytes."""

from __future__ import annotations

import multiprocessing
from multiprocessing.process import BaseProcess
from pathlib import Path

from jobs.corpora.settings import CorpusConfig
from jobs.corpus import main
from tests.corpus_build.notebooks import small_corpus, write
from tests.corpus_build.test_build import SPLIT, results
from tests.waiting import wait_until

STAGES = (
    "listing.json",
    "scan/part-000001.parquet",
    "signatures/part-000002.npz",
    "pairs/part-000001.npz",
    "extracted/part-000001.parquet",
)


def _wait_for_stage(build: BaseProcess, path: Path) -> None:
    wait_until(lambda: path.exists() or not build.is_alive(), 60, pause=0.001)


def test_a_killed_build_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", small_corpus())
    whole = CorpusConfig(input=str(folder), out=str(tmp_path / "whole"), quiet=True, split=SPLIT)
    main(whole)
    out = tmp_path / "killed"
    config = whole.model_copy(update={"out": str(out), "shard_files": 9, "local": True})
    fork = multiprocessing.get_context("fork")  # without Python's start, which would take most of the time
    for stage in STAGES:
        build = fork.Process(target=main, args=(config,))
        build.start()
        _wait_for_stage(build, out / "work" / stage)
        build.kill()
        build.join()
        assert (out / "work" / stage).exists()
        assert not (out / "manifest.json").exists(), f"the build was over before {stage} was seen"
    main(config)
    assert results(out) == results(tmp_path / "whole")
