"""The folder of `dlcodegen dlbench`: what was read, and a file for each finished piece of work.

    tasks.json                           the tasks, in order: their digest says whether a rerun is of the same
    certificates/part-000000.json        the certificate of task 0

A piece is done when its file is there; files appear whole. So a killed job goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from pipeline.dlbench.certifying import Certificate
from pipeline.dlbench.task import FunctionTask
from pipeline.errors import DLCodeGenError
from pipeline.storage.files import join, read_json, write_json
from pipeline.storage.shard_folder import ShardFolder, read_description, write_description

DLBENCH_VERSION = 1
"""The layout of the folder. Raise it when files move or change their fields or meaning."""

_TASKS = TypeAdapter(tuple[FunctionTask, ...])
_CERTIFICATE = TypeAdapter(Certificate)


@dataclass(frozen=True, slots=True)
class BenchStore:
    """One such folder. It is small enough to be sent to every worker."""

    folder: str

    def stage(self, tasks: Sequence[FunctionTask], settings: dict[str, Any]) -> None:
        """Keeps the tasks, once. Raises DLCodeGenError where the folder belongs to others, or to other settings."""
        rows = _TASKS.dump_python(tuple(tasks), mode="json")
        if not self.keeps("tasks", rows, settings):
            raise DLCodeGenError(
                f"{self.folder} holds the certificates of other tasks or settings; choose another --out, or delete the "
                "folder to start over"
            )

    def tasks(self) -> tuple[FunctionTask, ...]:
        """The tasks that were staged. Raises DLCodeGenError where there are none."""
        described = self.described("tasks")
        if described is None:
            raise DLCodeGenError(f"{self.folder}: holds no tasks; run `dlcodegen dlbench certify TASKS --out` first")
        return _TASKS.validate_python(described["tasks"])

    def keeps(self, name: str, rows: list[Any], settings: dict[str, Any]) -> bool:
        """Writes `NAME.json` with the rows, where it is not there. False where it was made of others, or by other
        settings."""
        digest = hashlib.sha256(json.dumps([rows, settings], sort_keys=True).encode()).hexdigest()[:16]
        earlier = self.described(name)
        if earlier is None:
            described = {"digest": digest, "settings": settings, name: rows}
            write_description(join(self.folder, f"{name}.json"), described, DLBENCH_VERSION)
            return True
        return bool(earlier["digest"] == digest)

    def described(self, name: str) -> dict[str, Any] | None:
        """What `NAME.json` holds; None while it is not there."""
        return read_description(join(self.folder, f"{name}.json"), DLBENCH_VERSION, self.folder)

    @property
    def certificates(self) -> ShardFolder:
        return ShardFolder(join(self.folder, "certificates"), "json")

    def write_certificate(self, number: int, certificate: Certificate) -> None:
        write_json(self.certificates.path(number), asdict(certificate))

    def read_certificate(self, number: int) -> Certificate | None:
        """The certificate of the task of that number; None while there is none."""
        value = read_json(self.certificates.path(number))
        return None if value is None else _CERTIFICATE.validate_python(value)

    def all_certificates(self) -> list[Certificate]:
        """Those there are, in the tasks' order."""
        found = [self.read_certificate(number) for number in range(len(self.tasks()))]
        return [certificate for certificate in found if certificate is not None]
