"""Comparison of two drafts, and coherence of what is merged."""

from __future__ import annotations

from pipeline.generate.symbolic.coherence import global_reads, global_writes, make_coherent, names_no_statement_defines
from pipeline.generate.symbolic.compare import BOTH, CODE, TEMPLATE, compare
from pipeline.generate.symbolic.notebook import Notebook, read_notebook
from pipeline.records import SectionChoice
from tests.pipeline.generate.symbolic.projects import FLOWERS, target


def _chosen(choices: tuple[SectionChoice, ...]) -> dict[str, str]:
    return {choice.section: choice.chosen for choice in choices}


def test_equal_drafts_leave_nothing_to_choose() -> None:
    draft = read_notebook(FLOWERS)
    final, choices = compare(draft, draft, target())
    assert set(_chosen(choices).values()) == {BOTH}
    assert final.text() == FLOWERS


def test_the_section_closer_to_the_plan_is_taken() -> None:
    better_model = FLOWERS.replace("layers.Flatten(),", "layers.GlobalAveragePooling2D(),").replace(
        'layers.Dense(64, activation="relu"),\n', "\n"
    )
    better_compile = FLOWERS.replace("optimizers.Adam(", "optimizers.RMSprop(")
    final, choices = compare(read_notebook(better_compile), read_notebook(better_model), target())
    assert _chosen(choices)["model"] == TEMPLATE
    assert _chosen(choices)["compile"] == CODE
    assert "GlobalAveragePooling2D" in final.text()
    assert "RMSprop" in final.text()


def test_a_section_with_a_call_keras_does_not_have_loses() -> None:
    wrong = FLOWERS.replace("layers.Dense(64, ", "layers.Dense(64, neurons=3, ")
    _, choices = compare(read_notebook(wrong), read_notebook(FLOWERS), target(layers=()))
    assert _chosen(choices)["model"] == TEMPLATE


def test_sections_that_would_leave_names_undefined_are_not_mixed() -> None:
    other = FLOWERS.replace("def build_model", "WIDTH = 3\n\n\ndef build_model").replace(
        "layers.Flatten()", "helper(WIDTH)"
    )
    other = other.replace("layers.MaxPooling2D((2, 2)),", "layers.GlobalAveragePooling2D(), ")
    final, choices = compare(read_notebook(FLOWERS), read_notebook(other), target())
    assert names_no_statement_defines(final) == frozenset()
    assert TEMPLATE not in _chosen(choices).values()


def test_reads_and_writes_of_a_statement() -> None:
    source = (
        "def f(a, *, b=LIMIT):\n    import os\n    c = [helper(x) for x in a]\n    return os.path, c, b, np.mean(c)"
    )
    assert global_reads(source) == {"LIMIT", "helper", "np"}
    assert global_writes(source) == {"f"}
    assert global_writes("x, (y, z) = 1, (2, 3)") == {"x", "y", "z"}
    assert global_reads("class A(Base):\n    size = SIZE\n    def f(self): return size_of(self)") >= {
        "Base",
        "SIZE",
        "size_of",
    }


def _coherent(code: str) -> str:
    notebook: Notebook = make_coherent(read_notebook(code))
    return notebook.text()


def test_unused_imports_functions_and_constants_go_with_what_only_they_read() -> None:
    code = FLOWERS.replace(
        "import numpy as np", "import json\nimport os, sys\nfrom math import floor, ceil\nimport numpy as np"
    )
    code = code.replace(
        "# %% Model\n", "# %% Model\nUNUSED = (1, 2)\n\n\ndef helper():\n    return ceil(UNUSED[0])\n\n\n"
    )
    code = code.replace("images = np.zeros", "print(os.name)\nimages = np.zeros")
    text = _coherent(code)
    for name in ("json", "sys", "floor", "ceil", "UNUSED", "helper"):
        assert name not in text
    assert "import os\n" in text
    assert "# %% Model\ndef build_model" in text


def test_missing_imports_are_added_and_repeated_ones_dropped() -> None:
    text = _coherent(
        FLOWERS.replace("import numpy as np\n", "").replace(
            "from tensorflow import keras\n", "from tensorflow import keras\n" * 2
        )
    )
    assert text.count("import numpy as np") == 1
    assert text.count("from tensorflow import keras\n") == 1


def test_after_a_star_import_nothing_is_called_unused_or_undefined() -> None:
    code = "from tensorflow.keras.layers import *\nimport json\nx = Dense(1)\n"
    assert "import json" in _coherent(code)
    assert names_no_statement_defines(read_notebook(code)) == frozenset()
