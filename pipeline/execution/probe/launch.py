"""Starts a project's script under the probe: `python launch.py EVENTS SCRIPT`.

EVENTS is `fd:N`, an open descriptor, or the path of a file; SCRIPT is run as `python SCRIPT` would run it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any


def load_probe() -> Any:
    """This folder as a package of a name that no project has."""
    name = "_dlcodegen_probe"
    if name not in sys.modules:
        folder = os.path.dirname(os.path.abspath(__file__))
        spec = importlib.util.spec_from_file_location(
            name, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{folder}: the probe is not there")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


if __name__ == "__main__":
    sys.exit(load_probe().run(sys.argv[1], sys.argv[2]))
