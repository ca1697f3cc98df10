"""Splits, overlaps with benchmarks, and batches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.training.data import epoch_batches, load_split, read_examples, write_examples
from jobs.training.settings import TrainConfig
from pipeline.errors import DLCodeGenError
from pipeline.planners.causal_lm.codec import PlanCodec
from pipeline.retrieval.sample_pool import load_known_plans
from tests.pipeline.planners.causal_lm.tiny_gpt2 import starter_tokenizer


def _file(path: Path, requirements: list[str], plan: object = None) -> str:
    plan = plan if plan is not None else {"Task Category": "Image Classification"}
    lines = [json.dumps({"User Requirement": text, "Code Plan": plan}) for text in requirements]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


def _config(data: str, **settings: object) -> TrainConfig:
    return TrainConfig.model_validate({"data": data, "out": "nowhere"} | settings)


def test_a_share_of_the_rows_is_held_out_and_equal_requirements_stay_together(tmp_path: Path) -> None:
    requirements = [f"Sort shells of kind {n % 20}." for n in range(60)]
    split = load_split(_config(_file(tmp_path / "plans.jsonl", requirements), eval_share=0.2))
    train, evaluation = ({row.requirement for row in part} for part in (split.train, split.evaluation))
    assert len(split.train) + len(split.evaluation) == 60
    assert len(evaluation) == 4
    assert not train & evaluation
    again = load_split(_config(_file(tmp_path / "plans.jsonl", requirements), eval_share=0.2))
    assert again == split


def test_the_evaluation_file_of_a_checkout_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "Datasets" / "DLPlanData"
    train = _file(folder / "Train.txt", ["Sort shells.", "Count cars."])
    _file(folder / "Evaluation.txt", ["Forecast tides."])
    for data in (str(tmp_path), train):
        split = load_split(_config(data, benchmarks=[]))
        assert [row.requirement for row in split.evaluation] == ["Forecast tides."]
        assert len(split.train) == 2
    other = _file(tmp_path / "other.jsonl", ["Write poems."])
    split = load_split(_config(train, eval=other, benchmarks=[]))
    assert [row.requirement for row in split.evaluation] == ["Write poems."]


def test_rows_that_nearly_repeat_a_benchmark_are_refused_dropped_or_allowed(tmp_path: Path) -> None:
    leak = "I want to build a model that tells seven mushroom genera apart in photos taken in the woods"
    folder = tmp_path / "Datasets"
    _file(folder / "DLPlanData" / "Train.txt", ["Sort shells.", f"{leak} today.", "Count cars."])
    _file(folder / "DLPlanData" / "Evaluation.txt", ["Forecast tides."])
    _file(folder / "DLCodeEval" / "Test.txt", [leak, "Something else."])
    (folder / "DLCodeEval" / "Test_Code.txt").write_text("print()\n")
    data = str(tmp_path)
    with pytest.raises(DLCodeGenError, match=r"1 of 4 rows \(nearly\) repeat .* train-2 .*drop_overlap=true"):
        load_split(_config(data))
    dropped = load_split(_config(data, drop_overlap=True))
    assert [row.requirement for row in dropped.train] == ["Sort shells.", "Count cars."]
    assert (dropped.overlaps, dropped.dropped, dropped.benchmarks) == (1, 1, (data,))
    allowed = load_split(_config(data, allow_overlap=True))
    assert (len(allowed.train), allowed.overlaps, allowed.dropped) == (3, 1, 0)


def test_a_named_benchmark_is_compared_with(tmp_path: Path) -> None:
    data = _file(tmp_path / "plans.jsonl", ["Sort photos of shells by species.", "Count cars.", "Forecast tides."])
    bench = tmp_path / "bench.txt"
    bench.write_text("Sort photos of shells by species!\n")
    assert load_split(_config(data)).overlaps == 0
    with pytest.raises(DLCodeGenError, match=r"bench\.txt"):
        load_split(_config(data, benchmarks=[str(bench)]))


def test_data_that_cannot_be_split_is_an_error(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    with pytest.raises(DLCodeGenError, match=r"empty\.jsonl: no readable plan"):
        load_split(_config(str(empty)))
    with pytest.raises(DLCodeGenError, match="1 row with one requirement cannot be split"):
        load_split(_config(_file(tmp_path / "one.jsonl", ["Sort shells."])))


def test_plans_with_missing_fields_and_one_category_can_be_learned_from(tmp_path: Path) -> None:
    data = _file(tmp_path / "plans.jsonl", [f"Sort kind {n}." for n in range(5)], {"Task Category": "Image Generation"})
    split = load_split(_config(data))
    codec = PlanCodec(starter_tokenizer(), 512)
    encoded = write_examples(str(tmp_path / "out" / "train.parquet"), split.train, codec)
    examples = read_examples(str(tmp_path / "out" / "train.parquet"))
    assert encoded.rows == len(examples) == 4
    assert encoded.tokens == sum(len(example.tokens) for example in examples)
    found = [codec.decode(example.tokens[example.plan_start :]) for example in examples]
    assert found == [row.plan for row in split.train]


def test_the_digest_tells_other_data_apart(tmp_path: Path) -> None:
    codec = PlanCodec(starter_tokenizer(), 1024)
    rows = load_known_plans()[:6]
    first, again, other = (write_examples(str(tmp_path / "a"), part, codec) for part in (rows, rows, rows[1:]))
    assert first.digest == again.digest != other.digest


def test_an_epoch_has_every_row_once_in_an_order_of_its_own() -> None:
    lengths = [(7 * n) % 100 + 1 for n in range(103)]
    first = epoch_batches(lengths, 4, seed=1, epoch=0)
    assert sorted(row for batch in first for row in batch) == list(range(103))
    assert {len(batch) for batch in first} == {3, 4}
    assert first == epoch_batches(lengths, 4, seed=1, epoch=0)
    assert first != epoch_batches(lengths, 4, seed=1, epoch=1)
    assert first != epoch_batches(lengths, 4, seed=2, epoch=0)
    padded = sum(max(lengths[row] for row in batch) * len(batch) for batch in first)
    assert padded < 1.2 * sum(lengths)
