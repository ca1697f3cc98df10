"""What the name of a released file of outputs says: its method, its model, its sampling temperature.

The released names differ in prefix, case and separators from folder to folder (`deepseekcoder_PS.txt`,
`Deepseekcoder_wo_Comparison(CR).txt`), and some files were not at hand when this was written. So names are read for
what they contain.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

HIGHEST_TEMPERATURE = 2.0

_VERSIONS = re.compile(
    r"deepseek[-_ ]?(?:coder|chat)?(?:[-_ ]?v\d+(?:[._]\d+)?)?"
    r"|gpt[-_ ]?\d(?:\.\d+)?o?(?:[-_ ]?(?:mini|turbo))?(?:[-_ ]\d{4})?"
    r"|(?<![a-z])v\d+(?:\.\d+)?|rq[-_ ]?\d+"
)
_SPELT_OUT = re.compile(r"(?<!\d)([012])[_-](\d)$")
_NUMBER = re.compile(r"(?<![\d.])(\d+(?:[.,]\d+)?)(?![\d])")


def plain(name: str) -> str:
    """Letters and digits alone, in lower case."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def method_in(name: str, methods: Sequence[str]) -> str | None:
    """The method that a file's name contains as words of its own, whatever separates them; of several the longest
    (`wo_CR&TR` before `wo_CR`). None where there is none."""
    stem = _stem(name)
    for method in sorted(methods, key=lambda method: -len(plain(method))):
        words = re.findall(r"[a-z0-9]+", method.lower())
        if re.search(rf"(?<![a-z0-9]){'[^a-z0-9]*'.join(words)}(?![a-z0-9])", stem):
            return method
    return None


def model_in(path: str, models: Sequence[str]) -> str | None:
    """The model that a path contains, separators aside; its first word will do (`deepseekcoder` for DeepSeek-V2.5)."""
    wanted = plain(path)
    for model in sorted(set(models), key=len, reverse=True):
        if plain(model) in wanted or re.split(r"[^a-z]", model.lower())[0] in wanted:
            return model
    return None


def temperature_in(path: str) -> float | None:
    """The last number of a file's name that can be a temperature, 0 to 2, versions of models aside; a whole number of
    two digits means tenths (`T05` is 0.5), and so does `0_5` at the end. None where there is none."""
    text = _SPELT_OUT.sub(r"\1.\2", _VERSIONS.sub(" ", _stem(path.rpartition("/")[2])))
    for number in reversed(_NUMBER.findall(text)):
        value = float(number.replace(",", "."))
        if re.fullmatch(r"\d\d", number):
            value /= 10
        if value <= HIGHEST_TEMPERATURE:
            return value
    return None


def _stem(name: str) -> str:
    return re.sub(r"\.txt$", "", name.lower())
