"""The whole build in this process: what is kept, what is dropped, and that nothing of the input's order shows."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus_build.records import PlanDataRow
from corpus_build.settings import CorpusSettings, PlanDataSizes, SplitSettings
from corpus_build.store import CorpusStore, read_records, record_writer
from corpus_build.write.audit import audit_sets
from corpus_build.write.datasets import SET_FILES
from jobs.corpora.settings import CorpusConfig
from jobs.corpora.summary import CorpusSummary
from jobs.corpus import main
from pipeline.errors import DLCodeGenError
from pipeline.inputs import read_requirements
from pipeline.retrieval.sample_pool import load_known_plans, load_samples
from tests.corpus_build.notebooks import code, markdown, notebook, project, small_corpus, write
from tests.older_files import raise_version, remove_versions

SPLIT = SplitSettings(quota=4, plan_data=PlanDataSizes(eval=0.2, test=0.2))


def build(folder: Path, out: Path, **settings: object) -> CorpusSummary:
    return main(CorpusConfig(input=str(folder), out=str(out), quiet=True, **({"split": SPLIT} | settings)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("corpus"), small_corpus())


@pytest.fixture(scope="module")
def built(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built")
    build(corpus, out)
    return out


def results(out: Path) -> dict[str, bytes]:
    names = [*SET_FILES.values(), "drop_report.parquet", "card.md", "audit.json"]
    return {name: (out / name).read_bytes() for name in names}


def test_every_file_is_kept_or_dropped_for_one_reason(corpus: Path, built: Path) -> None:
    report = pq.read_table(built / "drop_report.parquet").to_pylist()
    files = {path.relative_to(corpus).as_posix() for path in corpus.rglob("*") if path.is_file()}
    assert sorted(row["place"] for row in report) == sorted(files)
    assert all((row["outcome"] == "dropped") == bool(row["reason"]) for row in report)
    reasons = {row["place"]: row["reason"] for row in report}
    assert reasons["bad/cut.ipynb"] == "truncated"
    assert reasons["other/torch.ipynb"] == "pytorch_only"
    assert reasons["copies/0.ipynb"] == "exact_duplicate"
    assert reasons["forks/0.ipynb"] == "near_duplicate"
    manifest = json.loads((built / "manifest.json").read_text())
    assert manifest["files_in"] == len(report) == manifest["kept"] + manifest["dropped"]
    assert sum(manifest["dropped_by_reason"].values()) == manifest["dropped"]


def test_of_duplicates_the_newest_is_kept(built: Path) -> None:
    report = {row["place"]: row for row in pq.read_table(built / "drop_report.parquet").to_pylist()}
    assert report["forks/0.ipynb"]["kept"] == "0000/000/1000.ipynb"
    # No. 4 is undated, its fork is of 2021: a date counts more than none.
    assert report["0000/004/1004.ipynb"]["kept"] == "forks/4.ipynb"


def test_the_sets_are_by_date_quality_and_hash(built: Path) -> None:
    tables = {name: pq.read_table(built / path).to_pylist() for name, path in SET_FILES.items()}
    dates = [row["provenance"]["executed_at"] for row in tables["DLCodeEval"]]
    assert dates
    assert min(dates) >= "2024-01-01"
    others = [row for name, rows in tables.items() if name != "DLCodeEval" for row in rows]
    assert all(row["provenance"]["executed_at"] < "2024-01-01" for row in others)
    categories = [row["plan"]["task_category"] for row in tables["DLSamplePool"]]
    assert max(map(categories.count, categories)) <= 4
    assert all(tables[name] for name in SET_FILES)


def test_the_pipeline_reads_all_three_sets(built: Path) -> None:
    requirements = list(read_requirements(str(built / SET_FILES["DLCodeEval"])))
    assert requirements
    assert all(row.failure is None and row.reference and row.requirement for row in requirements)
    samples = load_samples(str(built / SET_FILES["DLSamplePool"]))
    assert all(sample.plan and sample.plan.layers and sample.code for sample in samples)
    plans = load_known_plans(str(built / SET_FILES["DLPlanData/train"]))
    rows = list(read_records(str(built / SET_FILES["DLPlanData/train"]), PlanDataRow))
    assert [plan.plan for plan in plans] == [row.plan for row in rows]


@pytest.mark.parametrize("shard_files", [1000, 17])
def test_order_and_division_of_the_input_do_not_show(built: Path, tmp_path: Path, shard_files: int) -> None:
    files = small_corpus()
    random.Random(shard_files).shuffle(files)
    rows = [{"path": name, "content": data.decode("utf-8", "replace")} for name, data in files]
    folder = tmp_path / "shards"
    folder.mkdir()
    (folder / "all.jsonl").write_text("\n".join(map(json.dumps, rows)))
    build(folder, tmp_path / "out", shard_files=shard_files)
    ours, theirs = results(tmp_path / "out"), results(built)
    for path in SET_FILES.values():
        assert pq.read_table(tmp_path / "out" / path).to_pylist() == pq.read_table(built / path).to_pylist()
    assert ours["card.md"] == theirs["card.md"]


def test_a_second_call_changes_nothing(corpus: Path, built: Path) -> None:
    before = results(built)
    build(corpus, built)
    assert results(built) == before


def test_other_settings_or_files_need_another_folder(corpus: Path, built: Path, tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="other settings"):
        build(corpus, built, framework="pytorch")
    folder = write(tmp_path / "in", [("a.ipynb", project(1))])
    build(folder, tmp_path / "out")
    write(folder, [("b.ipynb", project(2))])
    with pytest.raises(DLCodeGenError, match="have changed"):
        build(folder, tmp_path / "out")


def test_a_build_of_the_time_before_versions_goes_on(corpus: Path, built: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(built, out)
    remove_versions(out)
    (out / "work" / "extracted" / "part-000000.parquet").unlink()
    kept = out / "work" / "scan" / "part-000000.parquet"
    written = kept.stat().st_mtime_ns
    build(corpus, out)
    assert results(out) == results(built)
    assert kept.stat().st_mtime_ns == written


def test_a_build_of_a_newer_version_is_refused_in_one_line(corpus: Path, built: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(built, out)
    raise_version(out / SET_FILES["DLCodeEval"])
    with pytest.raises(DLCodeGenError, match=r"requirements\.parquet was written by a newer version"):
        audit_sets(CorpusStore(str(out)), CorpusSettings(split=SPLIT))
    raise_version(out / "work" / "listing.json")
    with pytest.raises(DLCodeGenError, match=r"newer version of this program.*choose another --out"):
        build(corpus, out)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="no files to read"):
        build(tmp_path, tmp_path / "out")


def test_a_corpus_without_a_single_project_gives_empty_sets(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", [("a.ipynb", notebook(code("import torch"))), ("b.ipynb", b"")])
    summary = build(folder, tmp_path / "out")
    assert summary.counts.dropped == {"pytorch_only": 1, "empty": 1}
    assert pq.read_table(tmp_path / "out" / SET_FILES["DLPlanData/train"]).num_rows == 0


def test_a_shared_requirement_never_spans_two_sets(tmp_path: Path) -> None:
    words = "Tell pumpkins from melons on photos of the field"
    files = [
        (f"{number}.ipynb", project(number, f"{2020 + number % 6}-01-05T00:00:00Z", requirement=words))
        for number in range(24)
    ]
    summary = build(write(tmp_path / "in", files), tmp_path / "out")
    assert set(summary.counts.kept) == {"DLCodeEval"}
    assert summary.counts.dropped["overlaps_DLCodeEval"] == 16


@pytest.mark.parametrize(("field", "way"), [("requirement", ""), ("code", "a line more"), ("code", "comments")])
def test_the_audit_finds_a_planted_leak(corpus: Path, tmp_path: Path, field: str, way: str) -> None:
    build(corpus, tmp_path)
    store = CorpusStore(str(tmp_path))
    settings = CorpusSettings(split=SPLIT)
    assert audit_sets(store, settings).clean
    train = list(read_records(store.path(SET_FILES["DLPlanData/train"]), PlanDataRow))
    test = list(read_records(store.path(SET_FILES["DLPlanData/test"]), PlanDataRow))
    stolen = getattr(test[0], field)
    hints = "\n".join(f"# Hint {number}: think about what step {number} sees of its input" for number in range(200))
    own_line = "print('my own work')"
    own_work = {"": f"{stolen.upper()}!", "a line more": f"{stolen}\n{own_line}\n", "comments": f"{hints}\n{stolen}"}
    changed = own_work[way]
    values = {name: getattr(train[0], name) for name in PlanDataRow.__dataclass_fields__} | {field: changed}
    with record_writer(store.path(SET_FILES["DLPlanData/train"]), PlanDataRow) as writer:
        for row in [PlanDataRow(**values), *train[1:]]:
            writer.add(row)
    audit = audit_sets(store, settings)
    assert not audit.clean
    # Comments hide a copy from the measure that counts words, and from that alone.
    assert (way == "comments") == ({leak.by for leak in audit.leaks} == {"near code without comments"})
    assert (audit.leaks[0].first_id, audit.leaks[0].second_id) == (test[0].id, train[0].id)


def test_the_pool_leaves_a_small_corpus_most_of_its_rows(tmp_path: Path) -> None:
    files = [(f"{number}.ipynb", project(number, "2022-05-01T00:00:00Z")) for number in range(41)]
    folder = write(tmp_path / "in", files)
    build(folder, tmp_path / "out", split=SplitSettings(plan_data=PlanDataSizes(eval=0, test=0)))
    pool, train = (
        [row["plan"]["task_category"] for row in pq.read_table(tmp_path / "out" / SET_FILES[name]).to_pylist()]
        for name in ("DLSamplePool", "DLPlanData/train")
    )
    for category in {*pool, *train}:
        count = pool.count(category) + train.count(category)
        assert pool.count(category) == (max(1, count // 5) if count > 1 else 0)
    assert len(pool) >= 4


def test_what_cannot_judge_others_is_not_in_the_evaluation_set(tmp_path: Path) -> None:
    whole = project(1, "2024-05-01T10:00:00Z")
    without_loss = notebook(
        markdown("# Frost on roads\n\nThe goal is to predict frost on roads from nine readings."),
        code(
            "import keras\nm = keras.Sequential([keras.layers.Dense(9), keras.layers.Dense(1)])\n"
            "m.compile(optimizer='adam')\nm.fit(x, y)",
            "2024-05-01T10:00:00Z",
        ),
    )
    folder = write(tmp_path / "in", [("whole.ipynb", whole), ("without_loss.ipynb", without_loss)])
    summary = build(folder, tmp_path / "out")
    report = {row["place"]: row for row in pq.read_table(tmp_path / "out" / "drop_report.parquet").to_pylist()}
    assert report["whole.ipynb"]["outcome"] == "DLCodeEval"
    assert report["without_loss.ipynb"]["outcome"].startswith("DLPlanData")
    assert summary.below_floor == 1
