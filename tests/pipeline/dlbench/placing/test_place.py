"""A candidate in its place: what it brings comes along, what it does not replace stays byte for byte."""

from __future__ import annotations

import textwrap

import pytest

from pipeline.dlbench.placing.mutants import mutants_of
from pipeline.dlbench.placing.place import Placed, place
from pipeline.dlbench.placing.stubs import stubs_of
from pipeline.dlbench.placing.target import find_target, lines_of
from pipeline.errors import StageFailure

SOURCE = '''\
"""About."""
# a comment
from __future__ import annotations

import math

LIMIT = 3


def helper(x):
    return x


class Net:
    """Ünïcode."""

    @property
    def size(self):  # comment
        text = """
  kept
"""
        return len(text)

    def other(self):
        return 1


def scale(
    x,
    by=2,  # twice
):
    """Scales."""
    return x * by  # end

LAST = "\\x0c"
'''


def placed(answer: str, class_name: str = "", function: str = "scale", source: str = SOURCE) -> Placed:
    target = find_target(source, class_name, function)
    return place(source, target, textwrap.dedent(answer), module="pkg.mod")


def run(text: str) -> dict[str, object]:
    scope: dict[str, object] = {}
    exec(text, scope)
    return scope


def test_the_rest_stays_byte_for_byte() -> None:
    result = placed("def scale(x, by=2):\n    return by * x\n")
    own = {line for first, last in result.spans for line in range(first, last + 1)}
    kept = "".join(line for number, line in enumerate(lines_of(result.text), 1) if number not in own)
    target = find_target(SOURCE, "", "scale")
    assert kept == SOURCE.replace(target.text, "")


def test_line_ends_of_the_file_are_kept() -> None:
    source = SOURCE.replace("\n", "\r\n")
    result = placed("import os\ndef scale(x, by=2):\n    return os.path.join(x, by)\n", source=source)
    assert "\n" not in result.text.replace("\r\n", "")


def test_imports_stand_behind_docstring_and_future() -> None:
    result = placed(
        """
        from __future__ import annotations
        import math
        import numpy as np
        def scale(x, by=2):
            return np.multiply(x, math.ceil(by))
        """
    )
    assert "from __future__ import annotations\nimport numpy as np\n\nimport math" in result.text
    assert result.text.count("import math") == 1
    compile(result.text, "x", "exec")


def test_imports_of_its_own_package_wait_until_they_are_needed() -> None:
    result = placed('def scale(x, by=2):\n    "Doc."\n    return thing(x)\n' + "from pkg.sub import thing\n")
    assert '    "Doc."\n    from pkg.sub import thing\n    return thing(x)' in result.text


def test_helpers_and_constants_come_along_under_names_of_their_own() -> None:
    result = placed(
        """
        LIMIT = 10
        FACTOR = LIMIT + 1
        UNUSED = 1 / 0

        def helper(x):
            return FACTOR * x

        def scale(x, by=2):
            return helper(x)

        print(scale(1))
        if __name__ == "__main__":
            raise SystemExit
        """
    )
    scope = run(result.text)
    assert scope["scale"](1) == 11  # type: ignore[operator]
    assert scope["helper"](1) == 1  # type: ignore[operator]
    assert scope["LIMIT"] == 3
    assert "UNUSED" not in scope


def test_a_method_from_a_class_with_its_helpers_and_the_property_kept() -> None:
    result = placed(
        '''
        Here is it:
        ```python
        class Net:
            def _twice(self, value):
                return 2 * value

            def other(self):
                return "not asked for"

            @property
            def size(self):
                text = """
        in a string
        """
                return self._twice(len(text))
        ```
        ''',
        "Net",
        "size",
    )
    net = run(result.text)["Net"]()  # type: ignore[operator]
    assert net.size == 2 * len("\nin a string\n")
    assert net.other() == 1
    assert result.text.count("@property") == 1


def test_a_body_alone_and_another_name() -> None:
    assert run(placed("    y = x * by\n    return y + 1\n").text)["scale"](2) == 5  # type: ignore[operator]
    result = placed("def scale_values(x, by=2):\n    return scale_values(x - 1) if x else by\n")
    assert run(result.text)["scale"](3) == 2  # type: ignore[operator]
    assert result.notes == ("scale_values is called scale here",)


def test_a_nested_function() -> None:
    source = "def outer(a):\n    b = 2\n    def inner(x):\n        return x\n    return inner(a) + b\n"
    result = placed("K = 5\ndef inner(x):\n    return x * K * b\n", function="inner", source=source)
    assert run(result.text)["outer"](1) == 12  # type: ignore[operator]


def test_a_definition_of_one_line_and_no_line_break_at_the_end() -> None:
    source = "def f(x): return x"
    assert placed("def f(x): return thing", function="f", source=source).text == "def f(x): return thing"
    result = placed("from pkg import thing\ndef f(x): return thing\n", function="f", source=source)
    assert result.text == "def f(x):\n    from pkg import thing\n    return thing"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("I cannot help with that.", "no_code"),
        ("", "no_code"),
        ("class Net:\n    pass\n", "no_code"),
        ("def scale(x, by=2):\n    yield x\n    return (\n", "no_code"),
        ("def scale(x, by=2):\n    nonlocal y\n", "not_placed"),
    ],
)
def test_what_cannot_be_placed(answer: str, kind: str) -> None:
    with pytest.raises(StageFailure) as raised:
        placed(answer)
    assert raised.value.kind == kind


def test_stubs_and_mutants_are_programs_and_differ() -> None:
    for class_name, function in (("", "scale"), ("Net", "size"), ("Net", "other")):
        target = find_target(SOURCE, class_name, function)
        for text in stubs_of(target).values():
            compile(place(SOURCE, target, text).text, "x", "exec")
    mutants = mutants_of(find_target(SOURCE, "", "scale"), 10)
    assert [mutant.about for mutant in mutants] == ["line 6: returns None", "line 6: computed by /"]
    assert all('"""Scales."""' in mutant.text for mutant in mutants)
