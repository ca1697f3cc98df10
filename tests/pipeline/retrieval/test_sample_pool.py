"""Pools and known plans from files, and parts of a pool: what an experiment swaps."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import DLCodeGenError
from pipeline.retrieval.sample_pool import Sample, load_known_plans, load_samples, whole_pool


def _categories(samples: tuple[Sample, ...]) -> Counter[str]:
    return Counter(sample.plan.canonical().task_category for sample in samples if sample.plan)


@pytest.mark.parametrize("parts", [2, 3, 40])
def test_parts_make_up_the_pool_and_share_nothing(parts: int) -> None:
    parts_of_pool = [load_samples(f"starter40#{part}/{parts}") for part in range(1, parts + 1)]
    ids = [sample.id for samples in parts_of_pool for sample in samples]
    assert sorted(ids) == sorted(sample.id for sample in load_samples("starter40"))
    assert max(map(len, parts_of_pool)) - min(map(len, parts_of_pool)) <= 1


def test_halves_are_alike_in_their_categories() -> None:
    first, second = (_categories(load_samples(f"starter40#{part}/2")) for part in (1, 2))
    assert all(abs(first[name] - second[name]) <= 1 for name in first | second)


def test_a_part_belongs_to_a_pool() -> None:
    assert whole_pool("s3://here/pool.parquet#3/10") == "s3://here/pool.parquet"
    assert whole_pool("starter") == "starter"
    for wrong in ("starter40#0/2", "starter40#3/2", "starter40#1/41"):
        with pytest.raises(DLCodeGenError, match="the pool has 40 samples"):
            load_samples(wrong)


PLAN = {"Task Category": "Image Classification", "Model Architecture": {"Layers": ["Dense(2)"]}}
ROWS: list[dict[str, object]] = [
    {"id": "a", "requirement": "Classify leaves.", "attributes": "ten species", "plan": PLAN, "code": "import a"},
    {"User Requirement": "Forecast sales.", "Code Plan": json.dumps(PLAN), "code": "import b"},
    {"id": "c", "requirement": "No plan.", "plan": "nothing to read", "code": "import c"},
    {"id": "d", "requirement": "No code.", "plan": PLAN, "code": " "},
]


def _write(path: Path, rows: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(path)


def test_a_pool_from_a_file_has_the_rows_with_code(tmp_path: Path) -> None:
    samples = load_samples(_write(tmp_path / "pool.jsonl", ROWS))
    assert [(sample.id, sample.requirement, sample.code) for sample in samples] == [
        ("a", "Classify leaves.", "import a"),
        ("sample-1", "Forecast sales.", "import b"),
        ("c", "No plan.", "import c"),
    ]
    assert [sample.plan is None for sample in samples] == [False, False, True]


def test_parquet_and_json_lines_give_the_same_pool(tmp_path: Path) -> None:
    rows = [row for row in ROWS if "id" in row and isinstance(row["plan"], dict)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "pool.parquet")
    assert load_samples(str(tmp_path / "pool.parquet")) == load_samples(_write(tmp_path / "pool.jsonl", rows))


def test_known_plans_from_a_file_are_the_rows_with_a_plan(tmp_path: Path) -> None:
    plans = load_known_plans(_write(tmp_path / "plans.txt", ROWS))
    assert [(plan.id, plan.plan.layers) for plan in plans] == [
        ("a", ("Dense(2)",)),
        ("plan-1", ("Dense(2)",)),
        ("d", ("Dense(2)",)),
    ]


def test_a_pool_that_cannot_serve_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="no sample with code"):
        load_samples(_write(tmp_path / "empty.jsonl", ROWS[3:]))
    with pytest.raises(DLCodeGenError, match="samples share the id 'a'"):
        load_samples(_write(tmp_path / "twice.jsonl", [ROWS[0], ROWS[0]]))
    with pytest.raises(DLCodeGenError, match="no readable plan"):
        load_known_plans(_write(tmp_path / "none.jsonl", ROWS[2:3]))
    with pytest.raises(DLCodeGenError, match="cannot be read as a pool or as plans"):
        load_samples(str(tmp_path / "absent.jsonl"))
