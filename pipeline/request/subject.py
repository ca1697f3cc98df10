"""What a request is about, in a few words that can name a folder."""

from __future__ import annotations

import re
import unicodedata

_MOST_WORDS = 5

_WORD = re.compile(r"[a-z0-9]+")

_ASKING = frozenset(
    "a an and are as at be been build by can could create data dataset deep design develop do each for from give has "
    "have hello help hi i implement in into is it its keras learn learning like made make me model models my need "
    "network neural of on or our please pls predict project should simple so some tensorflow pytorch that the their "
    "them there these they this to train training us use used uses using want wants was we which who will with would "
    "write you your".split()
)
"""Function words, and those with which requests ask whatever they are about."""


def subject_of(requirement: str) -> str:
    """The first telling words, joined by hyphens: "Classify cats and dogs" -> `classify-cats-dogs`. `project` for a
    text without Latin letters."""
    # Letters without their accents; what has no Latin form falls away.
    plain = unicodedata.normalize("NFKD", requirement[:2000]).encode("ascii", "ignore").decode().lower()
    telling = [word for word in _WORD.findall(plain) if word not in _ASKING and len(word) < 30]
    return "-".join(telling[:_MOST_WORDS]) or "project"
