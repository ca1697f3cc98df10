"""Terms whose meaning the words around them decide."""

from __future__ import annotations

from pipeline.request.constraints import Aspect
from pipeline.request.reading.measures import is_loss
from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.table import Term

_WANTED = frozenset(
    "with of many more some helpful good add plenty code detailed inline short clear include need want please "
    "useful explaining beginner write".split()
)
_WRITES = frozenset(
    ("generation", "translation", "captioning", "summarization", "question_answering", "speech_recognition")
)


def fits(pieces: list[Piece], index: int, term: Term, problems: set[str]) -> bool:
    """Whether a term is meant in its usual sense here: a temperature is a way of sampling only where text is written."""
    following = [piece.key for piece in pieces[index + 1 : index + 3]]
    if term.name == "decoding" and pieces[index].key in (
        "temperature",
        "beam",
        "greedy",
        "beams",
        "temperatura",
        "température",
    ):
        return not problems or bool(problems & _WRITES)
    if term.name == "comments" and pieces[index].key in ("comments", "comment"):
        before = {piece.key for piece in pieces[max(0, index - 3) : index]}
        return bool(before & _WANTED) or following[:2] == ["in", "the"]
    if term.name == "dataset":
        return following[:2] not in (["-", "like"], ["-", "style"]) and following[:1] not in (
            ["like"],
            ["style"],
            ["json"],
            ["format"],
        )
    return True


def in_context(pieces: list[Piece], index: int, term: Term) -> tuple[Aspect, str, str]:
    """What a term is where the words around it decide: an error's name a loss, an activation that of the output."""
    if term.value == "densenet" and " " in pieces[index].key:
        return "architecture", "family", "mlp"
    if term.name == "metric" and is_loss(pieces, index, term.value):
        return "training", "loss", term.value
    if term.name == "activation" and _at_output(pieces, index, term.value):
        return "architecture", "output_activation", term.value
    return term.aspect, term.name, term.value


def _at_output(pieces: list[Piece], index: int, value: str) -> bool:
    following = [piece.key for piece in pieces[index + 1 : index + 4] if piece.sentence == pieces[index].sentence]
    before = [piece.key for piece in pieces[max(0, index - 4) : index] if piece.sentence == pieces[index].sentence]
    if "," in before:
        before = before[len(before) - before[::-1].index(",") :]
    if any(key.startswith("output") for key in following[:2]) or following[:2] in (
        ["at", "the"],
        ["on", "the"],
        ["head"],
    ):
        return True
    if any(key.startswith(("output", "final", "last")) for key in before):
        return True
    return value in ("softmax", "sigmoid") and not any("hidden" in key for key in before + following)
