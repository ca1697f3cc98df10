"""Which imported names are layers, optimizers and losses, whatever way they were imported."""

from __future__ import annotations

import re
from functools import lru_cache

from pipeline.analysis.training.graphs import LOSS_FUNCTIONS
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
FORMER_OPTIMIZERS = {
    "AdadeltaOptimizer": "Adadelta",
    "AdagradOptimizer": "Adagrad",
    "AdamOptimizer": "Adam",
    "FtrlOptimizer": "Ftrl",
    "GradientDescentOptimizer": "SGD",
    "MomentumOptimizer": "SGD",
    "RMSPropOptimizer": "RMSprop",
}
"""Those of `tf.train`."""
OPTIMIZER_FUNCTIONS = frozenset({"transformers.create_optimizer", "transformers.optimization_tf.create_optimizer"})
"""Functions that give an optimizer and its schedule."""
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
    if name in _OPTIMIZERS or path in OPTIMIZER_FUNCTIONS or name in ("AdamWeightDecay", *FORMER_OPTIMIZERS):
        return True
    return "optimizers" in modules and "schedules" not in modules and name[:1].isupper()


@lru_cache(maxsize=8192)
def is_loss(path: str) -> bool:
    """Whether the name is one of Keras' losses, function or class."""
    return ".losses." in f".{path}" or path.rpartition(".")[2] in LOSS_FUNCTIONS


_HUBS = frozenset({"keras_cv", "keras_hub", "keras_nlp"})
_NO_NETWORK = re.compile(r"Tokenizer|Preprocessor|Processor|Config|Packer|FeatureExtractor|Trainer")
_MODEL_LOSSES = re.compile(
    r"For(SequenceClassification|TokenClassification|MultipleChoice|QuestionAnswering|MaskedLM|CausalLM|Seq2SeqLM|"
    r"ConditionalGeneration|ImageClassification)$"
)


@lru_cache(maxsize=8192)
def ready_made(path: str) -> str:
    """The class of the network that a call of the name loads, with its weights or its preset: "BertBackbone" for
    `keras_hub.models.BertBackbone.from_preset`, "load_model" for a stored one; "" for any other call."""
    parent, _, name = path.rpartition(".")
    if name == "load_model" and (not parent or "keras" in parent.split(".")):
        return name
    package, _, _ = parent.partition(".")
    cls = parent.rpartition(".")[2]
    if not cls[:1].isupper() or _NO_NETWORK.search(cls):
        return ""
    if name == "from_preset" and package in _HUBS:
        return cls
    if name == "from_pretrained" and package == "transformers" and cls.startswith("TF"):
        return cls
    return ""


def loss_of_class(name: str) -> str:
    """The loss that a class of Transformers computes of itself where `compile` is given none; "" for any other."""
    if not name.startswith("TF") or not _MODEL_LOSSES.search(name):
        return ""
    return "sparse_categorical_crossentropy"
