"""Parts added to bundled samples, in Keras and in PyTorch: what is asked for is there, nothing left undefined."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from pipeline.analysis.names import names_never_defined
from pipeline.config import PipelineSettings
from pipeline.generate.parts.adding import with_parts
from pipeline.measures.delivery.check import check_delivery
from pipeline.methods import generation_stages
from pipeline.records import Delivered, Requirement
from pipeline.retrieval.sample_pool import load_samples
from pipeline.stage import run_local
from pipeline.starter import STARTER
from tests.pipeline.measures.asked import asked

SAMPLES = {sample.id: sample.code for sample in load_samples(STARTER)}

WISHES = Path(__file__).parent.parent / "wishes"

CASES = (
    ("table-binary-imbalanced", "output.plot=roc_curve"),
    ("table-binary-imbalanced", "output.plot=pr_curve"),
    ("table-binary-imbalanced", "training.loss=focal"),
    ("table-classification", "output.plot=misclassified"),
    ("table-classification", "metric.metric=cohen_kappa"),
    ("table-classification", "training.oversampling=true"),
    ("table-iris", "output.plot=roc_curve"),
    ("table-kfold", "architecture.normalization=batch"),
    ("table-classification", "output.plot=feature_importance"),
    ("table-regression", "output.plot=feature_importance"),
    ("table-regression", "training.scaling=min_max"),
    ("torch-classification-table-mlp", "output.plot=feature_importance"),
    ("denoising-image-autoencoder", "training.loss=mse"),
    ("series-anomaly-conv-autoencoder", "output.plot=loss_histogram"),
    ("table-embeddings", "output.plot=residuals"),
    ("table-embeddings", "architecture.normalization=batch"),
    ("table-regression", "output.plot=predictions"),
    ("image-folders", "architecture.conv_blocks=4"),
    ("image-folders", "architecture.filters=16,32,64,128"),
    ("image-folders", "architecture.kernel_size=5"),
    ("image-folders", "architecture.pooling=average"),
    ("image-folders", "training.label_smoothing=0.1"),
    ("image-folders", "training.loss=focal"),
    ("image-folders", "metric.metric=top_3_accuracy"),
    ("text-classification-cnn", "architecture.kernel_size=3,4,5"),
    ("text-classification-bilstm", "training.monitor=val_accuracy"),
    ("text-classification-bilstm", "training.ema=0.99"),
    ("text-classification-bilstm", "training.gradient_accumulation=4"),
    ("classification-image-mobilenetv2", "training.frozen_epochs=3"),
    ("classification-image-vit", "training.beta_1=0.8"),
    ("torch-classification-table-mlp", "architecture.normalization=batch"),
    ("torch-classification-table-mlp", "training.loss=focal"),
    ("torch-classification-table-mlp", "training.oversampling=true"),
    ("torch-classification-table-mlp", "metric.metric=auc"),
    ("torch-classification-table-mlp", "output.plot=roc_curve"),
    ("torch-classification-table-imbalanced", "output.plot=pr_curve"),
    ("torch-classification-table-imbalanced", "output.threshold=best_f1"),
    ("torch-classification-image-cnn", "training.augmentation=mixup"),
    ("torch-classification-image-cnn", "training.augmentation=cutout"),
    ("torch-classification-image-cnn", "architecture.pooling=average"),
    ("torch-classification-image-cnn", "metric.metric=top_3_accuracy"),
    ("torch-classification-image-cnn", "output.export=torchscript"),
    ("torch-classification-audio-log-mel", "training.augmentation=time_mask"),
    ("torch-classification-audio-log-mel", "training.augmentation=frequency_mask"),
    ("torch-classification-series-cnn-lstm", "training.gradient_accumulation=4"),
    ("torch-classification-series-cnn-lstm", "training.ema=0.99"),
    ("torch-regression-table-mlp", "output.plot=residuals"),
    ("torch-regression-table-mlp", "architecture.normalization=batch"),
    ("torch-forecasting-series-lstm", "output.plot=predictions"),
    ("torch-generation-image-dcgan", "output.model_file=generator.pt"),
)


@pytest.mark.parametrize(("sample", "text"), CASES)
def test_what_is_asked_for_is_there(sample: str, text: str) -> None:
    wanted = [asked(text)]
    changed = with_parts(SAMPLES[sample], wanted)
    assert check_delivery(wanted, changed).not_met == ()
    before = set(names_never_defined(ast.parse(SAMPLES[sample])))
    assert set(names_never_defined(ast.parse(changed))) <= before


def test_a_warm_up_grows_into_the_schedule_that_is_there() -> None:
    """Two schedulers in a row would each set the rate, and the last one alone would count."""
    wanted = [asked("training.schedule=cosine"), asked("training.schedule=warmup"), asked("training.warmup_epochs=3")]
    changed = with_parts(SAMPLES["table-classification"], wanted)
    assert changed.count("LearningRateScheduler(") == 1
    assert "WARMUP_EPOCHS = 3" in changed
    assert check_delivery(wanted, changed).not_met == ()


def test_callbacks_set_no_rate_that_a_schedule_object_holds() -> None:
    """Keras refuses that when the training starts."""
    changed = with_parts(SAMPLES["classification-image-resnet"], [asked("training.schedule=step")])
    assert "LearningRateScheduler(step_decay)" in changed
    assert "CosineDecay" not in changed
    assert "learning_rate=LEARNING_RATE" in changed


def test_counted_convolutions_keep_the_asked_activation() -> None:
    wanted = [asked("architecture.activation=tanh"), asked("architecture.conv_layers=2")]
    assert check_delivery(wanted, with_parts(SAMPLES["image-folders"], wanted)).not_met == ()


def test_a_step_falls_as_often_and_as_far_as_asked() -> None:
    wanted = [asked(f"training.{text}") for text in ("schedule=step", "decay_every=30", "decay_factor=0.5")]
    changed = with_parts(SAMPLES["table-classification"], wanted)
    assert "DECAY_EVERY = 30" in changed
    assert "DECAY_FACTOR = 0.5" in changed


def test_classes_of_words_are_not_drawn_more_often() -> None:
    """A caption has a class for each of its words: there is no rare class of an example."""
    source = SAMPLES["torch-captioning-image-lstm"]
    assert with_parts(source, [asked("training.oversampling=true")]) == source


def test_examples_of_several_inputs_are_not_drawn_more_often() -> None:
    """They are a dict of arrays, which takes no numbers of examples."""
    source = SAMPLES["multiinput-image-text"]
    assert with_parts(source, [asked("training.oversampling=true")]) == source


def test_names_of_classes_are_compared_with_names() -> None:
    changed = with_parts(SAMPLES["text-classification-transformer"], [asked("metric.metric=cohen_kappa")])
    assert "cohen_kappa_score(truth, test_predictions)" in changed


def test_practised_wishes_are_delivered() -> None:
    """The share of constraints met on requests that the parts were written on: it may grow, and not fall."""
    rows = [json.loads(line) for line in (WISHES / "practised.jsonl").read_text(encoding="utf-8").splitlines()]
    records = [Requirement(id=row["id"], row=n, requirement=row["requirement"]) for n, row in enumerate(rows)]
    done = list(run_local(generation_stages(PipelineSettings()), records))
    checks = [record.delivery for record in done if isinstance(record, Delivered) and record.delivery is not None]
    assert len(checks) == len(rows)
    assert sum(one.met for one in checks) / sum(one.checkable for one in checks) > 0.83
