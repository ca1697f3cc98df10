"""What a notebook is for, in a user's words: its title, its markdown and the data it reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from corpus_build.extract.markdown import headings, sentences, title_of
from corpus_build.read.notebook import ParsedNotebook

MOST_CHARACTERS = 600
"""Of a requirement: a few sentences, as users write."""

_CHORES = re.compile(
    r"^(import|load|read|librar|packages?|modules?|set ?up|table of contents?|contents?|references?|thank|upvote|"
    r"please|notebook|imports?|define|defining|plot|visuali[sz]|train(ing)?( the model)?$|evaluat|conclusion|introduction$|"
    r"overview$|about|untitled|kernel|version|step \d|part \d|chapter \d|\d+$)",
    re.IGNORECASE,
)
_ABOUT_ITSELF = re.compile(
    r"\bnotebook (was|is|contains|accompanies) (a companion|a copy|generated|made|the code|code)|\brecommend reading\b|"
    r"\bcopy of the book\b|\boriginal text\b|\bup-?vot(e|ing)\b|\bfork this\b|\bleave a comment\b",
    re.IGNORECASE,
)
"""What a notebook says of itself and its readers, not of its task: the same in all notebooks of a book or an author."""
_PURPOSE = re.compile(
    r"\b(goal|aim|objective|purpose|task|problem|want|going to|will (build|train|use|classif|predict|create|try)|predict|"
    r"classif|detect|segment|recogni[sz]|forecast|generat|estimat|identif|build|train|implement|translat|caption|"
    r"distinguish|recommend|diagnos|upscal|denois|summari[sz]|tell .+ (apart|from)|sort .+ (by|into))",
    re.IGNORECASE,
)
_DATA = re.compile(
    r"\b(dataset|data set|data|images?|samples?|rows|columns|features|labels?|classes|instances|records|reviews|files)\b",
    re.IGNORECASE,
)
_INPUT_PATH = re.compile(r"['\"](?:\.\./|/kaggle/|\./)?input/([\w-]+)(?:/([\w-]+))?")
_LOADED = re.compile(r"\bdatasets\.(\w+)\.load_data\b|\btfds\.load\(\s*['\"]([\w/]+)|load_dataset\(\s*['\"]([\w/-]+)")
_CSV = re.compile(r"read_csv\(\s*[rf]?['\"]([^'\"]+)['\"]")


@dataclass(frozen=True, slots=True)
class Purpose:
    """The requirement and dataset attributes with the confidence in each, in [0, 1]."""

    requirement: str
    attributes: str
    requirement_confidence: float
    attributes_confidence: float


def read_purpose(notebook: ParsedNotebook, title: str, sources: Iterable[str], tags: Iterable[str] = ()) -> Purpose:
    """Title, sentences of purpose, and data sources as one requirement; sentences about the data as attributes.

    `title` is Meta Kaggle's, if any; then the notebook's own, then its first heading stand in.
    Confidence: 0.9 with a title and a sentence of purpose, 0.6 with one of them, 0.3 with the first
    sentence or a name of the data alone.
    """
    markdown = notebook.markdown_cells
    heading = title_of(title) or title_of(notebook.title) or next(_headings(markdown), "")
    prose = [line for line in _sentences(markdown) if not _CHORES.match(line)]
    purpose = [line for line in prose if _PURPOSE.search(line)][:3]
    opening: list[str] = []
    if not purpose:
        opening = prose[:1]  # better than nothing
    stated = (*purpose, *opening)
    about_data = [line for line in prose if _DATA.search(line) and line not in stated][:4]
    data_names = list(dict.fromkeys(map(_spoken, [*sources, *data_sources(notebook.code)])))
    data_sentence = _data_sentence(data_names)

    requirement: list[str] = []
    if heading:
        requirement.append(_ended(heading))
    for line in stated:
        if line.lower() not in heading.lower():
            requirement.append(_ended(line))
    requirement += data_sentence
    attributes = [*data_sentence, *map(_ended, about_data)]
    topics = sorted(filter(None, tags))
    if topics:
        attributes.append(f"Its topics are {_listed(topics[:6])}.")
    return Purpose(
        requirement=_cut(" ".join(requirement)),
        attributes=_cut(" ".join(attributes)),
        requirement_confidence=_requirement_confidence(heading, purpose, [*data_names, *opening]),
        attributes_confidence=0.3 * bool(data_names) + 0.4 * bool(about_data),
    )


def _requirement_confidence(heading: str, purpose: list[str], stand_ins: list[str]) -> float:
    """By how much of it is stated: title and purpose, one of them, or only what stands in for them."""
    if heading and purpose:
        return 0.9
    if heading or purpose:
        return 0.6
    return 0.3 if stand_ins else 0.0


def _data_sentence(names: list[str]) -> list[str]:
    """A sentence that names the data sets, at most four of them; none where no name is known."""
    if not names:
        return []
    verb = " is" if len(names) == 1 else "s are"
    return [f"The data set{verb} {_listed(names[:4])}."]


def data_sources(code: str) -> list[str]:
    """Names of the data that code reads, at most six of them, no name twice.

    Folders under Kaggle's `input/`, Keras and TensorFlow data sets; CSV files where there is neither.
    """
    names: list[str] = []
    for match in _INPUT_PATH.finditer(code):
        folder, subfolder = match.groups()
        names.append(subfolder if folder in ("datasets", "competitions") else folder)
    for match in _LOADED.finditer(code):
        names.append(match[match.lastindex or 0])  # of the one alternative that matched
    if not names:
        for match in _CSV.finditer(code):
            names.append(match[1].rsplit("/", 1)[-1].removesuffix(".csv"))
    # A name in braces is one that the code puts together.
    known = [name for name in names if name and "{" not in name]
    return list(dict.fromkeys(known))[:6]


def _headings(markdown: Iterable[str]) -> Iterator[str]:
    """Headings of two words or more that say something of the task."""
    for text in markdown:
        for line in headings(text):
            if len(line.split()) >= 2 and not _CHORES.match(line):
                yield line[:160]


def _sentences(markdown: Iterable[str]) -> Iterator[str]:
    """Sentences of prose: no lists of links, nothing about itself; 5 to 60 words."""
    for text in markdown:
        for line in sentences(text):
            if 5 <= len(line.split()) <= 60 and not _ABOUT_ITSELF.search(line):
                yield line


def _spoken(name: str) -> str:
    """A name as words: `digit-recognizer` -> `digit recognizer`."""
    return " ".join(re.sub(r"[-_/]+", " ", name).split())


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    if not first:
        return last
    return f"{', '.join(first)} and {last}"


def _ended(line: str) -> str:
    if line.endswith((".", "!", "?")):
        return line
    return f"{line}."


def _cut(text: str) -> str:
    """At most MOST_CHARACTERS characters, cut behind a sentence, or else a word."""
    if len(text) <= MOST_CHARACTERS:
        return text
    short = text[:MOST_CHARACTERS]
    sentence_end = max(short.rfind(". "), short.rfind("! "), short.rfind("? "))
    if sentence_end > MOST_CHARACTERS // 2:
        return short[: sentence_end + 1]
    return short.rsplit(" ", 1)[0]
