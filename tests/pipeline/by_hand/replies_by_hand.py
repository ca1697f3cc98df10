"""The replies that were written by hand, as a script for a model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pipeline.llm.protocol import ChatReply, ChatRequest, Usage
from pipeline.llm.tokens import estimate_prompt, estimate_tokens

FOLDER = Path(__file__).parent
REQUIREMENTS = FOLDER / "requirements.jsonl"
NOTHING_SAID = {"corrections": [], "assumptions": []}


@dataclass(slots=True)
class ByHand:
    """What was written for one requirement."""

    parts: dict[str, str] = field(default_factory=dict)
    """Cells of programs, and the template, by name."""

    plan: str = ""
    """As JSON."""

    said: dict[str, str] = field(default_factory=dict)
    """What is said beside a program, by call, as JSON."""

    programs: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """The parts of the reply to each call, by era (`before`, `after`) and call."""

    def reply(self, era: str, call: str) -> str:
        if call == "plan":
            return self.plan
        if call == "template":
            return f"```python\n{self.parts['template']}\n```"
        code = "\n\n".join(self.parts[name] for name in self.programs[era, call])
        said = self.said.get(call, json.dumps(NOTHING_SAID))
        return f"```python\n{code}\n```" if era == "before" else f"{said}\n\n```python\n{code}\n```"


@cache
def by_hand() -> dict[str, ByHand]:
    """All that was written, by the requirement's text."""
    found: dict[str, ByHand] = {}
    for line in REQUIREMENTS.read_text().splitlines():
        row = json.loads(line)
        found[row["requirement"]] = _read((FOLDER / "replies" / f"{row['id']}.txt").read_text())
    return found


def _read(text: str) -> ByHand:
    written = ByHand()
    for title, body in re.findall(r"^=== (.*)\n((?:(?!=== ).*\n?)*)", text, re.MULTILINE):
        kind, _, name = title.partition(" ")
        if kind == "part":
            written.parts[name] = body.rstrip("\n")
        elif kind == "plan":
            written.plan = body.strip()
        elif kind == "said":
            written.said[name] = body.strip()
        else:
            for line in body.splitlines():
                call, _, names = line.partition(": ")
                written.programs[kind, call] = names.split()
    return written


def answers(role_of: Callable[[ChatRequest], str], era: str = "after", **others: str) -> Callable[..., ChatReply]:
    """Answers each request as it was written by hand; `others` name for a role what to answer it with instead. Tokens
    are counted by characters."""

    def script(request: ChatRequest) -> ChatReply:
        asked = request.messages[-1].content
        (written,) = [item for requirement, item in by_hand().items() if requirement in asked]
        role = role_of(request)
        call = others.get(role.replace(" ", "_"), role)
        text = written.reply(era, call)
        usage = Usage(prompt_tokens=estimate_prompt(request), completion_tokens=estimate_tokens(text))
        return ChatReply(text=text, usage=usage)

    return script
