"""What a sample keeps of its own where a plan's value would break it."""

from __future__ import annotations

import pytest

from pipeline.generate.symbolic.target import for_sample
from pipeline.retrieval.sample_pool import samples_for_own_data
from pipeline.starter import STARTER
from tests.pipeline.generate.symbolic.projects import target


@pytest.mark.parametrize(
    ("name", "labels"),
    [("image-masks", "one_hot"), ("segmentation-image-dilated", "")],  # the second has a loss of its own
)
def test_labels_keep_their_form_where_the_loss_is_a_function_of_the_sample(name: str, labels: str) -> None:
    sample = next(one for one in samples_for_own_data(STARTER) if one.id == name)
    wanted = target(category="Image Segmentation", labels="one_hot", loss="categorical_crossentropy")
    assert for_sample(wanted, sample, (), has_own_data=True).labels == labels


def test_batches_and_epochs_are_the_plans_for_data_of_the_row_s_own() -> None:
    sample = next(one for one in samples_for_own_data(STARTER) if one.id == "table-classification")
    wanted = target(category="Tabular Classification", batch_size=8, epochs=188)
    fitted = for_sample(wanted, sample, (), has_own_data=True)
    assert (fitted.batch_size, fitted.epochs) == (8, 188)
    without_data = for_sample(wanted, sample, ())
    assert (without_data.batch_size, without_data.epochs) == (None, None)
