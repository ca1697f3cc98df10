"""Whatever its weights, a GPT-2 writes valid plans within its context; a batch and a single prompt agree."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import DLCodeGenError
from pipeline.plan.solution_plan import Hyperparameters, SolutionPlan
from pipeline.planners.causal_lm.codec import PlanCodec
from pipeline.planners.causal_lm.constraint import PlanConstraint
from pipeline.planners.causal_lm.grammar import MAX_LAYERS, MAX_REPEATS, repeats_too_often
from pipeline.planners.causal_lm.planner import Gpt2Planner
from pipeline.records import Requirement
from tests.pipeline.planners.causal_lm.tiny_gpt2 import random_gpt2, starter_tokenizer, torch, transformers

TOKENIZER = starter_tokenizer()


def _requirements(count: int) -> list[Requirement]:
    nouns = ["mushrooms", "X-ray images of hands", "日本の花", 'quoted "words"', "tides"]
    return [
        Requirement(
            id=f"r{n}", row=n, requirement=f"Classify {nouns[n % 5]} " + "of a kind " * n, attributes="a, b" * n
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("context", [260, 512])
def test_any_walk_through_the_grammar_is_a_plan_within_the_limit(context: int) -> None:
    codec = PlanCodec(TOKENIZER, 512)
    constraint = PlanConstraint(codec, len(TOKENIZER))
    draw = random.Random(context)
    for _ in range(150):
        position, tokens = constraint.start(context), []
        while not position.done:
            if position.pending:
                token = position.pending[0]
            else:
                allowed = np.flatnonzero(constraint.mask_table()[constraint.mask(position)])
                token = int(draw.choice(allowed))
            tokens.append(token)
            position = constraint.advance(position, token)
        assert len(tokens) + position.left == context
        assert position.left >= 0
        assert tokens[-1] == TOKENIZER.eos_token_id
        codec.decode(tokens)


@pytest.mark.parametrize(("seed", "spread"), [(0, 0.02), (1, 0.3), (2, 2.0), (3, 50.0)])
def test_random_weights_write_valid_plans(tmp_path: Path, seed: int, spread: float) -> None:
    folder = random_gpt2(tmp_path, seed=seed, spread=spread, tokenizer=TOKENIZER)
    requirements = _requirements(16)
    for beams in (1, 3):
        plans = Gpt2Planner(folder, beams=beams).plans(requirements)
        assert len(plans) == len(requirements)
        for plan in plans:
            assert SolutionPlan.model_validate(json.loads(plan.to_json())) == plan
            assert len(plan.layers) <= MAX_LAYERS


def test_a_batch_gives_each_prompt_the_plan_it_gets_alone(tmp_path: Path) -> None:
    folder = random_gpt2(tmp_path, seed=4, spread=0.5, context=400, tokenizer=TOKENIZER)
    requirements = _requirements(5)
    together = Gpt2Planner(folder, batch=5).plans(requirements)
    assert together == Gpt2Planner(folder, batch=5).plans(requirements)
    assert together == [Gpt2Planner(folder).plans([item])[0] for item in requirements]
    assert Gpt2Planner(folder)(requirements[2]) == {"plan": together[2], "plan_sources": ()}


class _Biased(transformers.GPT2LMHeadModel):
    """Always wants the same few tokens, whatever came before, in a fixed order of preference."""

    wanted: tuple[int, ...] = ()

    def forward(self, *arguments: object, **named: object) -> object:
        found = super().forward(*arguments, **named)
        found.logits.zero_()
        for rank, token in enumerate(self.wanted):
            found.logits[..., token] = 50.0 - rank
        return found


def _written(codec: PlanCodec, *wanted: str) -> SolutionPlan:
    from pipeline.planners.causal_lm.decoding import PlanDecoder

    config = transformers.GPT2Config(
        vocab_size=len(TOKENIZER), n_positions=codec.context, n_embd=16, n_layer=1, n_head=2
    )
    model = _Biased(config)
    model.wanted = tuple(codec.encode(text)[0] for text in wanted)
    return codec.decode(PlanDecoder(model, codec, beams=1).decode([codec.prompt("Sort.", "")])[0])


def test_a_text_that_would_not_end_is_closed_at_the_length_of_its_field() -> None:
    plan = _written(PlanCodec(TOKENIZER, 900), "x", "]")
    assert (plan.task_category, plan.dataset.input) == ("x" * 32, "x" * 96)
    assert plan.layers == ()
    assert plan.hyperparameters.metric == "x" * 64


def test_texts_that_would_fill_the_context_leave_room_for_the_rest_of_the_plan() -> None:
    plan = _written(PlanCodec(TOKENIZER, 300), "x")
    assert plan.dataset.input.startswith("x" * 32)
    assert plan.hyperparameters == Hyperparameters(learning_rate=1.0, batch_size=1, epochs=1)


def test_a_list_that_repeats_itself_is_closed() -> None:
    """The model prefers a comma to a bracket and closes every entry at once: it would repeat "" for ever."""
    plan = _written(PlanCodec(TOKENIZER, 512), '"', ",")
    assert plan.layers == ("",) * MAX_REPEATS


def test_blocks_count_as_repeated_only_when_whole_and_in_a_row() -> None:
    one, two = (1,), (2,)
    assert repeats_too_often((two, *[one] * MAX_REPEATS))
    assert repeats_too_often((one, two) * MAX_REPEATS)
    assert not repeats_too_often((one, two) * (MAX_REPEATS - 1) + (one,))
    assert not repeats_too_often(((one, two) * MAX_REPEATS)[1:])
    assert not repeats_too_often(())


def test_beams_find_a_plan_at_least_as_likely_as_the_greedy_one(tmp_path: Path) -> None:
    """With one token a value, the search is exact enough to compare: both scores are computed from the model anew."""
    folder = random_gpt2(tmp_path, seed=5, spread=0.4, context=400, tokenizer=TOKENIZER)
    requirements = _requirements(6)
    codec = PlanCodec(TOKENIZER, 400)
    model = transformers.GPT2LMHeadModel.from_pretrained(folder).eval()
    constraint = PlanConstraint(codec, len(TOKENIZER))

    def likelihood(record: Requirement, plan: SolutionPlan) -> float:
        prompt = codec.prompt(record.requirement, record.attributes)
        example = codec.example(record.requirement, record.attributes, plan)
        logits = model(torch.tensor([example.tokens])).logits[0]
        position, total, chosen = constraint.start(400 - len(prompt)), 0.0, 0
        for place, token in enumerate(example.tokens[example.plan_start :], start=example.plan_start):
            if not position.pending:
                allowed = torch.from_numpy(constraint.mask_table()[constraint.mask(position)])
                scores = logits[place - 1].masked_fill(~allowed, -torch.inf).log_softmax(-1)
                total, chosen = total + float(scores[token]), chosen + 1
            position = constraint.advance(position, token)
        return total / chosen

    greedy = Gpt2Planner(folder, beams=1).plans(requirements)
    beams = Gpt2Planner(folder, beams=8).plans(requirements)
    with torch.inference_mode():
        gains = [likelihood(r, b) - likelihood(r, g) for r, g, b in zip(requirements, greedy, beams, strict=True)]
    assert np.mean(gains) > 0


def test_folders_that_hold_no_model_are_named_with_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match=r"nowhere: no such folder"):
        Gpt2Planner(str(tmp_path / "nowhere"))
    folder = random_gpt2(tmp_path / "run" / "model", seed=0, tokenizer=TOKENIZER)
    assert Gpt2Planner(str(tmp_path / "run")).plans(_requirements(1))
    (Path(folder) / "model.safetensors").rename(tmp_path / "moved")
    (Path(folder) / "tokenizer.json").unlink()
    with pytest.raises(DLCodeGenError, match=r"run/model.*no model\.safetensors, no tokenizer\.json or vocab"):
        Gpt2Planner(str(tmp_path / "run"))
    (Path(folder) / "model.safetensors").write_bytes((tmp_path / "moved").read_bytes()[:100])
    TOKENIZER.save_pretrained(folder)
    with pytest.raises(DLCodeGenError, match="cannot be loaded as a GPT-2"):
        Gpt2Planner(folder)
    (Path(folder) / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(DLCodeGenError, match="a model of type 'llama'"):
        Gpt2Planner(folder)


def test_a_tokenizer_larger_than_the_model_is_an_error(tmp_path: Path) -> None:
    folder = random_gpt2(tmp_path, seed=0, tokenizer=starter_tokenizer(400), context=700)
    starter_tokenizer(900).save_pretrained(folder)
    with pytest.raises(DLCodeGenError, match="do not belong together"):
        Gpt2Planner(folder)
