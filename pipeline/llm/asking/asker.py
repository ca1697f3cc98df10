"""Asking a language model for a row: prompts within the context, cut-off replies continued, useless ones asked for once
more, and every call recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from pipeline.calls import USELESS_REPLY, CallMeasures, LLMCall
from pipeline.config import PLAIN_TEMPERATURE, PriceSettings, WritingSettings
from pipeline.errors import StageFailure
from pipeline.llm.asking.context import fit
from pipeline.llm.asking.exchange import Exchange, Reader, continued, read_exchange, smaller_room, word_sequences
from pipeline.llm.asking.prompt_files import render
from pipeline.llm.asking.readers import plan_in, program_in, template_in, words_in
from pipeline.llm.asking.replies import Program, ReplyError, clean_text
from pipeline.llm.asking.splice import splice
from pipeline.llm.protocol import LLM, ChatReply, ChatRequest, Message, Sampling
from pipeline.llm.seeds import call_seed
from pipeline.llm.spending.cache import request_key
from pipeline.llm.spending.cost import cost_of
from pipeline.llm.tokens import estimate_prompt
from pipeline.plan.json_objects import objects_in
from pipeline.plan.solution_plan import SolutionPlan, bounded_plan_schema
from pipeline.records import Requirement

_QUOTED = 600
"""Characters of a useless reply that the model is shown again."""

_MORE_ROOM = 2
"""How many times its tokens a reply may have that is asked for again since it was cut off."""

USELESS = frozenset({"refused", "empty_reply", "not_python", "cut_off", "prompt_too_long", "no_template"})
"""Failures that are a reply's, or a prompt's, and say nothing of the model's next one."""

_T = TypeVar("_T")


class Asker:
    """What the stages of a worker ask by: the model, how it is asked, and what its tokens cost.

    `context_length` is of prompt and reply together, in tokens; None where it is not known.
    """

    def __init__(
        self,
        llm: LLM,
        writing: WritingSettings | None = None,
        *,
        context_length: int | None = None,
        price: PriceSettings | None = None,
    ) -> None:
        writing = writing or WritingSettings()
        max_tokens = writing.max_tokens
        if context_length is not None:
            max_tokens = min(max_tokens, context_length // 2)
        self.llm = llm
        temperature = PLAIN_TEMPERATURE if writing.temperature is None else writing.temperature
        self.sampling = Sampling(temperature=temperature, top_p=writing.top_p, max_tokens=max_tokens, seed=writing.seed)
        self.continuations = writing.continuations
        self.price = price or PriceSettings()
        self.context_length = context_length
        self.room = None if context_length is None else context_length - max_tokens
        """Tokens that a prompt may have; None where the context's length is not known."""

    def with_more_room(self, request: ChatRequest) -> ChatRequest | None:
        """A request whose reply may be longer, as far as the context has room; None where it has none."""
        tokens = request.sampling.max_tokens
        most = tokens * _MORE_ROOM
        if self.context_length is not None:
            most = min(most, self.context_length - estimate_prompt(request))
        if most <= tokens:
            return None
        return replace(request, sampling=replace(request.sampling, max_tokens=most))

    async def ask(
        self, stage: str, record: Requirement, *works: Callable[[Asking], Awaitable[_T]]
    ) -> tuple[list[_T], tuple[LLMCall, ...]]:
        """What each work comes to, all under way at once, and the row's calls: those so far, then each work's in turn.

        Raises the first failure, which keeps the calls of all.
        """
        outcomes, calls = await self._outcomes(stage, record, works)
        results: list[_T] = []
        for outcome in outcomes:
            if isinstance(outcome, StageFailure):
                raise StageFailure(outcome.kind, str(outcome), added={"calls": calls}) from outcome
            results.append(outcome)
        return results, calls

    async def ask_any(
        self, stage: str, record: Requirement, *works: Callable[[Asking], Awaitable[_T]]
    ) -> tuple[list[_T | None], tuple[LLMCall, ...]]:
        """The same, with None for a work whose replies were useless; its last call says why.

        Raises the first failure where no work came to anything, and where the model itself failed.
        """
        outcomes, calls = await self._outcomes(stage, record, works)
        failures = [outcome for outcome in outcomes if isinstance(outcome, StageFailure)]
        for failure in failures:
            if len(failures) == len(works) or failure.kind not in USELESS:
                raise StageFailure(failure.kind, str(failure), added={"calls": calls}) from failure
        return [None if isinstance(outcome, StageFailure) else outcome for outcome in outcomes], calls

    async def _outcomes(
        self, stage: str, record: Requirement, works: Sequence[Callable[[Asking], Awaitable[_T]]]
    ) -> tuple[list[_T | StageFailure], tuple[LLMCall, ...]]:
        """What each work comes to, or why to nothing, and the row's calls."""
        askings = [Asking(self, stage, record) for _ in works]
        running = [work(asking) for work, asking in zip(works, askings, strict=True)]
        outcomes: list[_T | StageFailure] = []
        for outcome in await asyncio.gather(*running, return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, StageFailure):
                raise outcome
            outcomes.append(outcome)
        calls = list(record.calls)
        for asking, outcome in zip(askings, outcomes, strict=True):
            if isinstance(outcome, StageFailure) and outcome.kind in USELESS and asking.calls:
                asking.note(f"{USELESS_REPLY}{outcome.kind}")
            calls += asking.calls
        return outcomes, tuple(calls)


class Asking:
    """One row's questions in one stage, one after another.

    The row's `reference` is never sent; each call records how much of it stood in the prompt all the same.
    """

    def __init__(self, asker: Asker, stage: str, record: Requirement) -> None:
        self._asker, self._stage, self._row = asker, stage, record.id
        self._reference = word_sequences(record.reference or "")
        self.calls: list[LLMCall] = []
        """The calls made so far."""

    async def program(self, prompt: str, **parts: str) -> Program:
        """The program that the model writes. Raises StageFailure `refused`, `empty_reply`, `cut_off` or `not_python`
        where the second reply holds none either; and those of the model."""
        return await self._ask_twice(prompt, parts, program_in)

    async def improved_program(
        self, prompt: str, objection: Callable[[Program], str], parts: dict[str, str]
    ) -> Program:
        """The same; where there is an `objection` to the first program, the model is told, and its second is taken as
        it is. The first stays where the second reply holds none."""
        objected: list[Program] = []

        def read(text: str, cut: bool) -> Program:
            program = program_in(text, cut)
            problem = "" if objected else objection(program)
            if problem:
                objected.append(program)
                raise ReplyError("objection", problem)
            return program

        try:
            return await self._ask_twice(prompt, parts, read)
        except StageFailure:
            if objected:
                return objected[0]
            raise

    def note(self, words: str) -> None:
        """Says with the last call what became of its reply."""
        last = self.calls[-1]
        self.calls[-1] = replace(last, cut=(*last.cut, words))

    async def plan(self, prompt: str, **parts: str) -> SolutionPlan:
        """The plan that the model devises; its schema goes with the request. Raises StageFailure `unreadable_plan`."""
        return await self.answer(prompt, plan_in, json.dumps(bounded_plan_schema()), **parts)

    async def answer(self, prompt: str, read: Callable[[str], _T], schema: str, **parts: str) -> _T:
        """What `read` makes of the JSON that the model answers with; its schema goes with the request. Raises
        StageFailure of the kind of the ReplyError that `read` raises, and `cut_off`."""

        def read_whole(text: str, cut: bool) -> _T:
            if cut and not any(found.whole for found in objects_in(clean_text(text))):
                raise ReplyError("cut_off", "the answer reached the limit of its length before its JSON ended")
            return read(text)

        return await self._ask_twice(prompt, parts, read_whole, schema)

    async def template(self, prompt: str, **parts: str) -> str:
        """The template that the model writes: a program with placeholders. Raises StageFailure as `program`."""
        return await self._ask_twice(prompt, parts, template_in)

    async def text(self, prompt: str, **parts: str) -> str:
        """The model's words. Raises StageFailure `empty_reply`."""
        return await self._ask_twice(prompt, parts, words_in)

    async def _ask_twice(self, prompt: str, parts: dict[str, str], read: Reader[_T], schema: str | None = None) -> _T:
        """What `read` makes of the reply; of a second reply where it finds the first one useless (ReplyError). One that
        was cut off is asked for with more room, not in the same way."""
        first = await self._exchange(prompt, parts, schema)
        try:
            return read_exchange(first, read)
        except ReplyError as error:
            problem = error
        if first.is_cut:
            longer = self._asker.with_more_room(first.request)
            if longer is None:
                raise StageFailure(problem.kind, f"prompt {prompt}: {problem}, and the context has no room for more")
            second = await self._whole_reply("more_room", longer)
        else:
            useless = Message(role="assistant", content=first.text[:_QUOTED] or "(nothing)")
            again = render("again", reason=str(problem), form="json" if schema else "code")
            second = await self._whole_reply("again", continued(first.request, useless, *again))
        try:
            return read_exchange(second, read)
        except ReplyError as error:
            raise StageFailure(error.kind, f"prompt {prompt}: {error}, and so before it was asked again") from error

    async def _exchange(self, prompt: str, parts: dict[str, str], schema: str | None) -> Exchange:
        """The reply to a prompt that is made to fit; to a shorter one where the engine still finds it too long."""
        room = self._asker.room
        sampling = replace(self._asker.sampling, seed=call_seed(self._asker.sampling.seed, self._row, prompt))
        refused: StageFailure | None = None
        while True:
            try:
                request, cut = fit(prompt, parts, sampling, room, schema)
            except StageFailure as failure:
                raise refused or failure from None
            try:
                return await self._whole_reply(prompt, request, cut)
            except StageFailure as failure:
                if failure.kind != "llm_context":
                    raise
                refused, room = failure, smaller_room(request, str(failure))

    async def _whole_reply(self, prompt: str, request: ChatRequest, cut: tuple[str, ...] = ()) -> Exchange:
        """The reply to a request, continued where it was cut off by its length, up to `continuations` times."""
        reply = await self._call(prompt, request, cut)
        text, finish_reason = reply.text, reply.finish_reason
        # Of a schema, a continuation would begin a new object; of thinking alone, there is nothing to go on with.
        if request.schema is not None or not clean_text(text).strip():
            return Exchange(request, text, finish_reason)
        for _ in range(self._asker.continuations):
            if finish_reason != "length":
                break
            longer = continued(request, Message(role="assistant", content=text), *render("continue"))
            longer = replace(longer, continues=True)
            if self._asker.room is not None and estimate_prompt(longer) > self._asker.room:
                break
            try:
                reply = await self._call("continue", longer)
            except StageFailure as failure:
                if failure.kind != "llm_context":
                    raise
                break
            joined = splice(text, reply.text, cut=reply.finish_reason == "length", goes_on=reply.goes_on)
            if joined == text:  # it started over, or repeated what it was told: the next would do no better
                break
            text, finish_reason = joined, reply.finish_reason
        return Exchange(request, text, finish_reason)

    async def _call(self, prompt: str, request: ChatRequest, cut: tuple[str, ...] = ()) -> ChatReply:
        """The reply of one call, which is recorded. Each that follows in the same stage has a seed of its own."""
        asker, sampling = self._asker, request.sampling
        if self.calls:
            sampling = replace(sampling, seed=call_seed(sampling.seed, len(self.calls)))
        request = replace(request, sampling=sampling)
        reply = await asker.llm.chat(request)
        measured = CallMeasures(
            seconds=reply.seconds,
            cached=reply.cached,
            cached_tokens=reply.usage.cached_tokens,
            cost=0.0 if reply.cached else cost_of(reply.usage, asker.price),
        )
        call = LLMCall(
            stage=self._stage,
            prompt=prompt,
            model=asker.llm.model,
            prompt_tokens=reply.usage.prompt_tokens,
            completion_tokens=reply.usage.completion_tokens,
            finish_reason=reply.finish_reason,
            cut=cut,
            key=request_key(asker.llm.model, request),
            reference_share=self._reference_share(request),
            measured=measured,
        )
        self.calls.append(call)
        return reply

    def _reference_share(self, request: ChatRequest) -> float | None:
        """How much of the reference the messages hold that are not the model's own."""
        if not self._reference:
            return None
        sent = [message.content for message in request.messages if message.role != "assistant"]
        return len(self._reference & word_sequences("\n".join(sent))) / len(self._reference)
