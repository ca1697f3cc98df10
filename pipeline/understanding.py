"""The first stage: what a row asks for, read into constraints, and its own data, described; what cannot be served is
refused here."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache, partial
from typing import NotRequired, TypedDict

from pipeline.errors import StageFailure
from pipeline.own_data.constraints import constraints_of
from pipeline.own_data.describing import data_words, described
from pipeline.own_data.predictions import with_asked_predictions
from pipeline.own_data.target_kinds import with_asked_kinds, with_kinds_in_words, without_contradicted
from pipeline.records import Requirement, Understood
from pipeline.request.constraints import Constraint, Source
from pipeline.request.data_contract import DataContract
from pipeline.request.language import LANGUAGES, language_of
from pipeline.request.reading.reader import read_constraints
from pipeline.retrieval.coverage import Coverage
from pipeline.retrieval.sample_pool import load_samples, samples_for_own_data
from pipeline.stage import Fields, Stage, Step

_ONE_VALUE = frozenset({"framework", "problem", "count"})
"""Names outside of sizes and training of which a request states one value."""


class Understanding(TypedDict):
    """The fields that the stage adds."""

    constraints: tuple[Constraint, ...]
    language: str
    data: NotRequired[DataContract]
    attributes: NotRequired[str]


def understand_stage(pool: str | None = None, *, share_examples: bool = False) -> Stage:
    """Requirement -> Understood. With a `pool`, which then is all there is to write from, what none of its samples can
    be made into fails here (`unserved_framework`, `unserved_task`, `unread_language`) instead of becoming another
    project."""
    build = partial(_build, pool, share_examples)
    return Stage(name="understand", accepts=Requirement, returns=Understood, build=build)


def _build(pool: str | None, share_examples: bool) -> Step:
    coverage = None if pool is None else _coverage(pool)

    def step(record: Requirement) -> Fields:
        understanding = understand(record, share_examples=share_examples)
        if coverage is not None:
            try:
                _check_served(record, understanding, coverage)
            except StageFailure as failure:
                failure.added = understanding  # what was understood stays on the row
                raise
        return understanding

    return step


@lru_cache(maxsize=4)
def _coverage(pool: str) -> Coverage:
    return Coverage.of(load_samples(pool), samples_for_own_data(pool))


def _check_served(record: Requirement, understanding: Understanding, coverage: Coverage) -> None:
    """Raises StageFailure for what none of the samples can be made into."""
    constraints, language = understanding["constraints"], understanding["language"]
    contract = understanding.get("data")
    if contract is not None:
        coverage.check_data(constraints, contract)
    if record.data_folder or record.data is not None:
        return  # the data say what the task is
    coverage.check_framework(constraints)
    coverage.check_task(constraints)
    says_what = {"problem", "dataset", "family", "backbone"}.intersection(one.name for one in constraints)
    if language != "en" and not says_what:
        raise StageFailure(
            "unread_language",
            f"the request is in {LANGUAGES[language]}, of which only numbers and technical terms are read, and none of "
            "them says what is wanted; write it in English, or set llm=... to have it read by a language model",
        )


def understand(record: Requirement, *, share_examples: bool = False) -> Understanding:
    """The constraints of the requirement, of the attributes what it does not say, and of the data what neither says.

    Raises StageFailure (`unreadable_data`, `unserved_data`) for data that no project can be written for.
    """
    constraints = asked_in(record.requirement, record.attributes)
    understanding = Understanding(constraints=(), language=language_of(record.requirement))
    if record.data_folder:
        description = described(record.data_folder, record.data_target)
        words = data_words(description, record.data_folder, share_examples=share_examples)
        assert description.contract is not None  # as `described` promises
        if not _is_text(words, description.contract):
            raise StageFailure("unreadable_data", "names of files or columns are no text (UTF-8); rename them")
        contract = with_asked_kinds(description.contract, constraints, record.requirement)
        words = with_kinds_in_words(words, description.contract, contract)
        constraints = without_contradicted(constraints, contract)
        constraints = with_new(constraints, constraints_of(contract, words))
        # The user's own words stay first. The description is one line, so the last line is the data's.
        understanding["attributes"] = f"{record.attributes}\n{words}".strip()
        understanding["data"] = with_asked_predictions(contract, record.requirement)
    understanding["constraints"] = constraints
    return understanding


def asked_in(requirement: str, attributes: str = "") -> tuple[Constraint, ...]:
    """What the words ask for: those of the requirement, and of the attributes what it does not say."""
    return with_new(read_constraints(requirement), read_constraints(attributes, source="attributes"))


def texts_read(record: Requirement) -> dict[Source, str]:
    """The texts that constraints were read from, to which their spans point."""
    # The description of the row's data is the last line of its attributes.
    data_line = record.attributes.rpartition("\n")[2] if record.data is not None else ""
    return {"requirement": record.requirement, "attributes": record.attributes, "data": data_line}


def with_new(first: tuple[Constraint, ...], further: tuple[Constraint, ...]) -> tuple[Constraint, ...]:
    """The first constraints, and of the further ones what has not been said before. The words about the data describe
    it ("photos of 1024x768"); the requirement says what is done with it."""
    stated = {(one.aspect, one.name) for one in first}
    known = {_meaning(one) for one in first}
    added: list[Constraint] = []
    for one in further:
        has_one_value = one.aspect in ("size", "training") or one.name in _ONE_VALUE
        if _meaning(one) in known or (has_one_value and (one.aspect, one.name) in stated):
            continue
        added.append(one)
    return (*first, *added)


def asked_of(record: Requirement) -> tuple[Constraint, ...]:
    """What a row asks for, read now where no stage has done so."""
    if isinstance(record, Understood):
        return record.constraints
    return understand(record)["constraints"]


def _meaning(one: Constraint) -> tuple[str, str, str, bool]:
    return one.aspect, one.name, one.value, one.negated


def _is_text(words: str, contract: DataContract) -> bool:
    """Whether all names can be stored: those of files may hold bytes that are no text."""
    try:
        f"{words}{json.dumps(asdict(contract), ensure_ascii=False)}".encode()
    except UnicodeEncodeError:
        return False
    return True
