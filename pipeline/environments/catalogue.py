"""The environments there are: which packages, which Python, what a warm process imports beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from pipeline.errors import DLCodeGenError

KERAS3, TORCH, TF215 = "keras3", "torch", "tf215"


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """A Python environment for projects."""

    name: str

    about: str
    """What it is for, in a few words."""

    requirements: str
    """The pinned packages, as a requirements file."""

    pythons: tuple[str, ...]
    """The minor versions of Python that the pins are for, the usual one first."""

    preload: tuple[str, ...] = ()
    """What a warm process imports before it is given a project. A module that is not there is passed over."""

    versions_shown: tuple[str, ...] = ()
    """The packages whose versions stand for the environment in tables and manifests."""

    has_torch: bool = False
    """Whether PyTorch is among the packages: its build for CPUs lies on an index of its own."""


_DATA_PACKAGES = (
    "numpy",
    "pandas",
    "scipy.stats",
    "PIL.Image",
    "cv2",
    "tqdm.auto",
    "matplotlib.pyplot",
    "seaborn",
    "sklearn.datasets",
    "sklearn.ensemble",
    "sklearn.feature_extraction.text",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.pipeline",
    "sklearn.preprocessing",
)
"""What projects import besides their framework, by how often they do (the paper's released outputs)."""


def _requirements(name: str) -> str:
    return (resources.files(__package__) / "requirements" / f"{name}.txt").read_text("utf-8")


def environments() -> tuple[Environment, ...]:
    """All environments."""
    return (
        Environment(
            name=KERAS3,
            about="TensorFlow 2.20 with Keras 3",
            requirements=_requirements(KERAS3),
            pythons=("3.11", "3.12", "3.13"),
            preload=("tensorflow", "keras", *_DATA_PACKAGES),
            versions_shown=("tensorflow-cpu", "keras", "numpy"),
        ),
        Environment(
            name=TORCH,
            about="PyTorch with Lightning",
            requirements=_requirements(TORCH),
            pythons=("3.11", "3.12", "3.13"),
            preload=("torch", "torch.utils.data", "torch._dynamo", "lightning", "torchmetrics", *_DATA_PACKAGES),
            versions_shown=("torch", "lightning", "numpy"),
            has_torch=True,
        ),
        # The packages of early 2024, when TensorFlow 2.15 was current: the last one with Keras 2 inside.
        Environment(
            name=TF215,
            about="TensorFlow 2.15 with Keras 2, for published code",
            requirements=_requirements(TF215),
            pythons=("3.11",),
            preload=("tensorflow", "keras", *_DATA_PACKAGES),
            versions_shown=("tensorflow-cpu", "keras", "numpy"),
        ),
    )


def environment_named(name: str) -> Environment:
    """The environment of that name. Raises DLCodeGenError where there is none."""
    for environment in environments():
        if environment.name == name:
            return environment
    names = ", ".join(environment.name for environment in environments())
    raise DLCodeGenError(f"env={name}: there is no such environment; give one of {names}, or auto")
