"""A request read by rules into constraints, in milliseconds.

The text is cut into pieces (`terms`); then each aspect is read in turn, the surest first, and a number that one rule
has read no other reads again: sizes in products, splits, layers, numbers by the words around them, lists of names, and
at last the terms themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.request.constraints import Aspect, Constraint, Source
from pipeline.request.reading.columns import columns
from pipeline.request.reading.context import fits, in_context
from pipeline.request.reading.files import files, inside_paths
from pipeline.request.reading.layers import layers
from pipeline.request.reading.measures import goal
from pipeline.request.reading.names import class_names
from pipeline.request.reading.quantities import Measured, measured
from pipeline.request.reading.shapes import factors, sizes, windows
from pipeline.request.reading.splits import imbalance, splits
from pipeline.request.reading.tasks import Choice, kinds, problems
from pipeline.request.terms.negation import Stance, stances
from pipeline.request.terms.pieces import Piece, pieces_of
from pipeline.request.terms.table import Term
from pipeline.request.terms.tokens import written

MOST_CHARACTERS = 20_000
"""What is read of a request; longer texts are documents, and what they ask for stands at their beginning."""

_SCALED = frozenset(("super_resolution",))
_SOUND = frozenset(("audio", "video", "series"))

_ALSO: tuple[tuple[str, str, Aspect, str], ...] = (
    ("fine-tun", "fine_tuned_layers", "architecture", "fine_tuned"),
    ("fine tun", "fine_tuned_layers", "architecture", "fine_tuned"),
    ("finetun", "fine_tuned_layers", "architecture", "fine_tuned"),
    ("unfreez", "fine_tuned_layers", "architecture", "fine_tuned"),
    ("stop", "patience", "training", "early_stopping"),
    ("parada", "patience", "training", "early_stopping"),
    ("stratified", "folds", "training", "stratified"),
    ("cross", "folds", "task", "variant"),
    ("cv", "folds", "task", "variant"),
    ("kreuz", "folds", "task", "variant"),
    ("交叉", "folds", "task", "variant"),
)
"""What the word before or after a number asks for besides: (part of the word, its quantity, aspect, name)."""

_ELSEWHERE: dict[str, Aspect] = {"vocabulary": "size", "count": "classes"}
"""What the calls of layers say about other aspects."""

_WEAK_AUGMENTATION = frozenset(
    ("shift", "contrast", "brightness", "jitter", "noise", "zoom", "rotation", "flip", "crop", "blur")
)


def read_constraints(text: str, source: Source = "requirement") -> tuple[Constraint, ...]:
    """The constraints of a request in the order of their places. Any text is read; what no rule knows is left out."""
    return _Reading(text[:MOST_CHARACTERS], source).constraints()


@dataclass(slots=True)
class _Reading:
    """One request under the rules."""

    text: str
    source: Source

    def constraints(self) -> tuple[Constraint, ...]:
        pieces = pieces_of(self.text)
        all_stances = stances(pieces)
        found: list[Constraint] = []
        # What stands in the name of a file asks for nothing: "wine.keras".
        taken = inside_paths(self.text, pieces)
        stance: list[Stance] = ["mentioned" if index in taken else value for index, value in enumerate(all_stances)]

        task = problems(pieces, stance)
        names = {choice.value for choice in task}
        several = any(
            piece.is_a("variant") and any(term.value == "multi_input" for term in piece.terms) for piece in pieces
        )
        data = kinds(pieces, stance, several=several)
        data_kinds = {choice.value for choice in data}

        def add(aspect: Aspect, name: str, value: str, first: int, last: int, *, subject: str = "") -> None:
            said = stance[first : last + 1]
            if "mentioned" in said:
                return
            negated = ("forbidden" in said) != value.startswith("not ")
            value = value.removeprefix("not ")
            start, end = pieces[first].start, pieces[last].end
            found.append(
                Constraint(
                    aspect=aspect,
                    name=name,
                    value=value,
                    start=start,
                    end=end,
                    source=self.source,
                    subject=subject,
                    negated=negated,
                )
            )

        for name, value, first, last in sizes(pieces, taken, video="video" in data_kinds):
            add("architecture" if name == "kernel_size" else "size", name, value, first, last)
        for name, value, first, last in splits(pieces, taken):
            add("training", name, value, first, last)
        for part in layers(pieces, stance, taken):
            aspect: Aspect = _ELSEWHERE.get(part.name, "architecture")
            add(aspect, part.name, part.value, part.first, part.last)
        goals = list(_goals(pieces, taken))
        for value, subject, first, last in goals:
            add("metric", "goal", value, first, last, subject=subject)
        for name, value, first, last in windows(pieces, taken):
            add("size", name, value, first, last)
        excluded = _excluded(names, data_kinds)
        if "audio" in data_kinds:
            for name, value, first, last in _spoken_words(pieces, taken):
                add("classes", name, value, first, last)
        numbers = measured(pieces, taken, excluded)
        families = {term.value for piece in pieces for term in piece.terms if term.name == "family"}
        recurrent = families & {"lstm", "gru", "bilstm", "bigru", "rnn"}
        transformer = families & {"transformer", "vision_transformer"}
        counted: set[int] = set()
        for number in numbers:
            counted.add(number.cue)
            first, last = min(number.first, number.cue), max(number.last, number.cue)
            name = number.quantity.name
            if name == "units" and "hidden" in pieces[number.cue].key and not recurrent and transformer:
                name = "embedding"
            if name == "examples" and pieces[number.cue].key in ("samples", "points") and "series" in data_kinds:
                name = "length"  # of a signal
            add(number.quantity.aspect, name, number.value, first, last)
            for also in _implied(pieces, number):
                add(also.aspect, also.name, also.value, number.cue, number.cue)

        rare = imbalance(pieces, taken)
        if rare is not None:
            add("classes", "imbalance", *rare)
        if "super_resolution" in names:
            for name, value, first, last in factors(pieces, taken):
                add("size", name, value, first, last)
        if not any(constraint.name == "learning_rate" for constraint in found):
            for index, piece in enumerate(pieces):
                if piece.kind == "number" and index not in taken and "e-" in piece.key and (piece.number or 1) < 0.1:
                    add("training", "learning_rate", written(piece.number or 0.0), index, index)
                    break
        found.extend(self._names(pieces, all_stances, [choice.value for choice in task]))
        for index, piece in enumerate(pieces):
            for term in piece.meanings("is"):
                if term.name in ("problem", "kind") or (index in counted and term.value == "true"):
                    continue
                if fits(pieces, index, term, names):
                    add(*in_context(pieces, index, term), index, index)
        for choice in task or _by_what_is_counted(found, pieces):
            add("task", "problem", choice.value, choice.first, choice.last)
        for choice in data:
            add("data", "kind", choice.value, choice.first, choice.last, subject=choice.subject)
        return _resolved(found)

    def _names(self, pieces: list[Piece], stance: list[Stance], task: list[str]) -> Iterator[Constraint]:
        for item in (*files(self.text, pieces, stance), *columns(self.text, pieces, stance)):
            yield Constraint(
                aspect=item.aspect,
                name=item.name,
                value=item.value,
                start=item.start,
                end=item.end,
                source=self.source,
                negated=item.negated,
            )
        for name in class_names(self.text, pieces, stance, task):
            yield Constraint(
                aspect="classes",
                name="name",
                value=name.text.lower(),
                start=name.start,
                end=name.end,
                source=self.source,
            )


def _excluded(problems: set[str], data_kinds: set[str]) -> frozenset[str]:
    """Quantities that this kind of problem does not have: a song is an item only where songs are recommended."""
    excluded = set()
    if "recommendation" in problems:
        excluded |= {"examples"}
    else:
        excluded |= {"users", "items"}
    if not problems & _SCALED:
        excluded.add("scale")
    if "generation" not in problems:
        excluded.add("samples")
    if not data_kinds & _SOUND:
        excluded.add("duration")
    if "graph" not in data_kinds:
        excluded.add("nodes")
    return frozenset(excluded)


def _spoken_words(pieces: list[Piece], taken: set[int]) -> Iterator[tuple[str, str, int, int]]:
    """ "35 words" of recordings are classes."""
    for index, piece in enumerate(pieces[:-1]):
        if piece.kind == "number" and index not in taken and pieces[index + 1].key in ("words", "keywords", "phrases"):
            taken.add(index)
            yield "count", written(piece.number or 0.0), index, index + 1


def _goals(pieces: list[Piece], taken: set[int]) -> Iterator[tuple[str, str, int, int]]:
    for index, piece in enumerate(pieces):
        for term in piece.meanings("is"):
            if term.name != "metric" or term.value in ("map", "hit_rate"):
                continue
            level = goal(pieces, index)
            if level is None:
                continue
            value, first, last = level
            number = last if pieces[last].kind == "number" else first
            if number not in taken:
                taken.add(number)
                yield value, term.value, first, last


def _implied(pieces: list[Piece], number: Measured) -> Iterator[Term]:
    key = pieces[number.cue].key
    for part, quantity, aspect, name in _ALSO:
        if quantity == number.quantity.name and part in key:
            yield Term(aspect, name, "cross_validation" if name == "variant" else "true", "is")
            if name == "fine_tuned":
                return


def _by_what_is_counted(found: list[Constraint], pieces: list[Piece]) -> list[Choice]:
    """The problem where only numbers tell it: a horizon is forecast, classes are told apart."""
    for names, problem in ((("horizon",), "forecasting"), (("count", "name"), "classification")):
        for constraint in found:
            if constraint.name in names and not constraint.negated:
                inside = [
                    index
                    for index, piece in enumerate(pieces)
                    if piece.start < constraint.end and piece.end > constraint.start
                ]
                return [Choice(problem, inside[0], inside[-1])]
    return []


def _resolved(found: list[Constraint]) -> tuple[Constraint, ...]:
    """Each thing once, at its first place; a bare "augmentation" or "dropout" goes where kinds or a rate are named."""
    found = sorted(found, key=lambda constraint: (constraint.start, constraint.end))
    first: dict[tuple[str, ...], Constraint] = {}
    for constraint in found:
        key = (constraint.aspect, constraint.name, constraint.value, constraint.subject, str(constraint.negated))
        first.setdefault(key, constraint)
    kept = list(first.values())
    said = {(constraint.name, constraint.negated) for constraint in kept if constraint.value != "true"}
    augments = any(
        constraint.name == "augmentation" and constraint.value not in _WEAK_AUGMENTATION for constraint in found
    )
    results = []
    for constraint in kept:
        if constraint.value == "true" and (constraint.name, constraint.negated) in said:
            continue
        if (
            constraint.name == "augmentation"
            and constraint.value in _WEAK_AUGMENTATION
            and not augments
            and not _random(found, constraint)
        ):
            continue
        results.append(constraint)
    return tuple(results)


def _random(found: list[Constraint], constraint: Constraint) -> bool:
    """Whether several weak words of augmentation stand together: "flips, rotations and zoom"."""
    values = {
        other.value for other in found if other.name == "augmentation" and abs(other.start - constraint.start) < 80
    }
    return len(values) > 1 or constraint.value in ("flip",) or constraint.end - constraint.start > 10
