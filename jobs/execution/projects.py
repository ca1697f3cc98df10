"""The projects that are run: those bundled with this package, and those in a folder."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pipeline.errors import DLCodeGenError
from pipeline.records import SCRIPT, SourceFile

SAMPLE, MATRIX, GENERATED = "sample", "matrix", "generated"
"""Where a project comes from: the forty samples, those of the matrix, which have to learn too (docs/starter.md), or a
run of `dlcodegen generate --projects`."""

_OF_FOLDER = {"starter40": SAMPLE, "keras": MATRIX, "torch": MATRIX}
_TORCH = re.compile(r"^\s*(?:import|from) torch\b", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A project to run."""

    id: str
    source: str
    """SAMPLE, MATRIX or GENERATED."""
    files: tuple[SourceFile, ...]

    @property
    def needs_torch(self) -> bool:
        """Whether it is written in PyTorch; else it is in TensorFlow."""
        return any(_TORCH.search(file.text) for file in self.files)

    def digest(self) -> str:
        """A short digest of the files, by which two reports tell whether they are about the same code."""
        text = "\0".join(f"{file.path}\0{file.text}" for file in self.files)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def bundled_samples() -> list[Project]:
    """The projects of `pipeline/starter/samples`, by name."""
    folder = resources.files("pipeline.starter") / "samples"
    projects = []
    for pool, source in _OF_FOLDER.items():
        for script in (folder / pool).iterdir():
            if script.name.endswith(".py"):
                file = SourceFile(path=SCRIPT, text=script.read_text("utf-8"))
                projects.append(Project(id=script.name.removesuffix(".py"), source=source, files=(file,)))
    return sorted(projects, key=lambda project: project.id)


def generated_projects(folder: Path) -> list[Project]:
    """The projects that lie in a folder as `<id>/project.py`, with the other Python files beside it, by name."""
    if not folder.is_dir():
        raise DLCodeGenError(f"{folder}: no such folder; write one with `dlcodegen generate --projects`")
    scripts = sorted(folder.glob(f"*/{SCRIPT}"))
    if not scripts:
        raise DLCodeGenError(f"{folder}: holds no <id>/{SCRIPT}; write them with `dlcodegen generate --projects`")
    return [
        Project(id=script.parent.name, source=GENERATED, files=tuple(_python_files(script.parent)))
        for script in scripts
    ]


def _python_files(folder: Path) -> list[SourceFile]:
    return [
        SourceFile(path=path.relative_to(folder).as_posix(), text=path.read_text("utf-8", "replace"))
        for path in sorted(folder.rglob("*.py"))
    ]
