"""The known texts of a plan's field, `Input` say: how they read, how alike they are, and what they
took from where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from pipeline.measures.pairwise_bleu import BleuTexts
from pipeline.planners.hybrid.ridge import Floats
from pipeline.planners.hybrid.similarity import RequestText
from pipeline.planners.hybrid.text.templates import TextTemplate
from pipeline.planners.hybrid.text.tokens import RequestTokens, word_keys

_RARE = 0.012
"""Words in less than this share of the known plans' texts are rare: they name what one request is
about."""
_FORMULA = 0.1
"""The three words that most texts open with are a formula if at least this share of the known plans
does."""

PHRASE, SENTENCE, FORMULA = range(3)
STYLES = 3
"""A bare phrase ("Images of flowers"), a sentence with its full stop, a text that opens with the
formula that is most common ("Shape of the input data is ...")."""


class KnownTexts:
    """The texts that known plans have in one field."""

    def __init__(
        self, texts: Sequence[str], text_of: npt.NDArray[np.int32], requests: Sequence[RequestText], agreement: Floats
    ) -> None:
        self.texts = tuple(texts)
        """The different ones."""
        self.text_of = np.asarray(text_of)  # memory maps are slow to index
        """Each known plan's text among them, -1 for none."""
        self.agreement = agreement
        """Shape (texts, texts): the sentence BLEU, in [0, 1], that the first scores where the
        second is right."""
        self._requests = requests
        self._template = lru_cache(maxsize=None)(self._build_template)

    @classmethod
    def of(cls, values: Sequence[str], requests: Sequence[RequestText]) -> KnownTexts:
        """From each known plan's text, "" for none."""
        texts = tuple(dict.fromkeys(filter(None, values)))
        indices = {text: index for index, text in enumerate(texts)}
        counted = BleuTexts(texts)
        agreement = (counted.against(counted) / 100).astype(np.float32)
        text_of = np.array([indices.get(value, -1) for value in values], np.int32)
        return cls(texts, text_of, requests, agreement)

    def expected_scores(self, texts: Sequence[str], weights: Floats) -> Floats:
        """What new texts can be expected to score where the known texts are right by their weights."""
        scores: Floats = (BleuTexts(texts).against(self._counted) @ weights / 100).astype(np.float32)
        return scores

    @cached_property
    def _counted(self) -> BleuTexts:
        return BleuTexts(self.texts)

    @cached_property
    def keys(self) -> list[list[str]]:
        """Each text's words."""
        return [word_keys(text) for text in self.texts]

    @cached_property
    def _plans_with_word(self) -> Counter[str]:
        plans_with_text = np.bincount(self.text_of[self.text_of >= 0], minlength=len(self.texts))
        plans: Counter[str] = Counter()
        for keys, count in zip(self.keys, plans_with_text, strict=True):
            for key in set(keys):
                plans[key] += int(count)
        return plans

    @cached_property
    def common(self) -> frozenset[str]:
        """Words that are not rare."""
        least = _RARE * len(self.text_of)
        return frozenset(key for key, count in self._plans_with_word.items() if count >= least)

    @cached_property
    def rare(self) -> frozenset[str]:
        """Rare words of letters alone: numbers are slots of templates anyway."""
        letters_only = frozenset(filter(str.isalpha, self._plans_with_word))
        return letters_only - self.common

    @cached_property
    def lengths(self) -> Floats:
        """Logarithms of the numbers of words."""
        counts = [len(keys) for keys in self.keys]
        return np.log1p(np.array(counts, np.float32))

    @cached_property
    def styles(self) -> npt.NDArray[np.int32]:
        """Each text's style."""
        openings = []
        for text in self.texts:
            words = re.findall(r"\w+", text.lower())
            openings.append(" ".join(words[:3]))
        formula = self._formula(openings)
        styles = []
        for text, opening in zip(self.texts, openings, strict=True):
            if formula and opening == formula:
                styles.append(FORMULA)
            elif text.rstrip().endswith("."):
                styles.append(SENTENCE)
            else:
                styles.append(PHRASE)
        return np.array(styles, np.int32)

    def _formula(self, openings: Sequence[str]) -> str:
        """The opening that most known plans have; "" if these are few."""
        plans: Counter[str] = Counter()
        for text in self.text_of:
            if text >= 0:
                plans[openings[text]] += 1
        if not plans:
            return ""
        opening, count = plans.most_common(1)[0]
        if count < _FORMULA * len(self.text_of):
            return ""
        return opening

    def template(self, row: int) -> TextTemplate:
        """The text of a known plan as a template."""
        return self._template(row)

    def _build_template(self, row: int) -> TextTemplate:
        request = self._requests[row]
        own_request = RequestTokens(request.requirement, request.attributes)
        return TextTemplate(self.texts[self.text_of[row]], own_request, self.rare)
