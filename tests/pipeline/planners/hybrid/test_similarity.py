"""How alike requirements are to a planner: words count, and what the cues say is wanted."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.planners.hybrid.similarity import RequestSimilarity, RequestText

SEGMENT = RequestText("Segment the tumours in brain scans, pixel by pixel.", "RGB, 128x128 pixels")
CLASSIFY = RequestText("Classify the tumours in brain scans, kind by kind.", "RGB, 128x128 pixels")
PRICES = RequestText("Estimate the price of a flat.", "A table with 12 columns")


def test_a_text_is_most_like_itself_and_like_none_that_shares_nothing() -> None:
    similarity = RequestSimilarity.of([SEGMENT, CLASSIFY, PRICES])
    similarities = similarity.similarities([SEGMENT, CLASSIFY, PRICES])
    assert np.diag(similarities) == pytest.approx(1, abs=1e-5)
    assert similarities == pytest.approx(similarities.T, abs=1e-6)
    assert similarities.argmax(axis=1).tolist() == [0, 1, 2]
    assert 0 <= similarities[0, 2] < 0.1


def test_another_task_on_the_same_data_is_less_alike_than_its_words() -> None:
    same_task = RequestText("Segment the lesions of skin photos, pixel by pixel.", "RGB, 128x128 pixels")
    alike = RequestSimilarity.of([SEGMENT, CLASSIFY, same_task]).similarities([SEGMENT])[0]
    without_cues = RequestSimilarity.of([SEGMENT, CLASSIFY, same_task])
    without_cues.cues = np.ones_like(without_cues.cues)  # as if all spoke for the same
    words_alone = without_cues.similarities([SEGMENT])[0]
    assert words_alone[1] > words_alone[2]
    assert alike[1] / alike[2] < words_alone[1] / words_alone[2]
