"""BLEU of all pairs at once."""

from __future__ import annotations

import pytest
from sacrebleu.metrics.bleu import BLEU

from pipeline.measures.pairwise_bleu import BleuTexts

TEXTS = [
    "Shape of the input data is (batch_size, 224, 224, 3).",
    "Shape of the input data is (batch_size, 28, 28, 1), in grey.",
    "Images",
    "Images of cats, cats, cats and dogs",
    "cats cats cats",
    "Binary classification (0 or 1)\n",
    "",
]


def test_every_pair_is_sacrebleus_sentence_bleu() -> None:
    found = BleuTexts(TEXTS).against(BleuTexts(TEXTS))
    bleu = BLEU(effective_order=True)
    for row, text in enumerate(TEXTS):
        for column, reference in enumerate(TEXTS):
            assert found[row, column] == pytest.approx(bleu.sentence_score(text, [reference]).score, abs=1e-3)


def test_texts_against_others() -> None:
    assert BleuTexts(TEXTS[:2]).against(BleuTexts(TEXTS[2:])).shape == (2, 5)
