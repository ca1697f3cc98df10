"""The operators by rule: no model, equal every time, and small, as ReCode's are (Wang et al., 2022)."""

from __future__ import annotations

import hashlib
import re

from pipeline.dlbench.mutation.kept import changing_the_rest, check_kept
from pipeline.dlbench.mutation.operators import BROKEN, ORIGINAL, Operator, Variant
from pipeline.errors import StageFailure

_VERBS = {
    "write": "implement",
    "give": "return",
    "gives": "returns",
    "return": "give back",
    "returns": "gives back",
    "compute": "calculate",
    "computes": "calculates",
    "calculate": "compute",
    "calculates": "computes",
    "create": "make",
    "creates": "makes",
    "build": "construct",
    "builds": "constructs",
    "implement": "write",
    "implements": "provides",
    "take": "use",
    "takes": "accepts",
    "use": "employ",
    "uses": "employs",
    "subtract": "deduct",
    "drop": "discard",
    "apply": "carry out",
    "applies": "carries out",
    "should": "ought to",
    "must": "has to",
    "contains": "holds",
    "define": "set up",
    "generate": "produce",
    "generates": "produces",
    "convert": "turn",
    "split": "divide",
    "evaluate": "assess",
    "ensure": "make sure",
    "handle": "deal with",
    "get": "obtain",
}
_PHRASES = {
    "there is none": "none exists",
    "there is no": "no such thing exists as a",
    "for each": "for every single",
    "each": "every",
    "has the shape": "is of the shape",
    "if": "in case",
    "at most": "no more than",
    "at least": "no less than",
    "the result": "the outcome",
    "does not": "doesn't",
    "is not": "isn't",
    "in order to": "to",
    "all": "all of the",
    "above": "greater than",
    "below": "less than",
}
_PARTICIPLES = {
    "write": "written",
    "give": "given",
    "take": "taken",
    "build": "built",
    "make": "made",
    "split": "split",
    "drop": "dropped",
    "use": "used",
    "compute": "computed",
    "calculate": "calculated",
    "create": "created",
    "implement": "implemented",
    "return": "returned",
    "subtract": "subtracted",
    "define": "defined",
    "apply": "applied",
    "generate": "generated",
    "convert": "converted",
    "evaluate": "evaluated",
    "add": "added",
}
_MISLEADING = ("send_report", "parse_address", "sort_inventory", "load_settings", "draw_calendar", "close_account")
_EMPTY_WORDS = frozenset(
    "a an and are as at be by each for from give given has if in into is it its of on or that the their then this to "
    "which where with write function method python".split()
)
_SENTENCE = re.compile(r"[^.!?:\n]+(?:[.!?:](?=\s|$)|(?=\n|$))")


def mutated(prompt: str, operator: Operator | str, name: str) -> Variant:
    """The prompt's variant. `name` is the target's own name. What must not change has not (StageFailure else)."""
    if operator == ORIGINAL:
        return Variant(operator=ORIGINAL, prompt=prompt, changed=False)
    if operator in (Operator.TELLING_NAME, Operator.MISLEADING_NAME):
        return _named(prompt, Operator(operator), name)
    changes = {
        Operator.SIMILAR_VERB: lambda text: _exchanged(text, _VERBS),
        Operator.UPPER_CASE: str.upper,
        Operator.REPHRASED: lambda text: _exchanged(text, _PHRASES),
        Operator.PASSIVE: lambda text: _SENTENCE.sub(_passive, text),
        Operator.QUESTION: lambda text: _SENTENCE.sub(_question, text),
    }
    changed = changing_the_rest(prompt, changes[Operator(operator)])
    # Upper case makes acronyms of words, so its pieces are those that it was given.
    if operator != Operator.UPPER_CASE:
        check_kept(prompt, changed)
    return Variant(operator=str(operator), prompt=changed, changed=changed != prompt)


def _exchanged(text: str, words: dict[str, str]) -> str:
    longest_first = sorted(words, key=len, reverse=True)
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, longest_first)) + r")\b", re.IGNORECASE)

    def exchange(found: re.Match[str]) -> str:
        word = words[found.group().lower()]
        return word[0].upper() + word[1:] if found.group()[0].isupper() else word

    return pattern.sub(exchange, text)


def _passive(found: re.Match[str]) -> str:
    """`Write X.` -> `X is to be written.`: sentences that tell to do something; others stay."""
    sentence = found.group()
    match = re.match(r"(\s*)(\w+) (.+?)([.!?:]?)$", sentence, re.DOTALL)
    if match is None or match.group(2).lower() not in _PARTICIPLES or not match.group(2)[0].isupper():
        return sentence
    space, verb, rest, end = match.groups()
    subject = rest[0].upper() + rest[1:]
    return f"{space}{subject} is to be {_PARTICIPLES[verb.lower()]}{end}"


def _question(found: re.Match[str]) -> str:
    """`Write X.` -> `Can you write X?`."""
    sentence = found.group()
    match = re.match(r"(\s*)(\w+) (.+?)([.]?)$", sentence, re.DOTALL)
    if match is None or match.group(2).lower() not in _PARTICIPLES or not match.group(2)[0].isupper():
        return sentence
    space, verb, rest, end = match.groups()
    return f"{space}Can you {verb.lower()} {rest}{'?' if end else ''}"


def _named(prompt: str, operator: Operator, name: str) -> Variant:
    """Another name for the target wherever the prompt has its own; a prompt that never names it stays."""
    other = _telling(prompt, name) if operator == Operator.TELLING_NAME else _misleading(prompt, name)
    changed = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w)", other, prompt)
    if changed == prompt:
        return Variant(operator=operator, prompt=prompt, changed=False)
    if re.sub(rf"(?<![\w.]){other}(?!\w)", name, changed) != prompt:
        raise StageFailure(BROKEN, f"{name} cannot be told from other words of the prompt")
    return Variant(operator=operator, prompt=changed, renamed_to=other)


def _telling(prompt: str, name: str) -> str:
    """The name with the first words of what is asked, as one identifier."""
    prose = re.sub(r"`[^`]*`|```.*?```", " ", prompt, flags=re.DOTALL)
    words = [word.lower() for word in re.findall(r"[A-Za-z]{3,}", prose)]
    telling = [word for word in dict.fromkeys(words) if word not in _EMPTY_WORDS and word not in name][:3]
    return _free("_".join([name.strip("_"), *telling]), prompt)


def _misleading(prompt: str, name: str) -> str:
    number = int(hashlib.sha256(f"{name}\0{prompt}".encode("utf-8", "replace")).hexdigest(), 16)
    return _free(_MISLEADING[number % len(_MISLEADING)], prompt)


def _free(name: str, prompt: str) -> str:
    """A name that the prompt does not use for something else."""
    while re.search(rf"\b{name}\b", prompt):
        name += "_2"
    return name
