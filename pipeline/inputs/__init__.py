"""Requirements from files: JSONL, JSON, CSV, Parquet, text, folders of them, and the published artifact."""

from pipeline.inputs.reading import read_requirements

__all__ = ["read_requirements"]
