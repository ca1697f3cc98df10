"""The text files of 2024: a task a file.

stage: Pre/Post Processing
task: General
data: Image
prompt:
any lines
 ground Truth:path/in/repository.py#L12
 repo: name
 class: Name
 function: name
 test_cases:tests/test_file.py::test_name
"""

from __future__ import annotations

import re

from pipeline.dlbench.reading.rows import WrittenTask

_FIELD = re.compile(
    r"^[ \t]*(stage|task|data|prompt|ground[ _]?truth|repo(?:sitory)?|class|function|test[ _]?cases?)[ \t]*:(.*)$",
    re.IGNORECASE,
)
_BEHIND_PROMPT = ("groundtruth", "repo", "class", "function", "tests")


def looks_like_task(text: str) -> bool:
    """Whether a text file is a task: it has a prompt and what the prompt is to become."""
    names = {_name(found.group(1)) for line in text.splitlines() if (found := _FIELD.match(line))}
    return "prompt" in names and "groundtruth" in names


def read_text(text: str, name: str) -> WrittenTask:
    """The task of a file; fields that are not there are "". `name` becomes its id."""
    lines = text.replace("\r\n", "\n").split("\n")
    prompt_start = _first(lines, "prompt")
    prompt_end = _end_of_prompt(lines, prompt_start)
    fields: dict[str, list[str]] = {}
    _take_fields(lines[:prompt_start], fields)
    _take_fields(lines[prompt_end:], fields)
    prompt: list[str] = []
    if prompt_start < len(lines):
        first = _FIELD.match(lines[prompt_start])
        assert first is not None
        prompt = [first.group(2).strip(), *lines[prompt_start + 1 : prompt_end]]

    def value(field: str) -> str:
        return "\n".join(fields.get(field, [])).strip()

    return WrittenTask(
        id=name,
        repository=value("repo"),
        ground_truth=value("groundtruth"),
        class_name=value("class"),
        function=value("function"),
        tests=value("tests"),
        prompt="\n".join(prompt).strip("\n"),
        stage=value("stage"),
        task=value("task"),
        data=value("data"),
        source=name,
    )


def _name(written: str) -> str:
    word = re.sub(r"[ _]", "", written.lower())
    if word.startswith("repo"):
        return "repo"
    return "tests" if word.startswith("test") else word


def _first(lines: list[str], wanted: str) -> int:
    for number, line in enumerate(lines):
        found = _FIELD.match(line)
        if found is not None and _name(found.group(1)) == wanted:
            return number
    return len(lines)


def _end_of_prompt(lines: list[str], start: int) -> int:
    """Where the fields behind the prompt begin: a prompt may itself have a line `function: ...`, so they are the last
    `ground Truth` and what follows it, and fields directly above it."""
    end = len(lines)
    for number in range(len(lines) - 1, start, -1):
        found = _FIELD.match(lines[number])
        if found is not None and _name(found.group(1)) == "groundtruth":
            end = number
            break
    while end - 1 > start:
        above = _FIELD.match(lines[end - 1])
        if above is None or _name(above.group(1)) not in _BEHIND_PROMPT:
            break
        end -= 1
    return end


def _take_fields(lines: list[str], fields: dict[str, list[str]]) -> None:
    current = ""
    for line in lines:
        found = _FIELD.match(line)
        if found is not None:
            current = _name(found.group(1))
            fields.setdefault(current, []).append(found.group(2).strip())
        elif current == "tests" and line.strip():  # further nodes, a line each
            fields[current].append(line.strip())
