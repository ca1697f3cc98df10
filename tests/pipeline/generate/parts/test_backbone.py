"""Another known network in the place of the sample's, prepared for in its own way."""

from __future__ import annotations

import pytest

from pipeline.generate.parts.adding import with_parts
from pipeline.understanding import asked_in

MOBILENET = '''# %% [markdown]
# # Transfer from MobileNetV2
from tensorflow import keras

def prepare(images):
    """MobileNetV2 was trained on pixels from -1 to 1."""
    return keras.applications.mobilenet_v2.preprocess_input(images)

backbone = keras.applications.MobileNetV2(include_top=False, weights="imagenet")
backbone.trainable = False
'''

EFFICIENTNET = """from tensorflow import keras

backbone = keras.applications.EfficientNetB0(include_top=False, weights="imagenet")
backbone.trainable = False
"""


@pytest.mark.parametrize(
    ("asked", "network", "module"),
    [
        ("VGG16", "VGG16", "vgg16"),
        ("ResNet50", "ResNet50", "resnet"),
        ("DenseNet121", "DenseNet121", "densenet"),
        ("EfficientNetB0", "EfficientNetB0", "efficientnet"),
    ],
)
def test_a_network_brings_its_preparation(asked: str, network: str, module: str) -> None:
    code = with_parts(MOBILENET, asked_in(f"classify photos by transfer learning with {asked}"))
    assert f"keras.applications.{network}(" in code
    assert f"keras.applications.{module}.preprocess_input" in code
    assert "MobileNetV2" not in code
    assert "-1 to 1" not in code


def test_without_a_preparation_only_a_network_of_the_same_line_takes_the_place() -> None:
    assert "applications.EfficientNetB3(" in with_parts(EFFICIENTNET, asked_in("fine-tune EfficientNetB3 on photos"))
    assert with_parts(EFFICIENTNET, asked_in("transfer learning with VGG16 on photos")) == EFFICIENTNET
