"""One spelling for categories, optimizers, losses and metrics."""

from __future__ import annotations

import json

import pytest

from pipeline.plan.reading import read_plan
from pipeline.plan.vocabulary import (
    CATEGORIES,
    OTHER,
    canonical_category,
    canonical_loss,
    canonical_metric,
    canonical_optimizer,
)


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("image classification", "Image Classification"),
        ("Image-to-Image Translation", "Image-to-Image"),
        ("Translation", "Text-to-Text"),
        ("Time-series Forecasting", "Time Series Forecasting"),
        ("Image Caption Generation", "Image Captioning"),
        ("Tabular Regression, Image Classification", "Tabular Regression"),
        ("Speech Recognition", "Audio Classification"),
        ("", OTHER),
        ("None", OTHER),
        ("basket weaving", OTHER),
    ],
)
def test_categories(text: str, category: str) -> None:
    assert canonical_category(text) == category


def test_a_canonical_category_stays_itself() -> None:
    assert [canonical_category(name) for name in CATEGORIES] == list(CATEGORIES)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Adam optimizer with decay", "Adam"),
        ("Stochastic Gradient Descent (SGD)", "SGD"),
        ("RMSProp", "RMSprop"),
        ("AdamW with weight decay", "AdamW"),
        ("Adamax", "Adamax"),
        ("LightGBM", ""),
        ("Not specified", ""),
    ],
)
def test_optimizers(text: str, name: str) -> None:
    assert canonical_optimizer(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SparseCategoricalCrossentropy(from_logits=True)", "sparse_categorical_crossentropy"),
        ("Categorical Crossentropy with label smoothing", "categorical_crossentropy"),
        ("BCE", "binary_crossentropy"),
        ("Mean Squared Error (MSE)", "mean_squared_error"),
        ("Root Mean Squared Error", "mean_squared_error"),
        ("Dice coefficient loss", "dice"),
        ("ArcFace", ""),
    ],
)
def test_losses(text: str, name: str) -> None:
    assert canonical_loss(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Accuracy, Precision, Recall", "accuracy"),
        ("ROC AUC", "AUC"),
        ("RMSE", "RootMeanSquaredError"),
        ("SparseCategoricalAccuracy", "sparse_categorical_accuracy"),
        ("None", ""),
    ],
)
def test_metrics(text: str, name: str) -> None:
    assert canonical_metric(text) == name


@pytest.mark.shared
def test_at_most_two_spellings_of_the_published_categories_are_not_understood(artifact: str) -> None:
    with open(f"{artifact}/Datasets/DLPlanData/Train.txt", encoding="utf-8") as lines:
        spellings = {
            read_plan(plan).task_category
            for plan in (json.loads(line)["Code Plan"] for line in lines)
            if isinstance(plan, dict) and "Task Category" in plan
        }
    assert len(spellings) > 100
    assert sum(canonical_category(spelling) == OTHER for spelling in spellings) <= 2
