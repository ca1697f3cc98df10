"""Constants of a sample that a request states in words of their own: thresholds, margins, discounts, mel bands.

What is said of many models is a constraint (`pipeline/request`), and `asked_settings.py` knows its constants. What one
kind of model alone has is looked for here, and only for a project that has the constant.
"""

from __future__ import annotations

import re

_NUMBER = r"(?P<n>\d+(?:\.\d+)?(?:e-?\d+)?k?)"
_BETWEEN = r"[ :=(]*(?:(?:of|is|to|at|with|set to|about|around|up to|the last|size|length) )*"
"""What may stand between the name of a setting and its number: "margin of 1", "gamma=0.98", "MFCCs (13)"."""
_NUMBERS = r"(?P<list>\d+(?:\.\d+)?(?:(?:, | and |, and |/|-| )\d+(?:\.\d+)?){1,7})"


def _behind(words: str) -> str:
    return rf"(?:{words}){_BETWEEN}{_NUMBER}(?![\w%])"


def _before(words: str) -> str:
    return rf"(?<![\w.]){_NUMBER}[ -](?:{words})\b"


def _either(words: str) -> str:
    """The number behind the words, or before them."""
    return f"{_behind(words)}|{_before(words)}".replace("(?P<n>", "(?P<m>", 1)


_PERCENTILE = (
    r"(?<![\w.])(?P<n>\d{2}(?:\.\d+)?)(?:th|st|nd|rd)?[ -](?:percentile|quantile)"
    r"|percentile[ :=(]*(?:of )?(?P<m>\d{2}(?:\.\d+)?)"
)
_MELS = _either(r"mel(?:[ -](?:bands|bins|filters|channels|coefficients))?|mels|n_mels|mel-bands|mel_bands")
_ANSWER_LENGTH = _behind(r"answers?(?: length)?") + r" (?:words|tokens)"
_GRADIENT_PENALTY = _behind(r"gradient penalty(?: (?:weight|coefficient|factor))?|lambda")
_LONGEST_LIFE = _behind(r"(?:clip|cap|limit)\w*(?: at| to)?")
_TEACHER = _behind(r"\balpha")
_WRITTEN = rf"(?:sample|print|generate|write|produce)\w*\b[^.\n]{{0,30}}?{_NUMBER} (?:characters|chars|words|tokens)"
_TOP = r"\btop[ -]?(?P<n>\d{1,3})\b(?!.{0,3}accuracy)|(?<![\w.])(?P<m>\d{1,3}) (?:recommendations|suggestions)"

_SAID: dict[str, str] = {
    "ANSWER_LENGTH": _ANSWER_LENGTH,
    "BEAM_WIDTH": _behind(r"beam(?:[ -](?:width|size|search))?"),
    "BETA_1": _behind(r"beta_?1"),
    "CRITIC_STEPS": _either(r"critic (?:steps|updates|iterations)"),
    "DIFFUSION_STEPS": _before(r"(?:(?:diffusion|noise|noising|denoising) )?(?:time ?)?steps"),
    "EPISODES": _either(r"episodes"),
    "FEED_FORWARD_UNITS": _behind(r"feed-?forward(?: (?:dim\w*|units|layer|width))?|ffn?(?:_dim| dim)?|d_?ff"),
    "GAMMA": _behind(r"gamma|discount(?: factor)?"),
    "GENERATED_CHARACTERS": _WRITTEN,
    "GENERATED_LENGTH": _WRITTEN,
    "GRADIENT_PENALTY": _GRADIENT_PENALTY,
    "HOP": _behind(r"hop(?:[ _-]length)?"),
    "KL_WEIGHT": _behind(r"kl(?: divergence)? weight|\bbeta"),
    "LONGEST_ANSWER": _ANSWER_LENGTH,
    "LONGEST_LIFE": _LONGEST_LIFE,
    "MARGIN": _behind(r"\bmargin"),
    "MAX_LIFE": _LONGEST_LIFE,
    "MEL_BANDS": _MELS,
    "MEMORY_SIZE": _behind(r"replay(?: (?:memory|buffer))?(?: size)?"),
    "NOISE": _behind(r"noise (?:factor|level|std|sigma|strength)|sigma"),
    "NUM_BANDS": _MELS,
    "NUM_MELS": _MELS,
    "NUM_MFCC": _either(r"mfccs?(?: coefficients)?|n_mfcc"),
    "NUM_RECOMMENDED": _TOP,
    "PATCH_SIZE": _behind(r"patch(?:es)?(?:[ _-]size)?"),
    "PENALTY": _GRADIENT_PENALTY,
    "QUESTION_LENGTH": _behind(r"questions?(?: length)?") + r" ?(?:words|tokens)",
    "SPECTRUM_LENGTH": _behind(r"n_?fft|fft(?: size)?"),
    "SUMMARY_LENGTH": _behind(r"summar(?:y|ies)(?: length| of at most| at most)?") + r" ?(?:words|tokens)",
    "TARGET_EVERY": rf"target net\w*[^.\n]{{0,30}}?every {_NUMBER}",
    "TEACHER_SHARE": _TEACHER,
    "TEACHER_WEIGHT": _TEACHER,
    "TEMPERATURE": _behind(r"temperature"),
    "THRESHOLD": _behind(r"threshold"),
    "TOP_N": rf"{_TOP}|@(?P<o>\d{{1,3}})\b",
}  # fmt: skip
"""By the constant's name, how a request says its value; "n", "m" and "o" are the number."""

_SHARES: dict[str, str] = {"QUANTILE": _PERCENTILE, "NORMAL_SHARE": _PERCENTILE}
"""The same for percentiles, which the constants hold as shares."""

_LISTS: dict[str, str] = {
    "QUANTILES": rf"quantiles?[ :=(]*{_NUMBERS}",
    "DILATIONS": rf"dilation(?:s| rates?)?[ :=(]*(?:of )?{_NUMBERS}",
    "KERNEL_SIZES": rf"(?:kernel|filter)(?: sizes?|s| widths?)[ :=(]*(?:of )?(?:sizes? )?{_NUMBERS}",
}

_FROM_TO = re.compile(r"epsilon[^.\n]{0,25}?(?P<first>\d(?:\.\d+)?) ?(?:to|->|→|down to) ?(?P<last>0?\.\d+)", re.I)

_CONSTANT = re.compile(
    r"^(?P<name>[A-Z][A-Z0-9_]*) = (?P<value>\d[\d._]*(?:e-?\d+)?|\[[\d., ]+\])(?=\s|$)", re.MULTILINE
)


def with_said_settings(source: str, requirement: str) -> str:
    """The source with constants at the top set to what the request says of them."""

    def stated(match: re.Match[str]) -> str:
        value = _stated(match["name"], match["value"], requirement)
        return match[0] if value is None else f"{match['name']} = {value}"

    return _CONSTANT.sub(stated, source)


def _stated(name: str, value: str, requirement: str) -> str | None:
    """The value that the request says, as Python writes it; None where it says none of this constant."""
    if name in ("EPSILON_START", "EPSILON_END"):
        found = _FROM_TO.search(requirement)
        return None if found is None else str(float(found["first" if name.endswith("START") else "last"]))
    if name in _LISTS and value.startswith("["):
        listed = re.search(_LISTS[name], requirement, re.IGNORECASE)
        return None if listed is None else _list_of(listed["list"])
    pattern = _SAID.get(name) or _SHARES.get(name)
    match = re.search(pattern, requirement, re.IGNORECASE) if pattern is not None else None
    if match is None or value.startswith("["):
        return None
    written = next(group for key, group in match.groupdict().items() if group is not None and key in "mno")
    number = float(written.removesuffix("k")) * (1000 if written.endswith("k") else 1)
    if name in _SHARES:
        number = round(number / 100, 6)
    is_share = float(value) <= 1 and name not in ("KL_WEIGHT", "MARGIN", "TEMPERATURE", "EPSILON_START")
    if number <= 0 or (is_share and number >= 1):
        return None
    is_whole = "." not in value and "e" not in value
    if is_whole and number != int(number):
        return None
    return str(int(number)) if is_whole else str(number)


def _list_of(text: str) -> str:
    return "[" + ", ".join(re.findall(r"\d+(?:\.\d+)?", text)) + "]"
