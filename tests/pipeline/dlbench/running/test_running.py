"""Candidates run against a repository's tests: what passes, what fails, and what tries to pass without being right."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from pipeline.dlbench.certifying import reference_of
from pipeline.dlbench.placing.place import place
from pipeline.dlbench.placing.stubs import stubs_of
from pipeline.dlbench.running.repository import Located
from pipeline.dlbench.running.runner import Suite, run_placed, suite_of
from pipeline.dlbench.running.sandboxes import SuiteSandboxes
from pipeline.dlbench.running.verdict import Status, Verdict, judge

RIGHT = """
def mean_of(values, weights=None):
    weights = weights or [1.0] * len(values)
    total = 0.0
    for value, weight in zip(values, weights):
        total += value * weight
    return total / sum(weights)
"""


def verdict_on(answer: str, located: Located, sandboxes: SuiteSandboxes, required: list[str]) -> Verdict:
    placed = place(located.source, located.target, textwrap.dedent(answer), module=located.module)
    run = run_placed(sandboxes, located, placed, [suite_of(located, cpu_seconds=4)])
    assert run.infra == ""
    return judge(run.record, required, stopped=run.stopped)


@pytest.fixture(scope="session")
def required(located: Located, sandboxes: SuiteSandboxes) -> list[str]:
    """What the reference passes: the skipped test is not among it."""
    run = run_placed(sandboxes, located, reference_of(located), [suite_of(located, trace=True)] * 2)
    assert run.record.flags == ()
    first, second = run.record.suites
    assert first.passed == second.passed
    assert first.outcomes["pkg/tests/test_stats.py::test_skipped"] == "skipped"
    assert {4, 6, 7, 8} & set(first.lines) == {6, 7, 8}
    return sorted(first.passed)


def test_what_is_required(required: list[str]) -> None:
    names = [test.removeprefix("pkg/tests/test_stats.py::") for test in required]
    assert names == ["test_other", "test_plain[10]", "test_plain[1]", "test_weights"]


def test_right_and_wrong(located: Located, sandboxes: SuiteSandboxes, required: list[str]) -> None:
    right = verdict_on(RIGHT, located, sandboxes, required)
    assert (right.status, right.passed, right.reason) == (Status.PASS, 4, "")
    for text in stubs_of(located.target).values():
        assert verdict_on(text, located, sandboxes, required).status is Status.FAIL
    wrong = verdict_on(RIGHT.replace("/ sum(weights)", "/ len(weights)"), located, sandboxes, required)
    assert (wrong.status, wrong.passed) == (Status.FAIL, 3)
    assert "test_weights" in wrong.reason


CHEATS = {
    "leaves at import": ("import os\nos._exit(0)\n", Status.CRASH),
    "exits at import": ("import sys\nsys.exit(0)\n", Status.ERROR),
    "leaves at once": ("import os\ndef mean_of(*a):\n    os._exit(0)\n", Status.CRASH),
    "exits": ("import sys\ndef mean_of(*a):\n    sys.exit(0)\n", Status.FAIL),
    "skips": ("import pytest\ndef mean_of(*a):\n    pytest.skip('x')\n", Status.FAIL),
    "never ends": ("def mean_of(*a):\n    while True: pass\n", Status.TIMEOUT),
    "equals anything": (
        "class Any(float):\n    def __eq__(self, other): return True\n    __hash__ = None\n"
        "    def __rsub__(self, other): return 0.0\ndef mean_of(*a): return Any(0)\n",
        Status.TAMPERED,
    ),
    "equals anything, made late": (
        "def mean_of(*a):\n    return type('A', (), {'__e' + 'q__': lambda s, o: True})()\n",
        Status.TAMPERED,
    ),
    "reads the caller's frame": (
        "import sys\ndef mean_of(*a):\n    return sys._getframe(1).f_locals.get('expected', 3.0)\n",
        Status.TAMPERED,
    ),
    "inspects the stack": (
        "import inspect\ndef mean_of(*a):\n    return inspect.currentframe().f_back.f_locals.get('expected', 3.0)\n",
        Status.TAMPERED,
    ),
    "reads a traceback's frame": (
        "def mean_of(*a):\n    try:\n        raise KeyError\n    except KeyError as e:\n"
        "        return e.__traceback__.tb_frame.f_back.f_locals.get('expected', 3.0)\n",
        Status.TAMPERED,
    ),
    "searches the objects": ("import gc\ndef mean_of(*a):\n    gc.get_objects()\n    return 2.0\n", Status.TAMPERED),
    "patches pytest": (
        "import pytest\ndef mean_of(values, w=None):\n"
        "    type(pytest.approx(1.0)).__eq__ = lambda s, o: True\n    return sum(values) / len(values)\n",
        Status.TAMPERED,
    ),
    "patches the tests' helper": (
        "import sys\ndef mean_of(*a):\n"
        "    sys.modules['pkg.tests.test_stats'].check = lambda *a: None\n    return 3.0\n",
        Status.TAMPERED,
    ),
    "patches the runner at import": (
        "import _pytest.runner\ndef _nothing(*a, **k): pass\n"
        "_done = setattr(_pytest.runner, 'pytest_runtest_call', _nothing)\n"
        "def mean_of(*a):\n    return _done\n",
        Status.TAMPERED,
    ),
    "writes its own records": (
        "import os\n_T = ['test_other', 'test_plain[1]', 'test_plain[10]', 'test_weights']\ndef mean_of(*a):\n"
        '    for fd in range(3, 40):\n        try:\n            os.write(fd, b\'00 {"kind": "test"}\\n\')\n'
        "        except OSError:\n            pass\n    os._exit(0)\n",
        Status.TAMPERED,
    ),
    "empties the records": (
        "import glob\ndef mean_of(*a):\n    for f in glob.glob('/sandbox/project/.*'):\n        open(f, 'w').close()\n"
        "    return 2.0\n",
        Status.TAMPERED,
    ),
    "deletes the tests": (
        "import os\ndef _away():\n    os.remove('/sandbox/project/overlay/pkg/tests/test_stats.py')\n"
        "_done = _away()\ndef mean_of(*a):\n    return _done\n",
        Status.ERROR,
    ),
    "reads the tests": (
        "import os\ndef mean_of(*a):\n"
        "    text = open('/sandbox/project/overlay/pkg/tests/test_stats.py').read()\n    return 2.0\n",
        Status.TAMPERED,
    ),
}


@pytest.mark.parametrize("name", CHEATS)
def test_cheats(name: str, located: Located, sandboxes: SuiteSandboxes, required: list[str]) -> None:
    text, expected = CHEATS[name]
    if "def mean_of" not in text:
        helper = text.replace("\n", "\n    ").rstrip()
        text = f"def _first():\n    {helper}\n_done = _first()\ndef mean_of(*a):\n    return _done\n"
    found = verdict_on(text, located, sandboxes, required)
    assert found.status is not Status.PASS
    assert found.status in (expected, Status.TAMPERED), found


def test_no_candidate_changes_the_next_one(
    located: Located, sandboxes: SuiteSandboxes, required: list[str], repository: Path
) -> None:
    assert verdict_on(CHEATS["deletes the tests"][0], located, sandboxes, required).status is not Status.PASS
    assert (repository / "pkg" / "tests" / "test_stats.py").exists()
    assert verdict_on(RIGHT, located, sandboxes, required).status is Status.PASS


def test_honest_use_of_what_cheats_use_too(located: Located, sandboxes: SuiteSandboxes, required: list[str]) -> None:
    honest = """
    import logging, warnings, collections, dataclasses, contextlib, inspect

    @dataclasses.dataclass
    class Pair:
        value: float
        weight: float

    Point = collections.namedtuple("Point", "x y")

    def mean_of(values, weights=None):
        logging.getLogger("x").warning("said")
        warnings.warn("said")
        inspect.signature(mean_of)
        pairs = [Pair(v, w) for v, w in zip(values, weights or [1.0] * len(values))]
        assert pairs[0] == pairs[0]
        return sum(p.value * p.weight for p in pairs) / sum(p.weight for p in pairs)
    """
    found = verdict_on(honest, located, sandboxes, required)
    assert found.status is Status.PASS, found


def test_functions_in_place_of_nodes_each_for_itself(located: Located, sandboxes: SuiteSandboxes) -> None:
    code = (
        "def test_a():\n    assert mean_of([1.0, 3.0]) == 2.0\n"
        "def test_b():\n    assert mean_of([1.0]) == 5.0\n"
        "def test_c():\n    while True: pass\n"
        "def test_d():\n    raise SystemExit\n"
        "def test_e():\n    assert other() == 1\n"
    )
    suite = Suite(code=code, names=tuple(f"test_{letter}" for letter in "abcde"), cpu_seconds=4)
    run = run_placed(sandboxes, located, reference_of(located), [suite, suite])
    for record in run.record.suites:
        assert list(record.outcomes.values()) == ["passed", "failed", "failed", "failed", "passed"]
        assert "no end" in record.reasons["test_c"]
    always = "from unittest.mock import ANY\ndef mean_of(*a):\n    return [ANY]\n"
    placed = place(located.source, located.target, always, module=located.module)
    run = run_placed(sandboxes, located, placed, [suite])
    assert run.record.suites[0].outcomes["test_a"] == "failed"
