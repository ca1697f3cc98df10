"""Plans as tokens: round trip, what is shortened, and tokenizers that will not do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DLCodeGenError
from pipeline.plan.solution_plan import DatasetShape, Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.planners.causal_lm.codec import PlanCodec
from pipeline.retrieval.sample_pool import load_known_plans
from tests.pipeline.planners.causal_lm.tiny_gpt2 import starter_tokenizer

TOKENIZER = starter_tokenizer()
CODEC = PlanCodec(TOKENIZER, 2048)

_texts = st.text(st.characters(codec="utf-8"), max_size=5)
_counts = st.none() | st.integers(1, 999_999)
_plans = st.builds(
    SolutionPlan,
    task_category=_texts,
    dataset=st.builds(DatasetShape, input=_texts, output=_texts),
    preprocess=_texts,
    architecture=st.builds(
        ModelArchitecture,
        layers=st.lists(_texts, max_size=4).map(tuple),
        hyperparameters=st.builds(
            Hyperparameters,
            optimizer=_texts,
            loss=_texts,
            learning_rate=st.none() | st.floats(1e-8, 1e4),
            batch_size=_counts,
            epochs=_counts,
            metric=_texts,
        ),
    ),
)


def _text(tokens: tuple[int, ...]) -> str:
    return b"".join(CODEC.pieces[token] or b"" for token in tokens).decode()


@given(_plans)
@settings(max_examples=150, deadline=None)
def test_any_plan_comes_back_from_its_tokens(plan: SolutionPlan) -> None:
    example = CODEC.example("Sort shells.", "", plan)
    assert example.shortened == ()
    assert _text(example.tokens[example.plan_start :]) == plan.to_json()
    assert CODEC.decode(example.tokens[example.plan_start :]) == plan


def test_the_starter_plans_come_back_and_end_with_the_end_token() -> None:
    for known in load_known_plans():
        example = CODEC.example(known.requirement, known.attributes, known.plan)
        assert example.tokens[-1] == TOKENIZER.eos_token_id
        if len(known.plan.layers) > 60:  # more than a planner writes: such a plan is shortened
            assert example.shortened == ("layers",)
            continue
        assert example.shortened == ()
        assert CODEC.decode(example.tokens[example.plan_start :]) == known.plan
        prompt = _text(example.tokens[: example.plan_start])
        assert prompt == f"{known.requirement}\n{known.attributes}\nCode Plan: "


def test_a_requirement_that_spells_the_end_token_does_not_end_the_prompt() -> None:
    assert TOKENIZER.eos_token_id not in CODEC.prompt("Classify <|endoftext|> tags.", "")


def test_prompts_lose_the_attributes_end_before_the_requirements() -> None:
    codec = PlanCodec(TOKENIZER, 512)
    requirement = "Tell mushrooms apart. " * 10
    prompt = codec.prompt(requirement, "RGB photos. " * 200)
    text = b"".join(codec.pieces[token] or b"" for token in prompt).decode()
    assert len(prompt) == codec.prompt_limit
    assert text.startswith(" ".join(requirement.split()) + "\nRGB photos.")
    assert text.endswith("\nCode Plan: ")
    assert len(codec.prompt("Tell mushrooms apart. " * 500, "RGB")) == codec.prompt_limit


def test_long_lists_lose_layers_from_the_middle_until_the_example_fits() -> None:
    layers = tuple(f"Dense({number}, activation='relu')" for number in range(60))
    plan = SolutionPlan(task_category="Tabular Regression", architecture=ModelArchitecture(layers=layers))
    codec = PlanCodec(TOKENIZER, 512)
    example = codec.example("Predict prices.", "", plan)
    kept = codec.decode(example.tokens[example.plan_start :]).layers
    assert example.shortened == ("layers",)
    assert len(example.tokens) <= 512
    assert 10 < len(kept) < 60
    half = len(kept) // 2
    assert kept[:half] == layers[:half]
    assert kept[half + 1 :] == layers[60 - (len(kept) - half - 1) :]


def test_a_text_longer_than_its_field_is_cut_between_characters() -> None:
    plan = SolutionPlan(task_category="画像の分類" * 40)
    example = CODEC.example("Sort.", "", plan)
    found = CODEC.decode(example.tokens[example.plan_start :]).task_category
    assert example.shortened == ("values",)
    assert found
    assert plan.task_category.startswith(found)


def test_a_text_longer_than_its_field_is_cut_before_an_escape() -> None:
    plan = SolutionPlan(task_category="\\" * 99)
    example = CODEC.example("Sort.", "", plan)
    assert set(CODEC.decode(example.tokens[example.plan_start :]).task_category) == {"\\"}


def test_numbers_out_of_bounds_are_left_open() -> None:
    hyper = Hyperparameters(batch_size=1_000_000, epochs=20, learning_rate=1e300)
    plan = SolutionPlan(architecture=ModelArchitecture(hyperparameters=hyper))
    example = CODEC.example("Sort.", "", plan)
    found = CODEC.decode(example.tokens[example.plan_start :]).hyperparameters
    assert (found.batch_size, found.epochs, found.learning_rate) == (None, 20, None)
    assert example.shortened == ("values",)


def test_a_context_too_short_for_any_plan_is_an_error() -> None:
    with pytest.raises(DLCodeGenError, match="a context of 128 tokens is too short"):
        PlanCodec(TOKENIZER, 128)


def test_a_tokenizer_without_pad_token_pads_with_the_end_token() -> None:
    assert TOKENIZER.pad_token_id is None
    assert CODEC.pad == TOKENIZER.eos_token_id


def test_a_tokenizer_that_cannot_spell_every_byte_is_an_error() -> None:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"a": 0, "b": 1, "<end>": 2}, unk_token="<end>"))
    with pytest.raises(DLCodeGenError, match="shelf/model: not a byte-level BPE"):
        PlanCodec(PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>"), name="shelf/model")
    with pytest.raises(DLCodeGenError, match="no end token"):
        PlanCodec(PreTrainedTokenizerFast(tokenizer_object=words))
