"""Prose about somebody else's data ("per night", "galaxies"), taken out of a plan.

A planner takes its texts from known plans, and with them what those were about. A word is foreign where it is neither
one of the plain words of preparing data (`plain_words.txt`) nor one of the request's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from pipeline.planners.repair.draft import LayerEntry, PlanDraft, entry_of

_WORD = re.compile(r"(?<![\w.'])[A-Za-z][a-z]{2,}(?![\w(])")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_CLAUSE_END = re.compile(r"([,;:]\s+)(?![^()]*\))")
_SHAPE = re.compile(r"\((?=[^()]*(?<![\w.])\d)(?:[\w*]+, ?)+(?:[\w*]+)?\)")
_ASIDE = re.compile(r" ?\([^()]*\)")
_PREPOSITIONS = "of|for|with|in|from|into|as|about|representing|indicating"
_DANGLING = re.compile(rf"(?:,? (?:{_PREPOSITIONS}|and|or|the|a|an))+(?=[.,;]|$)|,(?=\s*\.?$)")
_VERBS = frozenset(
    "add apply build code compute convert crop cut divide draw encode extract fill flip group invert join keep leave "
    "mark mask mirror normalise normalize number one-hot pad pick put read remove replace resample resize reshape "
    "rotate scale set shift shuffle sort split standardise standardize strip subtract take tokenize turn use weigh "
    "weight zoom".split()
)
"""How clauses about preparing data begin."""

_JOINS = re.compile(r"^(?:and|then|or|but)\s+")
_BECAUSE = "words about other data"

_STEM = 5
"""Letters that two words share at their beginning where one is a form of the other: "sleep", "sleepers"."""

_USUAL = (
    ("Image", "Images are resized and their pixels scaled to 0..1."),
    ("Object", "Images are resized and their pixels scaled to 0..1."),
    ("Text", "Texts are turned into token ids and padded to one length."),
    ("Question", "Texts are turned into token ids and padded to one length."),
    ("Tabular", "Numeric columns are standardized and categories encoded."),
    ("Time", "The series is cut into windows and standardized."),
    ("Audio", "Recordings are resampled and cut or padded to one length."),
    ("Video", "Frames are picked evenly, resized, and their pixels scaled to 0..1."),
)
"""What is said of the preparation where nothing of a plan's text is left."""


def drop_foreign_prose(draft: PlanDraft, text: str) -> None:
    """Leaves clauses of the plan's texts out that speak of other data, and inputs of other tables. `text` are the
    user's own words."""
    own = _stems(text)
    left = _without_foreign_clauses(draft.values["preprocess"], own)
    if not left and draft.values["preprocess"]:
        left = next((usual for start, usual in _USUAL if draft.category.startswith(start)), "")
        left = left or "Data are split into training, validation and test parts."
    draft.set("preprocess", left, _BECAUSE)
    for field in ("input", "output"):
        draft.set(field, _without_foreign_words(draft.values[field], own, field), _BECAUSE)
    entries = draft.entries
    draft.set_layers(_without_foreign_inputs(entries, own), entries, _BECAUSE)


def foreign_words(text: str, own: frozenset[str]) -> list[str]:
    """The words of a text that are neither plain nor of the user's own words, whose beginnings are `own`."""
    return [word for word in _WORD.findall(text) if not _is_plain(word.lower()) and not _is_own(word.lower(), own)]


def _stems(text: str) -> frozenset[str]:
    """The words of a text, and the beginnings of the longer ones."""
    words = re.findall(r"[a-z]+", text.lower())
    return frozenset(words) | {word[:_STEM] for word in words if len(word) >= _STEM}


def _is_own(word: str, own: frozenset[str]) -> bool:
    return word in own or word.rstrip("s") in own or (len(word) >= _STEM and word[:_STEM] in own)


def _is_plain(word: str) -> bool:
    """Whether the word, or what is left without its ending, is a plain one."""
    plain = _plain_words()
    if word in plain:
        return True
    for ending in ("s", "es", "d", "ed", "ing", "ly", "r", "er", "ion", "ation"):
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            # "splitting", "scaling", "copies"
            if stem in plain or f"{stem}e" in plain or stem[:-1] in plain or f"{stem[:-1]}y" in plain:
                return True
    return False


@cache
def _plain_words() -> frozenset[str]:
    text = files("pipeline.planners.repair").joinpath("plain_words.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return frozenset(" ".join(lines).split())


def _without_foreign_clauses(text: str, own: frozenset[str]) -> str:
    """The text without the clauses that have foreign words; the text itself where none has."""
    if not foreign_words(text, own):
        return text
    sentences = []
    for sentence in _SENTENCE_END.split(text):
        left = _clauses_left(sentence, own)
        if left:
            sentences.append(left)
    return " ".join(sentences)


def _clauses_left(sentence: str, own: frozenset[str]) -> str:
    if not foreign_words(sentence, own):
        return sentence
    parts = _CLAUSE_END.split(sentence.rstrip(".!? "))
    clauses: list[str] = []
    goes_on = False  # whether what stands before was left out
    for clause in parts[::2]:
        goes_on = bool(foreign_words(clause, own)) or (goes_on and not _starts_anew(clause))
        if not goes_on:
            clauses.append(clause)
    if not clauses:
        return ""
    clauses[0] = _JOINS.sub("", clauses[0])
    left = ", ".join(clauses)
    return f"{left[0].upper()}{left[1:]}."


def _starts_anew(clause: str) -> bool:
    """Whether a clause says something by itself, and does not go on with the list before it ("validation and test
    parts")."""
    first = _JOINS.sub("", clause).split(" ")[0].lower()
    return first in _VERBS or first.endswith("ed")


def _without_foreign_words(text: str, own: frozenset[str], field: str) -> str:
    """An input or output: its shape alone where what is said around it is foreign, or the text without such words."""
    if not foreign_words(text, own):
        return text
    shape = _SHAPE.search(text)
    head, colon, _ = text.partition(":")
    if colon and not foreign_words(head, own) and (shape is None or shape.end() <= len(head)):
        return f"{head}."
    if shape is not None:
        return f"Shape of the {field} data is {shape[0]}."
    text = _ASIDE.sub(lambda aside: "" if foreign_words(aside[0], own) else aside[0], text)
    for word in dict.fromkeys(foreign_words(text, own)):
        # A noun at the end of its phrase takes the phrase along ("of facial expressions"), other words go alone.
        text = re.sub(
            rf"\s(?:{_PREPOSITIONS})\s(?:[\w-]+\s)*{word}\b(?=\s(?:{_PREPOSITIONS}|and|or)\s|[.,;]|$)", "", text
        )
        text = re.sub(rf"\b{word}\b,? ?", "", text)
    left = _DANGLING.sub("", text).strip()
    return f"{left[:1].upper()}{left[1:]}"


def _without_foreign_inputs(entries: Sequence[LayerEntry], own: frozenset[str]) -> list[LayerEntry]:
    """Without inputs named after columns of another table, their embeddings, and names of layers of that kind."""
    kept: list[LayerEntry] = []
    columns = [entry for entry in entries if _is_column(entry)]
    of_other_table = any(foreign_words(_name(entry), own) for entry in columns)
    dropped = False
    for entry in entries:
        call = entry.call
        if of_other_table and _is_column(entry):
            dropped = True
        elif dropped and entry.is_named("Embedding"):
            continue
        elif call is not None and foreign_words(_name(entry), own):
            dropped = False
            kept.append(entry_of(call.without("name")))
        else:
            dropped = False
            kept.append(entry)
    inputs = [entry for entry in kept if entry.is_named("Input")]
    if len(kept) < len(entries) and len(inputs) <= 1:
        kept = [entry for entry in kept if not entry.is_named("Concatenate")]
    return kept


def _is_column(entry: LayerEntry) -> bool:
    """Whether an entry is an input for the values of one column of a table."""
    return entry.is_named("Input") and entry.calls[0].arguments.get("shape") == ()


def _name(entry: LayerEntry) -> str:
    """The words of a layer's own name; "" where it has none."""
    name = entry.call.arguments.get("name") if entry.call is not None else None
    return name.replace("_", " ") if isinstance(name, str) else ""
