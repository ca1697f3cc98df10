"""What is asked for in phrases around a number or a name: thresholds, splits, schedules, lists, parts of one model."""

from __future__ import annotations

import pytest

from pipeline.request.reading.reader import read_constraints


def read(text: str) -> set[str]:
    """The constraints of a text as "name=value"."""
    return {f"{one.name}={one.value}" for one in read_constraints(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "an autoencoder; flag errors above the 97th percentile",
            "threshold_percentile=0.97 problem=anomaly_detection",
        ),
        ("LSTM autoencoder, alarm at mean + 2.5 sigma", "threshold_deviations=2.5"),
        ("churn with an MLP, split 70/15/15 in time order", "validation_split=0.15 split_order=chronological"),
        ("classify scans, split by patient", "split_by=patient"),
        ("a DCGAN that saves a 5x5 grid every 10 epochs", "sample_grid=5x5 every_epochs=10"),
        ("recommend the top 8 songs, NDCG@10", "top_n=8 cutoff=10"),
        ("SGD, halve the learning rate every 15 epochs", "decay_factor=0.5 decay_every=15"),
        ("StepLR with gamma 0.2 every 30 epochs", "decay_factor=0.2"),
        ("focal loss with gamma 2 and alpha 0.25 for tumours", "focal_gamma=2 focal_alpha=0.25"),
        ("DQN, gamma 0.97, epsilon from 1.0 to 0.1", "gamma=0.97 epsilon=1,0.1"),
        ("warm up for 800 steps, then cosine", "warmup_steps=800 schedule=cosine"),
        ("distil a ResNet with temperature 4", "distillation=true distillation_temperature=4"),
        ("LSTM writes lyrics and generates 300 characters at temperature 0.8", "sample_length=300 temperature=0.8"),
        ("forecast with quantiles 0.1, 0.5 and 0.9", "quantiles=0.1,0.5,0.9"),
        ("Model for defects, Weights & Biases logging, a Gradio demo", "log=wandb app=gradio"),
        ("price from the photo plus a few facts: brand, age", "variant=multi_input kind=table kind=image"),
        ("soil.csv, targets are carbon, nitrogen and pH", "target=carbon target=nitrogen target=pH"),
        ("windows of 4 channels and 128 samples", "channels=4"),
        ("student.csv, use all columns but not G1 and G2", "column=G1 column=G2"),
    ],
)
def test_phrases_are_read(text: str, expected: str) -> None:
    assert set(expected.split()) <= read(text)


@pytest.mark.parametrize(
    ("text", "unexpected"),
    [
        ("recommend the top 5 games", "metric=top_5_accuracy"),
        ("report the top-5 accuracy of the classifier", "top_n=5"),
        ("windows of 4 channels", "length=4"),
        ("warm up over the first 10 epochs", "epochs=10"),
        ("the picture is divided by the image size", "split_by=image"),
        ("the best model is kept", "top_n=1"),
        ("DQN with gamma 0.99", "decay_factor=0.99"),
        ("a grid search over rates", "sample_grid=true"),
    ],
)
def test_other_words_are_none(text: str, unexpected: str) -> None:
    assert unexpected not in read(text)


def test_what_is_denied_is_forbidden() -> None:
    (log,) = [one for one in read_constraints("no TensorBoard please, a CNN") if one.name == "log"]
    assert log.negated
