"""The known texts of a plan's field, `Input` say: how they read, how alike they are, and what they took from where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from pipeline.measures.pairwise_bleu import BleuTexts
from pipeline.planners.hybrid.payoff import Floats
from pipeline.planners.hybrid.similarity import Text
from pipeline.planners.hybrid.text.slots import Source, Template, keys_of

_RARE = 0.012
"""Share of the known texts up to which a word is rare, so that it names what one requirement is about."""
_FORMULA = 0.1
"""Share of the known texts that open with the same three words from which on these are a formula."""

PHRASE, SENTENCE, FORMULA = range(3)
STYLES = 3
"""A bare phrase ("Images of flowers"), a sentence with its full stop, a text that opens with the formula that is most
common ("Shape of the input data is ...")."""


class KnownTexts:
    """`texts`: the different ones; `text_of`: each known plan's among them, -1 for none; `agreement[text, other]`:
    the sentence BLEU, in [0, 1], that the text scores where the other is right."""

    def __init__(
        self, texts: Sequence[str], text_of: npt.NDArray[np.int32], requirements: Sequence[Text], agreement: Floats
    ) -> None:
        self.texts = tuple(texts)
        self.text_of = np.asarray(text_of)  # memory maps are slow to index
        self.agreement = agreement
        self._requirements = requirements
        self._template = lru_cache(maxsize=None)(self._made_template)

    @classmethod
    def of(cls, values: Sequence[str], requirements: Sequence[Text]) -> KnownTexts:
        """From each known plan's text, "" for none."""
        texts = tuple(dict.fromkeys(value for value in values if value))
        places = {text: place for place, text in enumerate(texts)}
        counted = BleuTexts(texts)
        agreement = (counted.against(counted) / 100).astype(np.float32)
        return cls(texts, np.array([places.get(value, -1) for value in values], np.int32), requirements, agreement)

    def expected(self, texts: Sequence[str], by_text: Floats) -> Floats:
        """The expected scores of new texts where the known ones count `by_text`."""
        found: Floats = (BleuTexts(texts).against(self._counted) @ by_text / 100).astype(np.float32)
        return found

    @cached_property
    def _counted(self) -> BleuTexts:
        return BleuTexts(self.texts)

    @cached_property
    def keys(self) -> list[list[str]]:
        return [keys_of(text) for text in self.texts]

    @cached_property
    def _frequency(self) -> Counter[str]:
        """Known plans whose text has a word."""
        rows = np.bincount(self.text_of[self.text_of >= 0], minlength=len(self.texts))
        found: Counter[str] = Counter()
        for keys, count in zip(self.keys, rows, strict=True):
            for word_key in set(keys):
                found[word_key] += int(count)
        return found

    @cached_property
    def common(self) -> frozenset[str]:
        """Words that are not rare."""
        most = _RARE * len(self.text_of)
        return frozenset(word_key for word_key, count in self._frequency.items() if count >= most)

    @cached_property
    def rare(self) -> frozenset[str]:
        return frozenset(word_key for word_key in self._frequency if word_key.isalpha()) - self.common

    @cached_property
    def lengths(self) -> Floats:
        """Logarithms of the numbers of words."""
        return np.log1p(np.array([len(keys) for keys in self.keys], np.float32))

    @cached_property
    def styles(self) -> npt.NDArray[np.int32]:
        """Each text's style."""
        openings = [" ".join(re.findall(r"\w+", text.lower())[:3]) for text in self.texts]
        rows = Counter(openings[place] for place in self.text_of if place >= 0)
        formula, count = rows.most_common(1)[0] if rows else ("", 0)
        if count < _FORMULA * len(self.text_of):
            formula = ""
        return np.array(
            [
                FORMULA if formula and opening == formula else SENTENCE if text.rstrip().endswith(".") else PHRASE
                for text, opening in zip(self.texts, openings, strict=True)
            ],
            np.int32,
        )

    def template(self, row: int) -> Template:
        """The text of a known plan as a template."""
        return self._template(row)

    def _made_template(self, row: int) -> Template:
        known = self._requirements[row]
        return Template(self.texts[self.text_of[row]], Source(known.requirement, known.attributes), self.rare)
