"""From where on something counts: percentiles, deviations from the mean, limits; and losses with their weights."""

from __future__ import annotations

from pipeline.request.reading.phrases.phrase import NUMBER, Match, always, first_number, phrase
from pipeline.request.terms.tokens import written

_DEVIATIONS = r"(?:std|stds|stdevs?|std ?dev\w*|sd|sds|sigma|sigmas|σ|standard[ -]deviations?)\b"
_MEAN = r"(?:mean|average|avg|mu|μ)(?: (?:of the )?[\w-]{1,20}(?: error)?)?"
_TIMES = r"(?:\*|x|times|×)?"
_LIMIT = r"(?:threshold|cut-?off)"
_CHOOSES = r"(?:choose|pick|find|tune|select|set|optimi[sz]e)\w{0,4}"
_CAPPED = r"(?:capp?|clipp?|limit)(?:ed|ing|s)?"
_LABELS = r"(?: (?:it|them|rul|the|labels?|targets?|values?|life|remaining))*"
_PART = r"(?:\d?\.\d+|\d{1,3}) ?(?:\*|×|x)? ?[a-z][\w-]{1,20}(?:[ -](?:loss|cross-?entropy|entropy))?"
_LIST = rf"{NUMBER}(?:th|st|nd|rd)?(?:(?:, | and |, and |/| / |,){NUMBER}(?:th|st|nd|rd)?){{1,8}}"


def _share(match: Match) -> str | None:
    """A percentile as a share: "99th percentile", "the 0.95 quantile"."""
    number = match.numbers[0] if match.numbers else 0.0
    share = round(number / 100, 6) if number > 1 else number
    return written(share) if 0.5 <= share < 1 else None


def _quantiles(match: Match) -> str | None:
    """Several quantiles as shares in order."""
    shares = [round(number / 100, 6) if number >= 1 else number for number in match.numbers]
    if len(shares) < 2 or not all(0 < share < 1 for share in shares):
        return None
    return ",".join(written(share) for share in shares)


def _weights(match: Match) -> str | None:
    if len(match.numbers) < 2:
        return None
    return ",".join(written(number) for number in match.numbers)


THRESHOLDS = (
    phrase(
        "training",
        "quantiles",
        "quantile percentile p10 p5 p90",
        (
            rf"(?:quantiles?|percentiles)(?: (?:of|at|for|levels?))?[ =:(\[]*(?P<numbers>{_LIST})",
            rf"\b(?P<numbers>{_LIST}) (?:percentiles|quantiles)",
            r"\bp(?P<numbers>\d{1,2}(?:(?:, | and |, and |/|-|–)p\d{1,2}){1,4})\b",
        ),
        _quantiles,
    ),
    phrase(
        "output",
        "threshold_percentile",
        "percentile quantile perzentil percentil",
        (
            r"(?P<numbers>\d{2}(?:\.\d+)?|0?\.\d+)[ -]?(?:%|th|st|nd|rd|\.)?[ -]?(?:percentile|quantile|perzentil)",
            r"(?:percentile?|quantile|perzentil)[ :=(]*(?:of )?(?P<numbers>\d{2}(?:\.\d+)?|0?\.\d+)"
            r"(?! ?(?:,|/|and) ?[\d.])",
        ),
        _share,
    ),
    phrase(
        "output",
        "threshold_deviations",
        "std sd sigma σ deviation",
        (
            rf"{_MEAN} ?(?:\+|plus) ?(?P<numbers>{NUMBER}) ?{_TIMES} ?(?:the )?{_DEVIATIONS}",
            rf"(?P<numbers>{NUMBER}) ?{_TIMES} ?{_DEVIATIONS} (?:above|over|from|beyond) (?:the )?(?:mean|average)",
        ),
        first_number,
    ),
    phrase(
        "output",
        "threshold_deviations",
        "std sd sigma deviation",
        (rf"{_MEAN} ?(?:\+|plus) ?(?:(?:one|a|the) )?{_DEVIATIONS}",),
        always("1"),
    ),
    phrase(
        "output",
        "threshold",
        "threshold cutoff cut-off",
        (
            rf"{_CHOOSES} (?:the |a )?(?:decision |best )?{_LIMIT} (?:that |which |to |so that it |for )?"
            r"(?:maximi[sz]\w{1,4}|(?:gives|give|with) the best|best|max) (?:the )?f1",
            rf"(?:best|optimal) f1 {_LIMIT}|{_LIMIT} (?:with|that maximi[sz]es|for) (?:the )?(?:best )?f1",
        ),
        always("best_f1"),
    ),
    phrase(
        "training",
        "life_cap",
        "cap clip limit",
        (rf"{_CAPPED}{_LABELS} (?:at|to) (?P<numbers>{NUMBER})(?= ?(?:cycles|flights|hours|days|steps|$|[.,;)]))",),
        first_number,
        "regression forecasting",
    ),
    phrase(
        "training",
        "life_cap",
        "cap clip limit",
        (rf"(?:rul|life|lives|lifetime)s? (?:is |are )?{_CAPPED} (?:at|to) (?P<numbers>{NUMBER})",),
        first_number,
    ),
    phrase(
        "training",
        "loss_weights",
        "* × + loss",
        (
            rf"(?<![\w.])(?P<numbers>{_PART} ?\+ ?{_PART}(?: ?\+ ?{_PART})?)",
            rf"loss[ _-]weights?(?: (?:of|are))?[ =:(\[]*(?P<numbers>{_LIST})",
            rf"losses (?:are )?weighted (?:by |with )?(?P<numbers>{_LIST})",
        ),
        _weights,
        "binary_crossentropy categorical_crossentropy crossentropy dice mse mae focal ssim multi_output",
    ),
)
