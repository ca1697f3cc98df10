"""A fitted text writer as part of a planner's folder: what goes into `planner.json`, and NumPy arrays beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from pydantic import BaseModel, ConfigDict

from pipeline.planners.hybrid.similarity import Text
from pipeline.planners.hybrid.text.candidates import FEATURES
from pipeline.planners.hybrid.text.known_texts import KnownTexts
from pipeline.planners.hybrid.text.phrasing import Phrasing
from pipeline.planners.hybrid.text.word_reuse import Copying, RequestWords
from pipeline.planners.hybrid.text.writer import FieldWriter, TextWriter

Array = npt.NDArray[Any]


class _FieldCard(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    texts: tuple[str, ...]
    ranking: dict[str, float]
    learnt_from: int
    gain: float
    copying_base: float


class WriterCard(BaseModel):
    """`ranking`: what each feature of a candidate is worth, by name; `common_words`: of the phrasing; `request_words`
    and, of these, `told_words`: of the known requests, for what a text takes over."""

    model_config = ConfigDict(extra="forbid")

    common_words: tuple[str, ...]
    request_words: tuple[str, ...]
    told_words: tuple[str, ...]
    fields: tuple[_FieldCard, ...]


def card_of(writer: TextWriter) -> WriterCard:
    requests = writer.requests
    return WriterCard(
        common_words=writer.phrasing.common,
        request_words=requests.words,
        told_words=tuple(sorted(requests.common)),
        fields=tuple(
            _FieldCard(
                name=field.name,
                texts=field.known.texts,
                ranking=dict(zip(FEATURES, field.ranking.tolist(), strict=True)),
                learnt_from=field.learnt_from,
                gain=field.gain,
                copying_base=field.copying.base,
            )
            for field in writer.fields
        ),
    )


def arrays_of(writer: TextWriter) -> dict[str, Array]:
    """By name, to be kept in files of these names."""
    postings = writer.phrasing.postings
    arrays: dict[str, Array] = {
        "writer_inverse": writer.inverse,
        "phrasing_data": postings.data,
        "phrasing_indices": postings.indices,
        "phrasing_indptr": postings.indptr,
        "asked_indices": writer.requests.asked.indices,
        "asked_indptr": writer.requests.asked.indptr,
    }
    for field in writer.fields:
        arrays |= {
            f"{field.name}_agreement": field.known.agreement,
            f"{field.name}_text_of": field.known.text_of,
            f"{field.name}_taken": field.copying.taken.data,
            f"{field.name}_copying": field.copying.worth,
        }
    return arrays


def writer_from(
    card: WriterCard, requirements: Sequence[Text], array: Callable[[str, tuple[int, ...] | None], Array]
) -> TextWriter:
    """The writer for known `requirements`; `array` reads a named array of a shape, or of any.

    Raises KeyError where the card lacks a feature, which a folder of this version has.
    """
    count = len(requirements)
    indptr = array("phrasing_indptr", None)
    postings = sp.csr_matrix(
        (array("phrasing_data", None), array("phrasing_indices", None), indptr),
        shape=(len(indptr) - 1, count),
        copy=False,
    )
    indices, starts = array("asked_indices", None), array("asked_indptr", (count + 1,))

    def by_words(data: Array) -> sp.csr_matrix:
        return sp.csr_matrix((data, indices, starts), shape=(count, len(card.request_words)), copy=False)

    asked = by_words(np.ones(len(indices), np.float32))
    requests = RequestWords(card.request_words, asked, card.told_words)
    return TextWriter(
        phrasing=Phrasing(card.common_words, postings),
        inverse=array("writer_inverse", (count, count)),
        fields=tuple(
            FieldWriter(
                name=field.name,
                known=KnownTexts(
                    field.texts,
                    array(f"{field.name}_text_of", (count,)),
                    requirements,
                    array(f"{field.name}_agreement", (len(field.texts), len(field.texts))),
                ),
                copying=Copying(
                    requests,
                    by_words(array(f"{field.name}_taken", (len(indices),))),
                    array(f"{field.name}_copying", None),
                    field.copying_base,
                ),
                ranking=_ranking(field.ranking),
                learnt_from=field.learnt_from,
                gain=field.gain,
            )
            for field in card.fields
        ),
    )


def _ranking(worth: Mapping[str, float]) -> npt.NDArray[np.float32]:
    return np.array([worth[name] for name in FEATURES], np.float32)
