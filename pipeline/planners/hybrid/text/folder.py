"""A fitted text writer as part of a planner's folder: what goes into `planner.json`, and NumPy
arrays beside it.

Keys and names of files are those of format 3, which older fits have too; `told_words` and `copying`
are words of then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from pydantic import BaseModel, ConfigDict

from pipeline.planners.hybrid.ridge import Floats
from pipeline.planners.hybrid.similarity import RequestText
from pipeline.planners.hybrid.text.candidates import FEATURES
from pipeline.planners.hybrid.text.known_texts import KnownTexts
from pipeline.planners.hybrid.text.phrasing import Phrasing
from pipeline.planners.hybrid.text.word_reuse import KnownRequestWords, WordReuse
from pipeline.planners.hybrid.text.writer import FieldWriter, TextWriter

Array = npt.NDArray[Any]
ReadArray = Callable[[str, tuple[int, ...] | None], Array]
"""Reads a named array of a shape, or of any."""


class _FieldCard(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    texts: tuple[str, ...]
    ranking: dict[str, float]
    """What each feature of a candidate is worth, by name."""
    learnt_from: int
    """Known plans that the ranking was fitted to."""
    gain: float
    copying_base: float
    """The intercept of the word reuse."""


class WriterCard(BaseModel):
    """The text writer in `planner.json`."""

    model_config = ConfigDict(extra="forbid")

    common_words: tuple[str, ...]
    """Of the phrasing."""
    request_words: tuple[str, ...]
    """Of the known requests."""
    told_words: tuple[str, ...]
    """Those of them that keep their own feature."""
    fields: tuple[_FieldCard, ...]


def card_of(writer: TextWriter) -> WriterCard:
    fields = []
    for field in writer.fields:
        fields.append(
            _FieldCard(
                name=field.name,
                texts=field.known.texts,
                ranking=dict(zip(FEATURES, field.ranking.tolist(), strict=True)),
                learnt_from=field.ranked_plans,
                gain=field.gain,
                copying_base=_word_reuse(field).intercept,
            )
        )
    return WriterCard(
        common_words=writer.phrasing.common_words,
        request_words=writer.known_words.words,
        told_words=tuple(sorted(writer.known_words.common)),
        fields=tuple(fields),
    )


def arrays_of(writer: TextWriter) -> dict[str, Array]:
    """By name, to be kept in files of these names."""
    postings = writer.phrasing.postings
    arrays: dict[str, Array] = {
        "writer_inverse": writer.inverse,
        "phrasing_data": postings.data,
        "phrasing_indices": postings.indices,
        "phrasing_indptr": postings.indptr,
        "asked_indices": writer.known_words.occurrences.indices,
        "asked_indptr": writer.known_words.occurrences.indptr,
    }
    for field in writer.fields:
        word_reuse = _word_reuse(field)
        arrays[f"{field.name}_agreement"] = field.known.agreement
        arrays[f"{field.name}_text_of"] = field.known.text_of
        arrays[f"{field.name}_taken"] = word_reuse.reused.data
        arrays[f"{field.name}_copying"] = word_reuse.coefficients
    return arrays


def writer_from(card: WriterCard, requests: Sequence[RequestText], array: ReadArray) -> TextWriter:
    """The writer for known requests. Raises KeyError where the card lacks a feature, which a folder
    of this version has."""
    count = len(requests)
    indptr = array("phrasing_indptr", None)
    postings = sp.csr_matrix(
        (array("phrasing_data", None), array("phrasing_indices", None), indptr),
        shape=(len(indptr) - 1, count),
        copy=False,
    )
    indices, starts = array("asked_indices", None), array("asked_indptr", (count + 1,))

    def by_words(data: Array) -> sp.csr_matrix:
        return sp.csr_matrix((data, indices, starts), shape=(count, len(card.request_words)), copy=False)

    known_words = KnownRequestWords(card.request_words, by_words(np.ones(len(indices), np.float32)), card.told_words)
    fields = []
    for field in card.fields:
        text_of = array(f"{field.name}_text_of", (count,))
        agreement = array(f"{field.name}_agreement", (len(field.texts), len(field.texts)))
        reused = by_words(array(f"{field.name}_taken", (len(indices),)))
        coefficients = array(f"{field.name}_copying", None)
        fields.append(
            FieldWriter(
                name=field.name,
                known=KnownTexts(field.texts, text_of, requests, agreement),
                word_reuse=WordReuse(known_words, reused, coefficients, field.copying_base),
                ranking=_ranking(field.ranking),
                ranked_plans=field.learnt_from,
                gain=field.gain,
            )
        )
    return TextWriter(
        phrasing=Phrasing(card.common_words, postings),
        inverse=array("writer_inverse", (count, count)),
        known_words=known_words,
        fields=tuple(fields),
    )


def _word_reuse(field: FieldWriter) -> WordReuse:
    if not isinstance(field.word_reuse, WordReuse):
        raise TypeError(f"{field.name}: only a fitted WordReuse can be kept in a folder, not {field.word_reuse!r}")
    return field.word_reuse


def _ranking(worth: Mapping[str, float]) -> Floats:
    return np.array([worth[name] for name in FEATURES], np.float32)
