"""What the import contracts cannot say."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = [path for folder in ("pipeline", "corpus_build", "serving", "jobs") for path in (ROOT / folder).rglob("*.py")]
OWN = [path for path in SOURCES if "samples" not in path.parts]


def test_ray_data_is_used_in_one_place() -> None:
    users = [path.relative_to(ROOT).as_posix() for path in OWN if "ray.data" in path.read_text()]
    assert users == ["jobs/cluster/dataflow.py"]


def test_no_source_file_is_longer_than_a_reader_can_hold() -> None:
    assert {path.name: lines for path in OWN if (lines := len(path.read_text().splitlines())) > 320} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in OWN if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_a_folder_of_sources_is_a_chapter() -> None:
    """At most twelve modules a folder; where there are more, docs/architecture.md names the folder and the reason."""
    modules = Counter(path.parent for path in OWN if path.name != "__init__.py")
    architecture = (ROOT / "docs/architecture.md").read_text()
    reasons = architecture.partition("## Folders of more than twelve modules")[2].partition("\n## ")[0]
    wide = [folder.relative_to(ROOT).as_posix() for folder, count in modules.items() if count > 12]
    assert [folder for folder in wide if f"`{folder}/`" not in reasons] == []


def test_the_map_names_every_room() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    rooms = {path.parent for path in OWN if path.name == "__init__.py"} | {ROOT / "jobs/configs"}
    assert [room.relative_to(ROOT).as_posix() for room in sorted(rooms) if f"{room.name}/" not in page] == []


def test_every_package_in_the_layout_of_the_readme_exists() -> None:
    for name in ("pyproject.toml", "jobs", "pipeline", "serving", "corpus_build", "cluster.yaml", "tests"):
        assert (ROOT / name).exists()
