"""A project completed by what was asked: the list in the first cell, the notebook, the README."""

from __future__ import annotations

import ast
import json
import re

import pytest
from hypothesis import given, settings

from pipeline.calls import LLMCall
from pipeline.generate.deliver import deliver
from pipeline.generate.not_done import with_list
from pipeline.generate.project import to_ipynb
from pipeline.measures.delivery.check import check_delivery
from pipeline.measures.delivery.not_done import without_list
from pipeline.measures.project_scores import score_project
from pipeline.plan.solution_plan import Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.records import README, SCRIPT, Delivered, Generated, SourceFile
from tests.hostile_texts import hostile_texts
from tests.pipeline.measures.asked import asked

FIT = "model.fit(x, y, epochs=5)\n"
COMPILE = "model.compile(keras.optimizers.Adam(0.01))\n"
SCRIPTS = [
    f"# %% [markdown]\n# A title.\n\n# %% Train\n{FIT}",
    f"# %% [markdown]\n# A title.\n# %% Train\n{FIT}",
    f"# %% Train\n{FIT}",
    f"# -*- coding: utf-8 -*-\n# coding: latin-1\n{FIT}",
    f"#!/usr/bin/env python\n# A comment.\n{FIT}",
    f'"""A docstring.\n# %% no cell\n!rm -rf /\n"""\n{FIT}',
    FIT,
]
ASKED = [asked("training.epochs=3"), asked("training.batch_size=16"), asked("size.examples=9")]


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_list_names_the_lines_of_the_script_that_it_stands_in(script: str) -> None:
    delivery = check_delivery(ASKED, script)
    with_it, moved = with_list(script, delivery)
    epochs = moved.checks[0]
    assert epochs.line is not None
    assert with_it.split("\n")[epochs.line - 1] == FIT.strip()
    assert f"# - epochs 3: 5 (line {epochs.line})" in with_it.split("\n")
    # Looked up in the finished script, all is as it is said to be.
    assert check_delivery(ASKED, with_it).checks == moved.checks
    assert ast.dump(ast.parse(with_it)) == ast.dump(ast.parse(script))
    assert without_list(with_it) == script
    # The notebook is built from the tree of the script without the list.
    assert to_ipynb(with_it, plain=script) == to_ipynb(with_it)
    prose = next(cell for cell in json.loads(to_ipynb(with_it))["cells"] if cell["cell_type"] == "markdown")
    assert "Not done of what was asked:" in "".join(prose["source"])


def test_nothing_is_listed_where_all_is_met() -> None:
    delivery = check_delivery([asked("training.epochs=5")], FIT)
    assert with_list(FIT, delivery) == (FIT, delivery)


@settings(max_examples=150, deadline=None)
@given(hostile_texts())
def test_foreign_words_stay_words(text: str) -> None:
    """In script, notebook and README: as a value, as the request, and as what stands in the code instead."""
    script = f"model.fit(x, y, epochs=5, optimizer={text.encode('utf-8', 'replace').decode()!r})\n"
    constraint = asked("files.file=x")
    row = Generated(
        id="a",
        row=0,
        requirement=text,
        constraints=(type(constraint)(aspect="files", name="file", value=text, start=0, end=0), ASKED[0]),
        files=(SourceFile(path=SCRIPT, text=script),),
    )
    files = {file.path: file.text for file in deliver(row)["files"]}  # type: ignore[attr-defined]
    assert ast.dump(ast.parse(files[SCRIPT])) == ast.dump(ast.parse(script))
    compile(files[SCRIPT].encode(), SCRIPT, "exec")
    about = files[README]
    assert not re.search(r"(?<!\\)<[A-Za-z/!?]", about)
    assert "![" not in about
    headings = [line for line in about.split("\n") if line.startswith("#")]
    assert set(headings[1:]) <= {"## Run it", "## Data", "## Asked", "### Met", "### Not done"} | {
        "### Cannot be told from the code"
    }


def test_the_readme_says_how_to_run_what_was_asked_and_what_was_assumed() -> None:
    settings_of_plan = Hyperparameters(optimizer="adam", learning_rate=0.01, epochs=5)
    plan = SolutionPlan(architecture=ModelArchitecture(hyperparameters=settings_of_plan))
    row = Generated(
        id="a",
        row=0,
        requirement="Predict the price of houses in 3 epochs",
        constraints=tuple(ASKED),
        plan=plan,
        plan_sources=("houses-01", "houses-02"),
        files=(
            SourceFile(path=SCRIPT, text=f'import pandas\nx = pandas.read_csv("homes.csv")\n{FIT}{COMPILE}'),
            SourceFile(path="helper.py", text="x = 1\n"),
        ),
    )
    fields = deliver(row)
    files = {file.path: file.text for file in fields["files"]}  # type: ignore[attr-defined]
    about = files[README]
    assert list(files) == ["project.py", "project.ipynb", "requirements.txt", "README.md", "helper.py"]
    assert "# Predict price houses 3 epochs" in about
    assert "pip install -r requirements.txt" in about
    assert "- homes.csv" in about
    done, told = about.index("### Not done"), about.index("### Cannot be told")
    assert "epochs 3: 5 (line 9)" in about[done:told]
    assert "examples 9" in about[told:]
    assert "- learning rate 0.01 (as in similar projects)" in about  # the code has it, as the plan says
    call = LLMCall(
        stage="plan", prompt="plan", model="m-7b", prompt_tokens=1, completion_tokens=1, finish_reason="stop"
    )
    asked_of_model = Generated(**{name: getattr(row, name) for name in row.__dataclass_fields__} | {"calls": (call,)})
    assert "learning rate 0.01 (the model: m-7b)" in deliver(asked_of_model)["files"][3].text  # type: ignore[index]


def test_the_list_changes_no_measure_of_the_code() -> None:
    row = Generated(
        id="a", row=0, constraints=tuple(ASKED), reference=FIT, files=(SourceFile(path=SCRIPT, text=SCRIPTS[0]),)
    )
    kept = {name: getattr(row, name) for name in row.__dataclass_fields__}
    delivered = Delivered(**kept | deliver(row))
    assert "Not done" in delivered.files[0].text
    assert score_project(delivered) == score_project(row)
