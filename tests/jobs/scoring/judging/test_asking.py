"""A judge asked about runs: which questions, which answers, and what is never asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from jobs.scoring.judging.asking import Questions, Side, ask_judge, contaminated_by, sides_of
from jobs.scoring.judging.results import judge_warnings, judging_of
from jobs.scoring.judging.tables import judge_tables
from jobs.scoring.run_outputs import Run
from pipeline.comparison.judge_rows import MACHINERY_FAILED, NO_CODE
from pipeline.llm.protocol import ChatRequest, Sampling
from pipeline.llm.scripted import ScriptedLLM
from pipeline.measures.outputs import MethodName
from pipeline.records import SCRIPT, Failure, Scored, SourceFile
from pipeline.starter import sample_rows
from tests.jobs.scoring.listed_run import ListedRun


def record(item: str, code: str, kind: str = "") -> Scored:
    return Scored(
        id=item,
        row=0,
        requirement=f"Task {item}",
        files=(SourceFile(path=SCRIPT, text=code),) if code else (),
        failure=Failure(stage="draft", kind=kind, message="") if kind else None,
    )


def run(method: str, model: str = "") -> Run:
    return Run(folder=method, name=MethodName("Runs", model, method))


def side(method: str, *records: Scored) -> Side:
    return Side(run=run(method), records={record.id: record for record in records})


OURS = side("ours", record("a", "ours_a"), record("b", "ours_b"), record("c", "ours_c"), record("d", "ours_d"))
OTHER = side("other", record("a", "other_a"), record("b", "", "refused"), record("c", "", "crash"), record("e", "x"))


def answer(request: ChatRequest) -> str:
    """Seven points for everything, and the first project of a pair is better. It has no opinion on d,
    however often it is asked."""
    if any("Task d" in message.content for message in request.messages):
        return "no opinion"
    if "Project B:" in request.messages[-1].content:
        return json.dumps({"reason": "", "compliance": "A", "usefulness": "tie", "idiomaticity": "A"})
    return json.dumps({"reason": "", "compliance": 7, "usefulness": 7, "idiomaticity": 7})


def questions(*, samples: int = 2, pairs: bool = True) -> Questions:
    return Questions(judge="j", sampling=Sampling(seed=5), samples=samples, pairs=pairs, at_once=2, quiet=True)


def test_a_method_without_code_has_no_points_and_a_failed_machine_no_score() -> None:
    llm = ScriptedLLM(answer)
    judgements, _ = asyncio.run(ask_judge(llm, questions(pairs=False), [OURS, OTHER], OURS))
    by_item = {(row.method, row.item): row for row in judgements}
    assert (by_item["other", "b"].unasked, by_item["other", "b"].compliance) == (NO_CODE, 0.0)
    assert (by_item["other", "c"].unasked, by_item["other", "c"].compliance) == (MACHINERY_FAILED, None)
    assert by_item["other", "a"].compliance == 7
    # Six projects have code; of d each sample is asked for a second time.
    assert len(llm.requests) == 2 * 6 + 2
    assert len(judgements) == 2 * 6 + 2


def test_each_sample_has_a_seed_of_its_own() -> None:
    llm = ScriptedLLM(answer)
    ours = side("ours", record("a", "x"), record("b", "y"))
    asyncio.run(ask_judge(llm, questions(samples=3, pairs=False), [ours], ours))
    assert len({request.sampling.seed for request in llm.requests}) == 6, "two items, three samples each"


def test_pairs_are_asked_in_both_orders_where_both_have_code() -> None:
    _, preferences = asyncio.run(ask_judge(ScriptedLLM(answer), questions(), [OURS, OTHER], OURS))
    assert {(row.method, row.against, row.item) for row in preferences} == {("other", "ours", "a")}
    assert [(row.sample, row.first, row.compliance) for row in preferences] == [
        (0, "other", 1.0),
        (0, "ours", 0.0),
        (1, "other", 1.0),
        (1, "ours", 0.0),
    ]


def test_an_answer_that_cannot_be_read_is_said_in_its_row() -> None:
    judgements, _ = asyncio.run(ask_judge(ScriptedLLM(answer), questions(), [OURS, OTHER], OURS))
    unread = [row for row in judgements if row.failure]
    assert {(row.method, row.item) for row in unread} == {("ours", "d")}
    assert all(row.failure.startswith("unreadable_verdict") and row.compliance is None for row in unread)


def test_tables_of_a_judging() -> None:
    judgements, preferences = asyncio.run(ask_judge(ScriptedLLM(answer), questions(), [OURS, OTHER], OURS))
    runs = [OURS.run, OTHER.run]
    judging = judging_of("j", runs, OURS.run.name, judgements, preferences, {"a": "pool"}, "out")
    assert judging.failures == 2  # both samples of d
    rows = {(row.method, row.subset): row for row in judging.rows if row.aspect == "compliance"}
    other = rows["other", "all"]
    assert (other.asked, other.judged, other.without_code, other.machinery_failures) == (4, 3, 1, 1)
    assert rows["other", "not contaminated"].asked == 3
    assert {row.against for row in judging.comparisons} == {"ours"}
    scores, _, pairs, clean_scores, _, clean_pairs = judge_tables(judging)
    assert (scores.row_count, clean_scores.row_count) == (2, 2)
    assert (pairs.row_count, clean_pairs.row_count) == (3, 0)  # an aspect a row; the only pair is contaminated


def test_items_are_evenly_spaced_over_the_first_run() -> None:
    records = tuple(record(str(number), "x") for number in range(10))
    name = MethodName("Runs", "", "m")
    first = ListedRun(folder="1", name=name, listed=records)
    second = ListedRun(folder="2", name=name, listed=records[::-1][:7])
    ids = [list(side.records) for side in sides_of([first, second], 3)]
    assert ids == [["0", "4", "8"], ["8", "4"]]
    assert len(sides_of([first], None)[0].records) == 10


def test_contaminated_items_are_named_with_what_held_them() -> None:
    row, code = next(iter(sample_rows()))
    known = Scored(id="known", row=0, requirement=row["User Requirement"], reference=code)
    new = Scored(id="new", row=1, requirement="Tell nine kinds of owls apart.", reference="import keras\n")
    sources: Mapping[str, str] = contaminated_by([Side(run=run("m"), records={"known": known, "new": new})])
    assert set(sources) == {"known"}
    assert "pool" in sources["known"]


def test_a_judge_of_a_writers_family_is_warned_of() -> None:
    own = list(judge_warnings("gpt-4o", [run("direct", "gpt-4o-mini"), run("symbolic")]))
    assert len(own) == 1
    assert "its own family (gpt) in direct" in own[0]
    (unknown,) = judge_warnings("my-judge", [run("direct", "my-writer"), run("ps", "gpt-4o")])
    assert (
        unknown == "whether my-judge judges its own family was not checked: no family is known for my-judge, my-writer"
    )
    (itself,) = judge_warnings("my-model", [run("direct", "my-model"), run("ps", "another")])
    assert "my-model judges its own family" in itself
    assert list(judge_warnings("claude-x", [run("direct", "gpt-4o")])) == []
