"""What a row asks of the samples, read of its constraints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.own_data.roles import is_id, role_facts
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.request.constraints import Constraint
from pipeline.request.known_datasets import known_dataset
from pipeline.retrieval.cell import data_of, problems_asked, problems_of, stated
from pipeline.retrieval.coverage import OTHER_MODELS
from pipeline.retrieval.steering import OF_GRAPHS, Wanted

_TRANSFER = frozenset({"frozen", "fine_tuned", "fine_tuned_layers"})
"""Names of constraints that only a network trained before can meet."""

_OF_FAMILY = {
    "variational_autoencoder": "generation",
    "gan": "generation",
    "dcgan": "generation",
    "wgan": "generation",
    "conditional_gan": "generation",
    "diffusion": "generation",
    "unet": "segmentation",
    "autoencoder": "reconstruction",
    "matrix_factorization": "recommendation",
    "ncf": "recommendation",
    "two_tower": "recommendation",
    "siamese": "retrieval",
    "dqn": "reinforcement_learning",
}
"""Problems of families that are for one alone; "a VAE on digits" names no other."""

_OF_NUMBERS = frozenset({"mse", "mae", "huber", "rmse", "r2", "mape", "log_cosh"})
"""Losses and metrics that only numbers have."""

_OF_STEPS_ALONE = frozenset({"anomaly_detection", "forecasting"})
"""Problems of which what has a length is a series."""

_USUAL_BACKBONE = "mobilenetv2"
"""The network that plain photos are told by: small, and good at it."""

_OF_TWO_CLASSES = frozenset({"binary_crossentropy", "sigmoid", "dice"})
"""Losses and outputs of a class and what is none of it."""


def wanted_of(constraints: Sequence[Constraint], plan: SolutionPlan | None, requirement: str = "") -> Wanted:
    """What a row asks for. Its plan's category counts where the request names no problem, or no kind of data; its words
    tell what no constraint does, photos from drawings and scans."""
    category = plan.task_category if plan is not None else ""
    forbidden = [one.value for one in constraints if one.negated and one.name in ("framework", "family", "backbone")]
    families = stated(constraints, "family")
    data = _kinds_asked(constraints)
    problems = problems_asked(constraints) or [_OF_FAMILY[name] for name in families if name in _OF_FAMILY]
    if "unet" in families and problems == ["classification"]:
        problems = ["segmentation"]  # of pixels: "a U-Net for five land cover classes"
    if not data and stated(constraints, "length") and _OF_STEPS_ALONE.intersection(problems):
        data = ["series"]
    if not problems and _OF_NUMBERS.intersection(stated(constraints, "loss") + stated(constraints, "metric")):
        problems = ["regression"]
    if "autoencoder" in families and {"series", "table"}.intersection(data):
        # What autoencoders of rows and windows are for, also where it reads "find out whether it is normal".
        problems = [
            {"reconstruction": "anomaly_detection", "classification": "anomaly_detection"}.get(one, one)
            for one in problems
        ]
    wanted = Wanted(
        frameworks=frozenset(stated(constraints, "framework")),
        forbidden=frozenset(forbidden),
        problems=frozenset(problems or problems_of(category)),
        variants=_variants(constraints),
        data=frozenset(data or _implied_data(constraints) or data_of(category)),
        families=frozenset(families),
        backbones=frozenset(stated(constraints, "backbone")),
        datasets=frozenset(stated(constraints, "dataset")),
        representations=frozenset(stated(constraints, "representation")),
        reads_data=any(one.source == "data" for one in constraints),
        transfer=_transfer(constraints),
    )
    if not _NO_PHOTOS.search(requirement) and _is_of_plain_photos(wanted, constraints):
        return replace(wanted, transfer=True, backbones=frozenset({_USUAL_BACKBONE}))
    return wanted


_OF_STEPS = frozenset({"length", "horizon", "window", "stride", "frames", "sample_rate", "duration", "steps"})
"""Names of constraints that speak of something that goes on in time."""


def _kinds_asked(constraints: Sequence[Constraint]) -> list[str]:
    """The kinds of data that are named. What goes by the hour and is told from the columns of one row, by dense layers
    and without any steps, is a table: "the hourly consumption from temperature and weekday, MLP"."""
    kinds = stated(constraints, "kind")
    if kinds == ["image"] and _has_row_beside(constraints):
        return ["image", "table"]
    if kinds != ["series"] or not {"regression", "classification"}.intersection(stated(constraints, "problem")):
        return kinds
    families = set(stated(constraints, "family"))
    has_steps = any(one.name in _OF_STEPS and not one.negated for one in constraints)
    if has_steps or families - {"mlp"}:
        return kinds
    columns = len(set(stated(constraints, "column")))
    return ["table"] if families or columns >= _FEWEST_COLUMNS else kinds


_FEWEST_COLUMNS = 2
"""Columns that are named of a table that may be called a series for how often it has rows."""


_LABELS_IN_COLUMNS = frozenset({"multi_label", "multi_output", "keypoints"})


def _has_row_beside(constraints: Sequence[Constraint]) -> bool:
    """Whether columns are named beside the one of the image files: "columns area, floor, target rent, images in
    image_file"."""
    if _LABELS_IN_COLUMNS.intersection(stated(constraints, "variant")) or len(stated(constraints, "target")) > 1:
        return False
    if not {"regression", "classification"}.intersection(stated(constraints, "problem")):
        return False
    names = list(dict.fromkeys(stated(constraints, "column")))
    file_column = role_facts(names).get("file_column")
    others = [name for name in names if name != file_column and not is_id(name)]
    return file_column is not None and len(others) >= _FEWEST_COLUMNS


_NO_PHOTOS = re.compile(
    r"hand-?writ|hand-?drawn|\bletters?\b|digits?\b|characters?\b|x-?ray|\bct\b|\bmri\b|scans?\b|spectrogram|drawing|"
    r"sketch|\bicons?\b|\blogos?\b|symbol|pixel|microscop|simple|small|tiny|from scratch",
    re.IGNORECASE,
)
"""What is unlike the photos of ImageNet, and what says that the network is to be small."""


def _is_of_plain_photos(wanted: Wanted, constraints: Sequence[Constraint]) -> bool:
    """Whether classes of photos are wanted, and nothing is said of the network or the size of an image: with few photos
    a network that has seen millions does better than one from scratch."""
    if wanted.reads_data or wanted.problems != {"classification"} or wanted.data != {"image"}:
        return False
    if wanted.datasets or OTHER_MODELS.intersection(wanted.variants) or wanted.transfer is not None:
        return False
    says_how = any(one.aspect == "architecture" and not one.negated for one in constraints)
    sizes = any(one.name in ("height", "width", "channels") for one in constraints)
    return not says_how and not sizes


def _implied_data(constraints: Sequence[Constraint]) -> list[str]:
    """The kind of data that a known set is of, or that networks of graphs read."""
    known = [known_dataset(name) for name in stated(constraints, "dataset")]
    kinds = [one.kind for one in known if one is not None]
    return list(kinds) or (["graph"] if OF_GRAPHS.intersection(stated(constraints, "family")) else [])


def _variants(constraints: Sequence[Constraint]) -> frozenset[str]:
    """The variants that are named, and those that other words amount to."""
    variants = set(stated(constraints, "variant"))
    for one in constraints:
        if one.name == "folds" and not one.negated:
            variants.add("cross_validation")
        if one.name == "horizon" and (one.number or 0) > 1:
            variants.add("multi_step")
        if one.name == "outputs" and (one.number or 0) > 1:
            variants.add("multi_output")
        if (one.name, one.value, one.negated) == ("loss", "quantile", False):
            variants.add("quantile")
    if _is_of_two_classes(constraints):
        variants.add("binary")
    if len(stated(constraints, "target")) > 1:
        variants.add("multi_output")
    for source in ("requirement", "attributes"):
        kinds = set(_kinds_asked([one for one in constraints if one.source == source]))
        if "image" in kinds and len(kinds) > 1:
            variants.add("multi_input")
    if _compares_texts(constraints):
        variants |= {"multi_input", "pairs"}
    return frozenset(variants)


def _is_of_two_classes(constraints: Sequence[Constraint]) -> bool:
    """Whether a loss or an output of a class and what is none of it is asked for, and no more classes are named."""
    classes = max([len(stated(constraints, "name")), *(one.number or 0 for one in constraints if one.name == "count")])
    values = {*stated(constraints, "loss"), *stated(constraints, "output_activation")}
    is_of_several = any("categorical" in value or value in ("crossentropy", "softmax") for value in values)
    return bool(values & _OF_TWO_CLASSES) and classes <= 2 and not is_of_several


_OF_PAIR = re.compile(r"(?P<first>.*?)_?(?P<end>text|1|2|a|b)", re.IGNORECASE)


def _compares_texts(constraints: Sequence[Constraint]) -> bool:
    """Whether two texts of a row are told to match: `job_text` and `cv_text`, `question1` and `question2`."""
    if "text" not in stated(constraints, "kind") or "classification" not in stated(constraints, "problem"):
        return False
    if {"two_tower", "siamese"}.intersection(stated(constraints, "family")):
        return True
    matches = [_OF_PAIR.fullmatch(name) for name in dict.fromkeys(stated(constraints, "column"))]
    named = [match for match in matches if match is not None]
    same_end = [match for match in named if match["end"].lower() == "text"]
    same_beginning = [match for match in named if match["end"].lower() != "text" and match["first"]]
    numbered = len({match["first"] for match in same_beginning}) == 1 and len(same_beginning) == 2
    return len(same_end) == 2 or numbered


def _transfer(constraints: Sequence[Constraint]) -> bool | None:
    for one in constraints:
        if one.name in _TRANSFER or (one.name, one.value) == ("weights", "pretrained"):
            return not one.negated
        if (one.name, one.value) == ("weights", "scratch"):
            return one.negated
    return None
