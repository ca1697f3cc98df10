"""Samples in the order in which they fit what is asked for, before any words are compared.

A bag of words takes "multi-label" for one word among forty, and ranks a softmax over gearboxes first. What a sample is
an example of stands in its cell; what a row asks for, in its constraints. Only pools whose samples declare cells are
steered: the paper's methods rank published pools by category and BM25 (section III.B).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.keras.recurrent import CELLS
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.request.constraints import Constraint
from pipeline.request.known_datasets import known_dataset
from pipeline.retrieval.cell import Cell, data_of, problems_asked, problems_of, stated
from pipeline.retrieval.coverage import OTHER_MODELS
from pipeline.retrieval.sample_pool import Sample

DEFAULT_FRAMEWORK = "tensorflow"
"""Written in where no framework is asked for: the paper's."""

_TRANSFER = frozenset({"frozen", "fine_tuned", "fine_tuned_layers"})
"""Names of constraints that only a network trained before can meet."""

_ALIKE = (
    frozenset({"array", "series"}),
    frozenset({"array", "table"}),
    frozenset({"array", "image"}),
    frozenset({"series", "table"}),
)
"""Kinds of data that a request may mean one by the other: windows in an array, a series in a table."""

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

_OF_GRAPHS = frozenset({"gnn", "gcn", "gat", "graphsage"})

_WITHOUT_SAYING = {
    "recommendation": frozenset({"multi_input", "pairs"}),
    "retrieval": frozenset({"multi_input", "pairs"}),
    "question_answering": frozenset({"multi_input", "pairs", "span"}),
    "captioning": frozenset({"multi_input", "pairs"}),
    "anomaly_detection": frozenset({"one_class"}),
}
"""Variants that a problem has anyway, whether a request or a cell names them or not."""

_PLAIN = frozenset({"mlp", "cnn", "cnn_1d", "lstm", "bilstm", "gru", "unet", "autoencoder"})
"""What a request gets that asks for no architecture."""

_RECURRENT = frozenset(CELLS)

_ADVERSARIAL = frozenset({"gan", "dcgan", "wgan", "conditional_gan"})
"""Families that are nearer to each other than to anything else that makes pictures."""

_OTHER_CELL = 1.0
"""What another recurrent cell than the asked one counts: the writer puts the asked one in its place."""

_OUTPUTS = {"quantile": 1.5, "multi_step": 0.5}
"""What a variant counts that is in what the network gives, not in what it is."""

_KNOWN_DATA = 0.75
"""What the asked data set or representation counts; an asked family counts 1."""

_UNASKED_FAMILY = 0.25
"""What a family costs that a sample has beside those that are asked for."""

Fit = tuple[float, ...]
"""How well a cell fits, aspect by aspect, the weightiest first; larger is better."""


def is_steered(samples: Sequence[Sample]) -> bool:
    """Whether a pool's samples are ranked by their cells."""
    return any(sample.declared_cell is not None for sample in samples)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a row asks for, as far as cells speak of it."""

    frameworks: frozenset[str]
    """Empty where none is asked for."""

    forbidden: frozenset[str]
    """Frameworks, families and networks that are not to be used."""

    problems: frozenset[str]
    """Those asked for; of a request that names none, those of its plan's category."""

    variants: frozenset[str]

    data: frozenset[str]
    """Kinds of input, as `problems`."""

    families: frozenset[str]
    backbones: frozenset[str]
    datasets: frozenset[str]
    representations: frozenset[str]

    reads_data: bool
    """Whether data of the row's own have been described."""

    transfer: bool | None
    """Whether a network trained before is asked for; False where it is forbidden, None where nothing is said."""

    def takes(self, cell: Cell) -> bool:
        """Whether a sample may be taken at all: one in another framework than the asked one never is."""
        if self.frameworks:
            return cell.framework in self.frameworks
        return cell.framework not in self.forbidden

    def fit(self, sample: Sample) -> Fit:
        """How well a sample fits: problem, variants that are another model, data, asked architecture, framework; then
        what tells samples apart that do as well."""
        cell = sample.cell()
        solved = self.problems.intersection(cell.problems)
        other_models = set(OTHER_MODELS)
        for problem in solved:
            other_models -= _WITHOUT_SAYING.get(problem, frozenset())
        return (
            float(bool(solved)),
            -len((self.variants ^ set(cell.variants)) & other_models),
            _data_fit(self.data, frozenset(cell.data)),
            self._architecture_fit(cell),
            float(cell.framework == DEFAULT_FRAMEWORK),
            len(solved),
            float(self._asks_no_architecture() and _is_plain(cell)),
            float(self.reads_data and self._asks_no_architecture() and cell.is_usual),
            float(sample.declared_cell is not None),  # written for anyone's words and data
            self._exact_families(cell),
            -float(bool(cell.datasets) and self.datasets.isdisjoint(cell.datasets)),
            -len((self.variants ^ set(cell.variants)) - OTHER_MODELS),
        )

    def _unasked_families(self, cell: Cell) -> set[str]:
        """What a sample has beside the asked families, but for what the writer puts others in the place of, or leaves
        out: recurrent cells, and convolutions along the steps before an asked one."""
        unasked = set(cell.families) - self.families
        if self.families & _RECURRENT:
            unasked -= _RECURRENT
            if self.families <= _RECURRENT:
                unasked -= {"cnn_1d"}
        return unasked

    def _exact_families(self, cell: Cell) -> float:
        """The asked families that a sample has of itself, less a part of what it has besides."""
        families = self.families.intersection(cell.families)
        return len(families) - _UNASKED_FAMILY * len(set(cell.families) - families) if families else 0.0

    def _asks_no_architecture(self) -> bool:
        return not self.families and not self.backbones and self.transfer is None

    def _architecture_fit(self, cell: Cell) -> float:
        """How much is there of the architecture that is asked for, of the known data and of the form of the input.

        A known network counts twice; another known network is nearer to it than none, one of its line still more.
        """
        points = _KNOWN_DATA * len(self.datasets.intersection(cell.datasets))
        points += _KNOWN_DATA * len(self.representations.intersection(cell.representations))
        points -= len(self.forbidden.intersection((*cell.families, *cell.backbones)))
        points += sum(_OUTPUTS.get(variant, 0.0) for variant in self.variants.intersection(cell.variants))
        families = self.families.intersection(cell.families)
        asked_cells = (self.families - families) & _RECURRENT
        other_cells = (set(cell.families) - families) & _RECURRENT
        points += len(families) + (_OTHER_CELL if asked_cells and other_cells else 0.0)
        if families or (asked_cells and other_cells):
            points -= _UNASKED_FAMILY * len(self._unasked_families(cell))
        if not families and self.families & _ADVERSARIAL and _ADVERSARIAL.intersection(cell.families):
            points += 1
        if self.backbones.intersection(cell.backbones):
            points += 2
        elif cell.backbones and (self.backbones or self.transfer):
            lines = {_line(name) for name in self.backbones} & {_line(name) for name in cell.backbones}
            points += 1.5 if lines else 1
        elif cell.backbones and self.transfer is False:
            points -= 1
        return points


def _is_plain(cell: Cell) -> bool:
    """Whether it is the usual network for its data, and none that was trained before."""
    return bool(cell.families) and not cell.backbones and _PLAIN.issuperset(cell.families)


def wanted_of(constraints: Sequence[Constraint], plan: SolutionPlan | None) -> Wanted:
    """What a row asks for. Its plan's category counts where the request names no problem, or no kind of data."""
    category = plan.task_category if plan is not None else ""
    forbidden = [one.value for one in constraints if one.negated and one.name in ("framework", "family", "backbone")]
    families = stated(constraints, "family")
    problems = problems_asked(constraints) or [_OF_FAMILY[name] for name in families if name in _OF_FAMILY]
    return Wanted(
        frameworks=frozenset(stated(constraints, "framework")),
        forbidden=frozenset(forbidden),
        problems=frozenset(problems or problems_of(category)),
        variants=_variants(constraints),
        data=frozenset(stated(constraints, "kind") or _implied_data(constraints) or data_of(category)),
        families=frozenset(families),
        backbones=frozenset(stated(constraints, "backbone")),
        datasets=frozenset(stated(constraints, "dataset")),
        representations=frozenset(stated(constraints, "representation")),
        reads_data=any(one.source == "data" for one in constraints),
        transfer=_transfer(constraints),
    )


def _implied_data(constraints: Sequence[Constraint]) -> list[str]:
    """The kind of data that a known set is of, or that networks of graphs read."""
    known = [known_dataset(name) for name in stated(constraints, "dataset")]
    kinds = [one.kind for one in known if one is not None]
    return list(kinds) or (["graph"] if _OF_GRAPHS.intersection(stated(constraints, "family")) else [])


def are_alike(first: Cell, second: Cell) -> bool:
    """Whether two samples solve the same problem on the same kinds of data in one framework, so that a template of both
    holds no section of another task."""
    if first.framework != second.framework or not set(first.problems) & set(second.problems):
        return False
    other_models = OTHER_MODELS.intersection(first.variants) == OTHER_MODELS.intersection(second.variants)
    return other_models and set(first.data) == set(second.data)


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
    if len(stated(constraints, "target")) > 1:
        variants.add("multi_output")
    if _compares_texts(constraints):
        variants |= {"multi_input", "pairs"}
    return frozenset(variants)


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


def _line(backbone: str) -> str:
    """The line of a known network: that of `efficientnetb3` is `efficientnetb`."""
    return backbone.rstrip("0123456789v_")


def _data_fit(asked: frozenset[str], cell: frozenset[str]) -> float:
    """Kinds in common, less those that only one side has; half for kinds that are taken for each other."""
    if not asked or not cell:
        return 0.0
    points = float(len(asked & cell) - len(asked ^ cell))
    for pair in _ALIKE:
        if len(pair & (asked - cell)) == 1 and len(pair & (cell - asked)) == 1:
            points += 1.5
    return points
