"""What was asked and delivered, in a terminal and in the summary of a run."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from jobs.commands.generate import asked_rows
from jobs.runs.asked import assumed_lines, assumptions_table, constraints_table, delivery_table
from pipeline.measures.delivery.check import Satisfaction
from pipeline.request.delivery import Assumption, ConstraintCheck, Delivery
from tests.pipeline.measures.asked import asked

DELIVERY = Delivery(
    checks=(
        ConstraintCheck(constraint=asked("training.epochs=3"), outcome="met", line=7),
        ConstraintCheck(constraint=asked("not training.dropout=true"), outcome="not_met", line=4, evidence="0.5"),
        ConstraintCheck(constraint=asked("size.examples=900"), outcome="not_checkable", evidence="it lies in the data"),
    ),
    assumptions=(Assumption(name="batch_size", value="32", origin="neighbour", because="plan wine-03"),),
)


def shown(table: Table) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_asked_and_delivered_has_outcome_line_and_what_stands_there() -> None:
    text = shown(delivery_table(DELIVERY))
    assert "1 of 2 met" in text
    dropout = next(line for line in text.splitlines() if "no dropout" in line)
    assert "not met" in dropout
    assert "4" in dropout
    assert "0.5" in dropout
    assert "it lies in the data" in text
    assert "similar projects: plan wine-03" in shown(assumptions_table(DELIVERY))
    assert list(assumed_lines(DELIVERY)) == ["assumed: batch size 32 (similar projects: plan wine-03)"]
    assert "epochs 3" in shown(constraints_table([asked("training.epochs=3")]))


def test_the_words_that_ask_stand_beside_what_they_ask_for() -> None:
    text = shown(delivery_table(DELIVERY, {"requirement": "3 epochs"}))
    assert "in the words" in text
    assert "in the words" not in shown(delivery_table(DELIVERY))


def test_the_summary_has_both_shares_with_denominators_and_failed_rows_beside_them() -> None:
    rows = dict(asked_rows(Satisfaction(met=3, checkable=4, not_checkable=2, satisfied=1, rows=2)))
    assert rows["constraints met (CSR)"] == "3 of 4, 75.0%; 2 not checkable"
    assert rows["rows with all met (SSR)"] == "1 of 2, 50.0%"
    assert len(rows) == 2
    with_failures = Satisfaction(met=3, checkable=4, satisfied=1, rows=2, lost=2, lost_rows=1)
    assert "CSR 3 of 6, 50.0%; SSR 1 of 3, 33.3%" in dict(asked_rows(with_failures)).values()
    assert not list(asked_rows(Satisfaction()))
