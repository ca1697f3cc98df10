"""Prompts in other ways: what must not change has not, whoever writes them."""

from __future__ import annotations

import ast
import asyncio

import pytest

from pipeline.dlbench.mutation.by_model import mutated_by_model
from pipeline.dlbench.mutation.kept import kept_pieces
from pipeline.dlbench.mutation.operators import NAMING, Operator, mapped_back
from pipeline.dlbench.mutation.rules import mutated
from pipeline.dlbench.reading.read import read_tasks
from pipeline.errors import StageFailure
from pipeline.llm.protocol import Sampling
from pipeline.llm.scripted import ScriptedLLM

PROMPT = """\
Write the function `def scale_rows(table, by=2.5)`. It should return each row times 3:

- compute `sum(row)`
- give back a list

```python
scale_rows([1], by=1)  # write this
```
"""


@pytest.mark.parametrize("operator", list(Operator))
def test_code_numbers_and_names_are_kept(operator: Operator) -> None:
    variant = mutated(PROMPT, operator, "scale_rows")
    assert variant.changed
    expected = kept_pieces(PROMPT)
    if operator in NAMING:
        expected = [piece.replace("scale_rows", variant.renamed_to) for piece in expected]
    assert all(piece in variant.prompt for piece in expected)
    assert variant.prompt.count("\n- ") == 2


@pytest.mark.parametrize("operator", list(Operator))
def test_all_bundled_prompts_can_be_said_in_every_way(operator: Operator) -> None:
    for task in read_tasks(["bundled"]):
        mutated(task.prompt, operator, task.function)


def test_what_the_grammar_becomes() -> None:
    assert mutated("Write a loss.", Operator.PASSIVE, "f").prompt == "A loss is to be written."
    assert mutated("Write a loss.", Operator.QUESTION, "f").prompt == "Can you write a loss?"


def test_names_are_mapped_back_by_syntax() -> None:
    variant = mutated(PROMPT, Operator.MISLEADING_NAME, "scale_rows")
    name = variant.renamed_to
    answer = f"def {name}(table, by=2.5):\n    x.{name} = '{name}'\n    return {name}(table[1:]) if table else []\n"
    back = mapped_back(answer, variant, "scale_rows")
    assert f"x.{name} = '{name}'" in back
    function = ast.parse(back).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert function.name == "scale_rows"
    assert "return scale_rows(table[1:])" in back


def test_a_model_that_breaks_what_must_be_kept_is_not_taken() -> None:
    sampling = Sampling()
    broken = ScriptedLLM(lambda request: "Write something else.")
    with pytest.raises(StageFailure) as raised:
        asyncio.run(mutated_by_model(broken, PROMPT, Operator.REPHRASED, "scale_rows", sampling))
    assert raised.value.kind == "invariant_broken"
    assert len(broken.requests) == 2
    kind = ScriptedLLM(lambda request: PROMPT.replace("It should return", "Let it return"))
    variant = asyncio.run(mutated_by_model(kind, PROMPT, Operator.REPHRASED, "scale_rows", sampling))
    assert "Let it return" in variant.prompt
