"""Reads one `Layers` entry of a plan, a Keras call or a phrase, into a call that Keras 3 accepts.

    parse_layer("Conv2D(32, (3,3), activation='relu')(x)").source()
        -> layers.Conv2D(32, (3, 3), activation="relu")
    parse_layer("Dense Layer (128 neurons) with ReLU activation").source()
        -> layers.Dense(128, activation="relu")
    parse_layer("BERT Layer")
        -> None

A phrase is read by `pipeline.keras.prose`; names, keywords and values are put right by `pipeline.keras.repair`.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from pipeline.keras.layer_call import LayerCall, Symbol, Value
from pipeline.keras.prose import activation_in, read_phrase
from pipeline.keras.repair import layer_named, repaired

__all__ = ["LayerCall", "Symbol", "Value", "parse_layer", "parse_layers"]

_LEAD = re.compile(
    r"^\s*+(?:[-*•]\s++|\d++[.):]\s++|\w++\s*+=\s*+(?=[\w.]++\s*+\()|model\.add\(|(?:layer|step)\s*+\d*+\s*+:\s*+)++",
    re.I,
)
_HEAD = re.compile(r"^((?:[A-Za-z_]\w*\.)*)([A-Za-z_]\w*)[ \t]*(\(|$)")
_LAST_LAYERS = re.compile(r"(?<!\s)\s++[Ll]ayers?$")
_BLANKS = re.compile(r"\s+")
_SEPARATOR = re.compile(r"\s*(?:,|;|\+|->|→|⇒|\s-\s|\s/\s|\band\b|\bfollowed by\b|\bthen\b)\s*")


@lru_cache(maxsize=16384)
def parse_layer(text: str) -> LayerCall | None:
    """The (first) layer named in the text, ready for Keras 3, or None where none is understood."""
    text = _LEAD.sub("", text.strip()).strip("`'\" ")
    match = _HEAD.match(text)
    if match is None:
        return read_phrase(text)
    name = layer_named(match[2])
    if name is None:
        return read_phrase(text)
    if not match[3]:  # a bare name
        return repaired(name, (), ())
    inner, rest = _parenthesis(text, match.end())
    call = _call(f"f({inner})")
    if call is None:
        return read_phrase(text)
    try:
        args, keywords = _arguments(call)
    except RecursionError:  # what Python's parser still takes may be too deep to be walked through
        return None
    activation = activation_in(rest)
    if activation and "activation" not in dict(keywords):
        keywords = (*keywords, ("activation", activation))
    return repaired(match[2], args, keywords)


@lru_cache(maxsize=16384)
def parse_layers(text: str) -> tuple[LayerCall, ...]:
    """Every layer of an entry that lists several; just the first where a part of the list is not understood.

    "Conv2D(64, 3) - BatchNormalization - ReLU", "Flatten, Dense layers"
    """
    parts = [part for part in _split(text) if part]
    understood: list[LayerCall] = []
    for part in parts:
        call = parse_layer(part) if _HEAD.match(part) else None
        if call is not None:
            understood.append(call)
    if len(parts) > 1 and len(understood) == len(parts):
        return tuple(understood)
    first = parse_layer(text)
    if first is None:
        return ()
    return (first,)


def _split(text: str) -> list[str]:
    """The text cut at separators outside parentheses."""
    parts: list[str] = []
    depth = start = index = 0
    while index < len(text):
        depth += _nesting(text[index])
        separator = _SEPARATOR.match(text, index) if depth == 0 else None
        if separator:
            parts.append(text[start:index].strip())
            start = index = separator.end()
        elif text[index].isspace():
            # A separator takes all blanks around it: where none starts at the first blank, none does at the others.
            index = _BLANKS.match(text, index).end()  # type: ignore[union-attr]  # matches: a blank stands there
        else:
            index += 1
    return [*parts, _LAST_LAYERS.sub("", text[start:].strip())]


def _nesting(character: str) -> int:
    """1 for an opening bracket, -1 for a closing one, else 0."""
    return (character in "([{") - (character in ")]}")


def _parenthesis(text: str, start: int) -> tuple[str, str]:
    """What stands between the parenthesis opened before `start` and its match, and what follows; open ends allowed."""
    depth = 1
    for index in range(start, len(text)):
        depth += _nesting(text[index])
        if depth == 0:
            return text[start:index], text[index + 1 :]
    return text[start:] + ")" * (depth - 1), ""


def _call(source: str) -> ast.Call | None:
    try:
        node = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(node, ast.Call):
        return None
    return node


def _arguments(call: ast.Call) -> tuple[tuple[Value, ...], tuple[tuple[str, Value], ...]]:
    """Without `*args` and `**options`, which do not show what they hold."""
    args = [_value(node) for node in call.args if not isinstance(node, ast.Starred)]
    keywords = [(keyword.arg, _value(keyword.value)) for keyword in call.keywords if keyword.arg]
    return tuple(args), tuple(keywords)


def _value(node: ast.expr) -> Value:
    """A literal where the expression is one (integer arithmetic done), a nested layer, or the expression as it is."""
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case ast.Tuple() | ast.List():
            return tuple(_value(item) for item in node.elts)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.BinOp(op=ast.Mult()):
            left, right = _value(node.left), _value(node.right)
            if isinstance(left, int) and isinstance(right, int):
                return left * right
        case ast.Call():
            name = ast.unparse(node.func).split(".")[-1]
            if layer_named(name) and name[0].isupper():
                args, keywords = _arguments(node)
                nested = repaired(name, args, keywords)
                # An activation given as a layer (`activation=LeakyReLU(0.2)`) is put right with the other activations.
                if nested is not None:
                    return nested
    return Symbol(ast.unparse(node))
