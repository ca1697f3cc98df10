"""What a recommender learns from: ratings of people, or the order of what they came by."""

from __future__ import annotations

import re

from pipeline.measures.delivery.code import Code
from pipeline.measures.delivery.findings import Finding, missing

_RATINGS = re.compile(r"\b(star )?ratings?\b|\brated?\b|\bstars\b|\bexplicit feedback\b", re.I)
_SESSIONS = re.compile(r"\bsessions?\b|\bclick\w*|\bnext (item|product|song|click|video|purchase)", re.I)

_NO_RATINGS = re.compile(r"\b(no|nobody|without|never|not|instead of)\b[^.;,]{0,20}\b(ratings?|rated?|stars)\b", re.I)


def recommends_otherwise(text: str, code: Code) -> Finding | None:
    """Not met where ratings are stated and sessions are learned from, or the other way round; None where the request
    says neither or both, and where the program does."""
    is_rated = _RATINGS.search(_NO_RATINGS.sub("", text)) is not None
    is_ordered = _SESSIONS.search(text) is not None
    if is_rated == is_ordered:
        return None
    rating = code.word(r"(^|_)(ratings?|stars)(_|$)")
    if rating is None:
        rating = code.text(r"^(ratings?|stars|ratings?\.csv)$")
    session = code.word(r"(^|_)sessions?(_|$)")
    if session is None:
        session = code.text(r"^sessions?$")
    if is_rated and session is not None and rating is None:
        return missing("the next item of a session; no ratings are read", session)
    if is_ordered and rating is not None and session is None:
        return missing("ratings; no order of items is read", rating)
    return None
