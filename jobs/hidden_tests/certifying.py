"""The certificates of the tasks with hidden tests: made one by one, and written after each.

python -m jobs.certify_tasks --python .venv/bin/python
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import as_file, files

from pipeline.errors import StageFailure
from pipeline.hidden_tests.certificate import answers_are_hidden, as_json, certify, read_certificates, trivial_fails
from pipeline.hidden_tests.task import Task
from pipeline.sandbox.sandbox import Sandbox
from pipeline.storage.files import write_bytes


def certify_tasks(tasks: Sequence[Task], sandbox: Sandbox, *, again: bool = False) -> Iterator[tuple[str, bool]]:
    """A line a task, and whether its certificate holds. One of today's data is not made anew, unless `again`."""
    hidden = answers_are_hidden(sandbox)
    for task in tasks:
        known = read_certificates().get(task.id)
        data = task.data()
        if known is not None and not again and known.data == data.digest():
            # What takes no run of the reference is looked at anew.
            looked_at = {"answers_hidden": hidden, "trivial_fails": trivial_fails(task, data, known.bounds)}
            certificate = known.model_copy(update=looked_at)
        else:
            try:
                certificate = certify(task, sandbox, answers_hidden=hidden)
            except StageFailure as failure:
                yield f"{task.id}: {failure.kind}: {failure}", False
                continue
        # Read again: another process may have certified other tasks in the meantime.
        certified = read_certificates() | {task.id: certificate}
        with as_file(files("pipeline.hidden_tests") / "certificates.json") as path:
            write_bytes(str(path), as_json(certified).encode())
        state = "holds" if certificate.holds else f"NOT: {', '.join(certificate.broken)}"
        bounds = f"trivial {certificate.trivial:.4g}, reference {certificate.reference:.4g}"
        yield f"{task.id}: {task.metric} {bounds}, {certificate.cpu_seconds} s; {state}", certificate.holds
