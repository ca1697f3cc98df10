"""Known texts as templates: what a text took from its own request is a slot, filled from a new one.

"Images of flowers" for a requirement with "... to classify images of flowers using ..." took
"flowers" from between "images of" and "using". A new requirement with "images of fruits with ..."
has fruits in that place, and the text for it is "Images of fruits". Numbers fill the slots of
numbers, whether written in digits or in words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from pipeline.plan.dataset_facts import NUMBER_WORDS
from pipeline.planners.hybrid.text.tokens import (
    BETWEEN,
    END,
    Context,
    Keys,
    RequestTokens,
    all_numbers,
    is_content,
    word_key,
    words_with_blanks,
)

_BREAKS = frozenset((BETWEEN, END, ".", ";", ":"))
_LONGEST_FILLER = 6  # words
_LEAST_AGREEMENT = 2.0
"""Of a slot's and a filler's surroundings: e.g. two equal words before it, or one on each side."""
_LENGTH_COST = 0.25
"""Agreement that each word more or less than the slot's costs a filler."""
_WORD_FOR = {str(number): word for word, number in reversed(NUMBER_WORDS.items()) if number <= 20 and word.isalpha()}


@dataclass(frozen=True, slots=True)
class Slot:
    """Words `start` to `end` of a text, which stand in its own request too."""

    start: int
    end: int
    run: list[str]
    """Their keys."""
    contexts: list[Context]
    """What stands around them in the request, wherever they do."""
    distinctive: frozenset[str]
    """The keys for which it is a slot: numbers, and words that few texts share."""
    core: Slot | None = None
    """The part from the first distinctive key to the last, where that is shorter."""


@dataclass(frozen=True, slots=True)
class FilledText:
    """A template's text for a new request."""

    text: str
    changed: bool
    """Whether any slot got other words."""
    unfilled: int
    """Slots that kept theirs, since nothing in the new request stands in such a place."""


class TextTemplate:
    """A text with its slots: runs of words that stand in its own request and have a number or one
    of the `rare` keys, which few texts share."""

    def __init__(self, text: str, own_request: RequestTokens, rare: Collection[str]) -> None:
        self._text = text
        self._words = list(words_with_blanks(text))
        keys = [word_key(word) for _, word in self._words]
        self.slots: list[Slot] = []
        start = 0
        while start < len(keys):
            end = start
            if is_content(keys[start]):
                end += own_request.longest_run(keys[start:])
            distinctive = []
            for index in range(start, end):
                if _is_distinctive(keys[index], rare):
                    distinctive.append(index)
            if distinctive:
                slot = _slot(keys, start, end, rare, own_request)
                core = _slot(keys, distinctive[0], distinctive[-1] + 1, rare, own_request)
                if core.run != slot.run:
                    slot = replace(slot, core=core)
                self.slots.append(slot)
            start = max(end, start + 1)

    def fill(self, request: RequestTokens) -> FilledText:
        """The text for a new request. What that says too stays."""
        fillers: dict[int, tuple[int, range]] = {}  # by where the slot starts: where it ends, and the words for it
        unfilled = 0
        for slot in self.slots:
            if all(key in request for key in slot.distinctive):
                continue
            part = slot
            filler = _filler(slot, request)
            if filler is None and slot.core:
                part = slot.core
                filler = _filler(slot.core, request)
            if filler is None:
                unfilled += 1
            else:
                fillers[part.start] = part.end, filler
        if not fillers:
            return FilledText(self._text, False, unfilled)
        pieces: list[str] = []
        position = 0
        while position < len(self._words):
            blanks, word = self._words[position]
            pieces.append(blanks)
            if position in fillers:
                end, filler = fillers[position]
                pieces += _rendered(request, filler, like=word)
                position = end
            else:
                pieces.append(word)
                position += 1
        text = "".join(pieces)
        if self._text[:1].isupper():
            text = text[:1].upper() + text[1:]
        return FilledText(text, True, unfilled)


def _slot(keys: Keys, start: int, end: int, rare: Collection[str], own_request: RequestTokens) -> Slot:
    run = list(keys[start:end])
    contexts = []
    for position in own_request.starts_of(run):
        contexts.append(own_request.context(position, position + len(run)))
    distinctive = frozenset(key for key in run if _is_distinctive(key, rare))
    return Slot(start, end, run, contexts, distinctive)


def _is_distinctive(key: str, rare: Collection[str]) -> bool:
    return key in rare or key.isdigit()


def _filler(slot: Slot, request: RequestTokens) -> range | None:
    """The words in the request whose surroundings agree most with the slot's; None where too little
    does."""
    best, best_agreement = None, 0.0
    wants_number = all_numbers(slot.run)
    for before, after in slot.contexts:
        for words in _words_after(before[0], request):
            keys = request.keys[words.start : words.stop]
            if all_numbers(keys) != wants_number:
                continue
            agreement = _agreement((before, after), request.context(words.start, words.stop))
            agreement -= _LENGTH_COST * abs(len(keys) - len(slot.run))
            if agreement > best_agreement:
                best, best_agreement = words, agreement
    if best_agreement < _LEAST_AGREEMENT:
        return None
    return best


def _words_after(key: str, request: RequestTokens) -> Iterator[range]:
    """Runs of words behind a key, from a content word to a content word, within a sentence."""
    last = len(request.keys) - 2  # END stands there twice
    for position in request.positions.get(key, ()):
        start = position + 1
        for end in range(start + 1, min(start + _LONGEST_FILLER, last) + 1):
            if request.keys[end - 1] in _BREAKS:
                break
            if is_content(request.keys[start]) and is_content(request.keys[end - 1]):
                yield range(start, end)


def _agreement(slot: Context, filler: Context) -> float:
    """Equal words around, the near ones first; the one before is known to be equal. A filler that
    ends before another content word is torn out of a phrase."""
    (_, second, third), (first_after, second_after) = filler
    (_, slot_second, slot_third), (slot_first_after, slot_second_after) = slot
    agreement = 1.0
    if second == slot_second:
        agreement += 1.5 if third == slot_third else 1.0
    if first_after == slot_first_after:
        agreement += 1.5 if second_after == slot_second_after else 1.0
    elif is_content(first_after):
        agreement -= 0.5
    return agreement


def _rendered(request: RequestTokens, filler: range, *, like: str) -> Iterator[str]:
    """The request's words, its numbers in digits or words as `like` is."""
    for position in filler:
        word, key = request.words[position], request.keys[position]
        if position > filler.start:
            yield request.blanks[position]
        if key.isdigit() and like.isdigit():
            yield key
        elif key.isdigit() and like.lower() in NUMBER_WORDS:
            yield _WORD_FOR.get(key, word)
        else:
            yield word
