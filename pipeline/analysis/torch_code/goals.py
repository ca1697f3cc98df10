"""What a training of PyTorch makes smaller, and what it is judged by: loss and metrics."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from pipeline.analysis.values import Call
from pipeline.plan.vocabulary import canonical_metric
from pipeline.syntax import walk
from pipeline.torch.facts import is_loss

_LOSSES = {
    "binary_crossentropy": "BCELoss|BCEWithLogitsLoss|binary_cross_entropy\\w*|MultiLabelSoftMarginLoss",
    "categorical_crossentropy": "CrossEntropyLoss|NLLLoss|nll_loss|cross_entropy",
    "mean_squared_error": "MSELoss|mse_loss",
    "mean_absolute_error": "L1Loss|l1_loss",
    "huber": "SmoothL1Loss|smooth_l1_loss|HuberLoss|huber_loss",
    "kl_divergence": "KLDivLoss|kl_div",
    "ctc": "CTCLoss|ctc_loss",
    "poisson": "PoissonNLLLoss|poisson_nll_loss",
    "hinge": "HingeEmbeddingLoss|hinge_embedding_loss|MultiMarginLoss|multi_margin_loss",
    "cosine_similarity": "CosineEmbeddingLoss|cosine_embedding_loss",
    "triplet": "TripletMargin\\w*Loss|triplet_margin_\\w*",
}
_LOSS_PATTERNS = tuple((re.compile(pattern), name) for name, pattern in _LOSSES.items())


def loss_name(name: str) -> str:
    """A loss of PyTorch in the spelling of `plan.vocabulary`; its own name where that has none."""
    for pattern, known in _LOSS_PATTERNS:
        if pattern.fullmatch(name):
            return known
    return name


_OWN_LOSSES = re.compile(r"dice|tversky|focal|pinball|quantile|contrastive|wasserstein|triplet|info_?nce|perceptual")


def own_loss(tree: ast.Module) -> str:
    """The loss that a function or class of the project computes, by the word for it there."""
    for node in walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and "loss" in node.name.lower():
            names = [inner.id for inner in walk(node) if isinstance(inner, ast.Name)]
            for name in (node.name, *names):
                if word := _OWN_LOSSES.search(name.lower()):
                    return word[0]
    return ""


def written_loss(tree: ast.Module) -> str:
    """The loss that is written out: `((model(x) - y) ** 2).mean()`, `(a - b).abs().mean()`."""
    for node in walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        averaged = node.args[0] if node.args else getattr(node.func, "value", None)
        if name not in ("mean", "sum") or not isinstance(averaged, ast.expr):
            continue
        if isinstance(averaged, ast.BinOp) and isinstance(averaged.op, ast.Pow) and _is_difference(averaged.left):
            return "mean_squared_error"
        if isinstance(averaged, ast.Call) and isinstance(averaged.func, ast.Attribute):
            inner = averaged.args[0] if averaged.args else averaged.func.value
            if averaged.func.attr in _DISTANCES and _is_difference(inner):
                return _DISTANCES[averaged.func.attr]
    return ""


_DISTANCES = {
    "abs": "mean_absolute_error",
    "pow": "mean_squared_error",
    "square": "mean_squared_error",
}


def _is_difference(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)


_HEADS = re.compile(
    r"For(SequenceClassification|TokenClassification|MultipleChoice|QuestionAnswering|MaskedLM|CausalLM|Seq2SeqLM|"
    r"ConditionalGeneration|ImageClassification|AudioClassification|SemanticSegmentation)$"
)


def loss_of_network(name: str) -> str:
    """The loss that a class of Transformers computes of itself when it is given labels; "" for any other."""
    return "categorical_crossentropy" if _HEADS.search(name) else ""


def library_loss(calls: Sequence[Call]) -> str:
    """The first loss that is computed, or else constructed."""
    for call in calls:
        if call.name == "__call__" and isinstance(call.owner, Call) and is_loss(call.owner.path):
            return loss_name(call.owner.name)
    for call in calls:
        if is_loss(call.path):
            return loss_name(call.name)
    return ""


_METRIC_PACKAGES = ("sklearn.metrics.", "torchmetrics.", "torcheval.metrics.")


def metrics(tree: ast.Module, calls: Sequence[Call]) -> Iterator[str]:
    """Those imported from scikit-learn and torchmetrics or called there, then what the program calls by a metric's
    name."""
    nodes = walk(tree)
    words: list[str] = []
    for call in calls:
        if call.path.startswith(_METRIC_PACKAGES):
            words.append(call.name)
        elif call.path in ("evaluate.load", "datasets.load_metric"):
            words += [value for value in call.args[:1] if isinstance(value, str)]
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("sklearn.metrics", "torchmetrics")):
            words += [alias.name for alias in node.names]
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and "loss" not in node.id:
            words.append(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):  # history["val_accuracy"], what is printed
            words += _METRIC_WORDS.findall(node.value[:_LONGEST_TEXT])
    for word in words:
        if name := canonical_metric(word):
            yield name


_METRIC_WORDS = re.compile(r"(?<![a-z])(accuracy|f1|auc|iou|mae|rmse|psnr|ssim|dice|bleu|perplexity)(?![a-z])", re.I)
_LONGEST_TEXT = 200
