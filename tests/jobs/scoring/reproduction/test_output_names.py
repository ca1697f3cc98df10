"""Names of released files: what is read from them, and what is not mistaken for it."""

from __future__ import annotations

import pytest

from jobs.scoring.reproduction.output_names import method_in, model_in, temperature_in

METHODS = ["Direct", "PS", "C-CoT", "DLCodeGen", "wo_CR", "wo_TR", "wo_CR&TR", "wo_Comparison(CR)"]


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("deepseekcoder_PS.txt", "PS"),
        ("DeepSeek-V2.5 c_cot.txt", "C-CoT"),
        ("gpt4omini_CCoT.TXT", "C-CoT"),
        ("2_DLCodeGen_46.txt", "DLCodeGen"),
        ("deepseekcoder_wo_CR&TR.txt", "wo_CR&TR"),
        ("deepseekcoder_wo_comparison_CR.txt", "wo_Comparison(CR)"),
        ("deepseek.txt", None),  # holds the letters p and s
        ("readme.txt", None),
    ],
)
def test_methods(name: str, method: str | None) -> None:
    assert method_in(name, METHODS) == method


@pytest.mark.parametrize(
    ("name", "temperature"),
    [
        ("deepseekcoder_0.0.txt", 0.0),
        ("DeepSeek-V2.5_T1.5.txt", 1.5),
        ("1.0-DeepSeek-V2.5.txt", 1.0),
        ("GPT-4o-mini/temperature=2.txt", 2.0),
        ("deepseekcoder_DLCodeGen_temp0,5_46.txt", 0.5),
        ("t05.txt", 0.5),
        ("deepseekcoder_temperature_1_5.txt", 1.5),
        ("deepseek_v2.5.txt", None),
        ("gpt-4o-mini.txt", None),
        ("all.txt", None),
    ],
)
def test_temperatures(name: str, temperature: float | None) -> None:
    assert temperature_in(name) == temperature


def test_models() -> None:
    models = ["DeepSeek-V2.5", "GPT-4o-mini"]
    assert model_in("gpt4omini_1.5.txt", models) == "GPT-4o-mini"
    assert model_in("Deepseekcoder_1.5.txt", models) == "DeepSeek-V2.5"
    assert model_in("1.5.txt", models) is None
