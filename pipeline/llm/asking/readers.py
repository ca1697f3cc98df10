"""What is read out of replies by kind: a program, a template, a plan, words."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.llm.asking.code.fences import fenced_blocks
from pipeline.llm.asking.code.program_parts import only_prepares
from pipeline.llm.asking.replies import Program, ReplyError, clean_text, read_program, read_template
from pipeline.llm.decisions import KEYS, decisions_in
from pipeline.plan.reading import UnreadablePlanError, read_plan
from pipeline.plan.solution_plan import SolutionPlan

_MOST_REPEATS, _LONGEST_BLOCK = 12, 8
"""A plan that writes a block of up to so many layers so often in a row got into a loop; no published plan repeats one
more than 5 times."""


def program_in(reply: str, cut: bool) -> Program:
    """The program of a reply, with what is said beside it; of one that was `cut` off, one that does something. Raises
    ReplyError."""
    program = read_program(reply, cut=cut)
    if cut and only_prepares(program.code):
        raise ReplyError("cut_off", "the answer reached the limit of its length before the program did anything")
    return replace(program, decisions=decisions_in(_beside_code(clean_text(reply))))


_FIRST_LINE_OF_CODE = re.compile(r"^(?:import |from \w|# ?%%)", re.MULTILINE)


def _beside_code(reply: str) -> str:
    """The reply without its programs; the object on what was decided stays where it stands in a fence of its own."""
    pieces: list[str] = []
    position = 0
    for block in fenced_blocks(reply):
        is_object = block.text.lstrip().startswith("{") and any(f'"{key}"' in block.text for key in KEYS)
        if not is_object:
            pieces.append(reply[position : block.start])
            position = block.end
    pieces.append(reply[position:])
    said = "".join(pieces)
    if position:
        return said
    unfenced = _FIRST_LINE_OF_CODE.search(said)  # a program without a fence
    return said[: unfenced.start()] if unfenced else said


def template_in(reply: str, cut: bool) -> str:
    """The template of a reply. Raises ReplyError."""
    return read_template(reply, cut=cut)


def plan_in(reply: str) -> SolutionPlan:
    """The plan of a reply. Raises ReplyError `unreadable_plan`, for an empty plan and one in a loop as well."""
    try:
        plan = read_plan(clean_text(reply))
    except UnreadablePlanError as error:
        raise ReplyError("unreadable_plan", str(error)) from error
    if not plan.layers and not plan.task_category:
        raise ReplyError("unreadable_plan", "the plan says neither what the task is nor of which layers the model is")
    if _is_loop(plan.layers):
        raise ReplyError("unreadable_plan", f"the plan repeats the same layers more than {_MOST_REPEATS} times")
    return plan


def _is_loop(layers: tuple[str, ...]) -> bool:
    """Whether a list ends with a block of layers that was written again and again."""
    for size in range(1, _LONGEST_BLOCK + 1):
        length = size * (_MOST_REPEATS + 1)
        if len(layers) >= length and layers[-length:] == layers[-size:] * (_MOST_REPEATS + 1):
            return True
    return False


def words_in(reply: str, _cut: bool) -> str:
    """A reply in words. Raises ReplyError `empty_reply`."""
    text = clean_text(reply).strip()
    if not text:
        raise ReplyError("empty_reply", "the model answered nothing")
    return text
