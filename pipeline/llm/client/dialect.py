"""What OpenAI-compatible servers understand differently, found out from their refusals."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Literal

import orjson

from pipeline.config.endpoints import Prefill
from pipeline.errors import StageFailure
from pipeline.llm.client.answers import GRAMMAR, Refused
from pipeline.llm.client.context_errors import room_for_reply
from pipeline.llm.protocol import ChatReply, ChatRequest

log = logging.getLogger(__name__)

Structured = Literal["json_schema", "guided_json", "json_object", "none"]

_WEAKER: dict[Structured, Structured] = {
    "json_schema": "json_object",
    "guided_json": "json_object",
    "json_object": "none",
}
"""What is tried where a server refuses a form."""

# Servers name what they refuse in words alone.
_NOT_STRUCTURED = re.compile(
    r"response[_ ]format|schema|json[_ -]?(?:object|mode)|structured|guided[_ ](?:json|decoding)|output_format"
    r"|maxLength|additionalProperties|compile the regex|too many states",
    re.IGNORECASE,
)
_NOT_MAX_TOKENS = re.compile(r"max_completion_tokens", re.IGNORECASE)
_TOO_MANY_TOKENS = re.compile(r"max[_ ]?(?:new_|output_|completion_)?tokens|output tokens", re.IGNORECASE)
_COUNT = re.compile(r"(?<![\w.,-])(?:\d{1,3}(?:,\d{3})+|\d{2,7})(?![\w-]|\.\d)")
_LEAST_TOKENS = 256
"""Of a reply: a model that is said to write fewer is not meant."""

_NOT_SYSTEM = re.compile(
    r"system (?:role|message|prompt|instruction)|[\"']system[\"']|roles must alternate|conversation roles"
    r"|developer instruction|\brole: input should be|(?:first|initial) (?:message|role|turn)",
    re.IGNORECASE,
)
_NOT_PREFILL = re.compile(
    r"prefill|prefix|continue_final_message|add_generation_prompt|must end with a user"
    r"|(?:last|final) (?:message|role|turn)",
    re.IGNORECASE,
)
_OPTIONAL = {
    "top_p": re.compile(r"\btop[_ ]?p\b", re.IGNORECASE),
    "seed": re.compile(r"\b(?:random_)?seed\b", re.IGNORECASE),
    "stop": re.compile(r"\bstop(?:[_ ]?sequences)?\b", re.IGNORECASE),
    "logprobs": re.compile(r"\b(?:top_?)?logprobs\b", re.IGNORECASE),
}
"""Parameters that a server may do without and how it calls them, tried in this order: some take a temperature or a
`top_p`, not both."""


class Dialect:
    """How requests are put to one server. Begins with today's API and steps back where the server refuses, once for all
    requests; each step is said in the log.

    A schema that a server cannot enforce is told in words, at the end of the last message.
    """

    def __init__(self, structured: Structured | Literal["auto"] = "auto", prefill: Prefill = "none") -> None:
        self.prefill: Prefill = prefill
        """How the server goes on with a reply that was cut off; `auto` as long as that is not known."""

        self.steps: list[str] = []
        """What the server did not take, in words."""

        self._settled = structured != "auto"
        self._structured: Structured = "json_schema" if structured == "auto" else structured
        self._max_tokens = "max_tokens"  # OpenAI's newer models take `max_completion_tokens` alone
        self._most_tokens: int | None = None
        self._highest_temperature: float | None = None
        self._left_out: set[str] = set()
        self._has_system_role = True

    def body(self, model: str, request: ChatRequest, room: int | None = None) -> dict[str, Any]:
        """The JSON body of `/chat/completions` for a request, whose reply may have `room` tokens at most."""
        sampling = request.sampling
        temperature = sampling.temperature
        if self._highest_temperature is not None:
            temperature = min(temperature, self._highest_temperature)
        limits = [limit for limit in (sampling.max_tokens, self._most_tokens, room) if limit is not None]
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "temperature": temperature,
            self._max_tokens: min(limits),
        }
        if sampling.top_p is not None:
            body["top_p"] = sampling.top_p
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if request.logprobs:
            body["logprobs"] = True
        if request.schema is not None:
            self._ask_for_schema(body, request.schema)
        if not self._has_system_role:
            body["messages"] = _without_system(body["messages"])
        if request.continues:
            self._go_on(body)
        return {name: value for name, value in body.items() if name not in self._left_out}

    async def ask(
        self,
        model: str,
        request: ChatRequest,
        send: Callable[[dict[str, Any]], Awaitable[ChatReply]],
        steps_back: Callable[[dict[str, Any], str], bool],
        server: str,
    ) -> ChatReply:
        """The reply that `send` gets for a request's body. Where that is refused (`Refused`), it is asked anew at once:
        for a reply that fits, where the server tells the room, or as long as `steps_back` says that it may help.
        Raises StageFailure `llm_refused`, in which `server` is named, and what `send` raises."""
        room: int | None = None
        while True:
            goes_on = self.goes_on(request)
            body = self.body(model, request, room)
            try:
                return replace(await send(body), goes_on=goes_on)
            except Refused as error:
                left = room_for_reply(str(error))
                if left is not None and (room is None or left < room):
                    room = left
                elif not steps_back(body, str(error)):
                    raise StageFailure("llm_refused", f"{server} refuses: {error}") from None

    def goes_on(self, request: ChatRequest) -> bool:
        """Whether a request is put so that the server goes on with the reply that was cut off."""
        return request.continues and self.prefill not in ("auto", "none")

    def _go_on(self, body: dict[str, Any]) -> None:
        """Ends the conversation with the reply that was cut off, where the server can go on with it."""
        if self.prefill in ("auto", "none"):
            return
        *before, begun, _ = body["messages"]
        if self.prefill == "prefix":
            begun = begun | {"prefix": True}
        body["messages"] = [*before, begun]
        if self.prefill == "continue_final_message":
            body |= {"continue_final_message": True, "add_generation_prompt": False}

    def _ask_for_schema(self, body: dict[str, Any], schema: str) -> None:
        if self._structured == "json_schema":
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "reply", "schema": orjson.loads(schema)},
            }
            return
        if self._structured == "guided_json":
            body["guided_json"] = orjson.loads(schema)
            return
        if self._structured == "json_object":
            body["response_format"] = {"type": "json_object"}
        words = f"Answer with one JSON object of this JSON schema, and nothing else:\n{schema}"
        # A system message at the end is refused by many chat templates.
        *before, last = body["messages"]
        body["messages"] = [*before, last | {"content": f"{last['content']}\n\n{words}"}]

    def adapt(self, refused: dict[str, Any], reason: str) -> bool:
        """Steps back from what a server refused in a body; whether asking again may help."""
        if "max_tokens" in refused and _NOT_MAX_TOKENS.search(reason) and room_for_reply(reason) is None:
            self._max_tokens = "max_completion_tokens"
            self._note("takes max_completion_tokens: asked so from now on")
            return True
        return (
            self._asks_in_words(refused, reason)
            or self._fits_tokens(refused, reason)
            or self._leaves_out(refused, reason)
            or self._weaker_schema(refused, reason)
            or self._cooler(refused, reason)
            or self._joins_system(refused, reason)
        )

    def _asks_in_words(self, refused: dict[str, Any], reason: str) -> bool:
        """Asks to go on by a turn of the user's, where a conversation may not end with the assistant's."""
        if refused["messages"][-1]["role"] != "assistant" or not _NOT_PREFILL.search(reason):
            return False
        if self.prefill != "none":
            self.prefill = "none"
            self._note("does not go on with a reply: asked to in words from now on")
        return True

    def _fits_tokens(self, refused: dict[str, Any], reason: str) -> bool:
        """Keeps to the longest reply of the model ("supports at most 2048 completion tokens"); where it names no
        number, to half of what was asked for."""
        asked = refused.get(self._max_tokens, 0)
        if asked <= _LEAST_TOKENS or not _TOO_MANY_TOKENS.search(reason):
            return False
        counts = [int(count.replace(",", "")) for count in _COUNT.findall(reason)]
        most = max((count for count in counts if _LEAST_TOKENS <= count < asked), default=asked // 2)
        return self._step(f"at most {most} tokens a reply", most_tokens=most)

    def _weaker_schema(self, refused: dict[str, Any], reason: str) -> bool:
        form: Structured | None = None
        if "guided_json" in refused:
            form = "guided_json"
        elif "response_format" in refused:
            form = refused["response_format"]["type"]
        if form is None or self._settled or not (_NOT_STRUCTURED.search(reason) or GRAMMAR.search(reason)):
            return False
        if self._structured == form:  # another call may have stepped back already
            self._structured = _WEAKER[form]
            self._note(f"does not take {form}: asked with {self._structured} from now on")
        return True

    def _leaves_out(self, refused: dict[str, Any], reason: str) -> bool:
        for name, called in _OPTIONAL.items():
            if name in refused and called.search(reason):
                if name not in self._left_out:
                    self._left_out.add(name)
                    self._note(f"does not take {name}: asked without from now on")
                return True
        return False

    def _cooler(self, refused: dict[str, Any], reason: str) -> bool:
        """A temperature of at most 1 where more is refused, then none."""
        if "temperature" not in refused or "temperature" not in reason.lower():
            return False
        if refused["temperature"] > 1 and not re.search(r"only the default|unsupported", reason, re.IGNORECASE):
            return self._step("a temperature of at most 1", highest_temperature=1.0)
        self._left_out.add("temperature")
        self._note("takes no temperature: asked without from now on")
        return True

    def _joins_system(self, refused: dict[str, Any], reason: str) -> bool:
        """Says what the system message says at the beginning of the user's, where there is no such role."""
        if not _NOT_SYSTEM.search(reason) or all(message["role"] != "system" for message in refused["messages"]):
            return False
        self._has_system_role = False
        self._note("takes no system message: it is joined to the user's from now on")
        return True

    def _step(self, words: str, *, most_tokens: int | None = None, highest_temperature: float | None = None) -> bool:
        self._most_tokens = most_tokens or self._most_tokens
        self._highest_temperature = highest_temperature or self._highest_temperature
        self._note(f"takes {words}: asked so from now on")
        return True

    def _note(self, words: str) -> None:
        """Says a step once, in the log and for the job's summary."""
        if words not in self.steps:
            self.steps.append(words)
            log.warning("the server %s", words)


def _without_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """The messages with what the system says at the beginning of the first of the user's."""
    said = [message["content"] for message in messages if message["role"] == "system"]
    others = [message for message in messages if message["role"] != "system"]
    for number, message in enumerate(others):
        if message["role"] == "user":
            others[number] = message | {"content": "\n\n".join([*said, message["content"]])}
            return others
    return messages
