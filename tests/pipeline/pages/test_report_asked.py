"""What the report shows of what was asked."""

from __future__ import annotations

import json
from dataclasses import replace

from pipeline.pages.report_asked import AskedSummary, request_parts
from pipeline.records import Scored
from pipeline.request.constraints import Constraint
from pipeline.request.delivery import Assumption, ConstraintCheck, Delivery, Outcome
from tests.pipeline.pages.report_records import record
from tests.pipeline.pages.test_report import HOSTILE, page, shown


def check(text: str, words: str, outcome: Outcome, name: str = "epochs", evidence: str = "") -> ConstraintCheck:
    start = text.index(words)
    constraint = Constraint(aspect="training", name=name, value=words, start=start, end=start + len(words))
    return ConstraintCheck(constraint=constraint, outcome=outcome, line=4, evidence=evidence)


def row(text: str, *checks: ConstraintCheck) -> Scored:
    assumed = (Assumption(name="batch_size", value="32", origin="neighbour", because="wine-03"),)
    constraints = tuple(one.constraint for one in checks)
    delivery = Delivery(checks=checks, assumptions=assumed)
    return replace(record(0), requirement=text, constraints=constraints, delivery=delivery)


def test_the_words_that_ask_are_marked_by_outcome_and_the_rest_stays() -> None:
    text = f"Train 20 epochs {HOSTILE} with Adam"
    asked = row(text, check(text, "20 epochs", "met"), check(text, "epochs", "not_met"), check(text, "Adam", "met"))
    parts = request_parts(asked)
    marked = [(words, outcome) for words, outcome in parts if outcome]
    assert marked == [("20 ", "met"), ("epochs", "not_met"), ("Adam", "met")]
    data = shown(page([asked]))[0]
    assert data["request"] == [list(part) for part in parts]
    assert "<script>alert" not in page([asked])
    assert request_parts(replace(asked, delivery=None)) == ()


def test_a_row_shows_outcome_line_evidence_and_what_was_assumed() -> None:
    data = shown(page([row("20 epochs", check("20 epochs", "20", "not_met", evidence=HOSTILE))]))[0]
    ((words, outcome, said, line, evidence),) = json.loads(json.dumps(data["checks"]))
    assert (words, outcome, said, line) == ("epochs 20", "not_met", "not met", 4)
    assert evidence.startswith("</script>")
    assert data["assumed"] == [["batch size", "32", "similar projects: wine-03"]]


def test_what_is_missed_most_is_counted_of_what_was_asked() -> None:
    text = "20 epochs, Adam, 9 rows"
    summary = AskedSummary()
    for outcome in ("met", "not_met", "not_met"):
        summary.add(row(text, check(text, "20", outcome), check(text, "Adam", "met", "optimizer")))
    summary.add(row(text, check(text, "20", "not_checkable")))
    summary.add(replace(row(text, check(text, "20", "met")), delivery=None))
    assert [(kind, counts.missed, counts.asked) for kind, counts in summary.most_missed] == [("training: epochs", 2, 3)]
    assert (summary.satisfaction.met, summary.satisfaction.checkable, summary.satisfaction.lost) == (4, 6, 1)
    text_of_page = page([row(text, check(text, "20", "not_met"))])
    assert "Missed most" in text_of_page
    assert "0 of 1 are met (CSR 0 %)" in text_of_page
