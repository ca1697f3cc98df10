"""The corpus build on Ray Data: equal to the one in this process, whatever the shards and workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.corpus import main
from jobs.corpus_config import CorpusConfig
from tests.corpus_build.notebooks import small_corpus, write
from tests.corpus_build.test_build import SPLIT, results

pytestmark = pytest.mark.ray


@pytest.mark.parametrize(("workers", "shard_files"), [(1, 40), (3, 11)])
def test_workers_and_shards_do_not_show(tmp_path: Path, workers: int, shard_files: int) -> None:
    folder = write(tmp_path / "in", small_corpus())
    main(CorpusConfig(input=str(folder), out=str(tmp_path / "here"), quiet=True, split=SPLIT, local=True))
    settings = {"workers": workers, "shard_files": shard_files}
    main(CorpusConfig(input=str(folder), out=str(tmp_path / "ray"), quiet=True, split=SPLIT, **settings))
    assert results(tmp_path / "ray") == results(tmp_path / "here")
