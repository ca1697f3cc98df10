"""What can be done with a finished build: review its pool, audit it again, ask a model whether it knows it."""

from __future__ import annotations

import asyncio

from corpus_build.divide.split import EVALUATION, POOL
from corpus_build.store import CorpusStore, record_writer
from corpus_build.write.audit import Audit, audit_sets
from corpus_build.write.datasets import read_dataset
from corpus_build.write.exposure import Exposure, check_exposure
from corpus_build.write.review import read_approvals, sheet_csv, sheet_html
from jobs.cluster.ray_start import start_ray
from jobs.corpora.settings import CorpusConfig
from jobs.generation.language_model import language_model
from pipeline.config import LLMSettings, load_settings
from pipeline.errors import DLCodeGenError
from pipeline.storage.files import write_bytes
from pipeline.storage.one_writer import one_writer


def open_build(folder: str) -> tuple[CorpusStore, CorpusConfig]:
    """A finished build and the settings it was made with. Raises DLCodeGenError where there is none."""
    store = CorpusStore(folder)
    manifest = store.read_json("manifest.json")
    if manifest is None or "kept_by_set" not in manifest:
        raise DLCodeGenError(f"{folder}: no finished corpus build; point to the --out of `dlcodegen corpus build`")
    return store, load_settings(CorpusConfig, None, (), **(manifest["settings"] | {"out": folder}))


def write_sheets(folder: str) -> tuple[str, str]:
    """Writes review/sheet.html and review/sheet.csv of the sample pool; their paths."""
    store, _ = open_build(folder)
    rows = list(read_dataset(store, POOL))
    html_path, csv_path = store.path("review", "sheet.html"), store.path("review", "sheet.csv")
    write_bytes(html_path, sheet_html(rows))
    write_bytes(csv_path, sheet_csv(rows))
    return html_path, csv_path


def with_approvals(folder: str, sheet: str) -> CorpusConfig:
    """The build's settings with the sheet's approvals: built again, the sets are divided anew by them. Raises
    DLCodeGenError for a sheet that approves a row which the build does not have."""
    store, config = open_build(folder)
    in_pool = {row.id for row in read_dataset(store, POOL)}
    unknown = sorted(read_approvals(sheet) - in_pool)
    if unknown:
        raise DLCodeGenError(f"{sheet}: {unknown[0]} is not in the pool of {folder}; make the sheet anew")
    return config.model_copy(update={"review": sheet, "quiet": False})


def audit_build(folder: str) -> Audit:
    """Audits the written files anew."""
    store, config = open_build(folder)
    return audit_sets(store, config)


def expose(folder: str, llm: LLMSettings) -> list[Exposure]:
    """Asks a language model to continue each reference of DLCodeEval; writes exposure.parquet. Raises DLCodeGenError
    where the settings name no model."""
    store, config = open_build(folder)
    with one_writer(folder):
        return _expose(store, config, llm)


def _expose(store: CorpusStore, config: CorpusConfig, llm: LLMSettings) -> list[Exposure]:
    if llm.backend == "vllm":
        start_ray(config.address, config.workers, config.out)
    with language_model(llm.with_cache_for(store.folder)) as build:
        if build is None:
            raise DLCodeGenError("the exposure check needs a language model; for example llm=openai model=NAME")
        references = ((row.id, row.reference) for row in read_dataset(store, EVALUATION))
        exposures = asyncio.run(check_exposure(build(), references))
    with record_writer(store.path("exposure.parquet"), Exposure) as writer:
        for exposure in exposures:
            writer.add(exposure)
    return exposures
