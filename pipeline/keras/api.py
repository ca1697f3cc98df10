"""Checks the Keras calls of a program against the facts of api.json, without importing Keras."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Sequence

from pipeline.keras.compile_words import unknown_word
from pipeline.keras.facts import Signature, keras_only, modules, signature, tensorflow_only
from pipeline.keras.spellings import REMOVED_METHODS, RENAMED_KEYWORDS
from pipeline.syntax import keywords_of, nodes_of, problems_of, walk

__all__ = ["check_call", "invalid_calls", "wrong_arguments"]

_MODEL_METHODS = frozenset({"compile", "fit", "evaluate", "predict", "summary", "save", "load_weights", "save_weights"})
# Slips and other libraries' words: no version of Keras had them, so the hint asks instead of naming a version.
_NEVER_IN_KERAS = frozenset({"filter", "kernel", "kernal_size", "num_filters"})
_MODELS = frozenset({"Sequential", "Model", "models.Sequential", "models.Model"})


def check_call(name: str, args: int, keywords: Sequence[str]) -> str | None:
    """What is wrong with a call of a Keras name ("layers.Conv2D", "Model.fit"), in plain words.

    None if nothing is, or if Keras takes any argument there.

    `args` is the number of positional arguments, `keywords` the names of the others.
    """
    known = signature(name)
    if known is None:
        return _unknown_name(name, tensorflow=None)
    return wrong_arguments(name, known, args, keywords, _meant)


Hint = Callable[[str, Signature], str]
"""What an unknown keyword may stand for, in words behind the problem; "" where nothing is near."""


def wrong_arguments(name: str, known: Signature, args: int, keywords: Sequence[str], hint: Hint) -> str | None:
    """What is wrong with a call of that signature; `args` and `keywords` as in `check_call`."""
    for keyword in keywords:
        if not known.accepts(keyword):
            return f"{name} has no argument '{keyword}'{hint(keyword, known)}"
    if args > len(known.positional) and not known.any_args:
        return f"{name} takes at most {len(known.positional)} positional arguments, not {args}"
    by_position = known.positional[:args]
    for keyword in keywords:
        if keyword in by_position:
            return f"{name} gets '{keyword}' twice"
    for parameter in known.required:
        if parameter not in by_position and parameter not in keywords:
            return f"{name} lacks the argument '{parameter}'"
    return None


def _meant(keyword: str, known: Signature) -> str:
    """A hint at the parameter that an unknown keyword may stand for."""
    renamed = RENAMED_KEYWORDS.get(keyword)
    if renamed is not None and known.accepts(renamed):
        if keyword in _NEVER_IN_KERAS:
            return f" (did you mean '{renamed}'?)"
        return f" (Keras 3: {renamed})"
    close = difflib.get_close_matches(keyword, known.names, 1, cutoff=0.7)
    if not close:
        return ""
    return f" (did you mean '{close[0]}'?)"


def _unknown_name(name: str, *, tensorflow: bool | None) -> str | None:
    """What is wrong with a dotted name under keras, reached through tensorflow or not, where that is known; None for
    one that exists, below a class, or private (`keras.src`)."""
    if not name:
        return None
    path = ""
    for part in name.split("."):
        inside = modules().get(path)
        if inside is None:
            return None  # an attribute of a class or function
        full = f"{path}.{part}".lstrip(".")
        if part == "*" or full == "src":
            return None
        absent = frozenset[str]()
        if tensorflow is not None:
            absent = keras_only() if tensorflow else tensorflow_only()
        if part not in inside or full in absent:
            package = "keras" if tensorflow is False else "tf.keras"
            return f"{package}.{full} does not exist in Keras 3{_meant_name(name, path, part)}"
        path = full
    return None


def _meant_name(name: str, path: str, part: str) -> str:
    """A hint at the name in the module `path` that the unknown `part` of a dotted name may stand for."""
    # `keras.Dense` misses a layer: what is unknown in keras itself is looked for among these.
    candidates = modules().get(path or "layers", frozenset())
    close = difflib.get_close_matches(name.split(".")[-1], candidates, 1, cutoff=0.75)
    if not close or close[0] == part:
        return ""
    return f" (did you mean '{close[0]}'?)"


class _Imports:
    """What the names of a program stand for: "keras", "keras.layers.Dense", with the package they come from."""

    def __init__(self, nodes: Sequence[ast.AST]) -> None:
        self.targets: dict[str, tuple[str, bool]] = {}
        """By name: the dotted name under keras, and whether it comes through tensorflow."""
        self.tensorflow: set[str] = set()
        """Names of tensorflow itself."""
        self.imported: list[tuple[int, str, bool]] = []
        """What is imported from keras: line, dotted name, whether through tensorflow."""
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self._import(alias.name, alias.asname)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    self._import_from(node.module, alias.name, alias.asname or alias.name, node.lineno)

    def _import(self, module: str, alias: str | None) -> None:
        root, *rest = module.split(".")
        if root == "tensorflow":
            if alias is None or not rest:
                self.tensorflow.add(alias or "tensorflow")
            elif rest[0] == "keras":
                self.targets[alias] = (".".join(rest[1:]), True)
        elif root == "keras" and alias is None:
            self.targets["keras"] = ("", False)  # `import keras.layers` binds `keras`
        elif root == "keras" and alias is not None:
            self.targets[alias] = (".".join(rest), False)

    def _import_from(self, module: str, name: str, alias: str, line: int) -> None:
        root, *rest = module.split(".")
        if module == "tensorflow" and name == "keras":
            self.targets[alias] = ("", True)
        elif root == "keras" or (root == "tensorflow" and rest[:1] == ["keras"]):
            tensorflow = root == "tensorflow"
            if tensorflow:
                rest = rest[1:]  # what follows `tensorflow.keras`
            target = ".".join([*rest, name])
            self.imported.append((line, target, tensorflow))
            if name != "*":
                self.targets[alias] = (target, tensorflow)
                return
            path = ".".join(rest)
            for public in modules().get(path, ()):
                self.targets.setdefault(public, (f"{path}.{public}".lstrip("."), tensorflow))

    def resolve(self, node: ast.expr) -> tuple[str, bool] | None:
        """The dotted name under keras that an expression stands for, or None."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        parts.reverse()
        if node.id in self.targets:
            target, tensorflow = self.targets[node.id]
            if target:
                parts.insert(0, target)
            return ".".join(parts), tensorflow
        if node.id in self.tensorflow and parts[:1] == ["keras"]:
            return ".".join(parts[1:]), True
        return None


def invalid_calls(tree: ast.Module) -> tuple[str, ...]:
    """Every unknown Keras name and every call with wrong arguments, one line of text each, in order.

    Names are followed through the program's imports; methods (`model.fit`) where the model is assigned from Sequential
    or Model, also through a function that builds it. What cannot be followed is passed over.
    """
    nodes = nodes_of(tree)
    imports = _Imports(nodes)
    if not imports.targets and not imports.tensorflow:
        return ()
    models = _models(tree, nodes, imports)
    imported = [(line, _unknown_name(name, tensorflow=tensorflow)) for line, name, tensorflow in imports.imported]

    def wrong_name(node: ast.Attribute) -> str | None:
        target = imports.resolve(node)
        return _unknown_name(target[0], tensorflow=target[1]) if target else None

    own_names = frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef))
    return problems_of(tree, imported, lambda call: _wrong_call(call, imports, models, own_names), wrong_name)


def _wrong_call(node: ast.Call, imports: _Imports, models: frozenset[str], own_names: frozenset[str]) -> str | None:
    keywords = keywords_of(node)
    if keywords is None:
        return None
    target = imports.resolve(node.func)
    if target is not None:
        name: str | None = target[0]
    else:
        name = _model_method(node.func, models)
    if not name:
        return None
    method = name.removeprefix("Model.")
    if target is None and method in REMOVED_METHODS:
        return f"Model.{method} does not exist in Keras 3 (use {REMOVED_METHODS[method]})"
    known = signature(name)
    if known is None:
        return None
    wrong = wrong_arguments(name, known, len(node.args), keywords, _meant)
    return wrong or unknown_word(name, node, own_names)


def _model_method(function: ast.expr, models: frozenset[str]) -> str | None:
    """The method as in "Model.fit", for `model.fit` where the name holds a model."""
    if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
        return None
    if function.attr not in _MODEL_METHODS | REMOVED_METHODS.keys() or function.value.id not in models:
        return None
    return f"Model.{function.attr}"


def _models(tree: ast.Module, nodes: Sequence[ast.AST], imports: _Imports) -> frozenset[str]:
    """Names that hold a Keras model and nothing else."""
    built: set[ast.expr] = set()
    for node in nodes:
        if isinstance(node, ast.Call):
            target = imports.resolve(node.func)
            if target and target[0] in _MODELS:
                built.add(node)
    if not built:
        return frozenset()
    builders = _builders(tree, built)
    models: set[str] = set()
    for name, values in _assigned(nodes).items():
        calls = [value for value in values if isinstance(value, ast.Call)]
        if len(calls) == len(values) and all(call in built or _called(call) in builders for call in calls):
            models.add(name)
    return frozenset(models)


def _builders(tree: ast.Module, built: set[ast.expr]) -> set[str]:
    """Functions that return a model, whatever way they end."""
    builders: set[str] = set()
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef) or not any(_within(call, function) for call in built):
            continue
        inside = walk(function)
        local = _assigned(inside)
        returned: list[ast.expr | None] = []
        for node in inside:
            if not isinstance(node, ast.Return):
                continue
            if isinstance(node.value, ast.Name) and node.value.id in local:
                returned += local[node.value.id]
            else:
                returned.append(node.value)
        if returned and all(value in built for value in returned):
            builders.add(function.name)
    return builders


def _within(call: ast.expr, function: ast.FunctionDef) -> bool:
    return function.lineno <= call.lineno <= (function.end_lineno or function.lineno)


def _assigned(nodes: Sequence[ast.AST]) -> dict[str, list[ast.expr]]:
    """Every value assigned to each plain name."""
    values: dict[str, list[ast.expr]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    values.setdefault(target.id, []).append(node.value)
    return values


def _called(call: ast.Call) -> str | None:
    return call.func.id if isinstance(call.func, ast.Name) else None
