"""Which imported names are layers, optimizers and losses, whatever way they were imported."""

from __future__ import annotations

from functools import lru_cache

from pipeline.keras.facts import backbones, layer_names

MERGE_FUNCTIONS = {
    "add": "Add",
    "average": "Average",
    "concatenate": "Concatenate",
    "dot": "Dot",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "multiply": "Multiply",
    "subtract": "Subtract",
}
"""The functional spellings of `keras.layers`: `concatenate([a, b])` builds a Concatenate layer."""

_NOT_LAYERS = frozenset({"InputSpec", "Layer", "Wrapper"})
_FORMER_LAYERS = frozenset({"Convolution1D", "Convolution2D", "Convolution3D", "CuDNNGRU", "CuDNNLSTM"})
_OPTIMIZERS = frozenset(
    {"Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Nadam", "RMSprop", "SGD"}
)
_BACKBONE_PACKAGES = frozenset({"applications", "classification_models", "efficientnet", "segmentation_models"})
_KERAS = frozenset({"keras", "tensorflow.keras", "tf.keras"})


@lru_cache(maxsize=8192)
def is_layer(path: str) -> bool:
    """Whether calling the name gives a layer or a ready-made network: `...layers.Dense`, `keras.Input`, `...VGG16`.

    A name without a module, as after `from keras.layers import *`, counts where Keras has a layer of that name.
    """
    module, _, name = path.rpartition(".")
    if not name[:1].isupper() or name in _NOT_LAYERS or module.startswith("torch"):
        return False
    if not module:
        return name in layer_names() or name in _FORMER_LAYERS or name in backbones()
    packages = module.split(".")
    if "layers" in packages or (name == "Input" and module in _KERAS) or name == "KerasLayer":
        return True
    return not _BACKBONE_PACKAGES.isdisjoint(packages)


@lru_cache(maxsize=8192)
def is_optimizer(path: str) -> bool:
    """Whether the name is an optimizer's class; learning-rate schedules, which live beside them, are not."""
    *modules, name = path.split(".")
    return name in _OPTIMIZERS or ("optimizers" in modules and "schedules" not in modules and name[:1].isupper())


@lru_cache(maxsize=8192)
def is_loss(path: str) -> bool:
    """Whether the name is one of Keras' losses, function or class."""
    return ".losses." in f".{path}"
