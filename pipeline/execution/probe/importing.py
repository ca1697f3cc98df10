"""Calls a hook once a module has been imported, by whoever imports it."""

from __future__ import annotations

import importlib.machinery
import sys
from typing import Any, Callable, Dict, List, Optional


class ImportWatcher:
    """A finder before all others: it finds nothing itself, but has the real loader call a hook when it is done."""

    def __init__(self, hooks: Dict[str, Callable[[Any], Any]]) -> None:
        self._hooks = dict(hooks)
        self._looking: List[str] = []

    def install(self) -> None:
        """Hooks at once what is imported already, as in a process that was warmed."""
        for name in list(self._hooks):
            if name in sys.modules:
                self._hooks.pop(name)(sys.modules[name])
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[importlib.machinery.ModuleSpec]:
        """None, so that the import goes on; the spec of a watched module, whose loader then calls the hook."""
        if name not in self._hooks or name in self._looking:
            return None
        self._looking.append(name)
        try:
            spec = _found_by_others(self, name, path, target)
        finally:
            self._looking.remove(name)
        if spec is not None and spec.loader is not None and hasattr(spec.loader, "exec_module"):
            self._call_afterwards(spec.loader, name)
        return spec

    def _call_afterwards(self, loader: Any, name: str) -> None:
        """Shadows the loader's `exec_module` for this one module: class and spec stay what they are. Who only asks for
        the spec imports nothing, so the hook is kept until the module is run."""
        execute = loader.exec_module

        def exec_module(module: Any) -> None:
            del loader.exec_module
            execute(module)
            hook = self._hooks.pop(name, None)
            if hook is not None:
                hook(module)

        loader.exec_module = exec_module


def _found_by_others(watcher: Any, name: str, path: Any, target: Any) -> Optional[importlib.machinery.ModuleSpec]:
    for finder in sys.meta_path:
        if finder is watcher or not hasattr(finder, "find_spec"):
            continue
        spec = finder.find_spec(name, path, target)
        if spec is not None:
            return spec
    return None
