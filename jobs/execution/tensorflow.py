"""Which versions a sandbox runs TensorFlow projects with."""

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


def tensorflow_versions(sandbox: Sandbox) -> str:
    """Python, TensorFlow and Keras of the sandbox. Raises DLCodeGenError where it has no TensorFlow."""
    execution = sandbox.run([SourceFile(path=SCRIPT, text=_PRINT_VERSIONS)], SCRIPT, Limits())
    if not execution.ok:
        raise DLCodeGenError(
            f"the Python given has no TensorFlow ({execution.reason()}); give one that has by --python"
        )
    return execution.stdout_tail.strip()
