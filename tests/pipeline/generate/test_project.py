"""A project's files."""

from __future__ import annotations

import json

import nbformat

from pipeline.generate.project import project_files, requirements_of, to_ipynb

CODE = '''\
# %% [markdown]
# # Title
# Some prose.

# %% Imports
import os, json
import numpy as np
from sklearn.metrics import f1_score
from tensorflow import keras


# %% Model
def late():
    """Reads from the file."""
    import cv2
    return cv2
'''


def test_the_notebook_is_valid_and_has_the_scripts_cells() -> None:
    text = to_ipynb(CODE)
    book = nbformat.reads(text, as_version=4)
    nbformat.validate(book)
    assert [cell.cell_type for cell in book.cells] == ["markdown", "markdown", "code", "markdown", "code"]
    assert book.cells[0].source == "# Title\nSome prose."
    assert book.cells[1].source == "## Imports"
    assert book.cells[2].source.startswith("import os, json\nimport numpy")
    assert to_ipynb(CODE) == text


def test_requirements_are_what_the_script_imports_beyond_the_standard_library() -> None:
    names = [line.split(">")[0] for line in requirements_of(CODE).splitlines()]
    assert names == ["numpy", "opencv-python-headless", "scikit-learn", "tensorflow"]


def test_a_project_is_a_script_a_notebook_and_its_requirements() -> None:
    files = {file.path: file.text for file in project_files(CODE)}
    assert list(files) == ["project.py", "project.ipynb", "requirements.txt"]
    assert files["project.py"] == CODE
    json.loads(files["project.ipynb"])
