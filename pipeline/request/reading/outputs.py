"""What is to be shown, said in a sentence: "which pictures it got wrong", "5 poems", "which inputs matter most"."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from pipeline.request.reading.found import Found, Numbers
from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.tokens import written

_WORD = r"[\w-]{1,30}"
_MODEL = r"(?:it|they|he|she|the (?:model|network|net|classifier|cnn|lstm|program|thing))"
_INPUTS = (
    r"(?:inputs?|features?|columns?|variables?|factors?|fields?|predictors?|sensors?|attributes?|words?|measurements?)"
)
_GUESSED = r"(?:predict(?:ed|ions?)|forecast(?:s|ed)?|estimat(?:ed|es?)|modell?ed|guess(?:es|ed)?)"
_REAL = (
    r"(?:real(?:ity)?|actuals?|true|truth|measured|measurements?|observed|observations?|recorded|ground truth|targets?)"
)
_BESIDE = r"(?:against|vs\.?|versus|over|next to|beside|alongside|compared (?:to|with)|on top of)"
_SPOILED = r"(?:noisy|originals?|inputs?|damaged|blurry|masked|corrupted|degraded|broken|dirty)"
_RESTORED = r"(?:reconstruct(?:ed|ions?)|denoised|cleaned|restored|repaired|inpainted|rebuilt)"
_PICTURED = r"(?:plot|graph|chart|figure|curves?|scatter) (?:of |with )?(?:the )?"

_SAID: dict[str, tuple[str, ...]] = {
    "misclassified": (
        rf"(?:which|what|the|some|those|any|all|few|\d+) (?:{_WORD} ){{0,4}}?{_MODEL} (?:still )?"
        r"(?:got|gets|has|had|have|did) (?:them )?(?:wrong(?:ly)?|mistaken)",
        r"(?:show|see|list|print|plot|display|look at|worst|biggest)(?: me| us)?(?: the| its| all| \d+)? mistakes",
        rf"mistakes (?:that )?{_MODEL} (?:makes|made)",
        rf"(?:where|which ones?) {_MODEL} (?:fails|failed|is wrong|was wrong|goes wrong|went wrong|errs|missed)",
        r"(?:wrongly|falsely) (?:classified|predicted|labell?ed|recogni[sz]ed|sorted|tagged|assigned)",
        r"(?:mislabell?ed|misread|misrecogni[sz]ed) \w+",
        r"wrong (?:ones|predictions|guesses|answers)",
    ),
    "feature_importance": (
        rf"(?:which|what|how much each) (?:of (?:the |my |our )?)?(?:\w+ )?{_INPUTS} (?:really |actually )?"
        r"(?:matters?|counts?|weighs?|contributes?|influences?|drives?)(?: (?:the )?most)?",
        rf"(?:which|what) (?:\w+ )?{_INPUTS} (?:is|are|was|were) (?:the )?most (?:important|relevant|useful)",
        rf"importances? of (?:the |each |every |all )?{_INPUTS}",
        r"what drives the (?:predictions?|prices?|result|model|output)",
    ),
    "embeddings": (
        r"(?:[\w-]{1,30} )?(?:embeddings?|vectors|representations|codes) (?:as points )?"
        r"in (?:2-?d|3-?d|two dimensions|a plane|the plane)",
        r"(?:[\w-]{1,30} )?(?:embeddings?|vectors|representations|codes) (?:projected |reduced )?"
        r"(?:with|by|using|via|through|as an?) (?:\w+ )?(?:t-?sne|umap|pca)",
    ),
    "predictions": (
        rf"(?:scatter ?plots? of (?:the )?)?{_GUESSED} (?:{_WORD} )?{_BESIDE} (?:the |its )?{_REAL}",
        rf"(?:scatter ?plots? of (?:the )?)?{_REAL} (?:{_WORD} )?{_BESIDE} (?:the |its )?{_GUESSED}",
        rf"{_PICTURED}{_GUESSED} (?:{_WORD} )?and (?:the )?{_REAL}",
        rf"{_PICTURED}{_REAL} (?:{_WORD} )?and (?:the )?{_GUESSED}",
        r"(?:prévisions?|prédictions?) (?:contre|et|face) (?:au |le |la |les )?(?:réel|réelles?|mesures?|vérité)",
        r"(?:pronósticos?|predicci(?:ón|ones)) (?:frente|contra|y) (?:al? |los? |las? )*(?:real|reales|realidad)",
        r"预测\w{0,8}真实\w{0,6}",
        r"真实\w{0,8}预测\w{0,6}",
    ),
    "reconstructions": (
        rf"{_SPOILED}(?: {_WORD})?(?:, {_WORD})?,? (?:and|next to|beside|vs\.?|against|with) (?:the |its )?{_RESTORED}"
        r"(?: (?:ones|images|versions))?",
        rf"{_SPOILED}/(?:\w+/)?{_RESTORED}",
        rf"{_RESTORED}(?: {_WORD}){{0,2}} (?:side by side|next to|beside|vs\.?|and) (?:the |its |their )?"
        r"(?:originals?|noisy|inputs?|clean|damaged)",
        r"展示\d{0,3}[张个]?(?:修复|重建|去噪|复原)\w{0,2}结果",
    ),
}
"""What is shown, and how it is said."""
_TOLD_BY = {
    "misclassified": ("wrong", "mistake", "fail", "errs", "misread", "mislabel", "missed", "misrecog"),
    "feature_importance": ("matter", "important", "contribut", "influenc", "drive", "weigh", "importance"),
    "embeddings": ("embedding", "vector", "representation", "codes"),
    "predictions": ("predict", "forecast", "estimat", "model", "guess", "prévision", "pronóstic", "预测"),
    "reconstructions": ("reconstruct", "denoised", "cleaned", "restored", "repaired", "inpainted", "结果"),
}
"""Parts of words without which none of it is said: a cheaper look."""
_PATTERNS = {value: re.compile("|".join(said)) for value, said in _SAID.items()}

_RIVAL = (
    r"(?:linear|logistic|ridge|random[- ]forest|xgboost|lightgbm|gradient boosting|boosted trees|decision tree|arima|"
    r"sarima|prophet|svm|na[iï]ve|persistence|dummy|always (?:predicting|guessing)|just (?:predicting|guessing)|"
    r"predicting the (?:mean|average|median)|the last value|yesterday|last week|the (?:mean|average|median|majority)|"
    r"k-?nn|nearest neighbou?rs?|bicubic|bilinear|lanczos|word overlap|chance|random guessing)"
)
_COMPARED = re.compile(
    r"(?:compar\w{1,6}|beats?|better than|benchmark\w{0,4})(?: [\w']{1,30}){0,5}? (?:with |to |against |than )?"
    r"(?:[\w']{1,30} ){0,4}?"
    rf"{_RIVAL}\b(?: \w+)?"
    rf"|{_RIVAL}(?: regression)? as (?:a |the )?(?:baseline|reference|yardstick)"
    r"|against (?:simply |just |always |a |the )?(?:repeating|copying|guessing|na[iï]ve|persistence|seasonal)"
    r"(?: [\w']+)?"
)
_DRAWN = re.compile(
    r"(?:draw|show|paint|overlay|plot)\w{0,6}(?: (?:me|us))? (?:the |predicted |found )*"
    r"(?:boxes|bounding boxes|detections|masks|outlines|keypoints|joints)"
    r"|(?:\d{1,2} |ten |five |some |a few )?overlays\b"
)
_EXAMPLES = re.compile(
    r"(?:a few |some |several )?(?:example|sample) (?:pictures|images|photos|results|outputs)"
    r"|(?:a few|some|several) (?:results|outputs|generated \w+)(?= (?:at the end|after|as))"
)
_FOUND_IN_PICTURES = frozenset(("detection", "segmentation"))
_EXAMPLES = re.compile(
    r"(?:a few |some |several )?(?:example|sample) (?:pictures|images|photos|results|outputs)"
    r"|(?:a few|some|several) (?:results|outputs|generated \w+)(?= (?:at the end|after|as))"
)
_PICTURES = frozenset("super_resolution colorization style_transfer generation reconstruction".split())


def outputs(text: str, pieces: list[Piece], problems: set[str]) -> list[Found]:
    """Plots, pictures and comparisons that are asked for in a sentence."""
    lower = text.lower()
    if len(lower) != len(text):
        return []  # a letter whose lower case is two: places would be wrong
    results = []
    for value, pattern in _PATTERNS.items():
        if any(part in lower for part in _TOLD_BY[value]):
            results += _at(pieces, pattern, lower, "plot", value)
    if problems & _FOUND_IN_PICTURES:
        results += _at(pieces, _DRAWN, lower, "plot", "predictions")
    if problems & _PICTURES:
        results += _at(pieces, _EXAMPLES, lower, "plot", "samples")
    if (
        "compar" in lower
        or "beat" in lower
        or "better than" in lower
        or "benchmark" in lower
        or "against" in lower
        or "baseline" in lower
    ):
        results += _at(pieces, _COMPARED, lower, "report", "baseline")
    return results


def _at(pieces: list[Piece], pattern: re.Pattern[str], text: str, name: str, value: str) -> list[Found]:
    """What a pattern finds first, with its pieces."""
    match = pattern.search(text)
    if match is None:
        return []
    first = bisect_right(pieces, match.start(), key=_start) - 1
    last = bisect_left(pieces, match.end(), key=_start) - 1
    if first < 0 or last < first or pieces[first].sentence != pieces[last].sentence:
        return []
    return [Found("output", name, value, first, last)]


def _start(piece: Piece) -> int:
    return piece.start


_WRITES = frozenset("generation captioning summarization translation".split())
_CHANGES = frozenset("super_resolution colorization style_transfer reconstruction".split())
_ASKS = frozenset(
    "show print give generate sample write listen hear see display output produce create compose draw save want".split()
)
_AT_THE_END = frozenset("at after to per every".split())
_EXAMPLE = frozenset(
    "examples example samples sample pictures picture images results outputs pairs fakes wavs wav clips files loops "
    "tunes of".split()
)
_LONGEST = 6


def counted_samples(pieces: list[Piece], numbers: Numbers, taken: set[int], problems: set[str]) -> Iterator[Found]:
    """How many texts, tunes or pictures are to be made: "print 5 poems", "show 8 captions", "20 names at the end"."""
    if not problems & (_WRITES | _CHANGES):
        return
    for index, piece in numbers:
        if index + 1 == len(pieces):
            return
        value = piece.number or 0.0
        if piece.kind != "number" or index in taken or piece.share or not 1 <= value <= 10_000 or value != int(value):
            continue
        last = _thing_behind(pieces, index)
        if last is None:
            continue
        if problems & _WRITES or any(part.key in _EXAMPLE for part in pieces[index + 1 : last + 1]):
            before = [part.key for part in pieces[max(0, index - _LONGEST) : index] if part.sentence == piece.sentence]
            if _asked(before) or _ends_with_it(pieces, last):
                taken.add(index)
                yield Found("output", "samples", written(value), index, last)
                return


def _asked(before: list[str]) -> bool:
    """Whether a verb that asks for samples stands before a number, in the same clause."""
    for key in reversed(before):
        if key in (",", ";", ":", "("):
            return False
        if key in _ASKS:
            return True
    return False


def _thing_behind(pieces: list[Piece], index: int) -> int | None:
    """The noun that a number counts: of "6 cleaned examples" the third piece. None where it is a unit of its own."""
    for position in range(index + 1, min(len(pieces), index + 4)):
        here = pieces[position]
        if here.kind not in ("word", "term") or here.sentence != pieces[index].sentence:
            return None
        units = {term.name for term in here.meanings("unit")}
        if units - {"examples", "samples", "frames"} or here.key in _MEASURES:
            return None
        if here.last.endswith("s") or here.key in ("of", "new"):
            return position
    return None


_MEASURES = frozenset(
    "x by px pixels words tokens characters seconds s ms hz khz hours minutes days steps layers d dim sentences bits "
    "gb mb k million billion percent or and to times languages classes genres years".split()
)


def _ends_with_it(pieces: list[Piece], last: int) -> bool:
    """ "64 pics at the end", "5 poems after training" """
    behind = [part.key for part in pieces[last + 1 : last + 4]]
    return (
        behind[:3] == ["at", "the", "end"]
        or behind[:2] in (["after", "training"], ["when", "done"])
        or behind[:1] == ["afterwards"]
    )
