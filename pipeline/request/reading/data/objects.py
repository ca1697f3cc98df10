"""Kinds of data told by what is done with them: what is forecast is a series, what is translated a text."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.request.reading.found import Choice
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

_ARTICLES = frozenset("the a an our my their its la le les el los las die den das der l o os".split())
_STOPS = frozenset(
    "for of in on at from with over by to next and or using per de des del von für par sur im how which what whether "
    "è é es est ist days hours steps values value it them this that model models network with one all each every "
    "future".split()
)


def forecast_series(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """What is forecast is a series: "forecast the bread sales of my shop", "glucose forecast"."""
    for index, piece in enumerate(pieces):
        if not piece.terms or stances[index] != "asked" or not piece.means("forecasting"):
            continue
        first = index + 1
        while first < len(pieces) and pieces[first].key in _ARTICLES | {"'", "’", "for", "of"}:
            first += 1
        last = first
        while last < len(pieces) and last - first < 3 and _is_noun(pieces[last], piece.sentence):
            last += 1
        if last > first:
            return [Choice("series", first, last - 1)]
        noun = piece.key in _FORECASTS and index and pieces[index - 1].key not in _BEFORE_VERBS
        if noun and _is_noun(pieces[index - 1], piece.sentence):
            return [Choice("series", index - 1, index - 1)]
    return []


_FORECASTS = frozenset("forecast forecasts forecasting forecaster prognose".split())
_BEFORE_VERBS = frozenset(
    "i we you to want should must can could please multi step that which lstm hourly daily weekly".split()
)


def _is_noun(piece: Piece, sentence: int) -> bool:
    """Whether a piece can be part of what is forecast: a word that asks for nothing else."""
    if piece.kind not in ("word", "term") or piece.sentence != sentence or piece.key in _STOPS | _ARTICLES:
        return False
    return not any(term.role == "is" and term.aspect != "data" for term in piece.terms)


_LANGUAGES = frozenset(
    "english german french spanish portuguese italian dutch latin greek russian polish czech slovak ukrainian "
    "bulgarian serbian croatian slovene romanian hungarian finnish estonian latvian lithuanian swedish danish "
    "norwegian norse icelandic faroese irish gaelic welsh breton scots basque catalan galician turkish azeri kazakh "
    "uzbek arabic hebrew persian farsi kurdish pashto urdu hindi bengali punjabi gujarati marathi tamil telugu kannada "
    "malayalam sinhala nepali chinese mandarin cantonese japanese korean vietnamese thai lao khmer burmese malay "
    "indonesian javanese tagalog filipino swahili hausa yoruba igbo amharic somali zulu xhosa afrikaans esperanto "
    "maltese albanian armenian georgian mongolian tibetan sanskrit yiddish quechua maori hawaiian samoan frisian "
    "luxembourgish occitan sardinian sami deutsch englisch französisch spanisch inglés español francés inglês "
    "português anglais français allemand inglese italiano".split()
)


def translated_text(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """What is translated from a language is text: "Old Norse to English"."""
    if not any(piece.means("translation") for piece in pieces):
        return []
    for index, piece in enumerate(pieces):
        if piece.key in _LANGUAGES and stances[index] == "asked":
            first = index - 1 if index and pieces[index - 1].key in ("old", "middle", "ancient", "classical") else index
            return [Choice("text", first, index)]
    return []
