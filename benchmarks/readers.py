"""Every reader of foreign text on every awkward text: CPU seconds, and what goes wrong.

    python -m benchmarks.readers [--size 1000000] [--limit 10] [--reader NAME ...]

A reader is a function that meets what users, notebooks or language models wrote. Each pair runs in a forked child
with a limit of CPU seconds, so a busy machine changes nothing. A plain read is one pass of a tokenizing regular
expression over the same text.
"""

from __future__ import annotations

import argparse
import re
import resource
import time
from dataclasses import dataclass

from pipeline.errors import StageFailure
from pipeline.sandbox.child_process import in_child
from tests.awkward_texts import awkward_texts
from tests.readers import READERS, REFUSALS, Reader

_WALL = 60
"""Seconds that a child may take for one of CPU time: on a busy machine the limit on CPU time is what ends it."""

_PLAIN = re.compile(r"\w+|\s+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reading:
    """CPU `seconds` of one reading, None beyond the limit; `fault` names how it went wrong, "" where it did not."""

    seconds: float | None
    fault: str = ""


def reading(reader: Reader, text: str, limit: int) -> Reading:
    """One reading in a child. A refusal that the program knows (REFUSALS) is none of
    its faults; another exception is, and so is a death, as by the limit (SIGXCPU)."""
    try:
        result: Reading = in_child(_read, reader, text, limit, seconds=_WALL * limit)
    except StageFailure as death:
        return Reading(None, str(death))
    return result


def _read(reader: Reader, text: str, limit: int) -> Reading:
    # The limit counts what the process has used since it was forked: a child starts at nought.
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    start = time.process_time()
    fault = ""
    try:
        reader(text)
    except REFUSALS:
        pass
    except Exception as error:
        fault = f"{type(error).__name__}: {str(error)[:60]}"
    return Reading(time.process_time() - start, fault)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--limit", type=int, default=10, help="CPU seconds a reading may take")
    parser.add_argument("--reader", nargs="*", default=sorted(READERS))
    chosen = parser.parse_args()
    texts = list(awkward_texts(chosen.size))
    plain = [reading(_PLAIN.findall, text, chosen.limit).seconds or 0.0 for _, text in texts]
    print(
        f"{len(texts)} texts of {chosen.size:,} characters; a plain read takes {min(plain):.3f} to {max(plain):.3f} s"
    )
    for name in chosen.reader:
        readings = [(title, reading(READERS[name], text, chosen.limit)) for title, text in texts]
        faults = [(title, result) for title, result in readings if result.fault]
        fine = sorted((result.seconds or 0.0, title) for title, result in readings if not result.fault)
        print(
            f"{name}: {len(faults)} faults; slowest of the others {fine[-1][0]:.2f} s on {fine[-1][1]}"
            if fine
            else name
        )
        for title, result in faults:
            print(f"    {result.fault}  on  {title}", flush=True)


if __name__ == "__main__":
    main()
