"""Why a file is not in the data sets: one word that can be counted, and the reason in plain words."""

from __future__ import annotations

REASONS: dict[str, str] = {
    # read
    "unreadable": "the file cannot be opened or read",
    "too_large": "larger than the limit for one file (max_file_bytes)",
    "empty": "no bytes, or white space only",
    "lfs_pointer": "a Git LFS pointer in the place of the file",
    "html_page": "an HTML page (an error or login page) in the place of the file",
    "merge_conflict": "JSON broken by the markers of a merge conflict",
    "truncated": "JSON that ends before it is complete",
    "broken_json": "not JSON, and not merely cut off",
    "nested_too_deeply": "JSON nested beyond what a notebook can be",
    "not_a_notebook": "JSON without a notebook's cells",
    "wrong_encoding": "UTF-16 or UTF-32 that cannot be decoded",
    "no_code": "no code cell with text",
    "timeout": "working on the file took longer than one may (row_seconds)",
    "crash": "working on the file ended its process, or met a bug",
    # filter
    "not_python": "written in another language than Python",
    "pytorch_only": "imports PyTorch, not the framework asked for",
    "jax_only": "imports JAX, not the framework asked for",
    "tensorflow_only": "imports TensorFlow or Keras, not the framework asked for",
    "classical_only": "imports scikit-learn, XGBoost and the like, and no deep-learning framework",
    "tree_models": "uses TensorFlow for decision forests only",
    "mentioned_only": "names the framework in code (comment, string, pip) but never imports it",
    "pytorch_trained": "imports the framework asked for, and trains a model of PyTorch",
    "tensorflow_trained": "imports the framework asked for, and trains a model of TensorFlow or Keras",
    "jax_trained": "imports the framework asked for, and trains a model of JAX",
    "not_trained": "imports the framework and trains no network: it loads data or a finished model",
    "no_framework": "imports no machine-learning framework",
    # dedup
    "exact_duplicate": "the same code as another notebook",
    "near_duplicate": "nearly the same code as another notebook, or another version of it",
    # extract
    "no_model": "no layer and no optimizer can be read from the code",
    "no_requirement": "no text and no name says what the notebook is for",
    # split
    "overlaps_DLCodeEval": "too similar to a row of DLCodeEval",
    "overlaps_DLSamplePool": "too similar to a row of DLSamplePool",
    "overlaps_DLPlanData_test": "too similar to a row of DLPlanData's test part",
    "overlaps_DLPlanData_eval": "too similar to a row of DLPlanData's eval part",
    "beyond_size": "the sizes asked for are reached",
}
"""Every reason there is, in the order of the steps that give it."""


class Drop(Exception):
    """A notebook leaves the build. `reason` is a key of REASONS, `detail` what was found in this file."""

    def __init__(self, reason: str, detail: str = "") -> None:
        if reason not in REASONS:
            raise ValueError(f"{reason!r} is no reason to drop a file; add it to REASONS")
        super().__init__(detail or REASONS[reason])
        self.reason = reason
        self.detail = detail or REASONS[reason]
