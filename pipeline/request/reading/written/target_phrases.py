"""Phrases that name the target and can name nothing else: "the last column quality", "spend, which is what I want"."""

from __future__ import annotations

import re

from pipeline.request.terms.lists import Name

_LAST_COLUMN = re.compile(r"last column (?:is |called |named |= ?)?[\"'`]?([^\W\d]\w{0,99})")
_ANSWERED = re.compile(
    r"[\"'`]?,? (?:is (?:the |our )?(?:answer|truth|ground truth)\b"
    r"|(?:is|=|being) (?:1 or 0|0 or 1|0/1|1/0|yes/no|yes or no|true/false)(?!\w)"
    r"|(?:which |that )?(?:is|=|being) (?:the (?:thing|one|column|value|number|field|quantity) )?"
    r"(?:what |that |which )?(?:(?:i|we|you)(?:'d| would|'re| are|'m| am)? "
    r"(?:like|want|need|after|predict|looking for|care about)"
    r"|(?:is |are )?to (?:be )?(?:predict|produce|estimate|forecast|guess|learn)"
    r"|(?:must|should|shall|has to|needs to) be (?:predicted|estimated|forecast|learned)))"
)
_HELD_IN = re.compile(
    r"\bthe (?:score|label|grade|class|answer|target|rating|category|sentiment|topic|truth)s? "
    r"(?:(?:is|are|stands?|lies|sits) )?(?:in|under) (?:the )?(?:column |field )?[\"'`]([^\W\d]\w{0,99})[\"'`]"
)
"""Where the answer stands: "the score in `domain1_score`"."""
_WORD_BEFORE = re.compile(r"([^\W\d]\w{0,99})$")
"""Phrases that name the target: "the last column quality", "clicked is 1 or 0", "spend, which is what I want"."""
_OF_FLAG = re.compile(
    r"\bpredict\w* (?:(?:is |are )?(?:called |named )|the |whether )?[\"'`]?([^\W\d]\w{0,99})[\"'`]? "
    r"\((?:yes/no|0/1|1/0|y/n|true/false|binary)\)"
)
"""A target of two values: "predicting default (yes/no)"."""
_IN_BRACKETS = re.compile(r"\(([^\W\d]\w{0,99}),? (?:0 or 1|1 or 0|0/1|1/0|yes or no|yes/no)\)")
"""A column of two values that stands behind what it says: "whether they came back (readmitted, 0 or 1)"."""
_NO_NAMES = frozenset(
    "it which that this label target output answer is called named the a of with each value class goal task aim "
    "objective idea plan job purpose point thing what all work problem model here wish".split()
)


def target_said(text: str) -> Name | None:
    """The target by a phrase that can name nothing else."""
    lower = text.lower()
    if len(lower) != len(text):
        return None  # a letter whose lower case is two: places would be wrong
    match = _LAST_COLUMN.search(lower) if "last column" in lower else None
    if match is None:
        match = _HELD_IN.search(lower) or _OF_FLAG.search(lower) or _IN_BRACKETS.search(lower)
    if match is None:
        answered = _ANSWERED.search(lower)
        if answered is None:
            return None
        begin = max(0, answered.start() - 100)
        match = _WORD_BEFORE.search(lower[begin : answered.start()])
        if match is None or match.group(1) in _NO_NAMES:
            return None
        start, end = begin + match.start(1), begin + match.end(1)
        return Name(text[start:end], start, end)
    if match.group(1) in _NO_NAMES:
        return None
    return Name(text[match.start(1) : match.end(1)], match.start(1), match.end(1))
