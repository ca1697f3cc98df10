"""A project as the reply of a chat model: what was understood and planned, the files, and what is not done.

The reply is the same text whether it is streamed or not; streamed, each part comes when its stage is done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any, Protocol

from fastapi import Response
from fastapi.responses import JSONResponse

from pipeline.foreign_text import markdown_cell, visible
from pipeline.records import SCRIPT, Delivered, Requirement
from serving.api.asked import NewProject
from serving.api.errors import ApiError
from serving.api.service import Service
from serving.api.streams import event_lines, event_stream
from serving.store.keys import Key
from serving.store.projects import Event, Project
from serving.work.events import FAILED, used_by

OUR_MODEL = "dlcodegen"
"""What chat clients call the method that this service writes by."""

_DONE = "[DONE]"


class Asked(Protocol):
    """What counts of a request here."""

    stream: bool

    @property
    def stops(self) -> tuple[str, ...]: ...

    @property
    def wants_usage(self) -> bool: ...


async def project_chat(service: Service, key: Key, requirement: str, asked: Asked, *, as_chat: bool) -> Response:
    """The reply; `as_chat` as a conversation has it, else the script alone, as a completion. A client that goes away
    ends the project."""
    project = service.submit(key, NewProject(requirement=requirement)).project
    reply = _Reply(service, key, project, asked, as_chat=as_chat)
    if asked.stream:
        return event_stream(reply.chunks())
    return JSONResponse(await reply.whole())


class _Reply:
    """The reply of one project."""

    def __init__(self, service: Service, key: Key, project: Project, asked: Asked, *, as_chat: bool) -> None:
        self._service, self._key, self._project, self._asked, self._as_chat = service, key, project, asked, as_chat
        kind = "chatcmpl" if as_chat else "cmpl"
        self._common = {"id": f"{kind}-{project.id}", "created": int(time.time()), "model": OUR_MODEL}

    async def whole(self) -> dict[str, Any]:
        """The reply as one JSON object."""
        text = ""
        try:
            async for part in self._parts():
                text += part
        except asyncio.CancelledError:
            self._service.runs.cancel(self._project.id)
            raise
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "logprobs": None}
        choice |= {"message": {"role": "assistant", "content": text}} if self._as_chat else {"text": text}
        kind = "chat.completion" if self._as_chat else "text_completion"
        return {**self._common, "object": kind, "choices": [choice], "usage": self._usage()}

    async def chunks(self) -> AsyncGenerator[str, None]:
        """The reply as server-sent events."""
        try:
            if self._as_chat:
                yield self._chunk({"role": "assistant", "content": ""})
            async for part in self._parts():
                yield self._chunk({"content": part} if self._as_chat else part)
            yield self._chunk({} if self._as_chat else "", "stop")
            if self._asked.wants_usage:
                yield event_lines({**self._common, "object": self._kind, "choices": [], "usage": self._usage()})
            yield event_lines(_DONE)
        except ApiError as error:
            yield event_lines(
                {"error": {"message": str(error), "type": "server_error", "param": None, "code": error.code}}
            )
        finally:
            self._service.runs.cancel(self._project.id)  # of no effect on one that has ended

    @property
    def _kind(self) -> str:
        return "chat.completion.chunk" if self._as_chat else "text_completion"

    def _chunk(self, said: Any, finish: str | None = None) -> str:
        choice = {"index": 0, "finish_reason": finish, "logprobs": None, "delta" if self._as_chat else "text": said}
        return event_lines({**self._common, "object": self._kind, "choices": [choice]})

    async def _parts(self) -> AsyncGenerator[str, None]:
        """The reply's text in parts, up to the first of the texts that are to end it."""
        said, sent = "", 0
        async for part in self._unstopped():
            said += part
            end = _first_stop(said, self._asked.stops)
            if end is not None:
                yield said[sent:end]
                return
            # A text that ends the reply may begin in one part and end in the next.
            safe = len(said) - max((len(stop) - 1 for stop in self._asked.stops), default=0)
            if safe > sent:
                yield said[sent:safe]
                sent = safe
        if said[sent:]:
            yield said[sent:]

    async def _unstopped(self) -> AsyncGenerator[str, None]:
        async for event in self._service.runs.events(self._project.id):
            if self._as_chat:
                for part in _told(event):
                    yield part
            if event.name == FAILED and not self._as_chat:
                raise ApiError(422, event.data["kind"], event.data["message"])
        record = self._row()
        if isinstance(record, Delivered):
            if self._as_chat:
                for part in _files_and_delivery(record):
                    yield part
            else:
                yield next((file.text for file in record.files if file.path == SCRIPT), "")

    def _row(self) -> Requirement | None:
        return self._service.row_of(self._service.find(self._key, self._project.id))

    def _usage(self) -> dict[str, int]:
        """Tokens of the language models that wrote it; a symbolic project takes none."""
        record = self._row()
        used = None if record is None else used_by(record)
        prompt, completion = (used.prompt_tokens, used.completion_tokens) if used else (0, 0)
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _first_stop(text: str, stops: Sequence[str]) -> int | None:
    places = [place for place in (text.find(stop) for stop in stops if stop) if place >= 0]
    return min(places, default=None)


def _told(event: Event) -> Iterator[str]:
    if event.name == "request.read":
        asked = ", ".join(markdown_cell(one["words"]) for one in event.data["asked"])
        yield f"**Understood:** {asked or 'nothing that could be looked up'}\n\n"
    elif event.name == "plan.completed" and event.data["plan"]:
        plan = event.data["plan"]
        layers = len(plan["Model Architecture"]["Layers"])
        yield f"**Plan:** {markdown_cell(plan['Task Category'])}, {layers} layers\n\n"
    elif event.name == "samples.retrieved":
        names = ", ".join(markdown_cell(sample["id"]) for sample in event.data["samples"])
        yield f"**From:** {names}\n\n"
    elif event.name == FAILED:
        yield f"**No project:** {markdown_cell(event.data['message'])}\n"


def _files_and_delivery(record: Delivered) -> Iterator[str]:
    for file in record.files:
        if file.path == SCRIPT:
            fence = _fence(file.text)
            yield f"`{file.path}`\n\n{fence}python\n{visible(file.text)}\n{fence}\n\n"
    if record.delivery is None:
        return
    yield f"**Asked:** {record.delivery.met} of {record.delivery.checkable} met\n"
    for check in record.delivery.not_met:
        name = check.constraint.name.replace("_", " ")
        yield f"- not done: {markdown_cell(f'{name} {check.constraint.value}')} ({markdown_cell(check.evidence)})\n"
    assumed = ", ".join(
        markdown_cell(f"{one.name.replace('_', ' ')} {one.value}") for one in record.delivery.assumptions
    )
    if assumed:
        yield f"\n**Assumed:** {assumed}\n"


def _fence(text: str) -> str:
    """A fence that no line of the text closes."""
    fence = "```"
    while fence in text:
        fence += "`"
    return fence
