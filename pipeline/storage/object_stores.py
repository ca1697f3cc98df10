"""What is different about object stores: they have no folders, and may be away for a while.

Their clients give up after seconds; a job that has run for hours waits.
"""

from __future__ import annotations

import os
from itertools import accumulate, count
from typing import Any

from pipeline.errors import DLCodeGenError

_PROTOCOLS = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl"}

OUTAGE_VARIABLE = "DLCODEGEN_STORAGE_OUTAGE_SECONDS"
"""The environment variable that sets how long an object store may be away."""

OUTAGE_SECONDS = 120
"""Its default, that of endpoints (`limits.outage_seconds`)."""


def is_object_store(filesystem: Any) -> bool:
    """Whether files are kept under names alone: there are no folders to be made before them."""
    return not _PROTOCOLS.isdisjoint(_protocols(filesystem))


def wait_out(filesystem: Any) -> None:
    """Has the client of an object store try again for at least so many seconds where the store is overloaded or away;
    what it refuses fails at once. Sets s3fs's own means, for the whole process; other file systems are left as they
    are: gcsfs and adlfs wait a minute or two by themselves."""
    if "s3" not in _protocols(filesystem):
        return
    from s3fs.core import S3FileSystem, set_custom_error_handler

    S3FileSystem.retries = _tries(_outage_seconds())
    set_custom_error_handler(_is_outage)


def _protocols(filesystem: Any) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _outage_seconds() -> float:
    text = os.environ.get(OUTAGE_VARIABLE, str(OUTAGE_SECONDS))
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 86_400:
        raise DLCodeGenError(f"{OUTAGE_VARIABLE}={text}: give seconds, such as {OUTAGE_SECONDS}")
    return seconds


def _tries(seconds: float) -> int:
    """After how many tries s3fs has waited so long. It waits 0.1 s after the first, then 1.7 times as long each time,
    at most 15 s; what it takes to fail comes on top."""
    waited = accumulate(min(0.1 * 1.7**attempt, 15.0) for attempt in count())
    return next(tries for tries, total in enumerate(waited, start=1) if total >= seconds)


def _is_outage(error: Exception) -> bool:
    """Whether the service says that it cannot for now (botocore's ClientError). Broken connections s3fs knows."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return False
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return bool(status == 429 or status >= 500)
