"""Replies built from parts: whatever a model puts around its program, the program comes out whole, and nothing else."""

from __future__ import annotations

import contextlib
import html
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.llm.asking.replies import ReplyError, read_program

PLAIN = """import numpy as np
import keras


def build():
    return keras.Sequential([keras.layers.Dense(1)])


def main():
    model = build()
    model.compile("sgd", "mse")
    model.fit(np.zeros((8, 3)), np.zeros(8))


if __name__ == "__main__":
    main()
"""
WITH_MARKS = '''import re

import keras

TOKENS = ["<s>", "</s>", "<think>", "<|im_end|>"]
PROMPT = """<think>
{question}
</think>"""


def without_thinking(text):
    return re.sub(r"<think>.*?</think>", "", text).split("</think>")[-1]


model = keras.Sequential([keras.layers.Dense(len(TOKENS))])
model.compile("sgd", "mse")
model.fit([[1.0]], [[1.0]])
'''
WITH_FENCE = '''"""Classify mushrooms.

Usage:

```bash
python project.py --epochs 3
```
"""
import keras

model = keras.Sequential([keras.layers.Dense(9)])
model.compile("adam", "mse")
model.fit([[1.0]], [[1.0]], epochs=3)
'''
PARAGRAPHS = """import keras

inputs = keras.Input((4,))

x = keras.layers.Dense(8, activation="relu")(inputs)

model = keras.Model(inputs, keras.layers.Dense(1)(x))

model.compile(optimizer="adam", loss="mse")

model.fit([[1.0, 2.0, 3.0, 4.0]], [[1.0]], epochs=2)
"""
PROGRAMS = {"plain": PLAIN, "marks": WITH_MARKS, "fence": WITH_FENCE, "paragraphs": PARAGRAPHS}

DRAFT = "```python\nimport keras\nwrong = keras.Sequential([keras.layers.Dense(99)])\nwrong.fit(a, b)\n```"
THOUGHTS = (
    f'Okay, the user wants a classifier. First:\n\n{DRAFT}\n\nHmm, {{"Task Category": "Regression"}}. It\'s wrong.\n'
)
THINKING = {
    "none": "",
    "tags": f"<think>\n{THOUGHTS}</think>\n\n",
    "no opening": f"{THOUGHTS}</think>\n\n",
    "open draft, no opening": "Let me try:\n```python\nimport keras\nx = 99\nNo.\n</think>\n\n",
    "thinking tags": f"<thinking>{THOUGHTS}</thinking>\n",
    "named tags": f"<seed:think>{THOUGHTS}</seed:think>",
    "brackets": f"[THINK]{THOUGHTS}[/THINK]",
    "lozenges": f"◁think▷{THOUGHTS}◁/think▷\n",
    "tokens": f"<|START_THINKING|>{THOUGHTS}<|END_THINKING|>\n",
    "words": f"Here is my thought process: {THOUGHTS}Here is my response:\n",
    "channels": f"<|channel|>analysis<|message|>{THOUGHTS}<|end|><|start|>assistant<|channel|>final<|message|>\n",
    "channels without tokens": f"analysisThe user wants code.\n{THOUGHTS}assistantfinal\n",
    "attributes": f'<thinking budget="900">\n{THOUGHTS}</thinking>\n',
    "blanks in tags": f"< think >\n{THOUGHTS}< /think >\n",
    "escaped tags": f"&lt;think&gt;\n{THOUGHTS}&lt;/think&gt;\n",
    "one word": f"<antThinking>{THOUGHTS}</antThinking>\n",
    "fold": f'<details type="reasoning">\n<summary>Thought for 3 seconds</summary>\n{THOUGHTS}</details>\n\n',
    "twice": f"<think>\n{THOUGHTS}</think>\n<think>\nOnce more.\n</think>\n\n",
}
BEFORE = {
    "none": "",
    "a word": "Sure!\n\n",
    "a sentence": "Here's the complete project, as the plan wants it:\n\n",
    "shell": "Install first:\n\n```bash\npip install keras\n```\n\nThen the project:\n\n",
    "list": "I have done three things:\n\n1. **Data**: it's synthetic.\n2. **Model**: a small one.\n\n",
    "chinese": "以下是完整代码：\n\n",
}
AFTER = {
    "none": "",
    "a sentence": "\nThis should work well; don't forget to install Keras.\n",
    "output": "\nOutput:\n\n```\nEpoch 1/5 - loss: 2.19 - accuracy: 0.31\n```\n",
    "shell": "\nRun it:\n\n```bash\npython project.py\n```\n",
    "example": "\nUsage:\n\n```python\nfrom project import build\nbuild().summary()\n```\n",
    "undefined": "\nTo predict:\n\n```python\nprint(model.predict(new_data))\n```\n",
    "notes": "\n### Notes\n\n- It's trained for five epochs.\n- Change `epochs` as you like!\n",
}
END = {
    "none": "",
    "im_end": "<|im_end|>",
    "eot": "\n<|eot_id|>",
    "sentence": "<｜end▁of▁sentence｜>",
    "s": "</s>",
    "sep": " <sep>",
    "done": "[DONE]",
    "file": "<|file_sep|>",
    "assistant": "<|endofassistant|>",
    "another turn": "<|im_end|>\n<|im_start|>user\nWrite another one, please.\n```python\nx = 1\n```\n",
}


def _quoted(code: str) -> str:
    return "".join(f"> {line}\n" for line in f"```python\n{code}```".split("\n"))


def _numbered(code: str) -> str:
    lines = [f"{number:>3} {line}\n" for number, line in enumerate(code.splitlines(), start=1)]
    return "```python\n" + "".join(lines) + "```\n"


def _barred(code: str) -> str:
    lines = [f"{number:>3} | {line}\n" for number, line in enumerate(code.splitlines(), start=1)]
    return "```python\n" + "".join(lines) + "```\n"


def _tool_call(code: str) -> str:
    call = {"name": "write_file", "arguments": {"path": "project.py", "content": code}}
    return f"<tool_call>\n{json.dumps(call)}\n</tool_call>\n"


def _notebook(code: str) -> str:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Project"]},
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": code.splitlines(keepends=True)},
    ]
    return "```json\n" + json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}, indent=1) + "\n```\n"


FORMS = {
    "python": lambda code: f"```python\n{code}```\n",
    "py3": lambda code: f"```py3\n{code}```\n",
    "no language": lambda code: f"```\n{code}```\n",
    "braces": lambda code: f"```{{python}}\n{code}```\n",
    "other word": lambda code: f"```tool_code\n{code}```\n",
    "name": lambda code: f"```python title=project.py\n{code}```\n",
    "tilde": lambda code: f"~~~python\n{code}~~~\n",
    "four marks": lambda code: f"````python\n{code}````\n",
    "end beside": lambda code: f"```python\n{code.rstrip()}```\n",
    "quoted": _quoted,
    "in a list": lambda code: "".join(f"   {line}\n" for line in f"```python\n{code}```".split("\n")),
    "notebook": _notebook,
    "notebook as python": lambda code: _notebook(code).replace("```json", "```python"),
    "tag behind": lambda code: f"<code>\n```python\n{code}```</code>\n",
    "markdown": lambda code: f"```markdown\n# Project\n\n```python\n{code}```\n```\n",
    "longer markdown": lambda code: f"````markdown\n# Project\n\n```python\n{code}```\n\nRun it.\n````\n",
    "numbered": _numbered,
    "numbered with bars": _barred,
    "tool call": _tool_call,
    "separators": lambda code: "```python\n" + code.replace("\n\n\n", "\u2028\n\n") + "```\n",
    "json": lambda code: "```json\n" + json.dumps({"filename": "project.py", "code": code}) + "\n```\n",
    "entities": lambda code: "```python\n" + html.escape(code) + "```\n",
    "blanks": lambda code: "```python\n" + code.replace("    ", "\u00a0\u00a0\u00a0\u00a0") + "```\n",
    "invisible": lambda code: "```python\n\ufeff" + code.replace("model =", "model\u200b =") + "```\n",
    "curly quotes": lambda code: "```python\n" + code.replace('"sgd"', "“sgd”").replace('"adam"', "“adam”") + "```\n",
    "patch": lambda code: "```diff\n" + "".join(f"+{line}\n" for line in code.splitlines()) + "```\n",
    "line breaks": lambda code: f"```python\n{code}```\n".replace("\n", "\r\n"),
}  # fmt: skip
FENCELESS = {
    "bare": lambda code: code,
    "stray end": lambda code: f"{code}```\n",
    "code tags": lambda code: f"<code>\n{code}</code>\n",
    "bracket tags": lambda code: f"[PYTHON]\n{code}[/PYTHON]\n",
    "answer tags": lambda code: f"<answer>\n{code}</answer>\n",
    "file tag": lambda code: f'<file path="project.py">\n{code}</file>\n',
    "artifact": lambda code: f'<antArtifact type="application/vnd.ant.code" language="python">\n{code}</antArtifact>\n',
    "character data": lambda code: f"<code><![CDATA[\n{code}]]></code>\n",
    "verbatim": lambda code: f"\\begin{{lstlisting}}[language=Python]\n{code}\\end{{lstlisting}}\n",
    "rules": lambda code: f"===== project.py =====\n{code}===== end =====\n",
    "notebook bare": lambda code: _notebook(code).removeprefix("```json\n").replace("\n```\n", "\n"),
}

_MANGLED = {"entities", "blanks", "invisible", "curly quotes", "patch", "separators"}
"""Forms that change a program's characters: those of a string cannot be told from them."""


def _pick(table: dict[str, object]) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(table))


@settings(max_examples=400, deadline=None)
@given(_pick(PROGRAMS), _pick(THINKING), _pick(BEFORE), _pick(FORMS), _pick(AFTER), _pick(END))
def test_a_fenced_program_comes_out_whole(
    program: str, thinking: str, before: str, form: str, after: str, end: str
) -> None:
    code = PROGRAMS[program]
    if form in _MANGLED and program in ("marks", "fence"):
        code = PLAIN
    reply = THINKING[thinking] + BEFORE[before] + FORMS[form](code) + AFTER[after] + END[end]
    assert read_program(reply).code == code


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["plain", "marks", "paragraphs"]),
    _pick(THINKING),
    st.sampled_from(["none", "a word", "a sentence", "list", "chinese"]),
    _pick(FENCELESS),
    st.sampled_from(["none", "a sentence"]),
    _pick(END),
)
def test_a_program_without_fences_comes_out_whole(
    program: str, thinking: str, before: str, form: str, after: str, end: str
) -> None:
    code = PROGRAMS[program]
    reply = THINKING[thinking] + BEFORE[before] + FENCELESS[form](code) + AFTER[after] + END[end]
    assert read_program(reply).code.strip() == code.strip()


@pytest.mark.parametrize(
    "between", ["Next we define the model:", "And now, finally:", "**Training**", "2. Train:", "---", "接下来："]
)
def test_prose_between_paragraphs_of_code_is_left_out(between: str) -> None:
    reply = "Here is the project.\n\n" + f"\n{between}\n\n".join(part + "\n" for part in PARAGRAPHS.split("\n\n"))
    assert read_program(reply).code.split() == PARAGRAPHS.split()


@pytest.mark.parametrize("thinking", [name for name in THINKING if name not in ("none", "words", "twice")])
def test_thinking_alone_is_an_empty_reply(thinking: str) -> None:
    with pytest.raises(ReplyError) as caught:
        read_program(THINKING[thinking])
    assert caught.value.kind == "empty_reply"


@pytest.mark.parametrize(
    ("command", "comment"),
    [
        ("files = !ls", "# files = !ls"),
        ("!pip install keras", "# !pip install keras"),
        ("%matplotlib inline", "# %matplotlib inline"),
        ("%%time", "# %%time"),
        ("best = %timeit -o build()", "# best = %timeit -o build()"),
        ("keras.layers.Dense?", "# keras.layers.Dense?"),
        ("??build", "# ??build"),
    ],
)
def test_a_notebook_s_command_is_a_comment(command: str, comment: str) -> None:
    assert read_program(f"```python\n{command}\n{PLAIN}```").code == f"{comment}\n{PLAIN}"


def test_a_command_alone_in_a_block_leaves_a_block() -> None:
    code = read_program(f"```python\nif True:\n    !pip install keras\n{PLAIN}```").code
    assert code.startswith("if True:\n    pass  # !pip install keras\n")


def test_a_session_is_read_without_what_it_printed() -> None:
    reply = "```pycon\n>>> import keras\n>>> for i in range(2):\n...     print(i)\n...\n0\n1\n```"
    assert read_program(reply).code == "import keras\nfor i in range(2):\n    print(i)\n"


def test_code_that_lacks_its_fence_beside_an_example_in_one() -> None:
    reply = f"{PLAIN}```\nUsage:\n```python\nfrom project import build\nmodel = build()\n```"
    assert read_program(reply).code == PLAIN


@pytest.mark.parametrize("reply", [PLAIN, f"```python\n{PLAIN}```"])
def test_a_reply_whose_line_breaks_were_escaped_is_read(reply: str) -> None:
    assert read_program(reply.replace("\n", "\\n").replace('"', '\\"')).code == PLAIN


def test_a_program_with_escapes_of_its_own_keeps_them() -> None:
    code = PLAIN.replace("main()\n", 'main()\n    print("a\\n\\tb")\n')
    assert read_program(f"```python\n{code}```").code == code


HOSTILE = {
    "fences": "```\n" * 60_000,
    "python fences": "```python\n" * 30_000,
    "opening tags": "<think>" * 40_000,
    "closing tags": "</think>\n" * 40_000,
    "channels": "<|channel|>analysis<|message|>" * 10_000,
    "quotes": "'" * 300_000,
    "long strings": '"""\n```\n' * 40_000,
    "braces": "{" * 300_000,
    "code and prose": "x = 1\nThis is prose, isn't it?\n" * 10_000,
    "prose": "This is prose " * 25_000,
    "imports": "import " * 50_000,
    "brackets": "x = (\n" * 50_000,
    "words": "a " * 150_000,
    "blanks": " " * 300_000 + "x",
    "numbers": "1 " * 150_000,
    "answers": "<answer>\n" * 40_000,
    "entities": "```python\n" + "&lt;" * 80_000,
    "rules": "-" * 200_000 + "x",
    "rows of a table": "| a " * 80_000,
    "tags": "<a>" * 100_000 + "x",
    "spaced tags": "< " * 150_000,
    "folds": "<details>\n<summary>Thought" * 10_000,
    "objects": '{"code": ' * 30_000,
    "escapes": "\\n" * 150_000,
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_replies_are_read_in_bounded_time(name: str) -> None:
    with contextlib.suppress(ReplyError):
        read_program(HOSTILE[name])
