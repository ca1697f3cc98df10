"""Requirements from files: JSONL, JSON, CSV, Parquet, text, folders of them, and the published artifact.

A file becomes raw rows (`formats` and a module for each format), a raw row a Requirement (`rows`), and all of them
together one input with one count and unique ids (`reading`). Memory is bounded, and a bad row costs itself alone.
"""

from pipeline.inputs.reading import as_sentence, is_sentence, read_requirements

__all__ = ["as_sentence", "is_sentence", "read_requirements"]
