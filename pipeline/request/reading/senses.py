"""What a number is where the kind of model or of data decides: a hidden size, samples of a signal, a loss's gamma."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pipeline.request.constraints import Aspect
from pipeline.request.reading.found import Found
from pipeline.request.reading.quantities import Measured
from pipeline.request.terms.pieces import Piece

Sense = tuple[Aspect, str]
"""The aspect and the name of a constraint."""

_RECURRENT = frozenset(("lstm", "gru", "bilstm", "bigru", "rnn"))
_TRANSFORMERS = frozenset(("transformer", "vision_transformer"))
_WITH_FEED_FORWARD = _TRANSFORMERS | {"attention", "encoder_decoder"}
_GIVES = frozenset("give gives output outputs predict predicts predicting return returns regress regresses".split())
_DEEP = frozenset(("unet", "autoencoder", "resnet", "encoder_decoder"))
_SCHEDULES = frozenset("step exponential reduce_on_plateau inverse_time cosine cyclical".split())
_PENALIZED = frozenset(("wgan", "wasserstein"))
_BEFORE = 10
"""How many pieces before a number may say what kind of a thing it belongs to."""

_NEEDS: dict[str, frozenset[str]] = {
    "huber_delta": frozenset(("huber",)),
    "kl_weight": frozenset(("variational_autoencoder", "kl_divergence")),
    "gradient_penalty": _PENALIZED | {"gan"},
    "margin": frozenset("triplet contrastive hinge siamese retrieval pairs margin".split()),
    "decay_factor": _SCHEDULES,
    "replay_memory": frozenset(("dqn", "reinforcement_learning")),
    "episodes": frozenset(("dqn", "reinforcement_learning", "few_shot")),
}
"""Settings that only some networks and losses have; without one of them named their words mean something else."""

_BARE_NOISE = frozenset(("sigma", "σ", "std", "stddev", "standard deviation"))


@dataclass(frozen=True, slots=True)
class Senses:
    """What a request names, by which a number's sense is told."""

    pieces: list[Piece]
    values: Collection[str]
    """The values of all its terms."""
    families: Collection[str]
    problem_names: Collection[str]
    data_kinds: Collection[str]

    def of(self, number: Measured) -> Sense | None:
        """The constraint that a number is; None where it is none."""
        aspect, name = number.quantity.aspect, self._name(number)
        if not name or (number.quantity.name == "depth" and self._counts_levels(number)):
            return None
        is_told = "replay" in self.pieces[number.cue].key
        if name in _NEEDS and _NEEDS[name].isdisjoint(self.values) and not is_told:
            return None
        return _ASPECTS.get(name, aspect), name

    def _counts_levels(self, number: Measured) -> bool:
        """ "4 levels" of a U-Net are its depth, of danger they are none."""
        return bool(self.pieces[number.cue].meanings("unit")) and not set(self.families) & _DEEP

    def _name(self, number: Measured) -> str:
        name, cue = number.quantity.name, self.pieces[number.cue].key
        families = set(self.families)
        if name == "units" and "hidden" in cue:
            of_transformer = families & _TRANSFORMERS and not families & _RECURRENT
            return "embedding" if of_transformer else name
        if name == "embedding" and cue in ("model size", "model width"):
            return name if families & _TRANSFORMERS else ""  # else megabytes, or a number of parameters
        if name == "features" and cue == "factors" and self._recommends():
            return "latent"
        if name == "steps" and cue == "steps" and "series" in self.data_kinds:
            return "length"
        if name == "patience" and self._is_of_plateau(number):
            return "plateau_patience"
        if name == "channels" and cue == "bands" and "audio" in self.data_kinds:
            return ""  # of a mel spectrogram
        if name == "features" and cue == "numbers":
            before = self._keys_before(number, 6)
            return "outputs" if before & _GIVES or any(piece.means("keypoints") for piece in self.pieces) else name
        if name == "examples" and cue in ("samples", "points") and "series" in self.data_kinds:
            return "length"
        if name == "width" and any("beam" in key for key in self._keys_before(number, 5)):
            return "beam_width"
        return self._name_by_model(number, name, cue)

    def _name_by_model(self, number: Measured, name: str, cue: str) -> str:
        """The same for settings that several kinds of models have under one word."""
        if name == "feed_forward" and not set(self.families) & _WITH_FEED_FORWARD:
            return "units"
        if name == "gamma":
            return self._gamma(number)
        if name == "focal_alpha":
            if "focal" in self.values:
                return name
            return "teacher_weight" if "true" in self.values and self._distils() else ""
        if name == "temperature":
            if self._distils():
                return "distillation_temperature"
            return name if "temperature" in self.values and set(self.problem_names) & _WRITES else ""
        if name == "noise_level" and cue in _BARE_NOISE:
            return name if any("noise" in key or "noisy" in key for key in self._keys_before(number, _BEFORE)) else ""
        if name == "threshold" and any("iou" in key for key in self._clause_before(number, 4)):
            return "nms_iou" if any("nms" in key for key in self._keys_before(number, _BEFORE)) else ""
        return name

    def _gamma(self, number: Measured) -> str:
        """A focal loss's, a schedule's, or the discount of a reward: what was named last before it."""
        for piece in reversed(self.pieces[max(0, number.first - _BEFORE) : number.first]):
            if piece.means("focal"):
                return "focal_gamma"
            if any(term.name == "schedule" for term in piece.terms):
                return "decay_factor"
        explores = any(piece.key in ("epsilon", "rewards", "reward") for piece in self.pieces)
        if explores or {"reinforcement_learning", "dqn"} & {*self.problem_names, *self.families}:
            return "gamma"
        if "focal" in self.values:
            return "focal_gamma"
        return "decay_factor"

    def _distils(self) -> bool:
        return any(piece.is_named("distillation") for piece in self.pieces if piece.terms)

    def _keys_before(self, number: Measured, count: int) -> set[str]:
        return {piece.key for piece in self.pieces[max(0, number.first - count) : number.first + 1]}

    def _clause_before(self, number: Measured, count: int) -> list[str]:
        """Keys since the last comma."""
        keys = [piece.key for piece in self.pieces[max(0, number.first - count) : number.first + 1]]
        return keys[len(keys) - keys[::-1].index(",") :] if "," in keys else keys

    def _recommends(self) -> bool:
        """Whether users and items are multiplied, whose factors are those of an embedding."""
        return "recommendation" in self.problem_names or "matrix_factorization" in self.families

    def _is_of_plateau(self, number: Measured) -> bool:
        """Whether a patience is that of the learning rate's schedule: "ReduceLROnPlateau (patience 3)"."""
        before = [piece for piece in self.pieces[max(0, number.first - 8) : number.first] if piece.terms]
        for piece in reversed(before):
            if "stop" in piece.key:
                return False
            if piece.means("reduce_on_plateau"):
                return True
        return False


_WRITES = frozenset("generation captioning summarization translation".split())
_ASPECTS: dict[str, Aspect] = {"length": "size", "beam_width": "output", "distillation_temperature": "training"}
"""Of numbers whose sense is of another aspect than the words beside them."""


_ALSO: tuple[tuple[str, str, Aspect, str], ...] = (
    ("fine-tun", "fine_tuned_layers", "architecture", "fine_tuned"),
    ("fine tun", "fine_tuned_layers", "architecture", "fine_tuned"),
    ("finetun", "fine_tuned_layers", "architecture", "fine_tuned"),
    ("unfreez", "fine_tuned_layers", "architecture", "fine_tuned"),
    ("stop", "patience", "training", "early_stopping"),
    ("parada", "patience", "training", "early_stopping"),
    ("stratified", "folds", "training", "stratified"),
    ("cross", "folds", "task", "variant"),
    ("cv", "folds", "task", "variant"),
    ("kreuz", "folds", "task", "variant"),
    ("交叉", "folds", "task", "variant"),
)
"""What the word before or after a number asks for besides: (part of the word, its quantity, aspect, name)."""


def implied(pieces: list[Piece], number: Measured) -> Iterator[Found]:
    """What the word beside a number asks for besides: "fine-tune the last 20 layers" asks for fine-tuning."""
    key = pieces[number.cue].key
    for part, quantity, aspect, name in _ALSO:
        if quantity == number.quantity.name and part in key:
            value = "cross_validation" if name == "variant" else "true"
            yield Found(aspect, name, value, number.cue, number.cue)
