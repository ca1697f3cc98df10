"""Texts: topics, moods, ratings, tags, made-up languages and pairs, written from lists of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.hidden_tests.draw import Draw
from pipeline.hidden_tests.families.words import (
    CITIES,
    COMPLAINTS,
    FILLERS,
    FIRMS,
    FOODS,
    GIVEN_NAMES,
    GOOD_AND_BAD,
    SYNONYMS,
    TOPICS,
    UNITS,
)
from pipeline.hidden_tests.layouts import as_class_folders, as_tables
from pipeline.hidden_tests.task import TaskData


def topics(
    draw: Draw,
    *,
    rows: int,
    test_rows: int,
    names: Sequence[str],
    target: str = "label",
    id: str = "",
    text: str = "text",
    shares: Sequence[float] | None = None,
    classes: Sequence[str] = (),
    **how: Any,
) -> TaskData:
    """Sentences with a few words of their topic and one of another; a table with an `id`, else class folders of texts.
    `classes` are other names for the topics, `shares` how frequent they are."""
    chosen = draw.rng.choice(len(names), size=rows, p=shares)
    sentences = []
    for number in chosen:
        words = [*_some(draw, TOPICS[names[number]], 3), *_some(draw, FILLERS, 6)]
        words += _some(draw, TOPICS[str(draw.rng.choice(names))], 1)
        sentences.append(" ".join(draw.rng.permutation(words)))
    labels = np.array(classes or names)[chosen]
    if not id:
        texts = [sentence.encode() for sentence in sentences]
        return as_class_folders(draw, texts, labels.tolist(), test_rows=test_rows, ending="txt", target=target)
    table = pd.DataFrame({id: np.arange(1, rows + 1), text: sentences, target: labels})
    return as_tables(draw, table, [target], test_rows=test_rows, **how)


def moods(draw: Draw, *, rows: int, test_rows: int, id: str, text: str, target: str, **how: Any) -> TaskData:
    """Reviews of which some say the opposite by a "not"; the majority of two of three statements decides."""
    sentences, labels = [], []
    for _ in range(rows):
        goods = draw.rng.random(3) < draw.rng.choice([0.15, 0.85])
        parts = []
        for good in goods:
            turned = draw.rng.random() < 0.3
            word = draw.rng.choice(GOOD_AND_BAD["good" if good != turned else "bad"])
            subject = draw.rng.choice(["the service", "the food", "the room", "the staff", "the price", "the view"])
            parts.append(f"{subject} was {'not ' if turned else ''}{word}")
        sentences.append(" and ".join(parts))
        labels.append("positive" if goods.sum() >= 2 else "negative")
    table = pd.DataFrame({id: np.arange(1, rows + 1), text: sentences, target: labels})
    return as_tables(draw, table, [target], test_rows=test_rows, **how)


def ratings(draw: Draw, *, rows: int, test_rows: int, id: str, text: str, target: str, **how: Any) -> TaskData:
    """Reviews whose rating, about 1 to 5, is the sum of what their words are worth."""
    worths = {"superb": 1.0, "good": 0.5, "decent": 0.2, "dull": -0.4, "poor": -0.7, "dreadful": -1.1}
    sentences, values = [], []
    for _ in range(rows):
        words = draw.rng.choice(list(worths), size=3)
        filler = _some(draw, FILLERS, 5)
        subjects = draw.rng.choice(["plot", "acting", "music", "ending", "camera"], size=3, replace=False)
        parts = [f"{word} {subject}" for word, subject in zip(words, subjects, strict=True)]
        sentences.append(" ".join([*filler[:2], *parts, *filler[2:]]))
        values.append(round(3 + sum(worths[word] for word in words) * 0.65 + 0.25 * draw.rng.normal(), 2))
    table = pd.DataFrame({id: np.arange(1, rows + 1), text: sentences, target: values})
    return as_tables(draw, table, [target], test_rows=test_rows, **how)


def complaints(draw: Draw, *, rows: int, test_rows: int, id: str, text: str, **how: Any) -> TaskData:
    """Comments about any number of four things; a column of 0 and 1 for each."""
    there = draw.rng.random((rows, len(COMPLAINTS))) < 0.35
    sentences = []
    for flags in there:
        words = _some(draw, FILLERS, 6)
        for named, flag in zip(COMPLAINTS.values(), flags, strict=True):
            words += _some(draw, named, 2) if flag else []
        sentences.append(" ".join(draw.rng.permutation(words)))
    table = pd.DataFrame({id: np.arange(1, rows + 1), text: sentences})
    table[list(COMPLAINTS)] = there.astype(int)
    return as_tables(draw, table, list(COMPLAINTS), test_rows=test_rows, **how)


def tickets(draw: Draw, *, rows: int, test_rows: int, id: str, target: str, **how: Any) -> TaskData:
    """A text beside columns: urgent words, the customer's plan and the hours waited decide together."""
    urgent = draw.rng.random(rows) < 0.5
    words = [_some(draw, COMPLAINTS["delivery" if flag else "price"], 3) + _some(draw, FILLERS, 4) for flag in urgent]
    table = pd.DataFrame(
        {id: np.arange(1, rows + 1), "message": [" ".join(draw.rng.permutation(one)) for one in words]}
    )
    table["plan"] = draw.rng.choice(["free", "team", "business"], size=rows)
    table["hours_waiting"] = draw.rng.gamma(2, 12, size=rows).round(1)
    points = 1.2 * urgent + table["plan"].map({"free": 0.0, "team": 0.6, "business": 1.3}) + table["hours_waiting"] / 30
    points += 0.25 * draw.rng.normal(size=rows)
    table[target] = pd.qcut(points, 3, labels=["low", "normal", "high"]).astype(str)
    return as_tables(draw, table, [target], test_rows=test_rows, **how)


def languages(draw: Draw, *, rows: int, test_rows: int, id: str, text: str, target: str, count: int = 4) -> TaskData:
    """Words of made-up languages that share their letters and differ in which follow each other."""
    letters = np.array(list("aeioubdfgklmnprst"))
    names = ["Aruan", "Belite", "Corsal", "Denari", "Elvan"][:count]
    follow = draw.rng.dirichlet(np.full(len(letters), 0.35), size=(count, len(letters)))
    chosen = draw.rng.integers(count, size=rows)
    sentences = []
    for language in chosen:
        words = []
        for _ in range(4):
            word = [int(draw.rng.integers(len(letters)))]
            while len(word) < draw.rng.integers(4, 8):
                word.append(int(draw.rng.choice(len(letters), p=follow[language, word[-1]])))
            words.append("".join(letters[word]))
        sentences.append(" ".join(words))
    table = pd.DataFrame({id: np.arange(1, rows + 1), text: sentences, target: np.array(names)[chosen]})
    return as_tables(draw, table, [target], test_rows=test_rows)


def entities(draw: Draw, *, rows: int, test_rows: int, id: str, text: str, target: str, **how: Any) -> TaskData:
    """Sentences with persons, places and firms. A third of the names may be any of them: what stands around tells."""
    sentences, tags = [], []
    for _ in range(rows):
        words: list[str] = []
        marks: list[str] = []
        for part in draw.rng.permutation(["PER", "LOC", "ORG"])[: draw.rng.integers(1, 4)]:
            names = {"PER": GIVEN_NAMES, "LOC": CITIES, "ORG": FIRMS}[part]
            before = {
                "PER": ["colleague", "met", "asked"],
                "LOC": ["in", "near", "towards"],
                "ORG": ["at", "joined", "from"],
            }
            either = draw.rng.random() < 0.33
            name = draw.rng.choice(["Florence", "Austin", "Jordan", "Victoria", "Sydney"] if either else names)
            words += [*_some(draw, FILLERS, 2), str(draw.rng.choice(before[part])), str(name)]
            marks += ["O", "O", "O", str(part)]
        sentences.append(" ".join(words))
        tags.append(" ".join(marks))
    table = pd.DataFrame({id: np.arange(1, rows + 1), text: sentences, target: tags})
    return as_tables(draw, table, [target], test_rows=test_rows, **how)


def recipes(draw: Draw, *, rows: int, test_rows: int, id: str, text: str, target: str) -> TaskData:
    """Lines of recipes: amounts, units and foods. "cup" and "slice" are units behind a number and plain words else."""
    sentences, tags = [], []
    for _ in range(rows):
        amount, unit, food = str(draw.rng.integers(1, 900)), draw.rng.choice(UNITS), draw.rng.choice(FOODS)
        vessel = draw.rng.choice(["cup", "slice", "bowl", "pan"])
        forms = [
            (f"add {amount} {unit} of {food}", "O QTY UNIT O FOOD"),
            (f"slice the {food} and take {amount} {unit}", "O O FOOD O O QTY UNIT"),
            (f"put {amount} {food} into a {vessel}", "O QTY FOOD O O O"),
            (f"in the {vessel} mix {amount} {unit} {food} well", "O O O O QTY UNIT FOOD O"),
        ]
        sentence, marks = forms[draw.rng.integers(len(forms))]
        sentences.append(sentence)
        tags.append(marks)
    table = pd.DataFrame({id: np.arange(1, rows + 1), text: sentences, target: tags})
    return as_tables(draw, table, [target], test_rows=test_rows)


def questions(draw: Draw, *, rows: int, test_rows: int, id: str, target: str, **how: Any) -> TaskData:
    """Pairs of questions that say the same in other words (1), or ask about something else (0)."""
    groups = list(SYNONYMS)
    pairs, labels = [], []
    for _ in range(rows):
        same = draw.rng.random() < 0.5
        about = draw.rng.choice(len(groups), size=3, replace=False)
        other = about.copy()
        if not same:
            others = [group for group in range(len(groups)) if group not in about]
            other[draw.rng.integers(3)] = draw.rng.choice(others)
        sides = [[draw.rng.choice(groups[group]) for group in side] for side in (about, draw.rng.permutation(other))]
        pairs.append([f"how do i {a} {b} with {c}" for a, b, c in sides])
        labels.append(int(same))
    table = pd.DataFrame(pairs, columns=["question1", "question2"])
    table.insert(0, id, np.arange(1, rows + 1))
    table[target] = labels
    return as_tables(draw, table, [target], test_rows=test_rows, **how)


def _some(draw: Draw, words: Sequence[str], count: int) -> list[str]:
    return [str(word) for word in draw.rng.choice(np.array(words), size=count, replace=False)]
