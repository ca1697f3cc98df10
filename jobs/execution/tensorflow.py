"""What a sandbox needs to run TensorFlow projects, and which versions it runs them with."""

from __future__ import annotations

from pipeline.errors import DLCodeGenError
from pipeline.records import SCRIPT, SourceFile
from pipeline.sandbox.sandbox import Limits, Sandbox

# The distribution may be tensorflow, tensorflow-cpu or another build.
_PRINT_VERSIONS = """\
import platform
from importlib.metadata import packages_distributions, version
names = packages_distributions()
print(platform.python_version(), *(f"{name} {version(names[name][0])}" for name in ("tensorflow", "keras")))
"""


def tensorflow_environment(threads: int) -> dict[str, str]:
    """What keeps a TensorFlow process to so many threads per pool, off the GPU and quiet."""
    pools = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return dict.fromkeys(pools, str(threads)) | {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}


def tensorflow_versions(sandbox: Sandbox) -> str:
    """Python, TensorFlow and Keras of the sandbox. Raises DLCodeGenError where it has no TensorFlow."""
    execution = sandbox.run([SourceFile(path=SCRIPT, text=_PRINT_VERSIONS)], SCRIPT, Limits())
    if not execution.ok:
        raise DLCodeGenError(
            f"the Python given has no TensorFlow ({execution.reason()}); give one that has by --python"
        )
    return execution.stdout_tail.strip()
