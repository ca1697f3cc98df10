"""How rows are told apart: split along time or by groups, scaled one by one, scored for each class or window."""

from __future__ import annotations

from pipeline.request.reading.phrases.phrase import NUMBER, Match, always, first_number, phrase, thing
from pipeline.request.terms.tokens import written

_SPLIT = r"(?:split|splits|splitting|partition|partitioned|group|grouped|separate|separated)"
_DATA = r"(?: (?:it|them|the data|train and test|k-?fold|strictly|the rows))?"
_SETS = r"(?:both|two|more than one|several|train(?:ing)? and (?:in )?(?:the )?(?:test|validation))"
_IS_IN = r"(?:is|appears|occurs|ends up|sits|shows up|should be|may be|lands)"
_NO_GROUP = frozenset(
    "the each this that our your their its date default chance random class classes label labels hand stratification "
    "percent ratio means using train training test half taking sentence sentences comma commas space spaces tab tabs "
    "whitespace token tokens word words character characters semicolon semicolons".split()
)
_PERIOD = r"(?:months?|weeks?|days?|years?|data|part|rows)"
_SCALED = r"(?:normali[sz]\w{1,6}|standardi[sz]\w{1,6}|scal(?:e|ed|ing)|z[ -]?scor\w{1,3}|min[ -]?max(?: scaling)?)"
_MEASURE = (
    r"(?:scores?|errors?|accurac\w{1,3}|f1|auc|precision|recall|mae|rmse|mape|r2|r\^2|iou|dice|report\w{0,3}|"
    r"metrics?|results?|probabilit\w{1,3}|confidence|predictions?|losses|loss|wape|smape)"
)
_ONE_BY_ONE = (
    r"(?P<thing>class|label|category|window|fold|target|output|station|store|horizon|step|hour|sensor|channel|item|"
    r"user|patient|subject|language|genre|speaker|file|image|species|tag|group|region|month|day|sentence|keypoint|"
    r"finding)\b"
)


def _group(match: Match) -> str | None:
    """What stays together; None for what divides nothing."""
    name = match.words["thing"]
    return None if name in _NO_GROUP else name


def _scaled_by(match: Match) -> str | None:
    """What is scaled by itself; None where the matrix of confusions is what is scaled."""
    before = match.words.string[max(0, match.words.start() - 30) : match.words.start()]
    return None if "matrix" in before else match.words["thing"]


_PARTS = {"fifth": 0.2, "quarter": 0.25, "third": 0.333333, "tenth": 0.1}


def _part(match: Match) -> str | None:
    return written(_PARTS[match.words["thing"]])


def _share(match: Match) -> str | None:
    return written(match.numbers[0]) if match.numbers and 0 < match.numbers[0] < 1 else None


DIVISION = (
    phrase(
        "training",
        "split_order",
        "chronolog time order temporal newest latest recent last ahead date final",
        (
            r"chronologic\w*",
            r"in (?:time|temporal|date) order|(?:time|date)[ -](?:based|ordered|wise) (?:split|validation)",
            rf"\b(?:{_SPLIT}{_DATA} by (?:time|date)\b|temporal (?:split|order|hold-?out))",
            r"without (?:any )?look-?ahead",
            rf"(?:the )?(?:newest|latest|most recent) (?:\d{{1,2}} ?%|(?:\w+ )?{_PERIOD})"
            r"(?= (?:is|are|as|for|of|go|goes|held|form|make|in)\b)",
            r"test(?:ed)? on (?:only )?the (?:last|latest|newest|final|most recent)"
            r" (?:season|year|month|week|quarter|\d{1,2} ?%)",
        ),
        always("chronological"),
    ),
    phrase(
        "training",
        "split_by",
        "split partition group separat same no leave",
        (
            rf"{_SPLIT}{_DATA} (?:by|per|on|along) (?:the )?(?!time\b)(?P<thing>[a-z_]{{3,20}})\b(?! order)",
            r"group(?:ed)? k-?fold (?:by|on|over) (?:the )?(?P<thing>[a-z_]{3,20})",
            rf"no (?P<thing>[a-z_]{{3,20}}) {_IS_IN} in {_SETS}",
            rf"same (?P<thing>[a-z_]{{3,20}}) (?:is |are )?(?:never|not|only) in {_SETS}",
            r"leave[ -]one[ -](?P<thing>[a-z]{3,20})[ -]out",
            r"train\w*/(?:val\w*|dev|test)\w*(?:/test)? by (?:the )?(?!time\b)(?P<thing>[a-z_]{3,20})",
        ),
        _group,
    ),
    phrase(
        "training",
        "test_split",
        "fifth quarter third tenth",
        (
            r"\b(?:on|hold out|holding out|keep|leave out|set aside) (?P<asked>(?:a|one) "
            r"(?P<thing>fifth|quarter|third|tenth) of (?:the |my |our |all )?(?:[a-z]{3,15}))(?! for (?:val|tun))",
        ),
        _part,
    ),
    phrase(
        "training",
        "scaling_per",
        "per each within",
        (
            rf"\b{_SCALED}(?: [\w-]{{1,15}}){{0,2}}? "
            r"(?P<asked>(?:per|for each|for every|within each|each) (?!cent)(?P<thing>[a-z]{3,20}))",
            rf"(?:per|each)[ -](?P<thing>[a-z]{{3,20}}) {_SCALED}",
        ),
        _scaled_by,
    ),
    phrase(
        "metric",
        "per",
        "per each every",
        (
            rf"\b{_MEASURE}(?: [\w-]{{1,12}}){{0,2}}? "
            rf"(?P<asked>(?:per|for each|for every|of each|of every) {_ONE_BY_ONE})",
            rf"per[ -]{_ONE_BY_ONE} {_MEASURE}",
        ),
        thing,
    ),
    phrase(
        "training",
        "overlap",
        "overlap",
        (
            r"(?P<numbers>\d{1,2} ?(?:%|per ?cent)|0?\.\d+) (?:window )?overlap",
            r"overlap(?:ping)?(?: (?:of|by|windows with))? (?P<numbers>\d{1,2} ?(?:%|per ?cent)|0?\.\d+)",
        ),
        _share,
    ),
    phrase(
        "training",
        "window_step",
        "stride hop step slid",
        (
            r"(?:windows?|patches|segments|crops|chunks)\b[^.;\n]{0,40}? "
            r"(?P<asked>(?:stride|hop|step|sliding by|slid by|sliding)(?: size)?(?: of| by)?"
            rf" (?P<numbers>{NUMBER}))(?! ?(?:%|hz|second|ms|epoch))",
            rf"doc(?:ument)?[ _]stride[ =:]*(?P<numbers>{NUMBER})",
        ),
        first_number,
    ),
)
