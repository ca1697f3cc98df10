"""The tasks: drawn alike each time, their answers kept back, their references outside of the pool."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import DLCodeGenError
from pipeline.hidden_tests.baselines import lucky_score, trivial_predictions
from pipeline.hidden_tests.certificate import certificates
from pipeline.hidden_tests.grading import Bounds, graded
from pipeline.hidden_tests.metrics import METRICS
from pipeline.hidden_tests.predictions import truth
from pipeline.hidden_tests.references import reference_of
from pipeline.hidden_tests.task import Task, all_tasks, chosen_tasks
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import Planned
from pipeline.retrieval.code_rag import CodeRag
from pipeline.retrieval.sample_pool import Sample, load_samples

# One of each module of families: drawing all tasks takes half a minute.
ONE_OF_EACH = list({task.family.partition(".")[0]: task for task in reversed(all_tasks())}.values())


def test_there_are_tasks_for_all_kinds_of_data() -> None:
    counts = Counter(task.category for task in all_tasks())
    assert sum(counts.values()) >= 60
    assert set(counts) == {
        "table", "image", "text", "series", "audio", "recommendation", "pairs", "graph", "video",
    }  # fmt: skip
    assert len({task.id for task in all_tasks()}) == len(all_tasks())


@pytest.mark.parametrize("task", ONE_OF_EACH, ids=lambda task: task.id)
def test_data_are_the_same_each_time_and_say_nothing_of_the_answers(task: Task) -> None:
    data, again = task.data(), task.data()
    assert data.digest() == again.digest()
    assert data.files.keys() == again.files.keys()
    assert not any("answer" in path for path in data.files)
    asked = data.answers[data.id_column].astype(str)
    for path, content in data.files.items():
        if not path.endswith(".csv") or "sample_submission" in path:
            continue
        separators = {"sep": task.parameters.get("sep", ",")}
        table = pd.read_csv(io.BytesIO(content), dtype=str, **separators)
        if data.id_column in table and set(data.targets) & set(table):
            assert not set(table[data.id_column]) & set(asked), f"{path} holds answers"


def test_requests_say_what_to_write_and_certificates_are_of_their_metrics() -> None:
    for task in all_tasks():
        assert "predictions.csv" in task.requirement, task.id
        assert task.metric in METRICS, task.id
        certificate = certificates().get(task.id)
        assert certificate is None or certificate.metric == task.metric, task.id


def test_the_control_changes_what_is_learnt_from_and_nothing_that_is_asked_for() -> None:
    (task,) = chosen_tasks(["iris-species"])
    data, control = task.data(), task.data(control=1)
    assert data.answers.equals(control.answers)
    assert data.files["test.csv"] == control.files["test.csv"]
    learnt, dealt = (pd.read_csv(io.BytesIO(one.files["train.csv"])) for one in (data, control))
    assert learnt.drop(columns="species").equals(dealt.drop(columns="species"))
    assert sorted(learnt["species"]) == sorted(dealt["species"])
    assert (learnt["species"] != dealt["species"]).mean() > 0.4
    assert task.data(control=2).files["train.csv"] != control.files["train.csv"]


def test_neither_constants_nor_luck_count_as_learnt() -> None:
    (task,) = chosen_tasks(["credit-grade"])
    data = task.data()
    metric, answers = METRICS[task.metric], truth(data, task.kind)
    constants = [metric(answers, predictions) for predictions in trivial_predictions(data, task.kind)]
    luck = lucky_score(metric, answers, np.random.default_rng(1).permutation(answers))
    # Macro F1 gives a guess of the right mixture more than any constant.
    assert luck > max(constants)
    bounds = Bounds(trivial=luck, reference=0.9)
    assert not any(graded(task, score, bounds).learnt for score in [*constants, luck])
    assert graded(task, luck + 0.01, bounds).learnt
    assert not graded(task, 0.89, bounds).reaches
    assert graded(task, 0.9, bounds).reaches


def test_less_is_better_for_errors() -> None:
    (task,) = chosen_tasks(["house-prices"])
    bounds = Bounds(trivial=100.0, reference=40.0)
    assert not graded(task, 100.0, bounds).learnt
    assert graded(task, 99.0, bounds).learnt
    assert graded(task, 40.0, bounds).reaches
    assert not graded(task, 41.0, bounds).reaches


def test_the_firewall_keeps_the_reference_and_its_neighbours_out() -> None:
    (task,) = chosen_tasks(["telecom-churn"])
    reference = reference_of(task, task.data()).text
    plan = SolutionPlan(task_category="Tabular Classification")
    forked = reference.replace("C=3.0", "C=1.0").replace("max_iter=2000", "max_iter=500")
    pool = [
        Sample(id="itself", requirement="Another one.", attributes="", plan=plan, code=reference),
        Sample(id="fork", requirement="Yet another.", attributes="", plan=plan, code=forked),
        Sample(id="words", requirement=task.requirement, attributes="", plan=plan, code="print(1)"),
        *load_samples()[:3],
    ]
    row = Planned(id=task.id, row=0, requirement=task.requirement, reference=reference, plan=plan)
    found = CodeRag(pool, top=3)(row)
    assert {sample.id for sample in found["excluded"]} == {"itself", "fork", "words"}  # type: ignore[attr-defined]


def test_no_sample_of_the_pool_is_like_a_reference() -> None:
    """So that the firewall takes nothing from the pool that an honest method needs."""
    from pipeline.retrieval.firewall import Firewall, row_shingles

    known = [row_shingles(sample.requirement, sample.code) for sample in load_samples()]
    by_program = {task.reference.program: task for task in all_tasks()}
    for task in by_program.values():
        query = row_shingles(task.requirement, reference_of(task, task.data()).text)
        assert [reason for sample in known if (reason := Firewall().reason(query, sample))] == []


def test_an_unknown_task_is_said_with_the_way_out() -> None:
    with pytest.raises(DLCodeGenError, match="no task or category 'tabels'; categories: "):
        chosen_tasks(["tabels"])
