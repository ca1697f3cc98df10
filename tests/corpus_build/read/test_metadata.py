"""Meta Kaggle's tables as they are: float ids, missing tables, American dates."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus_build.read.metadata import load_kaggle_facts, read_id, read_kaggle_date
from jobs.corpora.settings import CorpusConfig
from jobs.corpus import main
from pipeline.errors import DLCodeGenError
from tests.corpus_build.notebooks import project, write

TABLES = {
    "KernelVersions.csv": 'Id,ScriptId,ParentScriptVersionId,ScriptLanguageId,AuthorUserId,CreationDate,VersionNumber,Title,TotalVotes\n'
    '1001,11,,9,501,01/15/2024 10:20:30,1.0,"Beans, ""sorted"" by\nshape",3\n'
    '1002,11,1001.0,9,501,02/01/2024 00:00:00,2.0,Beans again,4\n'
    '1003,12.0,,9,,12/31/2023 23:59:59,1.0,,\n'
    '1099,13,,9,1,01/01/2020 00:00:00,1.0,Not asked for,9\n',
    "Kernels.csv": "Id,AuthorUserId,CurrentKernelVersionId,CreationDate,Medal,TotalVotes\n11,501,1002.0,01/01/2024 00:00:00,1.0,120\n12,502,1003.0,,,\n",
    "KernelLanguages.csv": "Id,Name,DisplayName,IsNotebook\n9,IPython Notebook,Python,True\n",
    "KernelVersionDatasetSources.csv": "Id,KernelVersionId,SourceDatasetVersionId\n1,1002,71\n2,1002,70.0\n3,1099,70\n",
    "DatasetVersions.csv": "Id,DatasetId,Slug,Title\n70,5,dry-beans,Dry Beans\n",
    "KernelTags.csv": "Id,KernelId,TagId\n1,11,31\n2,11,30\n",
    "Tags.csv": "Id,Name\n30,agriculture\n31,beginner\n",
}  # fmt: skip


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    return write(tmp_path / "meta", [(name, text.encode()) for name, text in TABLES.items()])


def test_facts_are_joined_by_version(tables: Path) -> None:
    facts = load_kaggle_facts(str(tables), ["1001", "1002", "1003", "4000", "not-a-number"])
    assert sorted(facts) == ["1001", "1002", "1003"]
    current = facts["1002"]
    assert (current.kernel_id, current.author_id, current.current, current.votes, current.medal) == (
        11,
        501,
        True,
        120,
        1,
    )
    assert current.dataset_sources == ("dry-beans", "dataset-version-71")
    assert current.tags == ("agriculture", "beginner")
    assert (current.language, current.licence) == ("Python", "Apache-2.0")
    assert not facts["1001"].current
    assert facts["1001"].title == 'Beans, "sorted" by\nshape'
    assert facts["1003"].created_at == datetime(2023, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
    assert (facts["1003"].author_id, facts["1003"].votes, facts["1003"].medal) == (502, 0, 0)


def test_tables_may_be_missing_but_not_the_versions(tables: Path) -> None:
    for name in TABLES:
        if name != "KernelVersions.csv":
            (tables / name).unlink()
    assert load_kaggle_facts(str(tables), ["1002"])["1002"].votes == 4
    (tables / "KernelVersions.csv").unlink()
    with pytest.raises(DLCodeGenError, match=r"no KernelVersions\.csv"):
        load_kaggle_facts(str(tables), ["1002"])


@pytest.mark.parametrize(
    ("text", "id"), [("12", "12"), ("12.0", "12"), (" 12.00 ", "12"), ("", ""), (None, ""), ("1.5", ""), ("x", "")]
)
def test_ids_are_whole_numbers(text: str | None, id: str) -> None:
    assert read_id(text) == id


def test_dates_are_american() -> None:
    assert read_kaggle_date("02/01/2024 00:00:00") == datetime(2024, 2, 1, tzinfo=UTC).timestamp()
    assert read_kaggle_date("31/31/2024 00:00:00") is None


def test_a_build_takes_dates_titles_and_versions_from_the_tables(tables: Path, tmp_path: Path) -> None:
    files = [(f"0000/001/100{number}.ipynb", project(number)) for number in (1, 2, 3)]
    folder = write(tmp_path / "in", files)
    main(CorpusConfig(input=str(folder), out=str(tmp_path / "out"), meta_kaggle=str(tables), quiet=True))
    report = {row["id"]: row for row in pq.read_table(tmp_path / "out" / "drop_report.parquet").to_pylist()}
    # Two versions of one kernel are one work, however their code differs: the newer stays.
    assert (report["1001"]["reason"], report["1001"]["kept"]) == ("near_duplicate", "0000/001/1002.ipynb")
    assert report["1002"]["outcome"] == "DLCodeEval"
    assert report["1003"]["outcome"] == "DLPlanData/train"
    row = pq.read_table(tmp_path / "out" / "DLCodeEval" / "requirements.parquet").to_pylist()[0]
    assert row["requirement"].startswith("Beans again.")
    assert row["provenance"]["time_source"] == "kaggle_creation_date"
    assert row["provenance"]["executed_at"] == "2024-02-01T00:00:00Z"
    assert (row["provenance"]["author_id"], row["provenance"]["votes"]) == (501, 120)
