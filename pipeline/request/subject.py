"""What a request is about, in a few words that can name a folder."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from pipeline.request.constraints import Constraint

_MOST_WORDS = 5

_WORD = re.compile(r"[a-z0-9]+")

_ASKING = frozenset(
    "a an and are as at be been build by can column columns could create csv data dataset deep design develop do each "
    "file files folder for from give has have hello help hi i implement in into is it its keras learn learning like "
    "made make me model models my need net network neural of on or our please pls possible project rows should simple "
    "so some table tensorflow pytorch that the their them there these they this to train training us use used uses "
    "using want wants was we which who will with would write you your".split()
)
"""Function words, and those with which requests ask whatever they are about."""


_CLAUSE_END = re.compile(r"[.;!?,()\n](?=\s|$)")


def subject_of(requirement: str, constraints: Iterable[Constraint] = ()) -> str:
    """The first telling words, joined by hyphens: "Classify cats and dogs" -> `classify-cats-dogs`. `project` for a
    text without Latin letters.

    Where the request is known to say its problem in a later clause, that clause's come first: "I have a csv with ten
    columns. I want to predict prices" -> `predict-prices`.
    """
    requirement = requirement[:2000]
    words = _telling(clause_of_problem(requirement, constraints))
    if len(words) < 2:
        words = _telling(requirement)
    return "-".join(words[:_MOST_WORDS]) or "project"


_KINDS = {
    "image": "images",
    "text": "texts",
    "table": "tables",
    "audio": "recordings",
    "video": "clips",
    "series": "series",
    "graph": "graphs",
    "array": "arrays",
}

_FAMILIES = {
    "bilstm": "BiLSTM",
    "bigru": "BiGRU",
    "convlstm": "ConvLSTM",
    "unet": "U-Net",
    "resnet": "ResNet",
    "cnn_1d": "1-D CNN",
    "cnn_3d": "3-D CNN",
}
"""As people write them; others of up to four letters in capitals."""


def title_of(requirement: str, constraints: Iterable[Constraint]) -> str:
    """What a project does as a heading: "Classification of texts (BiGRU)"; the subject's words where the request does
    not say its problem."""
    asked = [one for one in constraints if not one.negated and one.source == "requirement"]
    values = {one.name: one.value for one in reversed(asked)}  # the first of a name counts
    if "problem" not in values:
        return subject_of(requirement, asked).replace("-", " ").capitalize()
    title = values["problem"].replace("_", " ").capitalize()
    about = values.get("target") or _KINDS.get(values.get("kind", ""))
    if about:
        title += f" of {about}"
    network = values.get("backbone") or values.get("family")
    if network:
        network = _FAMILIES.get(network) or (network.upper() if len(network) <= _ABBREVIATION else network)
        title += f" ({network.replace('_', ' ')})"
    return title


_ABBREVIATION = 4


def clause_of_problem(requirement: str, constraints: Iterable[Constraint]) -> str:
    """The part between two marks that says what is to be solved; "" where nothing says so."""
    for one in constraints:
        if one.name == "problem" and one.source == "requirement" and not one.negated:
            before = list(_CLAUSE_END.finditer(requirement, 0, one.start))
            after = _CLAUSE_END.search(requirement, one.end)
            start = before[-1].end() if before else 0
            return requirement[start : after.start() if after else None]
    return ""


def _telling(text: str) -> list[str]:
    # Letters without their accents; what has no Latin form falls away.
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    telling = [word for word in _WORD.findall(plain) if word not in _ASKING and len(word) < 30]
    return list(dict.fromkeys(telling))
