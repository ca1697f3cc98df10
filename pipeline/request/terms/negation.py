"""What a request forbids ("no dropout", "SGD, not Adam") and what it only mentions ("last year we used an SVM")."""

from __future__ import annotations

from typing import Literal

from pipeline.request.terms.pieces import Piece

Stance = Literal["asked", "forbidden", "mentioned"]

_FORBIDS = frozenset(
    "no not without never neither nor avoid avoiding skip skipping omit exclude excluding except unlike "
    "disable disabled dont doesnt cannot none ohne kein keine keinen keiner nicht sin sans pas ne sem não "
    "nao senza non без не 不 没有 無し なし 불 nothing zero".split()
)
"""Words after which a thing is not wanted, until the phrase ends. (`no` is Spanish too.)"""

_VERBS_WITH_T = frozenset("don doesn isn aren won shouldn mustn can couldn didn wouldn needn".split())

_PAIRS = frozenset(
    (
        ("instead", "of"),
        ("rather", "than"),
        ("leave", "out"),
        ("turn", "off"),
        ("free", "of"),
        ("en", "lugar"),
        ("au", "lieu"),
        ("statt", ""),
    )
)

_CUES = _FORBIDS | {first for first, _ in _PAIRS} | {"t"}

_HARMLESS = frozenset(
    "more longer less fewer later bigger larger smaller only sure necessarily idea just matter problem preference "
    "too very forget mind care know enough worry improvement improve improving improved labels máximo mínimo total "
    "final fim arquivo conjunto formato treino teste hesitate need-to much exceed overfit overfitting everyone yet "
    "always all perfect fancy what how why many".split()
)
"""After these words a `no` or `not` forbids nothing: "no more than 50 epochs", "don't forget the dropout"."""

_ENDS = frozenset(
    "con mit avec com usando but just only instead use using uses with because since so while please then "
    "however although we want i sondern pero mais mas ma plus → ( ) [ ] : ; sino aber".split()
)
_LONGEST_SCOPE = 9
_COMMAS = frozenset(",，、")

_MENTIONS = (
    ("last", "year"),
    ("last", "time"),
    ("last", "month"),
    ("last", "week"),
    ("elsewhere",),
    ("previously",),
    ("in", "the", "past"),
    ("tried",),
    ("out", "of", "scope"),
    ("my", "old"),
    ("our", "old"),
    ("the", "old"),
    ("used", "to", "use"),
    ("we", "used"),
    ("i", "used"),
    ("colleague",),
    ("colleagues",),
    ("so", "far"),
    ("currently",),
    ("until", "now"),
    ("for", "years"),
    ("at", "the", "moment"),
    ("we", "already", "have"),
    ("competitor",),
    ("someone",),
    ("before", "that"),
    ("in", "another", "project"),
    ("other", "project"),
    ("last", "semester"),
    ("years", "ago"),
    ("predecessor",),
    ("bisher",),
    ("letztes", "jahr"),
    ("el", "año", "pasado"),
    ("l", "année", "dernière"),
    ("a", "friend"),
    ("my", "friend"),
    ("boss",),
    ("had", "used"),
    ("months", "ago"),
    ("weeks", "ago"),
    ("earlier", "attempt"),
    ("earlier", "version"),
    ("first", "attempt"),
    ("in", "the", "paper"),
    ("existing", "model"),
    ("other", "team"),
    ("i", "know"),
    ("we", "know"),
    ("old", "model"),
    ("used", "before"),
    ("have", "been", "using"),
)
"""Words of a clause that tells a story instead of asking."""

_PEOPLE = frozenset(("colleague", "colleagues", "friend", "boss", "someone", "competitor"))
_TRIED = frozenset("tried did used uses had has built made trained wrote does got reached achieved".split())
"""What others did is only mentioned; what they recommend is asked for."""

_MENTIONS_BY_WORD: dict[str, list[tuple[str, ...]]] = {}
for _words in _MENTIONS:
    _MENTIONS_BY_WORD.setdefault(_words[0], []).append(_words)

_TURNS = frozenset("but however now instead so therefore aber jetzt pero ahora mais maintenant , ( ) ;".split())
"""Where the story ends and the request goes on."""


_ANSWERED = (("?", "no"), ("?", "nope"), ("?", "nah"), ("?", "never"))
"""What one asks and answers oneself: "RMSprop? No, Adam"."""


def stances(pieces: list[Piece]) -> list[Stance]:
    """For each piece whether what it says is asked for, forbidden or only mentioned."""
    results: list[Stance] = ["asked"] * len(pieces)
    for first, last in _mentions(pieces):
        results[first:last] = ["mentioned"] * (last - first)
    index = 0
    while index < len(pieces):
        after = _cue(pieces, index) if pieces[index].key in _CUES else None
        if after is None:
            index += 1
            continue
        end = _scope_end(pieces, after)
        for position in range(after, end):
            results[position] = "forbidden"
        index = max(end, index + 1)
    for index, piece in enumerate(pieces):
        if piece.kind != "term" or index + 1 == len(pieces) or pieces[index + 1].key not in _BEFORE_DENIAL:
            continue
        if results[index] == "asked" and _denied_afterwards(pieces, index):
            results[index] = "forbidden"
    return results


def _cue(pieces: list[Piece], index: int) -> int | None:
    """The index after a word that forbids; None where none stands here."""
    key = pieces[index].key
    following = pieces[index + 1].key if index + 1 < len(pieces) else ""
    before = pieces[index - 1].key if index else ""
    if (key, following) in _PAIRS:
        after = pieces[index + 2] if index + 2 < len(pieces) else None
        is_share = key == "leave" and after is not None and after.number is not None  # "leave out 10% for testing"
        return None if is_share else index + 2
    contracted = key == "t" and index > 1 and before in ("'", "’") and pieces[index - 2].key in _VERBS_WITH_T
    if not contracted and key not in _FORBIDS:
        return None
    if following in _HARMLESS or before in ("or", "if", "why", "and/or"):
        return None
    if key in ("zero", "non", "none") and (index + 1 >= len(pieces) or pieces[index + 1].kind != "term"):
        return None
    return index + 1


def _scope_end(pieces: list[Piece], start: int) -> int:
    """Where a forbidding phrase ends: with its clause, unless a list goes on ("no dropout, noise or flips")."""
    terms = 0
    for position in range(start, min(len(pieces), start + _LONGEST_SCOPE)):
        piece = pieces[position]
        if piece.sentence != pieces[start].sentence:
            return position
        if piece.key in _ENDS and position > start:
            return position
        if piece.key in _COMMAS and not _list_goes_on(pieces, position):
            return position
        if piece.key in (".", "!", "?", "。"):
            return position
        if piece.key == "and" and terms and not _alike(pieces, position):
            return position
        if piece.kind == "number" and position > start and terms and pieces[position - 1].kind != "term":
            return position
        terms += piece.kind == "term"
    return min(len(pieces), start + _LONGEST_SCOPE)


def _list_goes_on(pieces: list[Piece], comma: int) -> bool:
    """Whether an "or" ends the list that a comma stands in, before the sentence or the next comma but one ends."""
    for piece in pieces[comma + 1 : comma + 6]:
        if piece.key in ("or", "nor", "oder", "ou", "o"):
            return True
        if piece.sentence != pieces[comma].sentence or piece.kind == "number" or piece.key in _ENDS:
            return False
    return False


def _alike(pieces: list[Piece], position: int) -> bool:
    """Whether the terms around an "and" are of one aspect and name no number follows."""
    if position + 1 >= len(pieces) or pieces[position + 1].kind != "term":
        return False
    if position + 2 < len(pieces) and pieces[position + 2].kind == "number":
        return False
    before = {term.aspect for term in pieces[position - 1].terms}
    return any(term.aspect in before for term in pieces[position + 1].terms)


_BEFORE_DENIAL = frozenset(
    ": = off ? "
    "is are isn aren layer layers would be was not unnecessary forbidden unwanted - shall must should may can will "
    "needn mustn shouldn 없이 は を の が и данные data the нельзя не".split()
)
_AUXILIARIES = frozenset(
    "is are isn aren layer layers would be was shall must should may can will needn mustn shouldn t ' ’ get being data "
    "данные the".split()
)
_UNWANTED = frozenset(
    "needed required necessary wanted allowed desired important welcome used applied included added permitted "
    "acceptable an part shuffled".split()
)
_CJK_DENIALS = (
    "不要",
    "使わない",
    "なし",
    "しない",
    "無し",
    "使用しない",
    "いりません",
    "必要ありません",
    "不需要",
    "禁止",
)


def _denied_afterwards(pieces: list[Piece], index: int) -> bool:
    """ "augmentation is not needed", "dropout: none", "shuffle=False", "ドロップアウトは不要" """
    answer = pieces[index + 1 : index + 4]
    if tuple(piece.key for piece in answer[:2]) in _ANSWERED and all(piece.kind == "mark" for piece in answer[2:]):
        return index == 0 or pieces[index - 1].kind == "mark"  # the whole question
    following = [piece for piece in pieces[index + 1 : index + 9] if piece.sentence == pieces[index].sentence]
    keys = [piece.key for piece in following]
    if keys[:1] == ["off"] and (len(keys) == 1 or following[1].kind == "mark"):
        return True  # "mixed precision off, 20 epochs"
    if keys[:1] in ([":"], ["="]) and keys[1:2] and keys[1] in ("none", "no", "off", "false"):
        return True
    if keys[:1] == ["없이"]:
        return True  # 드롭아웃 없이
    if keys and not keys[0].isascii():
        together = "".join(keys)
        if any(together.lstrip("はをのが").startswith(denial) for denial in _CJK_DENIALS):
            return True
        if "нельзя" in keys[:3] or keys[:2] == ["не", "нужно"] or keys[:2] == ["не", "надо"]:
            return True
    while keys and keys[0] in _AUXILIARIES and keys[0] != "data":
        denied = keys[0] == "t"
        keys = keys[1:]
        if denied:
            keys = ["not", *keys]
            break
    if keys[:1] == ["not"]:
        rest = keys[1:]
        while rest and rest[0] in ("be", "being", "get"):
            rest = rest[1:]
        if rest and rest[0] in _UNWANTED:
            return True
    return keys[:1] in (["unnecessary"], ["forbidden"], ["unwanted"]) or keys[:2] == ["-", "free"]


def _mentions(pieces: list[Piece]) -> list[tuple[int, int]]:
    """The clauses that only tell a story, from where they begin to where the request goes on."""
    keys = [piece.key for piece in pieces]
    results = []
    for index, key in enumerate(keys):
        if key not in _MENTIONS_BY_WORD:
            continue
        matched = [
            words for words in _MENTIONS_BY_WORD.get(key, ()) if tuple(keys[index : index + len(words)]) == words
        ]
        if not matched:
            continue
        people = matched[0][-1] in _PEOPLE
        if people and not _TRIED & set(keys[index : index + 6]):
            continue  # "pictures would convince my colleagues"
        first = index
        while (
            first > 0
            and pieces[first - 1].sentence == pieces[index].sentence
            and keys[first - 1] not in _TURNS
            and index - first < 30
        ):
            first -= 1
        last = index
        while (
            last < len(keys)
            and pieces[last].sentence == pieces[index].sentence
            and keys[last] not in _TURNS
            and last - index < 30
        ):
            last += 1
        results.append((first, last))
    return results
