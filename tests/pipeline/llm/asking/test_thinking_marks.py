"""Thinking between the marks of many model families never reaches the program; what only looks like a mark stays."""

from __future__ import annotations

import pytest

from pipeline.llm.asking.replies import clean_text, read_program

CODE = "import keras\nmodel = keras.Sequential([keras.layers.Dense(10)])\nmodel.compile(optimizer='adam')\n"
THOUGHT = "Let me try:\n```python\nimport keras\nwrong = keras.Sequential()\nwrong.fit(x)\n```\nNo.\n"

MARKS = [
    ("<think>", "</think>"),
    ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"),
    ("<think:6124c78e>", "</think:6124c78e>"),
    ("<longcat_think>", "</longcat_think>"),
    ("<thinking_process>", "</thinking_process>"),
    ("<inner_thought>", "</inner_thought>"),
    ("<internal_monologue>", "</internal_monologue>"),
    ("<reason>", "</reason>"),
    ("<analysis>", "</analysis>"),
    ("<chain_of_thought>", "</chain_of_thought>"),
    ("<think_start>", "<think_end>"),
    ("[THINK]", "[/THINK]"),
    ("[unused16]", "[unused17]"),
    ("◁think▷", "◁/think▷"),
    ("<|think|>", "<|/think|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|thought_start|>", "<|thought_end|>"),
    ("<|reasoning_start|>", "<|reasoning_end|>"),
    ("<|plamo:begin_think:plamo|>", "<|plamo:end_think:plamo|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<|channel>", "<channel|>"),
    ("<|channel>thought\n", "<channel|>"),
]


@pytest.mark.parametrize(("opens", "closes"), MARKS)
def test_thinking_is_left_out_whichever_marks_it_has(opens: str, closes: str) -> None:
    for answer in (f"\n```python\n{CODE}```", f"\n\nHere:\n\n```python\n{CODE}```\n", f"\n{CODE}"):
        assert read_program(opens + THOUGHT + closes + answer).code == CODE
    assert read_program(f"{THOUGHT}{closes}\n```python\n{CODE}```").code == CODE, "the template opened it"
    assert clean_text(f"{opens}hm{closes}the rest").strip() == "the rest"
    assert clean_text(f"{opens}{THOUGHT}and so on").strip() == "", "all of it is thinking"


@pytest.mark.parametrize(
    "line",
    [
        "reason = '<reason>'",
        "marks = ('<think>', '</think>')",
        "print('<|think|> opens')",
        "x = df['<analysis>']",
        "# the tag <cot> is removed below\ny = 1",
    ],
)
def test_a_mark_in_a_program_is_the_program_s(line: str) -> None:
    program = f"import keras\n{line}\nmodel = keras.Sequential()\n"
    assert read_program(f"```python\n{program}```").code == program


def test_a_template_s_placeholders_are_no_marks() -> None:
    assert "<<reason>>" in clean_text("Use this:\n<<reason>>\n<<thought>>\nas placeholders")
