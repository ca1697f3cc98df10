"""What is asked for ranks samples that declare their cells, before any word does."""

from __future__ import annotations

import pytest

from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import Planned
from pipeline.retrieval.cell import Cell, derived_cell
from pipeline.retrieval.code_rag import CodeRag
from pipeline.retrieval.sample_pool import Sample
from pipeline.retrieval.steering import are_alike, is_steered
from pipeline.understanding import asked_in


def sample(name: str, category: str, **cell: object) -> Sample:
    plan = SolutionPlan.model_validate({"Task Category": category, "Model Architecture": {"Layers": ("Dense(1)",)}})
    words = tuple(value if isinstance(value, tuple) else (value,) for value in cell.values())
    declared = Cell(**dict(zip(cell, words, strict=True)) | {"framework": str(cell.get("framework", "tensorflow"))})  # type: ignore[arg-type]
    return Sample(
        id=name, requirement=name, attributes="", plan=plan, code="", declared_cell=declared if cell else None
    )


POOL = (
    sample("photos-cnn", "Image Classification", problems="classification", data="image", families="cnn"),
    sample(
        "photos-vit", "Image Classification", problems="classification", data="image", families="vision_transformer"
    ),
    sample(
        "photos-resnet50", "Image Classification", problems="classification", data="image", backbones="resnet50",
        families="cnn",
    ),
    sample("photos-torch", "Image Classification", framework="pytorch", problems="classification", data="image"),
    sample("genres", "Text Classification", problems="classification", data="text", variants="multi_label"),
    sample("texts", "Text Classification", problems="classification", data="text", families="lstm"),
    sample("texts-and-table", "Text Classification", problems="classification", data=("text", "table")),
    sample("frauds", "Anomaly Detection", problems="anomaly_detection", data="table", families="autoencoder"),
    sample("digits", "Image Generation", problems="generation", data="image", families="variational_autoencoder"),
    sample("ages", "Image Regression", problems="classification", data="image", variants="multi_output"),
    sample(
        "ages-torch", "Image Regression", framework="pytorch", problems=("classification", "regression"), data="image",
        variants="multi_output",
    ),
    sample("old-digits", "Image Classification", problems="classification", data="image", datasets="mnist"),
    sample("old-photos", "Image Classification"),
    sample("prices", "Image Regression", problems="regression", data=("image", "table"), variants="multi_input"),
    sample("numbers", "Tabular Regression", problems="regression", data="table", families="mlp"),
    sample("lives", "Tabular Regression", problems="regression", data="series", families="gru"),
    sample("masks", "Image Segmentation", problems="segmentation", data="image", families="unet"),
    sample(
        "one-mask", "Image Segmentation", problems="segmentation", data="image", families="unet", variants="binary"
    ),
    sample("dcgan", "Image Generation", problems="generation", data="image", families=("dcgan", "gan")),
    sample("wgan", "Image Generation", problems="generation", data="image", families=("wgan", "gan")),
    sample(
        "lstm-windows", "Anomaly Detection", problems="anomaly_detection", data="series",
        families=("autoencoder", "lstm"),
    ),
    sample(
        "conv-windows", "Anomaly Detection", problems="anomaly_detection", data="series",
        families=("autoencoder", "cnn_1d"),
    ),
    sample("nodes", "Tabular Classification", problems="classification", data="graph", families="gcn"),
    sample(
        "text-pairs", "Text Classification", problems="classification", data="text", variants=("multi_input", "pairs")
    ),
)  # fmt: skip


def nearest(requirement: str, category: str = "Image Classification", pool: tuple[Sample, ...] = POOL) -> str:
    plan = SolutionPlan.model_validate({"Task Category": category, "Model Architecture": {"Layers": ("Dense(1)",)}})
    row = Planned(id="q", row=0, requirement=requirement, plan=plan, constraints=asked_in(requirement))
    fields = CodeRag(pool)(row)
    return fields["samples"][0].id  # type: ignore[index]


@pytest.mark.parametrize(
    ("requirement", "category", "expected"),
    [
        ("classify photos of old-photos", "Image Classification", "photos-resnet50"),
        ("classify photos of 64x64 pixels", "Image Classification", "photos-cnn"),
        ("classify photos with a small CNN", "Image Classification", "photos-cnn"),
        ("which bird is in my picture?", "Image Classification", "photos-resnet50"),
        ("what is it worth, from a photo and a few facts about it", "Image Regression", "prices"),
        ("binary masks of roofs with dice loss", "Image Segmentation", "one-mask"),
        ("masks of roads, roofs and trees in aerial photos", "Image Segmentation", "masks"),
        ("a WGAN that makes pictures of faces", "Image Generation", "wgan"),
        ("a DCGAN that makes pictures of faces", "Image Generation", "dcgan"),
        ("anomalies in windows of a signal, convolutional autoencoder", "Anomaly Detection", "conv-windows"),
        ("hourly consumption from temperature and weekday by an MLP", "Tabular Regression", "numbers"),
        ("classify photos with a vision transformer", "Image Classification", "photos-vit"),
        ("In PyTorch: classify texts with an LSTM", "Text Classification", "photos-torch"),
        ("photo classifier, transfer learning with ResNet50", "Image Classification", "photos-resnet50"),
        ("photo classifier, transfer learning with EfficientNetB0", "Image Classification", "photos-resnet50"),
        ("classify handwritten letters, images of old-digits", "Image Classification", "photos-cnn"),
        ("MNIST classifier", "Image Classification", "old-digits"),
        ("multi-label classification of plot summaries", "Tabular Classification", "genres"),
        ("classify tweets", "Tabular Classification", "texts"),
        ("anomaly detection in a table of payments by reconstruction error", "Tabular Classification", "frauds"),
        ("a variational autoencoder for digits", "Image Classification", "digits"),
        ("something with pictures", "Image Generation", "digits"),
        ("a GCN that tells the topic of papers from citations", "Text Classification", "nodes"),
        ("whether texts match, columns job_text, cv_text, match (0/1): binary", "Text Classification", "text-pairs"),
        ("classify reviews, columns title, text, label", "Text Classification", "texts"),
        ("tell age and sex from photos, two outputs: regression and classification", "Image Regression", "ages"),
    ],
)
def test_what_is_asked_comes_before_words(requirement: str, category: str, expected: str) -> None:
    assert nearest(requirement, category) == expected


def test_a_pool_that_declares_nothing_is_ranked_by_the_papers_rule() -> None:
    undeclared = tuple(sample(name, "Image Classification") for name in ("photos", "photos with a vision transformer"))
    assert not is_steered(undeclared)
    assert is_steered(POOL)
    assert nearest("In PyTorch: multi-label photos with a vision transformer", pool=undeclared) == undeclared[1].id


def test_a_sample_without_a_cell_has_that_of_its_code_plan_and_requirement() -> None:
    cell = derived_cell("import torch", "Time Series Forecasting", "Forecast sales with an LSTM, several steps ahead.")
    assert (cell.framework, cell.problems, cell.data) == ("pytorch", ("forecasting",), ("series",))
    assert cell.families == ("lstm",)


def test_a_template_is_made_of_two_samples_of_one_task_alone() -> None:
    cells = {one.id: one.cell() for one in POOL}
    assert are_alike(cells["photos-cnn"], cells["photos-vit"])
    for other in ("photos-torch", "texts", "digits"):
        assert not are_alike(cells["photos-cnn"], cells[other])
    assert not are_alike(cells["genres"], cells["texts"])
    assert not are_alike(cells["texts"], cells["texts-and-table"])
