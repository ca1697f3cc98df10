"""A suite of plain functions: a module's `test_...`, called one after another with the target's module at hand."""

from __future__ import annotations

import signal
import time
import traceback
from typing import Any, Callable, Sequence

Outcome = Callable[[str, str, str], None]


class _TooLong(BaseException):
    pass


def run_functions(
    code: str, names: Sequence[str], namespace: "dict[str, Any]", seconds: float, outcome: Outcome
) -> None:
    """Calls the functions of those names that `code` defines. Each has `seconds` of processor time."""
    scope = {**namespace, "__name__": "hidden_tests"}
    try:
        exec(compile(code, "<tests>", "exec", dont_inherit=True), scope)
    except BaseException as error:
        outcome("module", "error", _said(error))
        return
    signal.signal(signal.SIGVTALRM, _interrupt)
    for name in names:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        start = time.process_time()
        try:
            scope[name]()
            state, why = "passed", ""
        except _TooLong:
            state, why = "failed", f"no end after {time.process_time() - start:.1f} s of processor time"
        except AssertionError as error:
            state, why = "failed", _said(error)
        except BaseException as error:
            state, why = "failed", _said(error)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        outcome(name, state, why)


def _interrupt(number: int, frame: Any) -> None:
    raise _TooLong


def _said(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(type(error), error)).strip()[:300]
