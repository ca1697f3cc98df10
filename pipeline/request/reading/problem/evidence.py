"""What the rest of a request implies about its problem: boxes are those of detection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

_OF_AMOUNTS = frozenset(
    "mae mse rmse r2 mape smape wape rmsle msle pearson spearman median_absolute_error huber log_cosh quantile poisson "
    "residuals predictions".split()
)
"""Losses, metrics and plots of amounts."""
_OF_CATEGORIES = frozenset(
    "accuracy balanced_accuracy f1 micro_f1 macro_f1 weighted_f1 f2 auc pr_auc precision recall specificity "
    "mcc log_loss top_2_accuracy top_3_accuracy top_5_accuracy hamming_loss g_mean binary_crossentropy "
    "categorical_crossentropy sparse_categorical_crossentropy crossentropy focal hinge confusion_matrix roc_curve "
    "pr_curve misclassified classification_report threshold softmax multi_label".split()
)
_SETTINGS_OF_CATEGORIES = frozenset(("class_weights", "oversampling", "label_smoothing", "stratified"))
_NAMES = frozenset(("loss", "metric", "plot", "report", "activation", "variant"))
_DETECTORS = frozenset("yolo ssd faster_rcnn retinanet centernet".split())
_BOXES = frozenset("box boxes bboxes bbox bounding".split())
_SEGMENTERS = frozenset("unet deeplab fcn segnet mask_rcnn".split())
_OVERLAPS = frozenset("dice iou jaccard tversky".split())
_GENERATORS = frozenset("gan dcgan wgan conditional_gan stylegan diffusion normalizing_flow".split())
_DECODERS = frozenset("top_k top_p character_level".split())
_AGENTS = frozenset("dqn ppo actor_critic reinforce".split())
_REWARDS = frozenset("reward rewards return returns policy epsilon gamma replay environment".split())
_OF_NORMAL = frozenset(("one_class", "by_reconstruction"))
_TAGGED = frozenset("bio iob conll entity entities".split())
_READERS = frozenset(("ctc", "cer", "wer", "crnn"))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a request's terms imply about its problem."""

    amounts: bool
    """Its losses and metrics are those of amounts."""
    categories: bool
    """They are those of categories, or classes are named."""
    detects: bool
    segments: bool
    generates: bool
    acts: bool
    """An agent is trained by rewards."""
    from_normal: bool
    """The model learns what is normal."""
    writes_out: bool
    """The model gives letters: CTC, an error rate of characters."""
    tags: bool
    """Tokens are tagged."""
    pictures: bool


def evidence_of(pieces: list[Piece], stances: Sequence[Stance]) -> Evidence:
    """What losses, metrics, families and the like imply."""
    values: set[str] = set()
    measures: set[str] = set()
    counts_classes = False
    for index, piece in enumerate(pieces):
        if not piece.terms or stances[index] != "asked":
            continue
        for term in piece.terms:
            if term.role == "is":
                values.add(term.value)
                if term.name in _NAMES:
                    measures.add(term.value)
                elif term.name == "samples":
                    values.add("top_p")  # texts are sampled
                elif term.name in _SETTINGS_OF_CATEGORIES:
                    measures.add("accuracy")
            elif term.name == "count" and index and _is_counted(pieces, index):
                counts_classes = True
    words = {piece.key for index, piece in enumerate(pieces) if stances[index] == "asked"}
    of_amounts, of_categories = len(measures & _OF_AMOUNTS), len(measures & _OF_CATEGORIES) + counts_classes
    boxes = bool(words & _BOXES)
    return Evidence(
        amounts=of_amounts > of_categories,
        categories=of_categories > of_amounts,
        detects=bool(values & _DETECTORS) or (boxes and "image" in values),
        segments=bool(values & _SEGMENTERS and values & _OVERLAPS) or "mask_rcnn" in values,
        generates=bool(values & _GENERATORS) or (bool(values & _DECODERS) and of_categories < 2),
        acts=bool(values & _AGENTS) or (len(words & _REWARDS) > 1 and bool(words & {"agent", "episodes"})),
        from_normal=bool(values & _OF_NORMAL),
        writes_out=bool(values & _READERS),
        tags="tagging" in values or not words.isdisjoint(_TAGGED),
        pictures="image" in values and "audio" not in values,
    )


def _is_counted(pieces: list[Piece], index: int) -> bool:
    return any(piece.kind == "number" for piece in pieces[max(0, index - 3) : index])
