"""The environment variables that projects are run with."""

from __future__ import annotations

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
"""What the frameworks and the libraries below them read the sizes of their thread pools from."""


def project_variables(threads: int) -> dict[str, str]:
    """What a project has beside the usual few: so many threads for each pool, no GPU, no window, few words from
    TensorFlow, and the same order of sets in every run."""
    return dict.fromkeys(_THREAD_VARIABLES, str(threads)) | {
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "MPLBACKEND": "Agg",
        "PYTHONHASHSEED": "0",
    }
