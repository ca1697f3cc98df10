"""C-CoT's chains: which requirements stand for a category, which category a requirement is of, and the file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pipeline.errors import DLCodeGenError
from pipeline.generate.llm.chains import Categories, load_chains, make_chains, save_chains
from pipeline.llm.asking.asker import Asker
from pipeline.llm.protocol import ChatRequest
from pipeline.llm.scripted import ScriptedLLM
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_category
from pipeline.retrieval.sample_pool import KnownPlan, load_known_plans
from pipeline.starter import STARTER


def _known(*pairs: tuple[str, str]) -> list[KnownPlan]:
    return [
        KnownPlan(id=str(n), requirement=text, attributes="", plan=SolutionPlan(task_category=category))
        for n, (category, text) in enumerate(pairs)
    ]


FEW = _known(
    ("image classification", "Tell photos of beetles apart."),
    ("image classification", "Tell photos of beetles and moths apart."),
    ("Image Classification", "Sort x-ray scans of lungs by disease."),
    ("Image Classification", "Sort x-ray scans of knees by disease."),
    ("Tabular Regression", "Estimate rents from flat size and district."),
)


def test_representatives_come_one_from_each_cluster() -> None:
    categories = Categories(FEW)
    assert categories.names == ("Image Classification", "Tabular Regression")
    chosen = categories.representatives("Image Classification", 2)
    assert len(chosen) == 2
    assert sum("beetles" in text for text in chosen) == 1
    assert categories.representatives("Tabular Regression", 3) == ("Estimate rents from flat size and district.",)
    assert categories.representatives("Image Classification", 2) == Categories(FEW).representatives(
        "Image Classification", 2
    )


def test_requirements_find_their_category() -> None:
    assert Categories(FEW).of("Estimate the rents of offices by their size.") == "Tabular Regression"
    known = load_known_plans(STARTER)
    categories = Categories(known)
    right = sum(categories.of(item.requirement) == canonical_category(item.plan.task_category) for item in known)
    assert right / len(known) > 0.8


def test_a_requirement_that_shares_no_word_has_a_category_all_the_same() -> None:
    assert Categories(FEW).of("") in Categories(FEW).names


def _make(script: object, folder: Path) -> tuple[str, ScriptedLLM]:
    llm = ScriptedLLM(script)  # type: ignore[arg-type]
    made = asyncio.run(make_chains(Asker(llm), Categories(FEW), 2))
    path = str(folder / "c-cot" / "chains.json")
    save_chains(path, llm.model, made)
    return path, llm


def test_each_category_s_chain_is_made_by_one_call_and_kept(tmp_path: Path) -> None:
    path, llm = _make(lambda request: f"1. For {request.messages[-1].content.splitlines()[0]}", tmp_path)
    assert len(llm.requests) == 2
    assert "Let's think step by step" in llm.requests[0].messages[-1].content
    assert load_chains(path) == {
        "Image Classification": "1. For Task category: Image Classification",
        "Tabular Regression": "1. For Task category: Tabular Regression",
    }


def test_a_model_that_gives_no_chain_and_a_file_that_holds_none_are_told(tmp_path: Path) -> None:
    def silent(request: ChatRequest) -> str:
        return ""

    with pytest.raises(DLCodeGenError, match="chains of thought cannot be made"):
        _make(silent, tmp_path)
    broken = tmp_path / "broken.json"
    broken.write_text('{"chains": 3}')
    with pytest.raises(DLCodeGenError, match="no chains of thought"):
        load_chains(str(broken))
