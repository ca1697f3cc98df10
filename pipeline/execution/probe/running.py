"""Runs a project's script as `python SCRIPT` would, with the probe in the same process."""

from __future__ import annotations
import __future__

import ast
import functools
import importlib.machinery
import operator
import os
import sys
import traceback
import types
from typing import Any, Optional

from . import keras_hooks, torch_hooks
from .files import FileWatcher
from .importing import ImportWatcher
from .watching import Watch
from .writing import EventWriter, quietly, shortened

_FUTURE_FLAGS = functools.reduce(
    operator.or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)
"""What `from __future__ import` changes in the compiler: it holds for all of a script."""


def run(events: str, script: str) -> int:
    """Runs the script and gives its exit code; what it raised stands on standard error, as Python puts it there. What
    was registered with `atexit` is left to the caller's own end."""
    writer = EventWriter(events)
    watch = Watch(writer)
    main, path = _fresh_main(script)
    writer.write("began", python=sys.version.split()[0], script=script)
    hooks = {**keras_hooks.hooks(watch), **torch_hooks.hooks(watch)}
    ImportWatcher(hooks).install()
    FileWatcher(writer).install()
    code = 1
    try:
        with open(path, "rb") as file:
            source = file.read()
        imports, rest = _parts(source, path)
        exec(imports, main.__dict__)
        writer.write("imported")
        exec(rest, main.__dict__)
        writer.write("ended", final=True)
        code = 0
    except SystemExit as leaving:
        code = _exit_code(leaving, writer)
    except BaseException as error:
        code = 130 if isinstance(error, KeyboardInterrupt) else 1
        _report(error, writer)
    finally:
        watch.finish()
    return code


def _parts(source: bytes, path: str) -> "tuple[Any, Any]":
    """The script up to its last import at the top level, and the rest. A limit that ends a project leaves no traceback;
    so it is known all the same whether its modules were there. Both are compiled before either runs, as Python does."""
    whole = compile(source, path, "exec", dont_inherit=True)  # raises what Python would raise of the whole
    tree = ast.parse(source, path)
    last = max((at for at, node in enumerate(tree.body) if isinstance(node, (ast.Import, ast.ImportFrom))), default=-1)
    if last < 0:
        return compile("", path, "exec"), whole
    flags = whole.co_flags & _FUTURE_FLAGS
    # A string at the beginning would be taken for the module's docstring.
    after = ast.copy_location(ast.Pass(), tree.body[last])
    halves = (tree.body[: last + 1], [after, *tree.body[last + 1 :]])
    first, second = (ast.Module(body=body, type_ignores=[]) for body in halves)
    return (
        compile(first, path, "exec", flags=flags, dont_inherit=True),
        compile(second, path, "exec", flags=flags, dont_inherit=True),
    )


def _fresh_main(script: str) -> "tuple[types.ModuleType, str]":
    """The module that the script runs as, and its path; `sys.argv` and `sys.path` are as for `python SCRIPT`."""
    path = os.path.abspath(script)
    main = types.ModuleType("__main__")
    main.__file__ = path
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", path)
    main.__dict__.update(__builtins__=__builtins__, __cached__=None, __annotations__={})
    sys.modules["__main__"] = main
    sys.argv = [script]
    folder = os.path.dirname(path)
    replaced = (folder, os.path.dirname(os.path.abspath(__file__)))
    sys.path[:] = [folder, *(entry for entry in sys.path if os.path.abspath(entry) not in replaced)]
    return main, path


def _exit_code(leaving: SystemExit, writer: EventWriter) -> int:
    """As Python reads it: nothing is 0, a number itself, anything else is printed and is 1."""
    where = _project_part(leaving.__traceback__)
    frame = traceback.extract_tb(where)[-1:] if where is not None else []
    line = frame[0].lineno if frame else None
    if leaving.code is None or isinstance(leaving.code, int):
        code = int(leaving.code or 0)
        message = ""
    else:
        message = str(leaving.code)
        print(message, file=sys.stderr)
        code = 1
    writer.write("exit", final=True, code=code, message=message[:500], line=line)
    return code


def _report(error: BaseException, writer: EventWriter) -> None:
    """On standard error without the probe's own frames, and whole as an event."""
    error.__traceback__ = _project_part(error.__traceback__)
    text = quietly(lambda: "".join(traceback.format_exception(type(error), error, error.__traceback__)))()
    writer.write("exception", final=True, traceback=shortened(text or repr(error)))
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except Exception:
        traceback.print_exc()


def _project_part(trace: Optional[types.TracebackType]) -> Any:
    """The traceback from the script's own frame on."""
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return trace
