"""One name for a loss that was observed, whatever a framework calls it."""

from __future__ import annotations

from pipeline.plan.vocabulary import canonical_loss

_OF_TORCH = {
    "nll_loss": "categorical_crossentropy",
    "l1_loss": "mean_absolute_error",
    "smooth_l1_loss": "huber",
    "huber_loss": "huber",
    "mse_loss": "mean_squared_error",
    "binary_cross_entropy": "binary_crossentropy",
    "binary_cross_entropy_with_logits": "binary_crossentropy",
    "kl_div": "kl_divergence",
    "ctc_loss": "ctc",
}

_CROSSENTROPIES = frozenset({"categorical_crossentropy", "sparse_categorical_crossentropy"})


def canonical(loss: str) -> str:
    """Keras' name of it; "" for several losses, and for one of the project's own."""
    if not loss or ", " in loss:
        return ""
    return _OF_TORCH.get(loss) or canonical_loss(loss)


def same_loss(one: str, other: str) -> bool:
    """Whether two canonical losses are the same but for how the labels are written."""
    return one == other or {one, other} == _CROSSENTROPIES
