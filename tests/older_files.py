"""Files as a program without layout versions has written them, or a newer one."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq


def remove_versions(folder: Path) -> None:
    """Makes a folder one that was written before there were versions; rows, columns and the rest stay."""
    for path in folder.rglob("*.parquet"):
        pq.write_table(pq.read_table(path).replace_schema_metadata(None), path, compression="zstd")
    for path in folder.rglob("*.json"):
        value = json.loads(path.read_text())
        if isinstance(value, dict) and value.pop("layout_version", None):
            path.write_text(json.dumps(value))


def raise_version(path: Path) -> None:
    """Makes a Parquet file, or a description in JSON, one of a program that is a version ahead."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        newer = {name: str(int(version) + 1) for name, version in table.schema.metadata.items()}
        pq.write_table(table.replace_schema_metadata(newer), path)
    else:
        value = json.loads(path.read_text())
        path.write_text(json.dumps(value | {"layout_version": value["layout_version"] + 1}))
