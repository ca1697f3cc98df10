"""The page that human raters fill in, and what comes back from it.

The page is one file without network. It shows projects without the methods that wrote them: what
belongs to what is in a key file that raters do not get. Each rater sees the projects in an order of
their own, and equal projects once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.comparison.judge_rows import Judgement
from pipeline.errors import DLCodeGenError
from pipeline.measures.judge import ASPECTS
from pipeline.measures.outputs import MethodName
from pipeline.pages.report_items import script_json
from pipeline.pages.report_page import Target, write_page
from pipeline.pages.report_text import clip_lines, python_lines

HUMANS = "human raters"

QUESTIONS = {
    "compliance": "Does it do what the requirement asks and fit the data: task, input, output, every stated setting?",
    "usefulness": "How much of the work does it save? Complete, would it run, worth building on?",
    "idiomaticity": "Does it read like the code of an experienced engineer in its framework?",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Ratable:
    """A project to rate."""

    key: str
    """What raters' files call it."""
    requirement: str
    attributes: str
    code: str
    outputs: tuple[tuple[MethodName, str], ...]
    """The outputs that it is, as method and item."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RatingKey:
    """What raters do not see: the study's name, and for each project's key the
    outputs that it is."""

    study: str
    outputs: Mapping[str, Sequence[tuple[MethodName, str]]]

    def to_json(self) -> str:
        outputs = {}
        for key, of_project in self.outputs.items():
            # As one flat list: table, model, method, item.
            outputs[key] = [[*name, item] for name, item in of_project]
        return json.dumps({"study": self.study, "outputs": outputs}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> RatingKey:
        stored = json.loads(text)
        outputs: dict[str, list[tuple[MethodName, str]]] = {}
        for key, of_project in stored["outputs"].items():
            outputs[key] = []
            for table, model, method, item in of_project:
                outputs[key].append((MethodName(table, model, method), item))
        return cls(study=stored["study"], outputs=outputs)


def ratables(projects: Iterable[tuple[MethodName, str, str, str, str]], seed: int) -> list[Ratable]:
    """Projects given as (name, item, requirement, attributes, code), equal code for one item
    joined. Keys depend on the seed and the project, so that a page made again fits ratings that
    came from the first."""
    by_key: dict[str, Ratable] = {}
    for name, item, requirement, attributes, code in projects:
        # "replace": a model's code may hold a lone surrogate, which has no UTF-8.
        content = f"{seed}\0{item}\0{code}".encode("utf-8", "replace")
        key = hashlib.sha256(content).hexdigest()[:12]
        outputs: tuple[tuple[MethodName, str], ...] = ((name, item),)
        if key in by_key:
            outputs = by_key[key].outputs + outputs
        by_key[key] = Ratable(key=key, requirement=requirement, attributes=attributes, code=code, outputs=outputs)
    # By key: the page's own order says nothing about methods either.
    return [by_key[key] for key in sorted(by_key)]


def rating_key(projects: Sequence[Ratable]) -> RatingKey:
    keys = " ".join(project.key for project in projects)
    study = hashlib.sha256(keys.encode()).hexdigest()[:12]
    return RatingKey(study=study, outputs={project.key: project.outputs for project in projects})


def write_rating_page(projects: Sequence[Ratable], out: Target, *, title: str, seed: int) -> RatingKey:
    """Writes the page and gives its key."""
    key = rating_key(projects)
    data = ((number, _project_json(project)) for number, project in enumerate(projects))
    write_page(
        out,
        "rate.html.jinja",
        title=title,
        data=data,
        styles=("report.css", "rate.css"),
        script="rate.js",
        study=key.study,
        seed=seed,
        count=len(projects),
        questions=QUESTIONS,
    )
    return key


def read_ratings(texts: Mapping[str, str], key: RatingKey) -> Iterator[Judgement]:
    """The ratings of the files that raters sent back (by file name), a row for each output that a
    project is. A rater who sent several files is read from the last. Raises DLCodeGenError for a
    file that is no rating, or is of another study."""
    by_rater: dict[str, Mapping[str, Mapping[str, object]]] = {}
    for name, text in texts.items():
        rater, ratings = _read(name, text, key)
        by_rater[rater] = ratings
    for number, rater in enumerate(sorted(by_rater)):
        for project, rating in by_rater[rater].items():
            scores: dict[str, Any] = {aspect: _score(rating.get(aspect)) for aspect in ASPECTS}
            if all(value is None for value in scores.values()):
                continue  # the rater left the project out
            for output, item in key.outputs[project]:
                yield Judgement(
                    **output._asdict(),
                    item=item,
                    sample=number,
                    judge=rater,
                    own_family=False,
                    reason=str(rating.get("comment") or ""),
                    **scores,
                )


def _read(name: str, text: str, key: RatingKey) -> tuple[str, Mapping[str, Mapping[str, object]]]:
    try:
        saved = json.loads(text)
        study, rater, ratings = saved["study"], str(saved["rater"]).strip(), dict(saved["ratings"])
    except (ValueError, KeyError, TypeError) as error:
        raise DLCodeGenError(f"{name}: no file of ratings as the page saves it ({error!r})") from error
    if study != key.study:
        raise DLCodeGenError(f"{name}: ratings of another page (study {study}, not {key.study}); give its key file")
    unknown = [project for project in ratings if project not in key.outputs]
    if unknown or not rater or not all(isinstance(rating, dict) for rating in ratings.values()):
        raise DLCodeGenError(f"{name}: a rater without a name, or ratings of projects that are not in the key file")
    return rater, ratings


def _score(value: object) -> float | None:
    """A score from 0 to 10; None for anything else, since anybody may have edited the file."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10:
        return None
    return float(value)


def _project_json(project: Ratable) -> str:
    return script_json(
        {
            "key": project.key,
            "requirement": clip_lines(project.requirement),
            "attributes": clip_lines(project.attributes),
            "code": python_lines(clip_lines(project.code)),
        }
    )
