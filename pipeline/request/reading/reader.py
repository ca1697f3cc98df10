"""A request read by rules into constraints, in milliseconds.

The text is cut into pieces (`terms`); then each group of rules reads in turn, the surest first, and a number that one
has read no other reads again: sizes in products, splits, layers, goals, time windows, numbers by the words around them,
and at last names and the terms themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.request.constraints import Constraint, Source
from pipeline.request.reading.context import error_goals, fits, goals, in_context
from pipeline.request.reading.counted import (
    examples,
    in_brackets,
    nodes,
    one_of,
    spoken_words,
    text_lengths,
    users_and_items,
)
from pipeline.request.reading.data.array_shapes import array_shapes
from pipeline.request.reading.data.beside import FACTS_BESIDE
from pipeline.request.reading.data.expected import expected_kinds
from pipeline.request.reading.data.kinds import is_weak, kinds
from pipeline.request.reading.found import Choice, Found, Written
from pipeline.request.reading.network.layers import layers
from pipeline.request.reading.outputs import counted_samples, outputs
from pipeline.request.reading.phrases.division import DIVISION
from pipeline.request.reading.phrases.models import MODELS
from pipeline.request.reading.phrases.phrase import Phrases
from pipeline.request.reading.phrases.schedule import SCHEDULE
from pipeline.request.reading.phrases.shown import SHOWN
from pipeline.request.reading.phrases.thresholds import THRESHOLDS
from pipeline.request.reading.problem.named import forbidden_problems, problems
from pipeline.request.reading.quantities import Measured, measured
from pipeline.request.reading.resolved import (
    by_what_is_counted,
    flagged,
    is_of_name,
    looking_ahead,
    resolved,
    rows_of_table,
)
from pipeline.request.reading.senses import Senses, implied
from pipeline.request.reading.shapes import factors, sizes
from pipeline.request.reading.splits import imbalance, splits
from pipeline.request.reading.variants import variants
from pipeline.request.reading.windows import in_steps, windows
from pipeline.request.reading.written.classes import class_names
from pipeline.request.reading.written.column_values import ColumnValues, column_values, is_of_input, without_outputs
from pipeline.request.reading.written.columns import columns
from pipeline.request.reading.written.files import files, inside_paths
from pipeline.request.terms.negation import Stance, stances
from pipeline.request.terms.pieces import Piece, pieces_of
from pipeline.request.terms.tokens import written

MOST_CHARACTERS = 20_000
"""What is read of a request; longer texts are documents, and what they ask for stands at their beginning."""

_PHRASES = Phrases((*SCHEDULE, *DIVISION, *THRESHOLDS, *SHOWN, *MODELS, *FACTS_BESIDE))
_BESIDE_NUMBERS = frozenset(("nesterov", "distillation"))
"""What a term asks for besides the number that it stands beside: "Nesterov 0.9" is a momentum and more."""
_SOUND = frozenset(("audio", "video", "series"))
_GENERATIVE = frozenset("gan dcgan wgan conditional_gan stylegan variational_autoencoder diffusion".split())
_LIBRARIES = frozenset(
    "torchvision,pytorch lightning,lightning,pytorch geometric,torch geometric,torch_geometric,torchtext,torchaudio,"
    "fastai,fast.ai".split(",")
)
"""Words for PyTorch that name a library beside it."""
_REBUILD = frozenset(("autoencoder", "variational_autoencoder"))
_TRANSLATORS = frozenset(("cyclegan", "pix2pix"))


def read_constraints(text: str, source: Source = "requirement") -> tuple[Constraint, ...]:
    """The constraints of a request in the order of their places. Any text is read; what no rule knows is left out."""
    text = text[:MOST_CHARACTERS]
    pieces = pieces_of(text)
    spoken = stances(pieces)
    # What stands in the name of a file asks for nothing: "wine.keras".
    in_paths = inside_paths(text, pieces)
    without_paths: list[Stance] = ["mentioned" if index in in_paths else said for index, said in enumerate(spoken)]

    request = _Request(text, pieces, without_paths, taken=in_paths)
    constraints = [_constraint(found, pieces, without_paths, source) for found in request.found()]
    kept = [constraint for constraint in constraints if constraint is not None]
    problem_names = [choice.value for choice in request.problems]
    if not problem_names and request.families & _TRANSLATORS:
        problem_names = ["style_transfer"]  # "between summer and winter": no classes
    of_files = list(files(text, pieces, spoken))
    of_table = without_outputs(text, of_files, columns(text, pieces, spoken))
    values = column_values(text, pieces, of_table, problem_names)
    named = [*of_files, *of_table, *_classes(text, pieces, spoken, problem_names, values, of_table)]
    kept = [
        constraint
        for constraint in kept
        if not is_of_name(constraint, named) and not (constraint.value == "binary" and is_of_input(constraint, values))
    ]
    for aspect, name, value, start, end, negated in named:
        kept.append(
            Constraint(aspect=aspect, name=name, value=value, start=start, end=end, source=source, negated=negated)
        )
    if not problem_names and request.families & _REBUILD:
        kept += flagged(kept)
    elif not problem_names:
        problem = by_what_is_counted(kept, pieces, without_paths)
        if problem is not None:
            kept.append(problem)
    return resolved(looking_ahead(rows_of_table(text, in_steps(text, kept))))


@dataclass(slots=True)
class _Request:
    """One request under the rules that work on pieces."""

    text: str
    pieces: list[Piece]
    stances: Sequence[Stance]
    taken: set[int]
    """Pieces that a rule has read."""
    problems: list[Choice]
    kinds: list[Choice]
    values: set[str]
    """What is named at all."""
    families: set[str]
    """The families of networks that are named."""

    def __init__(self, text: str, pieces: list[Piece], stances: Sequence[Stance], taken: set[int]) -> None:
        self.text = text
        self.pieces = pieces
        self.stances = stances
        self.taken = set(taken)
        self.problems = problems(pieces, stances)
        values = {(term.name, term.value) for piece in pieces for term in piece.terms}
        self.values = {value for _, value in values}
        self.families = {value for name, value in values if name == "family"}
        several = ("variant", "multi_input") in values
        expected, only = expected_kinds(pieces, [choice.value for choice in self.problems])
        self.kinds = kinds(pieces, stances, several=several, expected=expected, only=only)

    def found(self) -> Iterator[Found]:
        """All that is read, the surest first: a number that one rule has read no other reads again."""
        pieces, taken = self.pieces, self.taken
        numbers = [(index, piece) for index, piece in enumerate(pieces) if piece.number is not None]
        data_kinds = {choice.value for choice in self.kinds}
        problem_names = {choice.value for choice in self.problems}
        lower = self.text.lower()
        if len(lower) == len(self.text):  # else a letter's lower case is two, and places would be wrong
            yield from _PHRASES.found(lower, pieces, taken, self.values | problem_names)
        yield from array_shapes(pieces, taken)
        of_images = sizes(pieces, taken, video="video" in data_kinds)
        yield from of_images
        yield from splits(pieces, numbers, taken)
        yield from layers(pieces, self.stances, taken)
        yield from goals(pieces, taken)
        yield from error_goals(pieces, taken)
        yield from windows(pieces, numbers, taken)
        if "audio" in data_kinds:
            yield from spoken_words(pieces, numbers, taken)
        yield from variants(self.text, pieces, numbers, taken, self.values)
        yield from counted_samples(pieces, numbers, taken, problem_names)
        if "reinforcement_learning" not in problem_names:
            yield from one_of(pieces, numbers, taken)
        if "graph" in data_kinds:
            yield from nodes(pieces, numbers, taken)
        yield from in_brackets(pieces, numbers, taken)
        claimed = measured(pieces, numbers, taken, _excluded(problem_names, data_kinds, self.families))
        yield from self._measured(claimed, data_kinds, problem_names)
        if "text" in data_kinds:
            yield from text_lengths(pieces, numbers, taken)
        rare = imbalance(pieces, numbers, taken)
        if rare is not None:
            yield rare
        named = {number.quantity.name for number in claimed}
        if "recommendation" in problem_names:
            yield from users_and_items(pieces, numbers, taken, named)
        elif "examples" not in named:
            yield from examples(pieces, numbers, taken)
        if "super_resolution" in problem_names:
            yield from factors(pieces, taken)
        if not any(number.quantity.name == "learning_rate" for number in claimed):
            yield from self._lone_rate()

        shown = outputs(self.text, pieces, problem_names)
        yield from shown
        channels = {found.value for found in of_images if found.name == "channels"}
        if "colorization" in problem_names:
            channels.add("1")
        rivals = {index for found in shown if found.value == "baseline" for index in range(found.first, found.last + 1)}
        for found in self._terms({number.cue for number in claimed}, channels, problem_names):
            if found.first not in rivals or found.aspect != "architecture":
                yield found
        for choice in (*self.problems, *forbidden_problems(pieces, self.stances)):
            yield Found("task", "problem", choice.value, choice.first, choice.last)
        for choice in self.kinds:
            if choice.value == "text" and of_images and is_weak(pieces[choice.first]):
                continue  # letters of 28x28 pixels are pictures, whatever they are called
            yield Found("data", "kind", choice.value, choice.first, choice.last, choice.subject)

    def _measured(self, numbers: list[Measured], data_kinds: set[str], problem_names: set[str]) -> Iterator[Found]:
        """What the numbers are that words beside them claim."""
        senses = Senses(self.pieces, self.values, self.families, problem_names, data_kinds)
        for number in numbers:
            sense = senses.of(number)
            if sense is not None:
                first, last = min(number.first, number.cue), max(number.last, number.cue)
                yield Found(*sense, number.value, first, last)
            yield from implied(self.pieces, number)

    def _terms(self, counted: set[int], channels: set[str], problem_names: set[str]) -> Iterator[Found]:
        """The terms that ask for something by themselves.

        `counted` are those that say what a number beside them is, `channels` those that an image's size states.
        """
        for index, piece in enumerate(self.pieces):
            for term in piece.meanings("is") if piece.terms else ():
                if term.name in ("problem", "kind", "hint"):
                    continue
                # "dropout 0.3" is no bare dropout, "512 wordpieces" are a length
                if (
                    index in counted
                    and term.value in ("true", "subwords", "bytes")
                    and term.name not in _BESIDE_NUMBERS
                ):
                    continue
                if term.name == "framework" and (self._leaves_open(index) or self._is_named_besides(index)):
                    continue
                if term.name == "channels" and channels and term.value not in channels:
                    continue
                if fits(self.pieces, index, term, problem_names):
                    yield Found(*in_context(self.pieces, index, term, problem_names), index, index)

    def _leaves_open(self, index: int) -> bool:
        """Whether a framework is one of two, whichever: "TensorFlow or PyTorch"."""
        for joiner, other in ((index + 1, index + 2), (index - 1, index - 2)):
            if 0 <= other < len(self.pieces) and self.pieces[joiner].key in ("or", "oder", "ou", "o"):
                return self.pieces[other].is_named("framework")
        return False

    def _is_named_besides(self, index: int) -> bool:
        """Whether a function of a framework stands beside the framework's name: GradientTape."""
        if "tape" not in self.pieces[index].key and "fit" not in self.pieces[index].key:
            return False
        return any(part.is_a("framework") and "tape" not in part.key for part in self.pieces)

    def _lone_rate(self) -> Iterator[Found]:
        """A number like 3e-4 that no word claims is the learning rate, and so is a small one behind an optimizer."""
        for index, piece in enumerate(self.pieces):
            if piece.kind != "number" or index in self.taken or not 0 < (piece.number or 0) < 0.1 or piece.share:
                continue
            before = [part.key for part in self.pieces[max(0, index - 2) : index]]
            of_optimizer = before[-1:] == [","] and self.pieces[index - 2].is_a("optimizer")  # "Nadam, 0.001"
            if ("e-" in piece.key and "weight" not in before) or of_optimizer:
                yield Found("training", "learning_rate", written(piece.number or 0.0), index, index)
                return


def _constraint(found: Found, pieces: list[Piece], stances: Sequence[Stance], source: Source) -> Constraint | None:
    """The constraint of what was read; None where it is only mentioned."""
    said = stances[found.first : found.last + 1]
    if "mentioned" in said:
        return None
    if "forbidden" in said and pieces[found.first].key in _LIBRARIES:
        return None  # "without torch geometric" forbids no framework
    return Constraint(
        aspect=found.aspect,
        name=found.name,
        value=found.value.removeprefix("not "),
        start=pieces[found.first].start,
        end=pieces[found.last].end,
        source=source,
        subject=found.subject,
        negated=("forbidden" in said) != found.value.startswith("not "),
    )


def _classes(
    text: str,
    pieces: list[Piece],
    stances: Sequence[Stance],
    problems: list[str],
    values: Sequence[ColumnValues],
    of_table: Sequence[Written],
) -> Iterator[Written]:
    for name in class_names(text, pieces, stances, problems, values):
        if any(item.start < name.end and name.start < item.end for item in of_table):
            return
        yield Written("classes", "name", name.text.lower(), name.start, name.end)


def _excluded(problems: set[str], data_kinds: set[str], families: set[str]) -> frozenset[str]:
    """Quantities that this kind of problem does not have: a song is an item only where songs are recommended."""
    excluded = {"examples"} if "recommendation" in problems else {"users", "items"}
    if "super_resolution" not in problems:
        excluded.add("scale")
    if "generation" not in problems and not families & _GENERATIVE:
        excluded.add("samples")
    if "diffusion" in families:
        excluded.add("length")  # its time steps are none of the data's
    if not data_kinds & _SOUND:
        excluded.add("duration")
    if "graph" not in data_kinds:
        excluded.add("nodes")
    return frozenset(excluded)
