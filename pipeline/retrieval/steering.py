"""Samples in the order in which they fit what is asked for, before any words are compared.

A bag of words takes "multi-label" for one word among forty, and ranks a softmax over gearboxes first. What a sample is
an example of stands in its cell; what a row asks for, in its constraints. Only pools whose samples declare cells are
steered: the paper's methods rank published pools by category and BM25 (section III.B).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.keras.recurrent import CELLS
from pipeline.retrieval.cell import Cell
from pipeline.retrieval.coverage import OTHER_MODELS
from pipeline.retrieval.sample_pool import Sample

DEFAULT_FRAMEWORK = "tensorflow"
"""Written in where no framework is asked for: the paper's."""

_ALIKE = (
    frozenset({"array", "series"}),
    frozenset({"array", "table"}),
    frozenset({"array", "image"}),
    frozenset({"series", "table"}),
)
"""Kinds of data that a request may mean one by the other: windows in an array, a series in a table."""

OF_GRAPHS = frozenset({"gnn", "gcn", "gat", "graphsage"})

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

_ADVERSARIAL = frozenset({"gan", "dcgan", "wgan", "conditional_gan", "stylegan"})
"""Families that are nearer to each other than to anything else that makes pictures."""

_KINDS_OF_FAMILY = {
    "cnn": frozenset({"cnn_1d", "cnn_3d"}),
    "gan": _ADVERSARIAL - {"gan"},
    "gnn": OF_GRAPHS - {"gnn"},
    "transformer": frozenset({"vision_transformer"}),
}
"""General words for families, and what goes by them: "a convolutional autoencoder" of windows convolves along steps."""

_OTHER_CELL = 1.0
"""What another recurrent cell than the asked one counts: the writer puts the asked one in its place."""

_OUTPUTS = {"quantile": 1.5, "multi_step": 0.5}
"""What a variant counts that is in what the network gives, not in what it is."""

_KNOWN_DATA = 0.75
"""What the asked data set or representation counts; an asked family counts 1."""

_NEAR_FAMILY = 0.5
"""What a network of the asked one's kind counts where none is of the asked family itself."""

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
        unasked = set(cell.families)
        for family in self.families:
            unasked -= _kinds_of_family(family)
            # "gan" beside an asked "wgan" says no more.
            unasked -= {general for general, kinds in _KINDS_OF_FAMILY.items() if family in kinds}
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
        families = _families_met(self.families, cell)
        asked_cells = (self.families - families) & _RECURRENT
        other_cells = (set(cell.families) - families) & _RECURRENT
        points += len(families) + (_OTHER_CELL if asked_cells and other_cells else 0.0)
        if families or (asked_cells and other_cells):
            points -= _UNASKED_FAMILY * len(self._unasked_families(cell))
        if not families and self.families & _ADVERSARIAL and _ADVERSARIAL.intersection(cell.families):
            points += _NEAR_FAMILY
        if self.backbones.intersection(cell.backbones):
            points += 2
        elif cell.backbones and (self.backbones or self.transfer):
            lines = {_line(name) for name in self.backbones} & {_line(name) for name in cell.backbones}
            points += 1.5 if lines else 1
        elif cell.backbones and self.transfer is False:
            points -= 1
        return points


def _families_met(asked: frozenset[str], cell: Cell) -> frozenset[str]:
    """The asked families that a cell has, a general word by one of its kinds."""
    return frozenset(family for family in asked if not _kinds_of_family(family).isdisjoint(cell.families))


def _kinds_of_family(family: str) -> frozenset[str]:
    """The family, and what goes by its word as well."""
    return _KINDS_OF_FAMILY.get(family, frozenset()) | {family}


def _is_plain(cell: Cell) -> bool:
    """Whether it is the usual network for its data, and none that was trained before."""
    return bool(cell.families) and not cell.backbones and _PLAIN.issuperset(cell.families)


def are_alike(first: Cell, second: Cell) -> bool:
    """Whether two samples solve the same problem on the same kinds of data in one framework, so that a template of both
    holds no section of another task."""
    if first.framework != second.framework or not set(first.problems) & set(second.problems):
        return False
    other_models = OTHER_MODELS.intersection(first.variants) == OTHER_MODELS.intersection(second.variants)
    return other_models and set(first.data) == set(second.data)


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
