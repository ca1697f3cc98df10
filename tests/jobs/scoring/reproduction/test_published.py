"""The published numbers, and which file of a checkout belongs to which of them."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from jobs.scoring.reproduction.published import FILE, load_published, output_files, prediction_files

PUBLISHED = load_published()


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_each_row_has_a_value_for_each_column() -> None:
    for table in PUBLISHED.code.tables:
        assert {len(values) for values in table.methods.values()} == {len(PUBLISHED.code.columns)}, table.table
    for rows in (PUBLISHED.plans.planners, PUBLISHED.plans.all_rows):
        assert {len(values) for values in rows.values()} == {len(PUBLISHED.plans.columns)}


def test_codebleu_is_the_mean_of_its_parts() -> None:
    """To within rounding; guards against a mistyped digit."""
    for table in PUBLISHED.code.tables:
        for method, (*parts, codebleu) in table.methods.items():
            assert fmean(parts) == pytest.approx(codebleu, abs=0.02), f"{table.table} {table.model} {method} in {FILE}"


def test_files_are_found_by_model_and_method_whatever_the_prefix(tmp_path: Path) -> None:
    touch(tmp_path, "Results/RQ1/gpt-4o-mini/gpt4omini_Direct.txt", "Results/RQ1/GPT-5/x_PS.txt")
    touch(
        tmp_path, "Results/RQ4/deepseekcoder_wo_CR&TR.txt", "Results/RQ4/Deepseekcoder_wo_TR.txt", "Results/RQ4/note.md"
    )
    found, absent = output_files(str(tmp_path), PUBLISHED)
    assert [(file.table, file.model, file.method) for file in found] == [
        ("Table II", "GPT-4o-mini", "Direct"),
        ("Table V", "DeepSeek-V2.5", "wo_TR"),
        ("Table V", "DeepSeek-V2.5", "wo_CR&TR"),
    ]
    assert found[0].published["codebleu"] == 18.73
    assert len(absent) == 15 - len(found) + 1  # a line for each file, one for the whole of Fig. 5
    assert "Table II, GPT-4o-mini, PS: no Results/RQ1/GPT-4o-mini/*_PS.txt" in absent


def test_temperatures_are_read_from_names(tmp_path: Path) -> None:
    touch(tmp_path, *(f"Results/RQ5/deepseekcoder_{name}.txt" for name in ("0.0", "T1.5", "2", "all")))
    found, absent = output_files(str(tmp_path), PUBLISHED)
    assert [(file.method, file.published) for file in found] == [
        ("temperature 0.0", {}),
        ("temperature 1.5", {"codebleu": 27.96}),
        ("temperature 2.0", {}),
    ]
    assert [line for line in absent if "all.txt" in line] == [
        "Results/RQ5/deepseekcoder_all.txt: not read, it names no temperature, or one that another file has"
    ]
    assert not any(line.startswith("Fig. 5") for line in absent)


def test_a_model_may_have_a_folder_of_temperatures(tmp_path: Path) -> None:
    models = ("DeepSeek-V2.5", "GPT-4o-mini")
    touch(tmp_path, *(f"Results/RQ5/{model}/{model}_{at}.txt" for model in models for at in ("0_5", "1.5")))
    found, _ = output_files(str(tmp_path), PUBLISHED)
    assert [(file.model, file.method) for file in found] == [
        (model, f"temperature {at}") for model in models for at in (0.5, 1.5)
    ]
    assert [file.published for file in found] == [{}, {"codebleu": 27.96}, {}, {}]  # the figure is DeepSeek's


def test_prediction_files(tmp_path: Path) -> None:
    touch(tmp_path, "Results/RQ3/results/GPT-2-Large_Beam.txt", "Results/RQ3/results/other.txt")
    found, absent = prediction_files(str(tmp_path), PUBLISHED)
    assert [file.planner for file in found] == ["GPT-2-Large_Beam"]
    assert len(absent) == 5
