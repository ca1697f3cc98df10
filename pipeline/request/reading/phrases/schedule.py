"""How the rate changes, and how a training begins: "halve the learning rate every 10 epochs"."""

from __future__ import annotations

from pipeline.request.reading.phrases.phrase import NUMBER, Match, always, first_number, phrase
from pipeline.request.terms.tokens import written

_RATE = r"(?:the )?(?:lr|learning[ -]rate|rate|lernrate)"
_LOWERS = r"(?:halv|divid|reduc|decay|drop|cut|lower|decreas|multipl|shrink)\w{0,4}"
_PARTS = {"halv": 0.5, "half": 0.5, "tenth": 0.1}
_WARMS = r"(?:linear )?warm(?:ing|ed)?[ -]?up(?: schedule| phase| period)?"
_FOR = r"(?: (?:of|for|over|during|in))?(?: the first)?"
_BATCHES = r"(?:steps?|iterations|batches|updates)"
_BASE = r"(?:the )?(?:base|backbone|encoder|body|trunk|feature extractor|network)"


def _factor(match: Match) -> str | None:
    """What the rate is multiplied with: "by a factor of 10" and "by 0.1" are the same."""
    if match.numbers:
        number = match.numbers[0]
        return written(number) if number < 1 else written(round(1 / number, 6))
    said = match.words[0]
    return next((written(part) for word, part in _PARTS.items() if word in said), None)


def _share(match: Match) -> str | None:
    return first_number(match) if match.numbers and match.numbers[0] < 1 else None


SCHEDULE = (
    phrase(
        "training",
        "decay_every",
        "every each alle step",
        (
            rf"\b(?:{_LOWERS} {_RATE}|{_RATE}[^.;\n]{{0,12}} {_LOWERS}|decay|gamma|factor|steplr|lernrate|halved)"
            rf"[^.;\n]{{0,40}}?(?P<asked>(?:every|each|alle) (?P<numbers>{NUMBER})(?:th|rd)? (?:epochs?|epochen))",
            rf"steplr[^.;\n]{{0,20}}?(?P<asked>step[ _-]size[ =:]*(?P<numbers>{NUMBER}))",
        ),
        first_number,
    ),
    phrase(
        "training",
        "decay_factor",
        "halv half tenth divid reduc decay drop cut lower decreas multipl shrink",
        (
            rf"{_LOWERS} {_RATE} by (?:a )?(?:factor (?:of )?)?(?P<numbers>0?\.\d+|10|2|5)(?![\w.%])",
            rf"\bhalv\w{{1,3}} {_RATE}|{_LOWERS} {_RATE} (?:in |by )(?:half|a tenth)",
            r"(?:lr|rate) (?:is |gets )?halved",
        ),
        _factor,
    ),
    phrase(
        "training",
        "warmup_share",
        "warm",
        (
            rf"{_WARMS}{_FOR}(?: ratio| share| fraction)?[ =:(]*(?P<numbers>0?\.\d+|\d{{1,2}} ?(?:%|per ?cent))",
            rf"(?P<numbers>\d{{1,2}} ?%) {_WARMS}",
        ),
        _share,
    ),
    phrase(
        "training",
        "warmup_steps",
        "warm",
        (
            rf"{_WARMS}{_FOR}(?: steps)?[ =:(]*(?P<asked>(?P<numbers>{NUMBER}) {_BATCHES})",
            rf"(?P<asked>(?P<numbers>{NUMBER})[ -]{_BATCHES}(?: of)?) {_WARMS}",
            rf"(?P<asked>warm-?up[ _]steps[ =:]*(?P<numbers>{NUMBER}))",
        ),
        first_number,
    ),
    phrase(
        "training",
        "warmup_epochs",
        "warm",
        (
            rf"{_WARMS}{_FOR}(?: epochs)?[ =:(]*(?P<asked>(?P<numbers>{NUMBER}) epochs?)",
            rf"(?P<asked>(?P<numbers>{NUMBER})[ -]epochs?(?: of)?) {_WARMS}",
            rf"(?P<asked>warm-?up[ _]epochs[ =:]*(?P<numbers>{NUMBER}))",
        ),
        first_number,
    ),
    phrase(
        "training",
        "gradient_accumulation",
        "accumul",
        (
            rf"(?:accumulat\w* (?:the )?grad\w*|grad\w*[ -]accumulation)(?: steps)?[ =:]*"
            rf"(?:(?:of|over|for|every|across|with|x) )?(?P<numbers>{NUMBER})",
            rf"(?P<numbers>{NUMBER}) (?:gradient )?accumulation steps",
        ),
        first_number,
    ),
    phrase(
        "training",
        "checkpoint",
        "save keep store",
        (
            r"(?:save|keep|store)\w* the (?:\w+ )?(?:model|network|net|weights|checkpoint) (?:with|of|at) "
            r"the (?:best|lowest|highest) (?:[\w-]+ ){0,2}?(?:loss|acc\w*|auc|f1|iou|dice|mae|mse|rmse|score)",
        ),
        always("true"),
    ),
    phrase(
        "training",
        "frozen_epochs",
        "froz freez",
        (
            rf"first (?P<numbers>{NUMBER}) epochs?,? (?:with |keep )?(?:{_BASE} )?(?:is |stays |kept )?frozen",
            rf"(?:frozen|freeze {_BASE}) (?:for|during) (?:the )?(?:first )?(?P<numbers>{NUMBER}) epochs?",
        ),
        first_number,
    ),
)
