"""Known texts as templates: what a text took from its own requirement is a slot, filled from a new one.

"Images of flowers" for a requirement with "... to classify images of flowers using ..." took "flowers" from between
"images of" and "using". A new requirement with "images of fruits with ..." has fruits in that place, and the text for
it is "Images of fruits". Numbers fill the slots of numbers, whether written in digits or in words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from pipeline.plan.dataset_facts import NUMBER_WORDS

_TOKEN = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|\d+(?:\.\d+)?|\S")
_FUNCTION_WORDS = frozenset(
    "a an the of to and or in on for with into from by is are be as at that this these those it its their each which "
    "i my we using use used based including such e g i.e. not no both various different multiple".split()
)
START, BETWEEN, END = "^", "|", "$"
"""Around and between requirement and attributes, among the words of a source."""
_BREAKS = frozenset((BETWEEN, END, ".", ";", ":"))
_LONGEST_FILLER = 6  # words
_LEAST_AGREEMENT = 2.0
"""Of a slot's and a filler's surroundings: e.g. two equal words before it, or one on each side."""
_WORD_FOR = {str(number): word for word, number in reversed(NUMBER_WORDS.items()) if number <= 20 and word.isalpha()}

Keys = Sequence[str]
_Context = tuple[tuple[str, str, str], tuple[str, str]]  # the three keys before, nearest first, and the two after


@lru_cache(maxsize=1 << 16)
def key(word: str) -> str:
    """A word without what its use in a sentence adds: case, plural, digits or letters of a number."""
    lowered = word.lower()
    if lowered in NUMBER_WORDS:
        return str(NUMBER_WORDS[lowered])
    if len(lowered) > 3 and lowered.endswith("s") and not lowered.endswith("ss"):
        return f"{lowered[:-3]}y" if lowered.endswith("ies") else lowered[:-1]
    return lowered


def keys_of(text: str) -> list[str]:
    return [key(word) for word in _TOKEN.findall(text)]


def is_content(word_key: str) -> bool:
    """Whether a key is neither punctuation nor a word that only binds others."""
    return word_key[0].isalnum() and word_key not in _FUNCTION_WORDS


class Source:
    """The words of a requirement and its dataset attributes, and where each stands."""

    def __init__(self, requirement: str, attributes: str) -> None:
        parts = [[*_words(text)] for text in (requirement, attributes)]
        edge = [("", END), ("", END)]
        words = [("", START), ("", START), *parts[0], ("", BETWEEN), *parts[1], *edge]
        self.blanks = [blank for blank, _ in words]
        self.words = [word for _, word in words]
        self.keys = [key(word) for word in self.words]
        self.places: dict[str, list[int]] = defaultdict(list)
        for place, word_key in enumerate(self.keys):
            self.places[word_key].append(place)
        self.pairs = set(pairwise(self.keys))

    def __contains__(self, word_key: str) -> bool:
        return word_key in self.places

    def runs(self, run: Keys) -> list[int]:
        """Where the run of keys starts."""
        return [place for place in self.places.get(run[0], ()) if self.keys[place : place + len(run)] == run]

    def longest_run(self, keys: Keys) -> int:
        """How many of the first keys stand here in a row, up to the last content word."""
        longest = 0
        for place in self.places.get(keys[0], ()):
            count = 0
            while count < len(keys) and self.keys[place + count : place + count + 1] == [keys[count]]:
                count += 1
            while count and not is_content(keys[count - 1]):
                count -= 1
            longest = max(longest, count)
        return longest

    def context(self, start: int, end: int) -> _Context:
        before, after = self.keys[:start][-3:][::-1], self.keys[end : end + 2]
        before, after = [*before, START, START][:3], [*after, END, END][:2]
        return (before[0], before[1], before[2]), (after[0], after[1])


@dataclass(frozen=True, slots=True)
class Slot:
    """Words `start` to `end` of a text, which stand in its source in these `contexts`; `telling` are those for which it
    is a slot. `core`: the part from the first of these to the last, where that is shorter."""

    start: int
    end: int
    run: list[str]
    contexts: list[_Context]
    telling: frozenset[str]
    core: Slot | None = None

    @property
    def is_number(self) -> bool:
        return all(word_key.isdigit() for word_key in self.run if is_content(word_key))


@dataclass(frozen=True, slots=True)
class Filled:
    """A template's text for a new source. `changed`: whether any slot got other words; `unfilled`: slots that kept
    theirs, since nothing in the new source stands in such a place."""

    text: str
    changed: bool
    unfilled: int


class Template:
    """A text with its slots: runs of words that stand in its source and have a number or one of the `rare` keys, which
    few texts share."""

    def __init__(self, text: str, source: Source, rare: Collection[str]) -> None:
        self._text = text
        self._words = [*_words(text)]
        keys = [key(word) for _, word in self._words]
        self.slots: list[Slot] = []
        start = 0
        while start < len(keys):
            length = source.longest_run(keys[start:]) if is_content(keys[start]) else 0
            run = keys[start : start + length]
            telling = [place for place, each in enumerate(run) if each in rare or each.isdigit()]
            if telling:
                core = _slot(keys, start + telling[0], start + telling[-1] + 1, rare, source)
                whole = _slot(keys, start, start + length, rare, source)
                self.slots.append(whole if core.run == whole.run else replace(whole, core=core))
            start += max(length, 1)

    def fill(self, source: Source) -> Filled:
        fillers: dict[int, tuple[int, range]] = {}
        unfilled = 0
        for slot in self.slots:
            if all(word_key in source for word_key in slot.telling):
                continue
            for each in (slot, slot.core):
                found = _filler(each, source) if each else None
                if each and found:
                    fillers[each.start] = each.end, found
                    break
            else:
                unfilled += 1
        if not fillers:
            return Filled(self._text, False, unfilled)
        pieces: list[str] = []
        place = 0
        while place < len(self._words):
            blank, word = self._words[place]
            end, filler = fillers.get(place, (place + 1, None))
            pieces += [blank, word] if filler is None else [blank, *_rendered(source, filler, like=word)]
            place = end
        text = "".join(pieces)
        begins_large = self._text[:1].isupper()
        return Filled(text[:1].upper() + text[1:] if begins_large else text, True, unfilled)


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Each word with the blanks before it."""
    end = 0
    for match in _TOKEN.finditer(text):
        yield text[end : match.start()], match[0]
        end = match.end()


def _slot(keys: Keys, start: int, end: int, rare: Collection[str], source: Source) -> Slot:
    run = [*keys[start:end]]
    contexts = [source.context(place, place + len(run)) for place in source.runs(run)]
    return Slot(start, end, run, contexts, frozenset(each for each in run if each in rare or each.isdigit()))


def _filler(slot: Slot, source: Source) -> range | None:
    """The place in the source whose surroundings agree most with the slot's; None where too little does."""
    best, best_agreement = None, 0.0
    for before, after in slot.contexts:
        for place in source.places.get(before[0], ()):
            start = place + 1
            for end in range(start + 1, min(start + _LONGEST_FILLER, len(source.keys) - 2) + 1):
                if source.keys[end - 1] in _BREAKS:
                    break
                words = source.keys[start:end]
                if not is_content(words[0]) or not is_content(words[-1]):
                    continue
                if slot.is_number != all(word_key.isdigit() for word_key in words if is_content(word_key)):
                    continue
                agreement = _agreement((before, after), source.context(start, end)) - 0.25 * abs(
                    len(words) - len(slot.run)
                )
                if agreement > best_agreement:
                    best, best_agreement = range(start, end), agreement
    return best if best_agreement >= _LEAST_AGREEMENT else None


def _agreement(slot: _Context, place: _Context) -> float:
    """Equal words around, the near ones first; the one before is known to be equal. A filler that ends before another
    content word is torn out of a phrase."""
    (_, second, third), (first_after, second_after) = place
    (_, slot_second, slot_third), (slot_first_after, slot_second_after) = slot
    agreement = 1.0
    if second == slot_second:
        agreement += 1.5 if third == slot_third else 1.0
    if first_after == slot_first_after:
        agreement += 1.5 if second_after == slot_second_after else 1.0
    elif is_content(first_after):
        agreement -= 0.5
    return agreement


def _rendered(source: Source, filler: range, *, like: str) -> Iterator[str]:
    """The source's words, its numbers in digits or words as `like` is."""
    for place in filler:
        word, word_key = source.words[place], source.keys[place]
        if place > filler.start:
            yield source.blanks[place]
        if word_key.isdigit() and like.isdigit():
            yield word_key
        elif word_key.isdigit() and like.lower() in NUMBER_WORDS:
            yield _WORD_FOR.get(word_key, word)
        else:
            yield word
