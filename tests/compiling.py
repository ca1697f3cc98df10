"""Files as Python itself judges them: compiled from their bytes, never run, in a Python of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_COMPILE = """
import json, sys, warnings
warnings.simplefilter("ignore")
refusals = {}
for path in json.load(sys.stdin):
    try:
        compile(open(path, "rb").read(), path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        refusals[path] = str(error)
print(json.dumps(refusals))
"""


def python_refusals(paths: Sequence[Path]) -> dict[str, str]:
    """The files that Python cannot compile, by their paths, with what it says of them."""
    names = json.dumps([str(path) for path in paths])
    done = subprocess.run([sys.executable, "-c", _COMPILE], input=names, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))
