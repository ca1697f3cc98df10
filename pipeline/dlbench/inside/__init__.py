"""What goes into the process of the tests: imports the patched module, forks for each suite, writes down what happened.

Standard library and pytest only, for Python 3.9 to 3.13; nothing of this folder imports our packages, and it is
loaded by path, under a name of its own, as `pipeline/execution/probe` is. `suites` runs a job, `records` signs what is
written, `watchman` hears of what a candidate does to read or change its judge, `integrity` compares the judge's tools
before and after, `pytest_suite` and `function_suite` run tests, `tracing` tells which lines they execute.

Nothing here decides: the records are read, and the verdict is made, by a process outside of the sandbox.
"""

from __future__ import annotations

from .suites import run

__all__ = ["run"]
