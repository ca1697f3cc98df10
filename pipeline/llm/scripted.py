"""A language model that says what it was told to, for tests: the same protocol, no engine."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.llm.protocol import ChatReply, ChatRequest, Usage


class ScriptedLLM:
    """Answers with `script(request)`; a text stands for a complete reply, whose usage is counted in words.

    `requests` keeps every request in the order of arrival, for a test to look at.
    """

    def __init__(self, script: Callable[[ChatRequest], str | ChatReply], *, model: str = "scripted") -> None:
        self.model = model
        self.requests: list[ChatRequest] = []
        self._script = script

    async def chat(self, request: ChatRequest) -> ChatReply:
        """What the script gives; what it raises is raised."""
        self.requests.append(request)
        reply = self._script(request)
        if isinstance(reply, ChatReply):
            return reply
        prompt_words = sum(len(message.content.split()) for message in request.messages)
        return ChatReply(text=reply, usage=Usage(prompt_tokens=prompt_words, completion_tokens=len(reply.split())))
