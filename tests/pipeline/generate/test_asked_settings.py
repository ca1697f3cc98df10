"""Constants of a model and its training, set to what a request states."""

from __future__ import annotations

import pytest

from pipeline.generate.asked_settings import asked_setting
from pipeline.understanding import asked_in


@pytest.mark.parametrize(
    ("requirement", "name", "own", "expected"),
    [
        ("3 hidden layers 128/64/32", "HIDDEN_UNITS", [64, 32], [128, 64, 32]),
        ("an MLP with 4 hidden layers", "HIDDEN_UNITS", [64, 32], [64, 32, 32, 32]),
        ("an MLP with 1 hidden layer", "HIDDEN_UNITS", [64, 32], [64]),
        ("an MLP with 3 hidden layers of 100 units", "HIDDEN_UNITS", [64, 32], [100, 100, 100]),
        ("a BiLSTM with 128 units and 2 dense layers of 48", "LSTM_UNITS", 64, 128),
        ("a BiLSTM with 128 units and 2 dense layers of 48", "HIDDEN_UNITS", [64], [48, 48]),
        ("an LSTM with 64 units, then a GRU with 32 units", "GRU_UNITS", 16, 32),
        ("a CNN with 3 conv blocks of 32, 64 and 128 filters", "FILTERS", [16, 32], [32, 64, 128]),
        ("a CNN with 4 conv blocks", "FILTERS", [16, 32], [16, 32, 64, 128]),
        ("embedding size 50", "EMBEDDING_DIM", 32, 50),
        ("dropout 0.4", "DROPOUT", 0.2, 0.4),
        ("no dropout", "DROPOUT", 0.2, None),
        ("a Transformer encoder with 8 heads and 3 layers", "NUM_HEADS", 4, 8),
        ("fine tune the last 20 layers", "FINE_TUNED_LAYERS", 30, 20),
        ("a pretrained MobileNetV2 with a frozen base", "FINE_TUNED_LAYERS", 30, 0),
        ("freeze the backbone first, then fine-tune it", "FINE_TUNED_LAYERS", 30, None),
        ("a pretrained MobileNetV2", "FINE_TUNED_LAYERS", 30, None),
        ("seed 7", "SEED", 42, 7),
        ("validation split 0.15", "VALIDATION_SPLIT", 0.2, 0.15),
        ("early stopping with patience 5", "PATIENCE", 10, 5),
        ("an MLP with 1 hidden layer of 96 units", "HIDDEN_UNITS", 64, 96),
        ("an MLP with 2 hidden layers of 96 units", "HIDDEN_UNITS", 64, None),
        ("embedding size 50", "SYNTHETIC", True, None),
        ("embedding size 50", "EMBEDDING_DIM", "large", None),
    ],
)
def test_a_constant_holds_what_is_stated(requirement: str, name: str, own: object, expected: object) -> None:
    assert asked_setting(name, own, asked_in(requirement), frozenset({name})) == expected


def test_blocks_are_the_filters_where_a_project_lists_them() -> None:
    asked = asked_in("a CNN with 4 conv blocks")
    assert asked_setting("NUM_BLOCKS", 2, asked, frozenset({"NUM_BLOCKS"})) == 4
    assert asked_setting("NUM_BLOCKS", 2, asked, frozenset({"NUM_BLOCKS", "FILTERS"})) is None
