"""Repositories by name: which packages they want, and whether a wheel ships their tests or the user has a checkout."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from pipeline.environments.catalogue import Environment, environments
from pipeline.errors import DLCodeGenError

OWN = "own"
"""The repository of tasks that bring their files along."""

_PYTEST = ("pytest", "_pytest.assertion.rewrite", "_pytest.python", "_pytest.fixtures", "_pytest.junitxml")
_SCIENCE = (
    "numpy",
    "numpy.testing",
    "scipy.stats",
    "scipy.sparse.linalg",
    "scipy.optimize",
    "scipy.spatial.distance",
    "scipy.special",
    "scipy.interpolate",
    "scipy.integrate",
    "scipy.ndimage",
    "scipy.cluster.hierarchy",
    "joblib",
    "threadpoolctl",
    "pandas",
    "matplotlib.pyplot",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How a repository is run."""

    repository: str

    package: str
    """The folder of its sources, which is what a wheel installs."""

    environment: Environment
    """What a warm process imports of it stops before the repository itself: each candidate imports that anew."""

    wheel: bool
    """Whether the installed package ships its tests; else the user gives a checkout."""

    commit: str = ""
    """The version, tag or commit that the tasks are certified with."""

    source_folder: str = ""
    """Where in a checkout the package lies; "" for its root."""


def _environment(
    name: str, about: str, *, preload: tuple[str, ...], pythons: tuple[str, ...] = ("3.11",), torch: bool = False
) -> Environment:
    pins = (resources.files(__package__) / "requirements" / f"{name}.txt").read_text("utf-8")
    return Environment(
        name=name,
        about=about,
        requirements=pins,
        pythons=pythons,
        preload=(*_PYTEST, *preload),
        versions_shown=(name, "numpy"),
        has_torch=torch,
    )


def recipes() -> tuple[Recipe, ...]:
    """All of them."""
    return (
        Recipe(
            repository="scikit-learn",
            package="sklearn",
            environment=_environment("scikit-learn", "scikit-learn 1.6.1 with its tests", preload=_SCIENCE),
            wheel=True,
            commit="1.6.1",
        ),
    )


def recipe_of(repository: str) -> Recipe | None:
    """The recipe of a repository; None for one that there is none for."""
    for recipe in recipes():
        if recipe.repository == repository or recipe.package == repository:
            return recipe
    return None


def environment_of(name: str) -> Environment:
    """An environment of a recipe, or one of those that projects run in. Raises DLCodeGenError where there is none."""
    known = {recipe.environment.name: recipe.environment for recipe in recipes()}
    known |= {environment.name: environment for environment in environments()}
    if name not in known:
        raise DLCodeGenError(f"there is no environment {name}; give one of {', '.join(sorted(known))}")
    return known[name]
