"""What the model makes of its input: it is cleaned, turned into something else, found, outlined, ranked."""

from __future__ import annotations

from pipeline.request.reading.found import Choice
from pipeline.request.reading.problem import words
from pipeline.request.reading.problem.evidence import Evidence
from pipeline.request.reading.problem.places import behind, same_sentence
from pipeline.request.terms.pieces import Piece


def cleaned(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "remove the mains hum", "take the rain out of pictures" """
    if pieces[index].key not in words.CLEANS:
        return None
    for position in behind(pieces, index, 6):
        if pieces[position].last in words.DIRT:
            return Choice("reconstruction", index, position)
    # "the recordings hiss. There must be a way to clean them"
    spoiled = words.DIRT | words.SPOILED
    if pieces[index].key in ("clean", "cleans") and any(piece.key in spoiled for piece in pieces):
        following = pieces[index + 1].key if index + 1 < len(pieces) else ""
        if following in ("them", "it", "these", "those", "up", "the", "my", "our"):
            return Choice("reconstruction", index, index + 1)
    return None


def turned(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "turn my blurry shots into sharp ones", "turn photos into woodcuts", "see them in colour" """
    key = pieces[index].key
    if key in words.FILLS:
        for position in behind(pieces, index, 5):
            if pieces[position].last in words.GAPS:
                return Choice("reconstruction", index, position)
        return None
    if key not in words.TURNS:
        return None
    before: set[str] = set()
    for position in behind(pieces, index, 14):
        here = pieces[position]
        if here.key in ("into", "to", "look", "sharp", "sharper", "clean", "clear"):
            if before & words.SMALL:
                return Choice("super_resolution", index, position)
            if before & words.SPOILED:
                return Choice("reconstruction", index, position)
            after = {pieces[next_].last for next_ in behind(pieces, position, 6)}
            if after & words.PICTURED and evidence.pictures:
                return Choice("style_transfer", index, position + 1)
        before.add(here.key)
    return None


def acting(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """An agent that is trained by rewards."""
    if evidence.acts and pieces[index].key in ("agent", "controller", "bot", "policy"):
        return Choice("reinforcement_learning", index, index)
    return None


def found(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "find mooring buoys", where boxes or a detector are asked for"""
    if not evidence.detects or pieces[index].last not in words.FINDS or index + 1 == len(pieces):
        return None
    return Choice(
        "detection", index, min(index + 2, len(pieces) - 1) if same_sentence(pieces, index, index + 2) else index
    )


def outlined(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "the wound area outlined", where overlaps are measured"""
    if evidence.segments and pieces[index].key in words.OUTLINES:
        return Choice("segmentation", index, index)
    return None


def read_out(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "reading water meters", where pictures become letters"""
    if evidence.writes_out and evidence.pictures and pieces[index].key in words.READS_OUT:
        return Choice("text_recognition", max(0, index - 1), min(index + 2, len(pieces) - 1))
    return None


def made_new(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "that writes sea shanties", "fake marble textures", where a generator is asked for"""
    if not evidence.generates or pieces[index].key not in words.MAKES:
        return None
    following = [pieces[position] for position in behind(pieces, index, 4)]
    if not following or any(piece.key in words.MADE or piece.is_named("family") for piece in following):
        return None
    return Choice("generation", index, index + min(2, len(following)))


def strange_found(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "spot weird vibration", "flag sessions that don't fit" """
    if pieces[index].key not in words.DETECTS:
        return None
    for position in behind(pieces, index, 8):
        here = pieces[position]
        denied = here.key in words.UNFITTING and pieces[position - 1].key in ("t", "not", "never")
        unusual = here.key in words.STRANGE or (evidence.from_normal and here.key in words.SPOILED)
        strange = unusual and position <= index + 3
        if denied or (strange and not evidence.categories) or (strange and evidence.from_normal):
            return Choice("anomaly_detection", index, index + 1 if denied else position)
    return None


def ranked(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "rank our recipes for each cook" """
    if pieces[index].key not in words.RANKS:
        return None
    for position in behind(pieces, index, 9):
        whom = {piece.key for piece in pieces[position + 1 : position + 3]}
        if pieces[position].key == "for" and not words.FOR_WHOM.isdisjoint(whom):
            return Choice("recommendation", index, position + 1)
    return None


def shortened(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "boil a meeting down to a page" """
    if pieces[index].key not in words.SHORTENS:
        return None
    for position in behind(pieces, index, 9):
        if (
            pieces[position].key == "down"
            and pieces[position + 1 : position + 2]
            and pieces[position + 1].key in ("to", "into")
        ):
            return Choice("summarization", index, position)
    return None


def extracted(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "pull out the skills", where tokens are tagged; "tag gene and disease names" """
    if pieces[index].key not in words.EXTRACTS or index + 2 >= len(pieces):
        return None
    if not evidence.tags:
        tags = pieces[index].key.startswith(("tag", "extract", "mark", "label")) and not evidence.pictures
        named = tags and any(pieces[position].last in words.NAMES for position in behind(pieces, index, 10))
        return Choice("tagging", index, index) if named else None
    return Choice("tagging", index, index + 2) if same_sentence(pieces, index, index + 2) else None


def seen_in_color(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "I'd love to see them in colour", "give them colours", of old photographs"""
    if pieces[index].key not in ("see", "give", "bring", "put", "want", "turn", "make", "restore"):
        return None
    for position in behind(pieces, index, 7):
        is_colored = _has_channels(pieces[position], "3")
        if is_colored and any(_has_channels(piece, "1") or piece.key == "negatives" for piece in pieces):
            return Choice("colorization", index, position)
    return None


def _has_channels(piece: Piece, channels: str) -> bool:
    return any(term.name == "channels" and term.value == channels for term in piece.terms)


def labeled_each(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "every frame gets a label", "a tag for each word" """
    if index + 1 == len(pieces) or pieces[index + 1].key not in words.STEPS:
        return None
    following = [pieces[position].key for position in behind(pieces, index + 1, 5)]
    if following and following[0] in words.GETS and not words.LABELS.isdisjoint(following):
        last = next(position for position in behind(pieces, index + 1, 5) if pieces[position].key in words.LABELS)
        return Choice("tagging", index, last)
    before = [piece.key for piece in pieces[max(0, index - 3) : index]]
    if before[-1:] in (["for"], ["to"]) and not words.LABELS.isdisjoint(before):
        return Choice("tagging", index - 2, index + 1)
    return None


def described(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "describe short clips in one sentence" """
    for position in behind(pieces, index, 9):
        here = pieces[position]
        if here.key in ("in", "with", "by") and any(
            pieces[after].last in _SENTENCES for after in behind(pieces, position, 5)
        ):
            return Choice("captioning", index, index)
    return None


_SENTENCES = frozenset("sentence sentences words text caption phrase line".split())


def found_alike(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "find songs that sound like another one" """
    if pieces[index].key not in ("find", "finds", "show", "return", "returns", "list"):
        return None
    for position in behind(pieces, index, 9):
        before = pieces[position - 1].key
        if pieces[position].key == "like" and (before in _SEEMS or before in ("is", "are", "just")):
            return Choice("retrieval", index, position)
    return None


_SEEMS = frozenset("sound sounds look looks feel feels taste tastes smell smells read reads".split())


def searched(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "search our photos with a typed description", "retrieve recipes by a photo" """
    for position in behind(pieces, index, 10):
        if pieces[position].key in ("with", "by", "from", "using", "for") and position > index + 1:
            return Choice("retrieval", index, index)
    return None
