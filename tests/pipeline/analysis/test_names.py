import ast

import pytest

from pipeline.analysis.names import undefined_names, unused_definitions


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
def test_undefined_names(source: str, names: tuple[str, ...]) -> None:
    assert undefined_names(ast.parse(source)) == names


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import os\nimport numpy as np\nprint(np.pi)", ("os",)),
        ("import os.path\nprint(os.name)", ()),
        ("from a import b as c, d\nd()", ("c",)),
        ("from __future__ import annotations\nfrom a import *", ()),
        ("def f():\n    f()", ("f",)),
        ("SIZE = 3\ndef f():\n    return SIZE\ndef g():\n    return f()", ("SIZE", "f", "g")),
        ("SIZE = 3\ndef f():\n    return SIZE\nprint(f())", ()),
        ("EPOCHS = 9\nif SYNTHETIC:\n    EPOCHS = min(EPOCHS, 2)", ("EPOCHS",)),
        ("EPOCHS: int = 9\nfor _ in range(EPOCHS):\n    pass", ()),
        ("history = model.fit()", ()),
        ("try:\n    import gpu\nexcept ImportError:\n    gpu = None\nimport os", ("gpu", "os")),
        ("__all__ = ['f']\ndef f():\n    pass\ndef _g():\n    pass", ()),
        ("@keras.saving.register()\ndef loss(y, p):\n    return 0", ()),
        ("class Net(Base):\n    pass\nclass Base:\n    pass", ("Base", "Net")),
    ],
)
def test_unused_definitions(source: str, names: tuple[str, ...]) -> None:
    assert unused_definitions(ast.parse(source)) == names


def test_code_nested_beyond_pyflakes_is_passed_over() -> None:
    tree = ast.parse("+".join(["a"] * 900))
    assert undefined_names(tree) == ()
    assert unused_definitions(tree) == ()
