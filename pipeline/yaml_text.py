"""YAML that others wrote."""

from __future__ import annotations

from typing import IO, Any

import yaml


def yaml_value(source: str | IO[bytes]) -> Any:
    """What a YAML text says. Raises ValueError, in a line, where it says nothing: PyYAML passes on what Python says of
    a 13th month, of thousands of digits, and of brackets within brackets."""
    try:
        return yaml.safe_load(source)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())[:200]) from error
