"""A project's run in words, the same in a terminal and on a page."""

from __future__ import annotations

from pipeline.execution.running.rows import ExecutedProject


def rung_words(rung: str) -> str:
    """`one_step` as "one step"."""
    return rung.replace("_", " ")


def run_words(executed: ExecutedProject) -> str:
    """How far it came and what it took, in a line."""
    words = [f"came to {rung_words(executed.reached)}" if executed.reached else "came nowhere"]
    if executed.infra:
        words = [f"says nothing of the project: {executed.infra}"]
    words.append(f"in {executed.environment}")
    if executed.measured is not None:
        memory = executed.measured.peak_memory_bytes / 1e6
        words.append(f"{executed.measured.cpu_seconds:.1f} s of processor time, {memory:,.0f} MB")
    for run in executed.further_runs:
        words.append(f"run again: {rung_words(run.reached) or run.infra or 'nowhere'}")
    return ", ".join(words)
