"""Requests with their labels, and when a reading agrees with one (labels/GUIDE.md)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.request.constraints import Constraint

PLOTS = frozenset(
    "learning_curves confusion_matrix roc_curve pr_curve latent_space samples predictions residuals reconstructions "
    "attention gradcam feature_importance misclassified embeddings loss_histogram".split()
)
"""The plots that the guide has a name for; others are counted neither for nor against a reader."""


LATER_NAMES = frozenset(
    "mel_bands mfccs fft_size hop_length answer_length question_length summary_length patch_size feed_forward "
    "dilations initializer nesterov ema distillation beta_1 margin focal_gamma focal_alpha huber_delta noise_level "
    "kl_weight gradient_penalty critic_steps diffusion_steps gamma epsilon replay_memory target_update episodes "
    "teacher_weight distillation_temperature quantiles loss_weights decay_factor decay_every plateau_patience "
    "warmup_steps warmup_epochs warmup_share gradient_accumulation frozen_epochs life_cap split_order split_by "
    "scaling_per cutoff window_step overlap imputation monitor search trials per threshold threshold_percentile "
    "threshold_deviations nms_iou top_n beam_width temperature sample_length sample_grid every_epochs log log_file "
    "app".split()
)
"""Names that only rows with `"guide": 2` have labels of."""


def is_counted(reading: Constraint, request: LabelledRequest) -> bool:
    """Whether the request's labels say anything about such a reading."""
    if reading.name in LATER_NAMES and request.guide < 2:
        return False
    return reading.name != "plot" or reading.value in PLOTS


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """One constraint as a person marked it."""

    aspect: str
    name: str
    value: str
    words: str
    nth: int = 0
    subject: str = ""
    negated: bool = False

    def span(self, text: str) -> tuple[int, int]:
        if self.nth == 0:
            # "rating" is a column, not the beginning of "ratings.csv" before it.
            whole = re.search(rf"(?<!\w){re.escape(self.words)}(?!\w)", text)
            if whole is not None:
                return whole.span()
        start = text.index(self.words)
        for _ in range(self.nth):
            start = text.index(self.words, start + 1)
        return start, start + len(self.words)

    def agrees(self, reading: Constraint, request: LabelledRequest) -> bool:
        """Whether a reading says the same at the same place; the subject counts where the request has several."""
        if (self.aspect, self.name, self.negated) != (reading.aspect, reading.name, reading.negated):
            return False
        start, end = self.span(request.requirement)
        if reading.end <= start or reading.start >= end:
            return False
        if (
            self.subject
            and reading.subject
            and request.names().count(self.name) > 1
            and self.subject != reading.subject
        ):
            return False
        return _same(self.value, reading.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledRequest:
    """A request with its labels."""

    id: str
    language: str
    requirement: str
    labels: tuple[Label, ...]
    guide: int = 1
    """The edition of the guide that it was labelled by."""

    def names(self) -> list[str]:
        return [label.name for label in self.labels]


def read_labels(path: Path) -> list[LabelledRequest]:
    """The requests of a label file."""
    requests = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        labels = tuple(Label(**label) for label in row["constraints"])
        requests.append(
            LabelledRequest(
                id=row["id"],
                language=row["language"],
                requirement=row["requirement"],
                labels=labels,
                guide=row.get("guide", 1),
            )
        )
    return requests


_MARKS = {"semicolon": ";", "semikolon": ";", "comma": ",", "tabulator": "tab"}
"""Separators by their names: a label has the request's, a reading the mark."""


def _same(labelled: str, read: str) -> bool:
    if _MARKS.get(labelled.lower(), labelled) == _MARKS.get(read.lower(), read):
        return True
    try:
        return float(labelled) == float(read)
    except ValueError:
        return False
