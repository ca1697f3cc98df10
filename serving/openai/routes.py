"""The routes of the OpenAI API. `model=dlcodegen` turns a message into a project; the code model has its own name."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from serving.api.access import Caller, ForProjects, TheService
from serving.api.errors import ApiError
from serving.api.service import Service
from serving.openai.code_completion import code_chat, code_text
from serving.openai.project_chat import OUR_MODEL, project_chat

router = APIRouter(prefix="/v1", tags=["openai"])


class StreamOptions(BaseModel):
    """How a reply is streamed."""

    model_config = ConfigDict(extra="ignore")

    include_usage: bool = False


class CompletionRequest(BaseModel):
    """What both routes share. Fields that only the engine knows go to it as they are."""

    model_config = ConfigDict(extra="allow")

    model: str
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int = Field(1, ge=1, le=16)
    stop: str | list[str] | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)

    @property
    def stops(self) -> tuple[str, ...]:
        if self.stop is None:
            return ()
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage


class ChatMessage(BaseModel):
    """A turn of a conversation."""

    model_config = ConfigDict(extra="allow")

    role: str
    content: str | list[dict[str, Any]] | None = None

    @property
    def text(self) -> str:
        """What is said. Parts of another kind than text have no place here."""
        if isinstance(self.content, list):
            return "\n".join(str(part.get("text", "")) for part in self.content if part.get("type") == "text")
        return self.content or ""


class ChatCompletion(CompletionRequest):
    """A request for `/v1/chat/completions`."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=1_000)


class TextCompletion(CompletionRequest):
    """A request for `/v1/completions`."""

    prompt: str | list[str]


@router.get("/models")
async def list_models(caller: ForProjects, service: TheService) -> dict[str, Any]:
    """The models that this service has."""
    return {"object": "list", "data": [_model(name) for name in _names(service)]}


@router.get("/models/{name:path}")
async def get_model(name: str, caller: ForProjects, service: TheService) -> dict[str, Any]:
    """One of them."""
    _require_model(service, name)
    return _model(name)


@router.post("/chat/completions")
async def chat(asked: ChatCompletion, response: Response, caller: ForProjects, service: TheService) -> Response:
    """A reply: a project, or what the code model says."""
    _require_model(service, asked.model)
    if asked.model == OUR_MODEL:
        requirement = _last_words(asked)
        _require_one(asked)
        return _with_limits(await project_chat(service, caller.key, requirement, asked, as_chat=True), response)
    _require_completions(caller)
    _check_length(service, sum(len(message.text) for message in asked.messages))
    return _with_limits(await code_chat(service, caller.key, asked.model_dump(exclude_unset=True), asked), response)


@router.post("/completions")
async def complete(asked: TextCompletion, response: Response, caller: ForProjects, service: TheService) -> Response:
    """The same for a prompt: the project's script, or how the code model goes on."""
    _require_model(service, asked.model)
    prompts = [asked.prompt] if isinstance(asked.prompt, str) else asked.prompt
    if len(prompts) != 1:
        raise ApiError(400, "unsupported", "prompt: one a request", param="prompt")
    if asked.model == OUR_MODEL:
        _require_one(asked)
        return _with_limits(await project_chat(service, caller.key, prompts[0], asked, as_chat=False), response)
    _require_completions(caller)
    _check_length(service, len(prompts[0]))
    return _with_limits(await code_text(service, caller.key, prompts[0], asked), response)


def _names(service: Service) -> list[str]:
    return [OUR_MODEL] if service.code_model is None else [OUR_MODEL, service.code_model.name]


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _STARTED, "owned_by": "dlcodegen"}


_STARTED = int(time.time())


def _require_model(service: Service, name: str) -> None:
    if name not in _names(service):
        have = ", ".join(_names(service))
        raise ApiError(404, "model_not_found", f"there is no model {name[:100]} here; there is {have}", param="model")


def _require_one(asked: CompletionRequest) -> None:
    if asked.n != 1:
        raise ApiError(400, "unsupported", f"n: {OUR_MODEL} writes one project a request", param="n")


def _require_completions(caller: Caller) -> None:
    if "completions" not in caller.key.scopes:
        raise ApiError(403, "missing_scope", "this key is not for completions")


def _check_length(service: Service, characters: int) -> None:
    if characters > service.settings.requirement_characters:
        longest = service.settings.requirement_characters
        raise ApiError(400, "context_length_exceeded", f"up to {longest:,} characters are read", param="messages")


def _last_words(asked: ChatCompletion) -> str:
    """What the user said last: a project has no memory of earlier turns."""
    for message in reversed(asked.messages):
        if message.role == "user":
            return message.text
    raise ApiError(400, "missing_requirement", "no message of the user", param="messages")


def _with_limits(answer: Response, limits: Response) -> Response:
    """A response that a route makes itself lacks the headers of its dependencies."""
    for name, value in limits.headers.items():
        if name.startswith("x-ratelimit"):
            answer.headers[name] = value
    return answer
