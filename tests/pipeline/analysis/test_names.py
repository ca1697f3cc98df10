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
        ("from typing import cast as as_type\nas_type('Never', 1)", ("Never",)),
        ("def cast(*a):\n    return a\ncast('Never', 1)", ()),
        ("try:\n    never\nexcept NameError:\n    pass", ()),
        ("try:\n    pass\nexcept ValueError as error:\n    pass\nprint(error)", ("error",)),
        ("def f(x: 'Never'):\n    del x\n    return x", ("Never", "x")),
        ("if a:\n    b = 1\nelse:\n    b = 2\nprint([b for c in d if (e := c)], e)", ("a", "d")),
    ],
)
def test_names_that_are_nowhere_defined(source: str, names: tuple[str, ...]) -> None:
    assert names_never_defined(ast.parse(source)) == names


def test_code_nested_beyond_pyflakes_is_passed_over() -> None:
    tree = ast.parse("+".join(["a"] * 900))
    assert names_never_defined(tree) == ()
