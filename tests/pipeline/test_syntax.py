import ast

import pytest

from pipeline.retrieval.sample_pool import load_samples
from pipeline.syntax import alike, walk

MATCH = """
match point:
    case {"x": x, **rest} if x:
        print(rest)
    case Point(x, y=0) | [x, *_]:
        global found
        found = {**rest, "x": x}
"""


@pytest.mark.parametrize("source", [MATCH, *(sample.code for sample in load_samples()[::45])])
def test_a_walk_comes_by_what_ast_walk_does_but_for_operators_and_contexts(source: str) -> None:
    left_out = ast.expr_context | ast.operator | ast.unaryop | ast.boolop | ast.cmpop
    tree = ast.parse(source)
    assert walk(tree) == [node for node in ast.walk(tree) if not isinstance(node, left_out)]


@pytest.mark.parametrize(
    ("first", "second", "are_alike"),
    [
        ("f(1)", "f( 1 )  # one", True),
        ("f(1)", "f(True)", False),
        ("f(1)", "f(1.0)", False),
        ("f(0.0)", "f(-0.0)", False),
        ("f(a, b)", "f(a)", False),
        ("f(a=1)", "f(b=1)", False),
        ("x + y", "x - y", False),
        ("x = y", "x == y", False),
        ("{**a}", "{a: a}", False),
    ],
)
def test_trees_are_alike_where_ast_dump_says_so(first: str, second: str, are_alike: bool) -> None:
    trees = ast.parse(first), ast.parse(second)
    assert alike(*trees) is are_alike
    assert (ast.dump(trees[0]) == ast.dump(trees[1])) is are_alike
