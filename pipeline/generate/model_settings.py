"""Constants that one kind of model alone has, set to what is asked: margins, discounts, mel bands, a list's length.

What many models have is set by `asked_settings.py`, which knows how such constants go together. Names are those of
docs/starter.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.request.constraints import Constraint

_HOLDS: dict[str, tuple[str, ...]] = {
    "ANSWER_LENGTH": ("answer_length",),
    "BEAM_WIDTH": ("beam_width",),
    "BETA_1": ("beta_1",),
    "CRITIC_STEPS": ("critic_steps",),
    "DIFFUSION_STEPS": ("diffusion_steps",),
    "DILATIONS": ("dilations",),
    "EPISODES": ("episodes",),
    "FEED_FORWARD_UNITS": ("feed_forward",),
    "GAMMA": ("gamma",),
    "GENERATED_CHARACTERS": ("sample_length",),
    "GENERATED_LENGTH": ("sample_length",),
    "GRADIENT_PENALTY": ("gradient_penalty",),
    "HOP": ("hop_length",),
    "KERNEL_SIZES": ("kernel_size",),
    "KL_WEIGHT": ("kl_weight",),
    "LONGEST_ANSWER": ("answer_length",),
    "LONGEST_LIFE": ("life_cap",),
    "MARGIN": ("margin",),
    "MAX_LIFE": ("life_cap",),
    "MEL_BANDS": ("mel_bands",),
    "MEMORY_SIZE": ("replay_memory",),
    "NOISE": ("noise_level",),
    "NOISE_LEVEL": ("noise_level",),
    "NORMAL_SHARE": ("threshold_percentile",),
    "NUM_BANDS": ("mel_bands",),
    "NUM_MELS": ("mel_bands",),
    "NUM_MFCC": ("mfccs",),
    "NUM_RECOMMENDED": ("top_n",),
    "PATCH_SIZE": ("patch_size",),
    "PENALTY": ("gradient_penalty",),
    "QUANTILE": ("threshold_percentile",),
    "QUANTILES": ("quantiles",),
    "QUESTION_LENGTH": ("question_length",),
    "SPECTRUM_LENGTH": ("fft_size",),
    "STRIDE": ("window_step",),
    "SUMMARY_LENGTH": ("summary_length",),
    "TARGET_EVERY": ("target_update",),
    "TEACHER_SHARE": ("teacher_weight",),
    "TEACHER_WEIGHT": ("teacher_weight",),
    "TEMPERATURE": ("distillation_temperature", "temperature"),
    "THRESHOLD": ("threshold",),
    "TOP_N": ("cutoff", "top_n"),
    "WARMUP_SHARE": ("warmup_share",),
    "WINDOW_STEP": ("window_step",),
}
"""By a constant's name, the constraints that state it; the first that is asked for counts."""

_PARTS = {"EPSILON_START": ("epsilon", 0), "EPSILON_END": ("epsilon", 1)}
"""By a constant's name, the constraint that lists several numbers, and which of them it holds."""

_CONSTANT = re.compile(
    r"^(?P<name>[A-Z][A-Z0-9_]*) = (?P<value>\d[\d._]*(?:e-?\d+)?|\[[\d., ]+\])(?=\s|$)", re.MULTILINE
)


def with_model_settings(source: str, constraints: Iterable[Constraint]) -> str:
    """The source with such constants at its top set; a constant keeps its kind of value, whole, fraction or list."""
    asked = {one.name: one.value for one in reversed([*constraints]) if not one.negated}

    def stated(match: re.Match[str]) -> str:
        text = _stated(match["name"], match["value"], asked)
        return match[0] if text is None else f"{match['name']} = {text}"

    return _CONSTANT.sub(stated, source)


def _stated(name: str, value: str, asked: dict[str, str]) -> str | None:
    """The value that is asked for, as Python writes it; None where none is."""
    if name in _PARTS:
        setting, place = _PARTS[name]
        parts = asked.get(setting, "").split(",")
        return parts[place] if len(parts) > place and parts[place] else None
    wanted = next((asked[setting] for setting in _HOLDS.get(name, ()) if setting in asked), None)
    if wanted is None:
        return None
    if value.startswith("["):
        numbers = wanted.split(",")
        return f"[{', '.join(numbers)}]" if len(numbers) > 1 else None
    return _alike(wanted, is_whole="." not in value and "e" not in value)


def _alike(wanted: str, *, is_whole: bool) -> str | None:
    try:
        number = float(wanted)
    except ValueError:
        return None
    if not is_whole:
        return str(number)
    return str(int(number)) if number >= 1 and number == int(number) else None
