"""What a reply says to its reader: without the model's thinking, the marks of chat formats, and what follows its end.

The marks are those that vLLM's reasoning parsers know (github.com/vllm-project/vllm, `vllm/reasoning`), and the tokens
that chat templates put around turns. A mark that stands in a program's string is the program's.
"""

from __future__ import annotations

import contextlib
import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.analysis.parsing import parsed
from pipeline.llm.asking.code.fences import fenced_blocks

_THINK = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?)"
_NAME = (
    rf"(?:\w{{1,24}}[:_-]|ant)?{_THINK}(?:[:_-](?!end)\w{{1,24}})?"
    r"|reflection|analysis|scratchpad|(?:inner|internal)[_-]monologue|cot|ponder(?:ing)?"
)
"""What a tag of thinking is called: `seed:think`, `longcat_think`, `thinking_process`, `think:6124c78e`."""

_LEFT, _RIGHT = r"(?:<|&lt;)\s?", r"(?:\s[^<>\n]{0,120}?)?(?:>|&gt;)"
"""The ends of a tag, which may have attributes, or be escaped as in HTML."""

_BEGIN, _FINISH = r"(?:begin|start)(?:_?of)?_?", r"(?:end|stop)(?:_?of)?_?"
_MAKER = r"(?:\w{1,16}:)?"
_OPENS = (
    rf"(?<!<){_LEFT}(?!end|stop)(?:{_NAME}){_RIGHT}(?!>)|\[THINK\]|◁think▷|<\|open\|>think<\|sep\|>|<\|channel>(?:thought)?"
    rf"|<unused94>|\[unused16\]|<\|{_MAKER}(?:{_BEGIN}|content_)?{_THINK}(?:_(?:begin|start))?(?::\w{{1,16}})?\|>"
    r"|<\|inner_prefix\|>"
)
_CLOSES = (
    rf"{_LEFT}/(?:{_NAME}){_RIGHT}|<{_THINK}_end>|<{_FINISH}{_THINK}>|\[/THINK\]|◁/think▷|<\|close\|>think<\|sep\|>|<channel\|>"
    rf"|<unused95>|\[unused17\]|<\|{_MAKER}{_FINISH}{_THINK}(?::\w{{1,16}})?\|>|<\|{_THINK}_(?:end|stop)\|>"
    rf"|<\|/{_THINK}\|>|<\|inner_suffix\|>"
)
_ANSWER_OPENS = (
    r"<(?:answer|response|solution|final_answer)>|<\|open\|>response<\|sep\|>"
    r"|<\|(?:begin_of_solution|begin_of_box|START_RESPONSE)\|>"
)
_ANSWER_CLOSES = (
    r"</(?:answer|response|solution|final_answer)>|<\|close\|>response<\|sep\|>"
    r"|<\|(?:end_of_solution|end_of_box|END_RESPONSE)\|>"
)
_TURN = (
    r"<\|im_start\|>(?:assistant|user|system)?|<\|start\|>assistant|<\|(?:assistant|user|system)\|>|<s>|<bos>|\[INST\]"
)
_END = (
    r"<[|｜](?:im_(?:end|sep)|end\w{0,24}|eo[tm](?:_id)?|return|call|message_end|fim_\w{1,12}|(?:file|repo)_\w{1,12}"
    r"|end[▁_]of[▁_][\w▁]{1,16})[|｜]>"
    r"|</s>|<eos>|<sep>|<end_of_turn>|<turn\|>|\[/INST\]|\[EOS\]|<(?:file_sep|fim_\w{1,12}|repo_name)>"
    r"|\[DONE\]\s*\Z|\[end of text\]\s*\Z"
)
_MARK = re.compile(
    rf"(?P<channel><\|channel\|>\s{{0,2}}(?P<name>\w{{1,20}})[^<\n]{{0,200}}<\|message\|>)"
    rf"|(?P<answer_opens>{_ANSWER_OPENS})|(?P<answer_closes>{_ANSWER_CLOSES})"
    rf"|(?P<opens>{_OPENS})|(?P<closes>{_CLOSES})|(?P<end>{_END})|(?P<turn>{_TURN})",
    re.IGNORECASE,
)
_DECODER = json.JSONDecoder()
_MOST_OBJECTS = 20
"""Opening braces at which a JSON object is looked for."""

_QUOTED = re.compile(r"(?<!\w)[rbfuRBFU]{0,2}(?P<quote>[\"'`])(?:[^\\\n]|\\.){0,300}?(?P=quote)(?!\w)")
"""A text in quotes within a line; an apostrophe between letters is none."""

_LONG_STRING = re.compile(
    r"(?:^|[=(,\[:]|return|print)[ \t]{0,40}[rfbuRFBU]{0,2}(?P<quotes>\"\"\"|''')(?P<text>.{0,4000}?)(?P=quotes)",
    re.DOTALL | re.MULTILINE,
)
_BEFORE_FENCE = re.compile(rf"(?P<mark>{_CLOSES}|{_ANSWER_OPENS}|<\|message\|>)[ \t]*(?=```|~~~)", re.IGNORECASE)
"""Marks with a fence on their line, which begins its own."""

_TOLD = re.compile(
    r"\A\s*Here(?:'s| is) my thought process:.*?Here(?:'s| is) my response:"
    r"|\A\s*analysis(?=\W?[A-Z]).*assistant ?final"
    r"|\A\s*<details(?: [^>\n]{0,200})?>\s*<summary>[^<\n]{0,80}(?:[Tt]h(?:ought|inking)|[Rr]eason)[^<\n]{0,80}"
    r"</summary>.*?</details>",
    re.DOTALL,
)
"""Thinking told by words alone: IBM Granite's, harmony's channels where a server dropped the special tokens, and the
fold that web front ends make of it."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """A mark of a chat format in a reply."""

    kind: str
    """A group of _MARK."""

    name: str
    """Of a channel; else ""."""

    start: int
    end: int


def answer_in(text: str) -> str:
    """The part of a reply that is meant for its reader; "" where it is all thinking.

    Thinking that was never closed goes on to the end; a closing mark without an opening one ends thinking that began
    with the reply, as chat templates that open it themselves leave it.
    """
    text = _BEFORE_FENCE.sub(r"\g<mark>\n", _TOLD.sub("", text, count=1))
    marks = _marks(text)
    if not marks:
        return text
    channels = [number for number, mark in enumerate(marks) if mark.kind == "channel"]
    if channels:
        return answer_in(_final_channel(text, marks, channels))
    kept: list[str] = []
    position, thinking, closed = 0, False, False
    last_word = len(text.rstrip())
    for mark in marks:
        if mark.start < position:
            continue
        before = text[position : mark.start]
        if thinking:
            if mark.kind == "closes":
                position, thinking, closed = mark.end, False, True
            continue
        if mark.kind == "opens":
            kept.append(before)
            position, thinking = mark.end, True
        elif mark.kind == "closes":
            # Behind a whole answer it is a slip; else all before it was thinking.
            if closed and mark.end >= last_word:
                break
            kept, position, closed = [], mark.end, True
        elif mark.kind == "answer_opens":
            kept, position = [], mark.end
        elif any(part.strip() for part in (*kept, before)):
            kept.append(before)  # the answer's end: what follows is a turn that the model made up
            position = len(text)
            break
        else:
            position = mark.end
    if not thinking:
        kept.append(text[position:])
    return "".join(kept)


def _final_channel(text: str, marks: list[_Mark], channels: list[int]) -> str:
    """The last final channel of a reply in OpenAI's harmony format; "" where it came to none."""
    for number in reversed(channels):
        if marks[number].name.lower() != "final":
            continue
        start = marks[number].end
        ends = [mark.start for mark in marks[number + 1 :] if mark.kind in ("end", "turn", "channel")]
        return text[start : min(ends, default=len(text))]
    return ""


def _marks(text: str) -> list[_Mark]:
    """The marks in order, without those in a program's or a sentence's quotes."""
    found = list(_MARK.finditer(text))
    if not found or parsed(text.strip()) is not None:
        return []
    programs = _programs(text, [match.start() for match in found])
    quotes: dict[int, list[tuple[int, int]]] = {}
    marks: list[_Mark] = []
    for match in found:
        start = match.start()
        kind = match.lastgroup or ""
        if match["channel"]:
            kind = "channel"
        if _is_within(start, programs) or _is_quoted(text, start, quotes):
            continue
        if kind in ("answer_opens", "answer_closes") and not _begins_or_ends_line(text, match):
            continue
        marks.append(_Mark(kind, match["name"] or "", start, match.end()))
    closes = [mark.start for mark in marks if mark.kind == "closes"]
    last_close = closes[-1] if closes else -1
    # In the middle of a sentence, an opening mark that nothing closes is spoken of, not used.
    return [
        mark
        for mark in marks
        if mark.kind != "opens"
        or mark.start < last_close
        or not text[_line_start(text, mark.start) : mark.start].strip()
    ]


def _programs(text: str, marks: list[int]) -> list[tuple[int, int]]:
    """Where the fenced programs, long strings and JSON objects lie that have a mark in them."""
    spans: list[tuple[int, int]] = []
    for block in fenced_blocks(text):
        inside = bisect_right(marks, block.end) - bisect_right(marks, block.start)
        if inside and (parsed(block.text) is not None or _is_json(block.text)):
            # A mark behind the closing fence is not the program's.
            first_line_end = block.start + len(text[block.start : block.end].partition("\n")[0])
            closing = max(text.rfind(mark, first_line_end, block.end) for mark in ("```", "~~~"))
            spans.append((block.start, closing if closing > 0 else block.end))
    for match in _LONG_STRING.finditer(text):
        if "```" not in match["text"]:
            spans.append(match.span("text"))
    return sorted([*spans, *_json_objects(text)])


def _json_objects(text: str) -> Iterator[tuple[int, int]]:
    """Where the first JSON objects of a text lie."""
    position = text.find("{")
    for _ in range(_MOST_OBJECTS):
        if position < 0:
            return
        end = position + 1
        with contextlib.suppress(ValueError, RecursionError):
            end = _DECODER.raw_decode(text, position)[1]
            yield position, end
        position = text.find("{", end)


def _is_within(position: int, spans: list[tuple[int, int]]) -> bool:
    """Whether a place lies in one of the spans, which are in order."""
    place = bisect_right(spans, (position, position + 1))
    return any(first <= position < last for first, last in spans[max(0, place - 2) : place + 1])


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_quoted(text: str, position: int, quotes: dict[int, list[tuple[int, int]]]) -> bool:
    """Whether a place lies in quotes of its line; `quotes` keeps those of the lines looked at."""
    start = _line_start(text, position)
    if start not in quotes:
        end = text.find("\n", position)
        line = text[start : end if end >= 0 else len(text)]
        quotes[start] = [match.span() for match in _QUOTED.finditer(line)]
    spans = quotes[start]
    place = bisect_right(spans, (position - start, len(text)))
    return place > 0 and position - start < spans[place - 1][1]


def _line_start(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1


def _begins_or_ends_line(text: str, match: re.Match[str]) -> bool:
    end = text.find("\n", match.end())
    behind = text[match.end() : end if end >= 0 else len(text)]
    return not behind.strip() or not text[_line_start(text, match.start()) : match.start()].strip()
