"""What is shown, how often and how much of it: "the top 5", "a 4x4 grid", "every 5 epochs", "500 characters"."""

from __future__ import annotations

from pipeline.request.reading.phrases.phrase import COUNT, NUMBER, Match, always, first_number, phrase
from pipeline.request.terms.tokens import written

_FIRST = r"(?:top|best|worst|first|nearest|closest|most (?:similar|likely|unusual|anomalous|probable|important))"
_NO_THINGS = (
    r"(?:accurac|error|acc\b|categorical|layer|block|epoch|percent|words?\b|tokens|frequent|fold|step|stage|conv|"
    r"hidden|dense|lstm|day|hour|week|month|year|row|column|second|minute|sampl|frame|models?\b|weights|checkpoint|"
    r"class\b|most\b|of\b|in\b|and\b|or\b|to\b|for\b|is\b|are\b)"
)
_ANSWERS = r"(?:recommendations|suggestions|candidates|guesses|matches|hits|alternatives)"
_WRITES = r"(?:sample|print|generat|writ|produc|compos|creat)\w{0,3}\b"
_SIDES = r"\d{1,2} ?(?:x|×|by) ?\d{1,2}"


def _at_least_two(match: Match) -> str | None:
    number = match.numbers[0] if match.numbers else 0.0
    return written(number) if 2 <= number <= 1000 and number == int(number) else None


def _product(match: Match) -> str | None:
    if len(match.numbers) != 2:
        return None
    rows, columns = match.numbers
    return f"{written(rows)}x{written(columns)}"


SHOWN = (
    phrase(
        "output",
        "sample_grid",
        "grid",
        (
            rf"(?P<numbers>{_SIDES})[ -](?:sample |image |picture )?grid(?! search)",
            rf"grid of (?P<numbers>{_SIDES})(?! ?(?:pixel|px))",
        ),
        _product,
    ),
    phrase(
        "output",
        "predictions_file",
        "csv spreadsheet excel json",
        (
            r"(?:scores?|predictions?|forecasts?|guesses|probabilities|answers|estimates)\b[^.;\n]{0,40}? "
            r"(?P<asked>(?:in|into|to|as) an? (?:csv|spreadsheet|excel|json)\b)(?! of)",
        ),
        always("true"),
    ),
    phrase(
        "output",
        "every_epochs",
        "every each",
        (rf"(?P<asked>(?:every|each) (?P<numbers>{NUMBER})(?:th|rd|nd)? epochs?)",),
        first_number,
    ),
    phrase(
        "output",
        "top_n",
        "top best worst first nearest closest most recommendations suggestions candidates guesses "
        "matches hits alternatives",
        (
            rf"(?<![\w-])(?:top|best|worst)[ -]?(?P<numbers>{COUNT}) (?!{_NO_THINGS})[a-z]+",
            rf"\b(?P<numbers>{COUNT}) (?:highest[ -]scoring|highest|{_FIRST}) (?!{_NO_THINGS})[a-z]+",
            rf"\b(?P<numbers>{COUNT}) (?:worst|best|nearest|closest)\b(?! \w)",
            rf"\b(?P<numbers>{COUNT}) (?:[a-z-]{{1,15}} )?{_ANSWERS}\b",
        ),
        _at_least_two,
    ),
    phrase(
        "metric",
        "cutoff",
        "@",
        (r"(?:hr|hit rate|hits?|ndcg|recall|precision|map|mrr|p|r) ?@ ?(?P<numbers>\d{1,3})(?!\.?\d)",),
        first_number,
    ),
    phrase(
        "output",
        "sample_length",
        "sampl print generat writ produc compos creat",
        (
            rf"{_WRITES}(?! of)[^.;\n]{{0,30}}?(?P<asked>(?P<numbers>{NUMBER})[ -]"
            r"(?:characters?|chars|letters|words?|tokens|notes))(?! (?:vocab|long input))",
        ),
        first_number,
        "generation character_level word_level",
    ),
    phrase(
        "output",
        "sample_length",
        "sampl",
        (rf"samples? (?:text |texts )?of (?P<numbers>{NUMBER}) (?:characters|chars|letters|words|tokens|notes)",),
        first_number,
    ),
)
