"""The program in a reply: fences, several of them, none, files, prose, and what is no program."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.llm.asking.code.code_mending import without_magics
from pipeline.llm.asking.replies import ReplyError, looks_like_python, read_program, read_template
from tests.pipeline.generate.llm.scripts import CODE

SHORT = "import keras\nmodel = keras.Sequential()\nmodel.fit(x, y)\n"
PARTS = ["import numpy as np\nx = np.zeros(3)\n", "def build():\n    return x\n", "model = build()\nprint(model)\n"]

REPLIES = {
    "fenced": f"```python\n{SHORT}```",
    "fenced with prose around": f"Sure! Here it is:\n\n```python\n{SHORT}```\n\nIt trains for ten epochs. Enjoy!",
    "fence without a language": f"```\n{SHORT}```",
    "fence of tildes": f"~~~python\n{SHORT}~~~",
    "longer fence with a fence inside": f'````python\n{SHORT}"""\n```\n"""\n````'.replace('"""\n```\n"""\n', ""),
    "fence in a list": "1. The code:\n" + "".join(f"   {line}\n" for line in f"```python\n{SHORT}```".splitlines()),
    "capital language": f"```Python\n{SHORT}```",
    "language with attributes": f"```python title=project\n{SHORT}```",
    "unclosed fence": f"Here you are:\n```python\n{SHORT}",
    "no fence": SHORT,
    "no fence, prose around": f"Here is the code you asked for.\n\n{SHORT}\nThis should work well on your data.\n",
    "thinking before": f"<think>\nMaybe ```python\nx = 1\n``` would do?\n</think>\n```python\n{SHORT}```",
    "shell commands beside": f"Install first:\n```bash\npip install keras\n```\nThen:\n```python\n{SHORT}```",
    "printed output after": f"```python\n{SHORT}```\nOutput:\n```\nEpoch 1/10 - loss: 0.5 - accuracy 0.8\n```",
    "carriage returns": f"```python\n{SHORT}```".replace("\n", "\r\n"),
    "parts, then the whole": f"First:\n```python\nimport keras\n```\nAll of it:\n```python\n{SHORT}```",
    "the whole twice": f"```python\n{SHORT}```\nAgain:\n```python\n{SHORT}```",
}


@pytest.mark.parametrize("name", REPLIES)
def test_the_program_is_found(name: str) -> None:
    program = read_program(REPLIES[name])
    assert program.code == SHORT
    assert program.others == ()


def test_parts_of_one_program_follow_one_another() -> None:
    text = "\n".join(f"Step {number}:\n```python\n{part}```" for number, part in enumerate(PARTS))
    assert read_program(text).code == "\n".join(part for part in PARTS)


def test_files_are_told_apart_by_the_names_in_their_headings() -> None:
    text = (
        "**model.py**\n```python\ndef build():\n    return 1\n```\n"
        "### `utils/data.py`\n```python\ndef load():\n    return 2\n```\n"
        "```python\n# train.py\nfrom model import build\nbuild()\n```\n"
        "requirements.txt\n```\nkeras\n```"
    )
    program = read_program(text)
    assert program.code == "# train.py\nfrom model import build\nbuild()\n"
    assert {file.path: file.text for file in program.others} == {
        "model.py": "def build():\n    return 1\n",
        "utils/data.py": "def load():\n    return 2\n",
    }
    assert program.text.index("# model.py") < program.text.index("# main file")


def test_a_file_s_name_cannot_leave_the_project() -> None:
    names = ("../../etc/evil.py", "/root/run.py", "main.py")
    text = "\n".join(f"{name}\n```python\nx = {len(name)}\n```" for name in names)
    assert all(".." not in file.path and not file.path.startswith("/") for file in read_program(text).others)


def test_a_second_fence_of_python_ends_one_that_was_forgotten_to_close() -> None:
    text = f"```python\n{PARTS[0]}\nNext:\n```python\n{PARTS[1]}```"
    assert PARTS[1].strip() in read_program(text).code


def test_notebook_commands_become_comments_where_they_would_not_parse() -> None:
    code = read_program(f"```python\n!pip install keras\n%matplotlib inline\n{SHORT}```").code
    assert code.startswith("# !pip install keras\n# %matplotlib inline\nimport keras\n")
    ast.parse(code)
    assert without_magics("x = 5\n%y\n") == "x = 5\n# %y\n"
    assert without_magics("x = (5\n%y)\n") == "x = (5\n%y)\n"


def test_a_syntax_error_is_still_a_program() -> None:
    broken = CODE.replace("model.fit(x, y, epochs=2)", "model.fit(x, y, epochs=2")
    assert read_program(f"```python\n{broken}```").code == broken


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "empty_reply"),
        ("  \n\n ", "empty_reply"),
        ("<think>I should write code, but", "empty_reply"),
        ("I'm sorry, but I can't help with that request.", "refused"),
        ("As an AI language model, I cannot write this.", "refused"),
        ("Deep learning is a field of machine learning. It uses networks of many layers.", "not_python"),
        ("Sure", "not_python"),
        ("```json\n{\"a\": 1}\n```", "not_python"),
        ("```python\n```", "not_python"),
        ("lorem ipsum dolor\nsit amet consectetur\nadipiscing elit sed", "not_python"),
        ("�ĠtheĠ 12 ]] ~~ ((( foo bar baz qux", "not_python"),
    ],
)  # fmt: skip
def test_what_is_no_program_has_a_kind(text: str, kind: str) -> None:
    with pytest.raises(ReplyError) as caught:
        read_program(text)
    assert caught.value.kind == kind


def test_a_template_keeps_its_placeholders() -> None:
    text = "```python\nsize = <<image_size>>\nmodel = build(<< layers >>, name='<<name>>')\n```"
    assert read_template(text) == "size = <<image_size>>\nmodel = build(<<layers>>, name='<<name>>')\n"


@given(st.text(max_size=400))
def test_any_text_is_a_program_or_has_a_reason(text: str) -> None:
    try:
        program = read_program(text)
    except ReplyError as error:
        reason = error.kind
    else:
        assert looks_like_python(program.code)
        assert program.code.encode("utf-8")
        return
    assert reason in ("refused", "empty_reply", "not_python")


_LINES = st.sampled_from(
    ["x = 1", "import numpy", "print(x)", "", "for i in range(3):\n    print(i)", "def f():\n    return 1", "y = f(x)"]
)


@given(
    st.lists(_LINES, min_size=1, max_size=12).map("\n".join),
    st.sampled_from(["", "Here it is:\n", "Sure!\n\n"]),
    st.sampled_from(["", "\nThat is all.", "\n\nNote: train it longer."]),
    st.sampled_from(["```python\n{}\n```", "```py\n{}\n```", "~~~python\n{}\n~~~", "```\n{}\n```"]),
)
def test_a_fenced_program_comes_out_as_it_went_in(code: str, before: str, after: str, fence: str) -> None:
    code = code.strip("\n")
    if not code.strip():
        return
    assert read_program(before + fence.format(code) + after).code == code + "\n"


def test_a_reply_without_end_is_read_in_bounded_time() -> None:
    assert looks_like_python(read_program("```python\n" + "x = x + 1\n" * 60_000).code)
