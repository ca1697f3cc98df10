"""Two-stage retrieval and the contamination firewall."""

from __future__ import annotations

import pytest

from pipeline.errors import StageFailure
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import Planned
from pipeline.retrieval.code_rag import CodeRag
from pipeline.retrieval.firewall import Firewall
from pipeline.retrieval.sample_pool import Sample


def _sample(name: str, category: str, requirement: str, layers: str = "Dense(1)", code: str = "") -> Sample:
    plan = SolutionPlan.model_validate({"Task Category": category, "Model Architecture": {"Layers": (layers,)}})
    return Sample(id=name, requirement=requirement, attributes="", plan=plan, code=code or f"print({name!r})")


POOL = (
    _sample("leaves", "Image Classification", "Classify leaves of trees by species", "Conv2D(32, 3)"),
    _sample("digits", "Image Classification", "Read handwritten digits", "Conv2D(64, 3)"),
    _sample("houses", "Tabular Regression", "Estimate what a house will sell for", "Dense(64)"),
    _sample("reviews", "Text Classification", "Tell whether a film review is positive", "Embedding(1000, 64)"),
)


def _row(requirement: str, category: str, layers: str = "Conv2D(32, 3)", reference: str | None = None) -> Planned:
    plan = SolutionPlan.model_validate({"Task Category": category, "Model Architecture": {"Layers": (layers,)}})
    return Planned(id="q", row=0, requirement=requirement, plan=plan, reference=reference)


def _ids(fields: dict[str, object], name: str = "samples") -> list[str]:
    return [item.id for item in fields[name]]  # type: ignore[attr-defined]


def test_the_plans_category_comes_first() -> None:
    fields = CodeRag(POOL)(_row("sort mushrooms by genus", "image classification"))
    assert _ids(fields) == ["leaves", "digits"]


def test_a_category_without_samples_falls_back_to_all() -> None:
    fields = CodeRag(POOL)(_row("tell bird calls apart", "Audio Classification", "Embedding(1000, 64)"))
    assert _ids(fields)[0] == "reviews"
    assert len(_ids(fields)) == 2


def test_a_category_with_one_sample_is_filled_from_the_others() -> None:
    fields = CodeRag(POOL)(_row("price of flats", "Tabular Regression", "Dense(64)"))
    assert _ids(fields)[0] == "houses"
    assert len(_ids(fields)) == 2


def test_a_wrong_category_is_overruled_by_a_sample_that_fits_far_better() -> None:
    fields = CodeRag(POOL)(
        _row("tell whether a film review is sad or positive", "Tabular Regression", "Embedding(1000, 64)")
    )
    assert _ids(fields)[0] == "reviews"


def test_the_querys_own_requirement_is_kept_out_and_recorded() -> None:
    fields = CodeRag(POOL)(_row("Classify leaves of trees by species.", "Image Classification"))
    assert "leaves" not in _ids(fields)
    (excluded,) = fields["excluded"]  # type: ignore[misc]
    assert (excluded.id, excluded.reason, excluded.similarity) == ("leaves", "same requirement", 1.0)


def test_a_near_copy_of_the_reference_is_kept_out() -> None:
    code = "\n".join(f"layer_{number} = Dense({number}, activation='relu')(x)" for number in range(40))
    pool = (*POOL, _sample("fork", "Image Classification", "Something else altogether", "Conv2D(32, 3)", code))
    changed = code.replace("Dense(7,", "Dense(70,").replace("Dense(30,", "Dense(31,")
    row = _row("sort mushrooms", "Image Classification", "Conv2D(32, 3)", reference=changed)
    fields = CodeRag(pool, top=5)(row)
    assert "fork" not in _ids(fields)
    (excluded,) = fields["excluded"]  # type: ignore[misc]
    assert (excluded.id, excluded.reason) == ("fork", "near-duplicate of the reference code")
    open_gate = CodeRag(pool, top=5, firewall=Firewall(code_similarity=1.1))
    assert "fork" in _ids(open_gate(row))


def test_a_firewall_that_leaves_nothing_fails_the_row() -> None:
    with pytest.raises(StageFailure, match="kept out all 1 samples"):
        CodeRag(POOL[:1])(_row("Classify leaves of trees by species", "Image Classification"))


@pytest.mark.shared
def test_no_published_benchmark_row_meets_its_own_reference(artifact: str) -> None:
    from itertools import islice

    from pipeline.inputs.artifact import read_benchmark
    from pipeline.retrieval.sample_pool import load_samples

    samples = load_samples(artifact)
    code = {sample.id: sample.code for sample in samples}
    rag = CodeRag(samples, top=46)
    for row in islice(read_benchmark(artifact), 46):
        plan = SolutionPlan(task_category="Image Classification")
        fields = rag(Planned(id=row.id, row=row.row, requirement=row.requirement, reference=row.reference, plan=plan))
        assert all(code[name].strip() != (row.reference or "").strip() for name in _ids(fields))
