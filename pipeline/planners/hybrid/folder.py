"""A fitted hybrid planner as a folder: `planner.json` and NumPy arrays, no pickles; read in
milliseconds.

Local arrays are mapped into memory, so that the workers of a machine share one copy. `planner.json`
is written last: a folder without it is no planner.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from fsspec.implementations.local import LocalFileSystem
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import DLCodeGenError
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.hybrid.field_model import FieldChoice, FieldModel
from pipeline.planners.hybrid.fit import Fitted
from pipeline.planners.hybrid.similarity import RequestSimilarity, RequestText
from pipeline.planners.hybrid.text.folder import WriterCard, arrays_of, card_of, writer_from
from pipeline.storage.files import exists, join, read_bytes, write_bytes
from pipeline.storage.opening import located

FORMAT = 3
"""Of the folder. Names of files and keys that are no longer words of the code (`table`, `contest`,
`gains`) belong to it: a planner that was fitted before stays readable."""
_CARD = "planner.json"


class _FieldCard(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    penalty: float
    score: float
    candidates: tuple[str | float | tuple[str, ...], ...]


class _ChoiceCard(BaseModel):
    model_config = ConfigDict(extra="forbid")

    field: str
    gains: dict[str, float]
    """Each planner's mean score."""
    best: str
    """The planner that the field is taken from."""


class _Card(BaseModel):
    """What `planner.json` says."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["hybrid"]
    format: Literal[3]
    data_digest: str
    """SHA-256 of the known plans."""
    about: dict[str, Any]
    """How the planner came about, for people."""
    versions: dict[str, str]
    fields: tuple[_FieldCard, ...]
    contest: tuple[_ChoiceCard, ...]
    known: tuple[tuple[str, str, str, SolutionPlan], ...]
    """Id, requirement, attributes and plan of each known plan."""
    writer: WriterCard | None = None


def save_fitted(fitted: Fitted, folder: str, about: Mapping[str, Any]) -> None:
    """Writes the planner to a path or fsspec URL; `about` is kept with it."""
    for name, array in _arrays_of(fitted).items():
        buffer = io.BytesIO()  # into a file numpy writes by itself, and of a full disk it says no reason
        np.save(buffer, array, allow_pickle=False)
        write_bytes(join(folder, f"{name}.npy"), buffer.getvalue())
    known = []
    for item in fitted.known_plans:
        known.append((item.id, item.requirement, item.attributes, item.plan))
    fields = []
    for model in fitted.fields:
        fields.append(
            _FieldCard(name=model.name, penalty=model.penalty, score=model.score, candidates=model.candidates)
        )
    choices = []
    for choice in fitted.choices:
        choices.append(_ChoiceCard(field=choice.field, gains=dict(choice.mean_scores), best=choice.planner))
    card = _Card(
        kind="hybrid",
        format=FORMAT,
        data_digest=fitted.digest,
        about=dict(about),
        versions={name: version(name) for name in ("numpy", "scipy", "scikit-learn", "sacrebleu", "rapidfuzz")},
        fields=tuple(fields),
        contest=tuple(choices),
        known=tuple(known),
        writer=card_of(fitted.writer) if fitted.writer else None,
    )
    text = json.dumps(card.model_dump(mode="json", by_alias=True), ensure_ascii=False)
    write_bytes(join(folder, _CARD), text.encode("utf-8", "replace"))


def _arrays_of(fitted: Fitted) -> dict[str, npt.NDArray[Any]]:
    """By name, to be kept in files of these names."""
    arrays: dict[str, npt.NDArray[Any]] = {
        "inverse_frequency": fitted.similarity.inverse_frequency,
        "postings_data": fitted.similarity.postings.data,
        "postings_indices": fitted.similarity.postings.indices,
        "postings_indptr": fitted.similarity.postings.indptr,
        "cues": fitted.similarity.cues,
    }
    for penalty, inverted in fitted.inverses.items():
        arrays[f"inverse_{penalty}"] = inverted
    for model in fitted.fields:
        arrays[f"{model.name}_table"] = model.coefficients
        arrays[f"{model.name}_base"] = model.baseline
        arrays[f"{model.name}_candidate_of"] = model.candidate_of
        arrays[f"{model.name}_held_out"] = model.held_out_choice
    if fitted.writer:
        arrays |= arrays_of(fitted.writer)
    return arrays


def load_fitted(folder: str) -> Fitted:
    """The planner in a folder. Raises DLCodeGenError that says what is missing where the folder
    holds none."""
    if not exists(join(folder, _CARD)):
        raise DLCodeGenError(
            f"{folder}: no fitted planner (no {_CARD}); make one: dlcodegen fit-planner --out {folder}"
        )
    try:
        card = _Card.model_validate_json(read_bytes(join(folder, _CARD)))
    except ValidationError as error:
        raise DLCodeGenError(
            f"{folder}/{_CARD}: not a planner that this version can read ({error.error_count()} problems); "
            f"fit it anew: dlcodegen fit-planner --out {folder}"
        ) from None
    count = len(card.known)
    indptr = _array(folder, "postings_indptr")
    postings = sp.csr_matrix(
        (_array(folder, "postings_data"), _array(folder, "postings_indices"), indptr),
        shape=(len(indptr) - 1, count),
        copy=False,
    )
    ids, requests, plans = [], [], []
    for name, requirement, attributes, plan in card.known:
        ids.append(name)
        requests.append(RequestText(requirement, attributes))
        plans.append(plan)
    fields = []
    for field in card.fields:
        fields.append(
            FieldModel(
                name=field.name,
                candidates=field.candidates,
                coefficients=_array(folder, f"{field.name}_table", (count, len(field.candidates))),
                baseline=_array(folder, f"{field.name}_base"),
                candidate_of=_array(folder, f"{field.name}_candidate_of", (count,)),
                penalty=field.penalty,
                score=field.score,
                held_out_choice=_array(folder, f"{field.name}_held_out"),
            )
        )
    inverses = {}
    for penalty in sorted({field.penalty for field in card.fields}):
        inverses[penalty] = _array(folder, f"inverse_{penalty}", (count, count))
    writer = None
    if card.writer:
        writer = writer_from(card.writer, requests, partial(_array, folder))
    return Fitted(
        ids=tuple(ids),
        requests=tuple(requests),
        plans=tuple(plans),
        similarity=RequestSimilarity(_array(folder, "inverse_frequency"), postings, _array(folder, "cues")),
        fields=tuple(fields),
        inverses=inverses,
        digest=card.data_digest,
        choices=tuple(FieldChoice(item.field, item.gains, item.best) for item in card.contest),
        writer=writer,
    )


def _array(folder: str, name: str, shape: tuple[int, ...] | None = None) -> npt.NDArray[Any]:
    url = join(folder, f"{name}.npy")
    filesystem, path = located(url)
    try:
        if isinstance(filesystem, LocalFileSystem):
            # Mapped, so that the workers of a machine share one copy of the large inverses.
            array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        else:
            array = np.load(io.BytesIO(read_bytes(url)), allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DLCodeGenError(f"{url}: an array of the planner is missing or broken ({error}); fit it anew") from error
    if shape is not None and array.shape != shape:
        raise DLCodeGenError(f"{url}: {array.shape} numbers for {shape}; the folder mixes two fits, fit it anew")
    return array
