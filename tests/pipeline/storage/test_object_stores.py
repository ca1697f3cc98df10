"""How long an object store may be away, and what counts as away. Against a real server: `make check-s3`."""

from __future__ import annotations

import fsspec
import pytest

from pipeline.errors import DLCodeGenError
from pipeline.storage.object_stores import (
    OUTAGE_SECONDS,
    OUTAGE_VARIABLE,
    _is_outage,
    _outage_seconds,
    _tries,
    is_object_store,
    wait_out,
)


class Refusal(Exception):
    """What botocore raises has the service's answer."""

    def __init__(self, status: int) -> None:
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status}}


def waited(tries: int) -> float:
    """What s3fs waits in so many tries, as its `_error_wrapper` has it."""
    return sum(min(1.7**attempt * 0.1, 15) for attempt in range(tries))


@pytest.mark.parametrize("seconds", [0, 1, 30, 120, 3600])
def test_the_tries_wait_so_long_and_not_one_longer(seconds: float) -> None:
    tries = _tries(seconds)
    assert waited(tries) >= seconds
    assert tries == 1 or waited(tries - 1) < seconds


def test_what_is_overloaded_or_broken_is_waited_for_and_what_refuses_is_not() -> None:
    assert all(_is_outage(Refusal(status)) for status in (429, 500, 502, 503, 504))
    assert not any(_is_outage(error) for error in (Refusal(403), Refusal(404), ValueError("no")))


def test_the_variable_sets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _outage_seconds() == OUTAGE_SECONDS
    monkeypatch.setenv(OUTAGE_VARIABLE, "7.5")
    assert _outage_seconds() == 7.5
    for wrong in ("soon", "-1", "nan", "inf"):
        monkeypatch.setenv(OUTAGE_VARIABLE, wrong)
        with pytest.raises(DLCodeGenError, match=OUTAGE_VARIABLE):
            _outage_seconds()


def test_other_file_systems_are_left_alone() -> None:
    for name in ("file", "memory"):
        filesystem = fsspec.filesystem(name)
        wait_out(filesystem)
        assert not is_object_store(filesystem)
