"""Constants that one kind of model alone has, set to what the request asks for."""

from __future__ import annotations

import pytest

from pipeline.generate.model_settings import with_model_settings
from pipeline.understanding import asked_in


@pytest.mark.parametrize(
    ("constant", "requirement", "expected"),
    [
        ("QUANTILE = 0.9", "flag what is above the 99th percentile of the error", "QUANTILE = 0.99"),
        ("NORMAL_SHARE = 0.95", "threshold at percentile 99.5", "NORMAL_SHARE = 0.995"),
        ("NUM_RECOMMENDED = 5", "show the top 10 books", "NUM_RECOMMENDED = 10"),
        ("TOP_N = 5", "recall@20 and MRR@20", "TOP_N = 20"),
        ("MARGIN = 1.0", "contrastive loss with a margin of 0.5", "MARGIN = 0.5"),
        ("GAMMA = 0.99", "gamma 0.98, epsilon from 1.0 to 0.05", "GAMMA = 0.98"),
        ("EPSILON_END = 0.1", "gamma 0.98, epsilon going from 1.0 to 0.05", "EPSILON_END = 0.05"),
        ("MEMORY_SIZE = 10000", "replay memory of 20000", "MEMORY_SIZE = 20000"),
        ("TARGET_EVERY = 100", "the target network is updated every 200 steps", "TARGET_EVERY = 200"),
        ("NUM_MFCC = 20", "MFCCs (13) into a GRU", "NUM_MFCC = 13"),
        ("NUM_MELS = 40", "spectrograms with 64 mel bands", "NUM_MELS = 64"),
        ("LONGEST_LIFE = 100", "RUL clipped at 125", "LONGEST_LIFE = 125"),
        ("GENERATED_LENGTH = 300", "print a sample of 500 characters", "GENERATED_LENGTH = 500"),
        ("QUANTILES = [0.1, 0.5]", "quantiles 0.05, 0.5 and 0.95", "QUANTILES = [0.05, 0.5, 0.95]"),
        ("THRESHOLD = 0.5", "threshold mean + 3 std", "THRESHOLD = 0.5"),
        ("QUANTILE = 0.9", "an autoencoder of 99 units", "QUANTILE = 0.9"),
        ("GAMMA = 0.99", "gamma rays in 5 classes", "GAMMA = 0.99"),
        ("NUM_RECOMMENDED = 5", "report the top 3 accuracy", "NUM_RECOMMENDED = 5"),
        ("BATCH_SIZE = 8", "batch size 16", "BATCH_SIZE = 8"),
    ],
)
def test_what_is_said_is_set_and_nothing_else(constant: str, requirement: str, expected: str) -> None:
    source = f"{constant}  # why\nother = 1\n"
    assert with_model_settings(source, asked_in(requirement)) == f"{expected}  # why\nother = 1\n"
