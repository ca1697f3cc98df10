"""What the data of a notebook are called: titles and names of sets, never owners, folders or files that any set has."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_NAMES = 6
_LONGEST = 60
"""Characters of a name."""

_INPUT_PATH = re.compile(
    r"['\"/](?:\.\./|/?kaggle/|\./)?input/(?:datasets/[\w.-]+/(?P<owned>[\w-]+)|competitions/(?P<competition>[\w-]+)|"
    r"(?P<folder>[\w-]+)(?=[/'\"]))"
)
_LOADED = re.compile(
    r"\bdatasets\.(\w+)\.load_data\b|\btfds\.load\(\s*['\"]([\w]+)|load_dataset\(\s*['\"](?:[\w.-]+/)?([\w.-]+)|"
    r"\b(?:torchvision\.)?datasets\.([A-Z]\w+)\(|\bdataset_download\(\s*['\"][\w.-]+/([\w.-]+)"
)
_NO_SET = frozenset({"ImageFolder", "DatasetFolder", "FakeData", "Dataset", "DatasetDict"})
_TABLE = re.compile(r"read_(?:csv|excel|parquet|table|json|feather)\(\s*[rf]?['\"]([^'\"]+)['\"]")
_GENERAL = re.compile(
    r"(?:x|y|x_|y_|my_?|the_?|new_?|full_?|all_?|raw_?|final_?|clean(?:ed)?_?|processed_?)*"
    r"(?:train(?:ing)?|tests?(?:ing)?|valid(?:ation)?|val|dev|eval|data|dataset|datasets|df|frame|table|file|files|input|"
    r"inputs|output|labels?|features?|targets?|images?|imgs?|sample_?submissions?|submissions?|sub|temp|tmp|results?|"
    r"predictions?|pred|x|y|csv|archive|content|drive|mydrive|working|set|sets|folder|dir|path|metadata|meta|info)"
    r"(?:_?(?:set|data|df|final|new|clean(?:ed)?|processed|labels?|images?|x|y|csv|\d))*",
    re.IGNORECASE,
)
"""Names that say nothing of what is in them."""
_NUMBERED = re.compile(r"(?:dataset[- ]version|competition|dataset)[- ]?\d+|[\W\d_]*|[0-9a-f]{16,}", re.IGNORECASE)
_ENDING = re.compile(r"\.(?:csv|tsv|txt|xlsx?|parquet|json|jsonl|feather|zip|gz|data)\b", re.IGNORECASE)


def data_names(sources: Iterable[str], code: str) -> list[str]:
    """The names as words, `sources` (titles that Meta Kaggle has) first, each once, at most six; names that say nothing
    are left out."""
    names = dict.fromkeys(map(_spoken, [*sources, *_names_in(code)]))
    return [
        name
        for name in names
        if name and not _NUMBERED.fullmatch(name) and not _GENERAL.fullmatch(name.replace(" ", "_"))
    ][:MOST_NAMES]


def _names_in(code: str) -> list[str]:
    """Folders under Kaggle's `input/`, sets of the libraries; tables' files where there is neither."""
    names: list[str] = []
    for match in _INPUT_PATH.finditer(code):
        names.append(match[match.lastgroup] if match.lastgroup else "")
    for match in _LOADED.finditer(code):
        name = match[match.lastindex or 0]  # of the one alternative that matched
        if name not in _NO_SET:
            names.append(name)
    if not any(name and not _GENERAL.fullmatch(name) for name in names):
        for match in _TABLE.finditer(code):
            path = match[1].replace("\\", "/")
            # A name in braces is one that the code puts together.
            names.append("" if "{" in path else path.rsplit("/", 1)[-1])
    return names


def _spoken(name: str) -> str:
    """A name as words: `digit-recognizer` -> `digit recognizer`, `IrisSpecies.csv` -> `Iris Species`."""
    name = _ENDING.sub("", name[:_LONGEST])
    name = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name)
    return " ".join(re.sub(r"[-_/]+", " ", name).split())
