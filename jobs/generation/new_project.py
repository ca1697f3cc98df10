"""One project from a sentence, in this process: the natural first try."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from jobs.generation.language_model import language_model, with_preset
from jobs.generation.settings import GenerateConfig
from pipeline.errors import DLCodeGenError, StorageError
from pipeline.inputs import read_requirements
from pipeline.methods import WITH_CHAINS, generation_stages
from pipeline.records import Scored
from pipeline.request.reading.reader import read_constraints
from pipeline.request.subject import subject_of
from pipeline.stage import run_local
from pipeline.storage.files import write_bytes


def main(config: GenerateConfig) -> Scored:
    """The finished row for the requirement that is the run's input, and its files in the run's folder, which is made.

    Raises DLCodeGenError for settings that cannot work, and for a folder that holds something.
    """
    folder = Path(config.run.out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DLCodeGenError(f"{folder}: is there already; give another --out")
    if config.writing.method in WITH_CHAINS:
        raise DLCodeGenError(f"method={config.writing.method} needs chains of thought; use dlcodegen generate")
    record = _finished(config)
    try:
        for file in record.files:
            write_bytes(str(folder / file.path), file.text.encode())
    except StorageError:
        shutil.rmtree(folder, ignore_errors=True)  # there was nothing in it, and the same command is to work again
        raise
    return record


def new_folder(requirement: str) -> str:
    """A folder here that is not there yet, named by what the requirement is about."""
    subject = subject_of(requirement, read_constraints(requirement))
    name, number = subject, 1
    while os.path.lexists(name):
        number += 1
        name = f"{subject}-{number}"
    return name


def _finished(config: GenerateConfig) -> Scored:
    if config.llm.backend == "vllm":
        from jobs.cluster.ray_start import start_ray

        start_ray(config.run.address, None)
    config = with_preset(config)
    rows = read_requirements(config.run.input, data=config.data.path, target=config.data.target)
    with language_model(config.llm) as llm:
        for record in run_local(generation_stages(config, llm), rows):
            assert isinstance(record, Scored)
            return record
    raise DLCodeGenError("there is no requirement")
