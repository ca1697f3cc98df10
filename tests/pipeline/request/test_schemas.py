"""What was asked, the data's contract and the delivery: their shares, and that they travel through Arrow."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from pipeline.request.constraints import Constraint
from pipeline.request.data_contract import Column, DataContract, DataInput, DataTarget, WrittenFile
from pipeline.request.delivery import Assumption, ConstraintCheck, Delivery, Outcome
from pipeline.storage.arrow import from_rows, to_table

TEXT = "Classify photos of 96x64 pixels with Adam, no dropout."


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row that carries all three."""

    constraints: tuple[Constraint, ...] = ()
    contract: DataContract | None = None
    delivery: Delivery | None = None


def constraint(words: str, name: str, value: str, *, negated: bool = False) -> Constraint:
    start = TEXT.index(words)
    return Constraint(aspect="training", name=name, value=value, start=start, end=start + len(words), negated=negated)


ADAM = constraint("Adam", "optimizer", "adam")
NO_DROPOUT = constraint("no dropout", "dropout", "true", negated=True)


def delivery(*outcomes: Outcome) -> Delivery:
    return Delivery(checks=tuple(ConstraintCheck(constraint=ADAM, outcome=outcome) for outcome in outcomes))


def test_a_constraint_knows_its_words_and_its_number() -> None:
    width = constraint("64", "width", "64")
    assert (width.words(TEXT), width.number) == ("64", 64.0)
    assert (NO_DROPOUT.words(TEXT), NO_DROPOUT.number) == ("no dropout", None)


@pytest.mark.parametrize(
    ("outcomes", "share", "satisfied"),
    [
        (("met", "met"), 1.0, True),
        (("met", "not_met", "not_checkable"), 0.5, False),
        (("not_checkable",), None, None),
        ((), None, None),
    ],
)
def test_shares_count_what_can_be_checked(
    outcomes: tuple[Outcome, ...], share: float | None, satisfied: bool | None
) -> None:
    delivered = delivery(*outcomes)
    assert (delivered.constraint_satisfaction, delivered.satisfied) == (share, satisfied)


def test_all_three_travel_through_arrow() -> None:
    contract = DataContract(
        inputs=(
            DataInput(
                name="house",
                kind="table",
                path="house.csv",
                layout="table",
                shape=(5,),
                columns=(Column(name="zipcode", kind="category", missing=0.1, distinct=70),),
            ),
            DataInput(name="photo", kind="image", path="photos/*.jpg", shape=(96, 64, None)),
        ),
        targets=(DataTarget(name="price", kind="number"),),
        writes=(WrittenFile(path="predictions.csv", holds="predictions", columns=("id", "price")),),
        examples=1000,
    )
    assumption = Assumption(name="batch_size", value="32", origin="default", because="Keras's own")
    rows = [
        Row(
            constraints=(ADAM, NO_DROPOUT),
            contract=contract,
            delivery=Delivery(
                checks=(ConstraintCheck(constraint=ADAM, outcome="met", line=12),), assumptions=(assumption,)
            ),
        ),
        Row(),
    ]
    assert from_rows(to_table(rows, Row).to_pylist(), Row) == rows


def test_a_word_that_no_schema_knows_is_refused() -> None:
    row = to_table([Row(delivery=delivery("met"))], Row).to_pylist()[0]
    row["delivery"]["checks"][0]["outcome"] = "perhaps"
    with pytest.raises(ValidationError):
        from_rows([row], Row)
