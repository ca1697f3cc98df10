"""What a scripted judge says, as `llm=scripted model=tests.ray.judge_scripts:...` names it."""

from __future__ import annotations

import json

from pipeline.llm.protocol import ChatRequest


def thorough(request: ChatRequest) -> str:
    """Eight for every project; of a pair the longer one is better; a question about tides it cannot answer."""
    text = "\n".join(message.content for message in request.messages if message.role == "user")  # asked again or not
    if "tide" in text:
        return "I would rather not."
    if "Project B:" not in text:
        return json.dumps({"reason": "fine", "compliance": 8, "usefulness": 6, "idiomaticity": 7})
    first, second = (len(part) for part in text.partition("Project A:")[2].split("Project B:"))
    choice = "tie" if abs(first - second) < 40 else "A" if first > second else "B"
    return json.dumps({"reason": "", "compliance": choice, "usefulness": "tie", "idiomaticity": "A"})
