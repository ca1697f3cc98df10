"""Settings that a program takes from its command line or from a text: what it has where nobody states them.

`argparse`, `absl.flags` and `os.environ.get` have their defaults, JSON that stands in the code its values. What is read
from a file, or has no default, stays unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from pipeline.analysis.values import LONGEST, Call, Class, Instance, Reference, Scope, Unknown

PARSES = frozenset({"parse_args", "parse_known_args"})
_NAMESPACES = frozenset(
    {"AttrDict", "ConfigDict", "DotDict", "EasyDict", "Munch", "Namespace", "SimpleNamespace", "edict"}
)
_FLAG_PREFIX = "DEFINE_"


def parsed_arguments(parser: object, calls: Iterable[Call]) -> Instance:
    """What `parser.parse_args()` gives: each argument with its default, unknown where it has none. Arguments of groups,
    whose owner is not known, count for every parser."""
    namespace = _namespace()
    for call in calls:
        if call.name != "add_argument" or (call.owner is not parser and call.owner is not Unknown.ANY):
            continue
        if name := _destination(call):
            namespace.attributes[name] = _default(call)
    return namespace


def _destination(call: Call) -> str:
    stated = call.keywords.get("dest")
    if isinstance(stated, str):
        return stated
    names = [name for name in call.args if isinstance(name, str)]
    longest = next((name for name in names if name.startswith("--")), names[0] if names else "")
    return longest.lstrip("-").replace("-", "_")


def _default(call: Call) -> object:
    if "default" in call.keywords:
        return _converted(call.keywords["default"], call.keywords.get("type"))
    action = call.keywords.get("action")
    if action in ("store_true", "store_false"):
        return action == "store_false"
    return Unknown.ANY


def _converted(value: object, kind: object) -> object:
    """A default in quotes is put through `type`, as argparse does."""
    if isinstance(value, str) and isinstance(kind, Reference) and kind.path in ("int", "float"):
        try:
            return int(value) if kind.path == "int" else float(value)
        except ValueError:
            return Unknown.ANY
    return value


def flag_defined(call: Call) -> tuple[str, object] | None:
    """Name and default of a flag of `absl.flags` or `tf.app.flags`; None for any other call."""
    if not call.name.startswith(_FLAG_PREFIX):
        return None
    name = call.argument(0, "name")
    if not isinstance(name, str):
        return None
    default = call.argument(1, "default")
    return name, Unknown.ANY if default is None else default


def flag_named(path: str) -> str:
    """The flag that a path such as `absl.flags.FLAGS.batch_size` reads; "" for any other."""
    owner, _, name = path.rpartition(".")
    return name if owner == "FLAGS" or owner.endswith(".FLAGS") else ""


def settings_made(path: str, args: tuple[object, ...], keywords: dict[str, object]) -> object:
    """What a call gives that makes settings of what stands in the code: `json.loads('{"batch": 8}')`,
    `SimpleNamespace(batch=8)`, `vars(settings)`; None for any other call."""
    name = path.rpartition(".")[2]
    if path == "json.loads" and args and isinstance(args[0], str) and len(args[0]) <= LONGEST:
        try:
            value: object = json.loads(args[0])
        except (ValueError, RecursionError):
            return Unknown.ANY
        return Unknown.ANY if value is None else value
    if path in ("os.environ.get", "os.getenv"):
        default = args[1] if len(args) > 1 else keywords.get("default")
        return Unknown.ANY if default is None else default
    if path == "vars" and args and isinstance(args[0], Instance):
        return args[0].attributes
    if name in _NAMESPACES:
        namespace = _namespace()
        for items in (*args, keywords):
            if isinstance(items, dict):
                namespace.attributes.update({str(key): value for key, value in items.items()})
        return namespace
    return None


def settings_of(names: dict[str, object]) -> Instance:
    """The arguments of a constructor as Lightning's `save_hyperparameters` keeps them."""
    namespace = _namespace()
    namespace.attributes.update({name: value for name, value in names.items() if name != "self"})
    return namespace


def _namespace() -> Instance:
    return Instance(Class("Namespace", (), Scope()))
