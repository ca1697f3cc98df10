import ast

import pytest

from pipeline.analysis.names import names_never_defined


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x = 1\nprint(x)", ()),
        ("model.fit(data)\nmodel.evaluate(data)", ("data", "model")),
        ("def f():\n    return later\nlater = 1", ()),
        ("def f():\n    return never", ("never",)),
        ("import numpy as np\nnp.zeros(pd.NA)", ("pd",)),
        ("from keras.layers import *\nDense(1)", ()),
        ("display(1)", ("display",)),
        ("if __name__ == '__main__':\n    print(__file__)", ()),
    ],
)
def test_names_that_are_nowhere_defined(source: str, names: tuple[str, ...]) -> None:
    assert names_never_defined(ast.parse(source)) == names


def test_code_nested_beyond_pyflakes_is_passed_over() -> None:
    tree = ast.parse("+".join(["a"] * 900))
    assert names_never_defined(tree) == ()
