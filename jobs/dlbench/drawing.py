"""The answers of a run: replayed, or asked of a model behind the response cache, so that a kill asks nothing twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from pydantic import TypeAdapter

from pipeline.dlbench.asking import candidate_request, tests_request
from pipeline.dlbench.mutation.by_model import mutated_by_model
from pipeline.dlbench.mutation.operators import ORIGINAL, Variant
from pipeline.dlbench.mutation.rules import mutated
from pipeline.dlbench.task import FunctionTask
from pipeline.errors import StageFailure
from pipeline.llm.protocol import LLM, Sampling

CALLS_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """What a run draws for each task."""

    samples: int
    """Candidates and suites of the original prompt, and of all variants together."""

    operators: tuple[str, ...] = ()

    temperature: float = 0.8
    """As in CodeT: the candidates are to differ."""

    max_tokens: int = 1024

    rewritten_by: str = "rules"
    """`rules` or `model`."""

    def counts(self) -> dict[str, int]:
        """How many candidates each variant gives: as many calls for all variants together as for the original."""
        counts = {ORIGINAL: self.samples}
        if self.operators:
            share, rest = divmod(self.samples, len(self.operators))
            for number, operator in enumerate(self.operators):
                counts[operator] = share + (number < rest)
        return {operator: count for operator, count in counts.items() if count}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What was drawn for one task."""

    variants: dict[str, Variant]
    candidates: dict[str, list[str]]
    """Operator -> answers."""

    suites: list[str]
    """Replies with tests, all of the original prompt: both arms of the control are measured by the same tests."""

    failures: dict[str, str] = field(default_factory=dict)
    """Operator -> why there is no variant, or no answer."""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def answers_of(value: dict[str, object]) -> Answers:
    """From JSON."""
    return TypeAdapter(Answers).validate_python(value)


def replayed(task: FunctionTask, drawing: Drawing) -> Answers:
    """The task's own pool in the place of a model: the original prompt gets it in its order, a variant in a shuffled
    one that hangs on the operator alone. Raises StageFailure (`nothing_recorded`) for a task without a pool."""
    if not task.recorded:
        raise StageFailure(
            "nothing_recorded", f"{task.id}: brings no answers along; give a model (llm=openai model=...)"
        )
    variants, candidates, failures = {}, {}, {}
    for operator, count in drawing.counts().items():
        try:
            variants[operator] = mutated(task.prompt, operator, task.function)
        except StageFailure as failure:
            failures[operator] = str(failure)
            continue
        pool = list(task.recorded)
        if operator != ORIGINAL:
            random.Random(f"{task.id}/{operator}").shuffle(pool)
        # The pool's answers have the target's own name, which nothing has to be mapped back from.
        candidates[operator] = [pool[number % len(pool)] for number in range(count)]
    return Answers(
        variants=variants,
        candidates=candidates,
        suites=list(task.recorded_suites[: drawing.samples]),
        failures=failures,
    )


def asked(llm: LLM, tasks: Sequence[FunctionTask], drawing: Drawing) -> list[Answers]:
    """Asks for all tasks, many calls at once. Raises DLCodeGenError where no request can succeed."""
    return asyncio.run(_asked(llm, tasks, drawing))


async def _asked(llm: LLM, tasks: Sequence[FunctionTask], drawing: Drawing) -> list[Answers]:
    slots = asyncio.Semaphore(CALLS_AT_ONCE)
    return list(await asyncio.gather(*(_of_task(llm, slots, task, drawing) for task in tasks)))


async def _of_task(llm: LLM, slots: asyncio.Semaphore, task: FunctionTask, drawing: Drawing) -> Answers:
    variants: dict[str, Variant] = {}
    failures: dict[str, str] = {}
    for operator in drawing.counts():
        try:
            if drawing.rewritten_by == "model":
                async with slots:
                    variants[operator] = await mutated_by_model(
                        llm, task.prompt, operator, task.function, _sampling(drawing, 0, temperature=0.0)
                    )
            else:
                variants[operator] = mutated(task.prompt, operator, task.function)
        except StageFailure as failure:
            failures[operator] = str(failure)

    async def ask(operator: str, sample: int) -> str:
        variant = variants[operator]
        name = variant.renamed_to or task.function
        request = candidate_request(task, variant.prompt, name, _sampling(drawing, sample))
        try:
            async with slots:
                return (await llm.chat(request)).text
        except StageFailure as failure:
            failures[operator] = str(failure)
            return ""

    async def ask_tests(sample: int) -> str:
        try:
            async with slots:
                return (await llm.chat(tests_request(task.prompt, task.function, _sampling(drawing, sample)))).text
        except StageFailure:
            return ""

    candidates = {
        operator: list(await asyncio.gather(*(ask(operator, sample) for sample in range(count))))
        for operator, count in drawing.counts().items()
        if operator in variants
    }
    suites = list(await asyncio.gather(*(ask_tests(sample) for sample in range(drawing.samples))))
    return Answers(variants=variants, candidates=candidates, suites=suites, failures=failures)


def _sampling(drawing: Drawing, sample: int, temperature: float | None = None) -> Sampling:
    return Sampling(
        temperature=drawing.temperature if temperature is None else temperature,
        max_tokens=drawing.max_tokens,
        seed=sample,
    )
