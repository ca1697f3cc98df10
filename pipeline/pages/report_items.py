"""The rows that the report opens: which ones, their line in the list, and
everything that is known about each."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import chain

from pipeline.calls import LLMCall
from pipeline.execution.running.execute_stage import Executed, execution_of
from pipeline.pages.ladder.view import bounded as bounded_execution
from pipeline.pages.ladder.view import execution_view
from pipeline.pages.report_asked import RequestPart, asked_view, decided_text, request_parts
from pipeline.pages.report_summary import category
from pipeline.pages.report_text import TEXT_LIMIT, Line, changes, clip, clip_lines, plain_lines, python_lines
from pipeline.plan.frameworks import KERAS, framework_title
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import Scored, Scores, SourceFile

FILES = 30
"""Files shown of a project; together within twice TEXT_LIMIT."""

ENTRIES = 100
"""Entries shown of any list of a row: layers, deviations, section choices, exclusions."""

_HELD = 4
"""Results held for each one shown: at least 2, so that the gaps between those shown
differ by half at most."""


@dataclass(frozen=True, slots=True)
class Item:
    """A row that the report opens."""

    number: int
    """Its position in the input, from 0."""
    record: Scored
    """With its texts cut."""
    files: int
    """The number of files that it really has."""
    request: tuple[RequestPart, ...]
    """The requirement with the words marked that ask for something."""


class Selection:
    """Picks at most `limit` rows in one pass, always the same ones: up to a third failures, the
    rest results.

    Failures: of each kind the first ones, in equal shares, so that the rarest kind is there.
    Results: every n-th one, where n doubles as the input grows; so no more than 4 x `limit` rows
    are held, however long the input is.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._failures: dict[tuple[str, str], list[Item]] = {}
        self._results: list[Item] = []
        self._seen = 0
        self._stride = 1

    def add(self, number: int, record: Scored) -> None:
        if record.failure is not None:
            self._add_failure((record.failure.stage, record.failure.kind), number, record)
            return
        if self._limit and self._seen % self._stride == 0:
            self._results.append(_item(number, record))
            if len(self._results) == _HELD * self._limit:
                self._results = self._results[::2]
                self._stride *= 2
        self._seen += 1

    def _add_failure(self, kind: tuple[str, str], number: int, record: Scored) -> None:
        held = sum(map(len, self._failures.values()))
        if held >= self._limit // 3:
            # Full: the kind with most rows gives one up, unless this kind would then have as many.
            largest = max(self._failures.values(), key=len, default=[])
            if len(largest) <= len(self._failures.get(kind, ())) + 1:
                return
            largest.pop()
        self._failures.setdefault(kind, []).append(_item(number, record))

    def items(self) -> list[Item]:
        """The rows picked so far, in input order."""
        failures = list(chain.from_iterable(self._failures.values()))
        room = self._limit - len(failures)
        results = self._results
        if len(results) > room:
            # Evenly spread over those held, the first one included.
            positions = [number * len(results) // room for number in range(room)]
            results = [results[position] for position in positions]
        return sorted(failures + results, key=lambda item: item.number)


def _item(number: int, record: Scored) -> Item:
    # What is held must not grow with what a row brings: as a rule about 40 kB, some 100 at most.
    reference = record.reference
    if reference is not None:
        reference = clip_lines(reference)
    bounded = replace(
        record,
        requirement=clip_lines(record.requirement, TEXT_LIMIT // 2),
        attributes=clip_lines(record.attributes, TEXT_LIMIT // 2),
        template=clip_lines(record.template),
        code_draft=clip_lines(record.code_draft),
        template_draft=clip_lines(record.template_draft),
        reference=reference,
        files=tuple(_bounded_files(record.files)),
        extra="{}",
    )
    if isinstance(bounded, Executed) and bounded.execution is not None:
        bounded = replace(bounded, execution=bounded_execution(bounded.execution))
    return Item(number, bounded, len(record.files), request_parts(record))


def _bounded_files(files: Sequence[SourceFile]) -> Iterator[SourceFile]:
    room = 2 * TEXT_LIMIT
    for file in files[:FILES]:
        yield SourceFile(path=file.path, text=clip_lines(file.text, min(room, TEXT_LIMIT)))
        room = max(0, room - len(file.text))


def item_json(item: Item) -> str:
    """Everything that the page shows of an opened row, as JSON that is safe inside a script
    element.

    `texts` are lists of positions in `lines`; `diffs` hold only what differs
    (`report_text.changes`).
    """
    record = item.record
    documents = _documents(record)
    failure = None
    if record.failure is not None:
        failure = [clip(text, 4_000) for text in astuple(record.failure)]
    view: dict[str, object] = {
        "id": clip(record.id, 200),
        "row": record.row,
        "category": category(record),
        "requirement": record.requirement,
        "request": item.request,
        **asked_view(record),
        "attributes": record.attributes,
        "failure": failure,
        "plan": None if record.plan is None else plan_view(record.plan),
        "sources": some(record.plan_sources),
        "samples": entries(record.samples),
        "excluded": entries(record.excluded),
        "allExcluded": len(record.excluded),
        "calls": [_call(call) for call in record.calls[:ENTRIES]],
        "choices": entries(record.choices),
        "scores": None if record.scores is None else _scores(record.scores),
        "moreFiles": max(0, item.files - FILES),
        "lines": list(documents.lines),
        "texts": documents.texts,
        "diffs": documents.diffs,
    }
    execution = execution_of(record)
    if execution is not None:
        view["execution"] = execution_view(execution)
    return script_json(view)


def _call(call: LLMCall) -> list[object]:
    """Stage, prompt, tokens of prompt and reply, how the reply ended, what was cut; then what was
    measured: seconds, cost, tokens in the engine's prefix cache, whether the response cache had it."""
    measured: list[object] = [None] * 4
    if call.measured is not None:
        took = call.measured
        measured = [took.seconds, took.cost, took.cached_tokens, took.cached]
    return [
        clip(call.stage, 80),
        clip(call.prompt, 80),
        call.prompt_tokens,
        call.completion_tokens,
        clip(call.finish_reason, 80),
        clip("; ".join(call.cut), 400),
        *map(_json_value, measured),
    ]


def script_json(value: object) -> str:
    """JSON that is safe inside a script element: only "<" can end one or open a comment in it."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def entry(value: object) -> list[object]:
    """A record's fields in their order, texts clipped."""
    return [_json_value(part) for part in astuple(value)]  # type: ignore[call-overload]


def entries(records: Sequence[object]) -> list[list[object]]:
    """The first ENTRIES records of a list, each as `entry` has it."""
    return [entry(record) for record in records[:ENTRIES]]


def some(texts: tuple[str, ...]) -> list[str]:
    """The first ENTRIES texts, clipped, and how many more there are."""
    shown = [clip(text, 400) for text in texts[:ENTRIES]]
    more = len(texts) - ENTRIES
    if more > 0:
        shown.append(f"… and {more:,} more")
    return shown


def _json_value(value: object) -> object:
    """A value as JSON can hold it: texts clipped, and null for what is not finite."""
    if isinstance(value, str):
        return clip(value, 400)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def plan_view(plan: SolutionPlan) -> dict[str, object]:
    """What the page shows of a plan."""
    hyperparameters = plan.hyperparameters.model_dump(by_alias=True)
    if plan.framework != KERAS:
        hyperparameters = {"framework": framework_title(plan.framework), **hyperparameters}
    return {
        "category": clip(plan.task_category, 400),
        "input": clip(plan.dataset.input, 4_000),
        "output": clip(plan.dataset.output, 4_000),
        "preprocess": clip(plan.preprocess, 8_000),
        "layers": some(plan.layers),
        "hyperparameters": [[name, _json_value(value)] for name, value in hyperparameters.items()],
    }


def _scores(scores: Scores) -> dict[str, object]:
    view: dict[str, object] = {}
    for name in scores.__slots__:
        value = getattr(scores, name)
        if isinstance(value, tuple):
            view[name] = some(value)
        else:
            view[name] = _json_value(value)
    return view


class Documents:
    """A row's texts as positions in one table of lines, and where two of them differ.

    Drafts, final project and reference share most of their lines, so each different line is kept
    once.
    """

    def __init__(self) -> None:
        self.lines: dict[Line, int] = {}
        self.texts: list[dict[str, object]] = []
        self.diffs: list[dict[str, object]] = []
        self._sources: list[list[Line]] = []

    def add(self, name: str, kind: str, source: list[Line]) -> int:
        """Adds a text and gives its number. The page shows each kind but `joined`,
        which is only compared."""
        lines = [self.lines.setdefault(line, len(self.lines)) for line in source]
        self.texts.append({"name": name, "kind": kind, "lines": lines})
        self._sources.append(source)
        return len(self._sources) - 1

    def compare(self, left: int, right: int) -> None:
        """Adds where two texts differ, by their numbers."""
        differing = changes(self._sources[left], self._sources[right])
        self.diffs.append({"left": left, "right": right, "changes": differing})


def _documents(record: Scored) -> Documents:
    """The final project's files, both drafts, the template and the reference, with
    the two comparisons."""
    documents = Documents()
    final = add_files(documents, record.files)
    draft = add_python(documents, "Draft 1", record.code_draft)
    add_python(documents, "Draft 2", record.template_draft)
    add_python(documents, "Template", record.template)
    reference = add_python(documents, "Reference", record.reference or "")
    decided = decided_text(record)
    if decided:
        documents.add("Decided", "text", plain_lines(decided))
    if draft is not None and final is not None:
        documents.compare(draft, final)
    if final is not None and reference is not None:
        documents.compare(final, reference)
    return documents


def add_python(documents: Documents, name: str, text: str) -> int | None:
    """Adds Python code and gives its number; None for no code."""
    if not text:
        return None
    return documents.add(name, "text", python_lines(text))


def add_files(documents: Documents, files: Sequence[SourceFile]) -> int | None:
    """Adds the files, and gives the number of all the Python in them: that file, or
    several joined, or None."""
    code: dict[int, str] = {}
    for file in files:
        name = clip(file.path, 80)
        if file.path.endswith(".py"):
            number = documents.add(name, "final", python_lines(file.text))
            code[number] = file.text
        else:
            documents.add(name, "final", plain_lines(file.text))
    if len(code) < 2:
        return next(iter(code), None)
    return documents.add("Final", "joined", python_lines(clip_lines("\n".join(code.values()))))
