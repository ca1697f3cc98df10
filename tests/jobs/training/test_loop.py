"""What a training step sees: padding and other rows change nothing, the prompt is not learned."""

from __future__ import annotations

import pytest

from pipeline.planners.causal_lm.codec import Example
from tests.pipeline.planners.causal_lm.tiny_gpt2 import torch, transformers

from jobs.training.loop import IGNORED, PlanLoss, collate  # isort: skip  (needs torch)

LONG, SHORT = Example((5, 6, 7, 8, 9, 10, 11, 0), 3), Example((12, 13, 0), 1)


@pytest.fixture
def model() -> object:
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=16, n_positions=16, n_embd=16, n_layer=2, n_head=2, initializer_range=0.5, resid_pdrop=0.0,
        embd_pdrop=0.0, attn_pdrop=0.0,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config)


def test_only_the_plan_has_labels() -> None:
    batch = collate([LONG, SHORT], pad=0)
    assert batch["labels"].tolist() == [
        [IGNORED, IGNORED, IGNORED, 8, 9, 10, 11, 0],
        [IGNORED, 13, 0, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED],
    ]
    assert batch["attention_mask"].sum(dim=1).tolist() == [8, 3]


def test_an_example_s_loss_and_gradient_do_not_depend_on_its_neighbours_or_on_padding(model: object) -> None:
    def gradient(*batches: list[Example]) -> tuple[float, object]:
        model.zero_grad()  # type: ignore[attr-defined]
        losses = [PlanLoss(model)(collate(batch, pad=0)) for batch in batches]
        sum(losses).backward()  # type: ignore[union-attr]
        return float(sum(losses).detach()), model.transformer.h[0].attn.c_attn.weight.grad.clone()  # type: ignore[attr-defined]

    together, together_gradient = gradient([LONG, SHORT])
    apart, apart_gradient = gradient([LONG], [SHORT])
    assert together == pytest.approx(apart, rel=1e-5)
    assert torch.allclose(together_gradient, apart_gradient, atol=1e-5)


def test_what_is_padded_with_does_not_matter(model: object) -> None:
    losses = [PlanLoss(model)(collate([LONG, SHORT], pad=pad)).item() for pad in (0, 3)]
    assert losses[0] == losses[1]


def test_the_loss_is_the_negative_log_likelihood_of_the_plan(model: object) -> None:
    with torch.inference_mode():
        logits = model(torch.tensor([SHORT.tokens])).logits[0].log_softmax(-1)  # type: ignore[operator]
        expected = -float(logits[0, 13] + logits[1, 0])
        assert float(PlanLoss(model)(collate([SHORT], pad=0))) == pytest.approx(expected, rel=1e-5)
