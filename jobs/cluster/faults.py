"""What a machine does to a job, in one line: full disks, missing rights, too little memory, lost processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ray.exceptions import AuthenticationError, ObjectStoreFullError, OutOfDiskError, RayError, RayTaskError

from jobs.cluster.access import WAY_OUT
from pipeline.errors import DLCodeGenError, FaultError
from pipeline.storage.files import storage_error_line

_GOES_ON = "and the same command goes on where it stopped"

_RAY_ADDS = "Failed to apply UDF transform after"


@contextmanager
def plain_faults() -> Iterator[None]:
    """Raises what the machine did to the block as a FaultError that says what to do. Bugs stay what they are."""
    try:
        yield
    except Exception as error:
        plain = plain_fault(error)
        if plain is error:
            raise
        raise plain from error


def plain_fault(error: Exception) -> Exception:
    """The mistake of the user, or the fault of the machine, that is behind an error, as one line; the error itself
    where there is none, for that is a bug."""
    chain = _chain(error)
    for inner in chain:
        if isinstance(inner, DLCodeGenError) and not isinstance(inner, RayError):
            return _as_it_was(inner)
    for inner in reversed(chain):  # a machine's fault stands innermost, Ray's errors around it
        if isinstance(inner, OSError) and inner.errno is not None:
            return FaultError(storage_error_line(inner))
        if isinstance(inner, MemoryError):
            return FaultError(f"there is not enough memory; free some, or use fewer --workers, {_GOES_ON}")
        if isinstance(inner, ObjectStoreFullError | OutOfDiskError):
            return FaultError(f"Ray has no room for its objects ({_first_line(inner)}); make room, {_GOES_ON}")
        if isinstance(inner, AuthenticationError):
            return FaultError(f"the Ray cluster refuses this job's token, or has one and got none; {WAY_OUT}")
        if isinstance(inner, RayError) and not isinstance(inner, RayTaskError):
            return FaultError(
                f"Ray lost a process of this job ({_first_line(inner)}). Where memory is short, the system kills "
                f"processes: free some, or use fewer --workers, {_GOES_ON}"
            )
    return error


def _chain(error: BaseException) -> list[BaseException]:
    """An error, and what is behind it, the innermost last."""
    chain: list[BaseException] = []
    inner: BaseException | None = error
    while inner is not None and inner not in chain:
        chain.append(inner)
        behind = getattr(inner, "cause", None) or inner.__cause__
        if behind is None and type(inner) is RuntimeError:  # PyTorch's writers do not say what they stumbled over
            behind = inner.__context__
        inner = behind if isinstance(behind, BaseException) else None
    return chain


def _as_it_was(error: DLCodeGenError) -> DLCodeGenError:
    """The error without what Ray Data adds to the words of all errors of its workers."""
    words, added, _ = str(error).partition(_RAY_ADDS)
    if added:
        error.args = (words.rstrip(), *error.args[1:])
    return error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__
