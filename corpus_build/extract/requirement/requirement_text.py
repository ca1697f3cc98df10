"""What a notebook is for, in a user's words: its title, its markdown and the data it reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from corpus_build.extract.requirement.data_names import data_names
from corpus_build.extract.requirement.languages import language_of, word_count
from corpus_build.extract.requirement.markdown import headings, sentences, title_of
from corpus_build.read.notebook import ParsedNotebook

_FEWEST_WORDS, _FEWEST_OF_PURPOSE, _MOST_WORDS = 5, 4, 60
"""Of a sentence; "We train a network." says what a notebook is for."""
_LONGEST_TITLE, _LONGEST_SENTENCE = 200, 1000
"""Characters of what is looked at."""
MOST_CHARACTERS = 600
"""Of a requirement: a few sentences, as users write."""

_CHORES = re.compile(
    r"^(import|load|read|librar|packages?|modules?|set ?up|table of contents?|contents?|references?|thank|upvote|"
    r"please|notebook|imports?|define|defining|plot|visuali[sz]|train(ing)?( the model)?$|evaluat|conclusion|"
    r"introduction$|"
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
    r"\b(goal|aim|objective|purpose|task|problem|want|going to|will (build|train|use|classif|predict|create|"
    r"try)|predict|"
    r"classif|detect|segment|recogni[sz]|forecast|generat|estimat|identif|build|train|implement|translat|caption|"
    r"distinguish|recommend|diagnos|upscal|denois|summari[sz]|tell .+ (apart|from)|sort .+ (by|into))",
    re.IGNORECASE,
)
_WE_DO = re.compile(r"(?:we|i)(?: will|'ll)? (?:build|train|classif|predict|detect|segment|forecast)", re.IGNORECASE)
_PURPOSE_ELSEWHERE = re.compile(
    r"\b(ziel|aufgabe|vorher(zu)?sag|vorhersage|klassifizier|erkenn|sch(ä|ae)tz|objetivo|meta es|predecir|"
    r"predicci|clasific|"
    r"but est|objectif|pr(é|e)di(re|ct)|class(er|ifi)|reconna|obiettivo|prevedere|prever|previs|doel|voorspel|ama(ç|c)|"
    r"tahmin|s(ı|i)n(ı|i)fland|m(ụ|u)c ti(ê|e)u|d(ự|u) (đ|d)o(á|a)n|ph(â|a)n lo(ạ|a)i|tujuan|memprediksi|klasifikasi|"
    r"цель|задача|предсказ|прогноз|классифи|распозна|الهدف|التنبؤ|تصنيف|توقع)|"
    r"目标|目標|目的|预测|預測|予測|分类|分類|识别|識別|認識|检测|檢測|検出|生成|学習|목표|예측|분류|인식|"
    r"लक्ष्य|अनुमान|वर्गीकरण|पहचान|เป้าหมาย|ทำนาย|จำแนก|พยากรณ์",
    re.IGNORECASE,
)
"""The same in other languages."""
_NO_TASK = re.compile(
    r"\b(exercises?|assignments?|homework|quiz|your turn|graded?|submit|click|hints?:|congratulations|welcome|"
    r"well done|"
    r"fill in|run the (cell|code|following)|let'?s|(have|take) a look|as (we|you) can see|see (the )?(above|below)|"
    r"print statements?|in the (next|previous|last) (cell|section|lesson|video|chapter)|open in colab|run in google|"
    r"view (source )?on|download notebook|copy (and|&) edit|sign in|subscribe|follow me|my other|if you (like|"
    r"find|found)|"
    r"licen[sc]ed? under|copyright|all rights reserved|apache license|stay tuned|good luck)\b",
    re.IGNORECASE,
)
"""Buttons, exercises and asides: nobody asks for a project with them."""
_BUTTONS = re.compile(
    r"(?:view|run|open|try it?) (?:this )?(?:source )?(?:on|in) (?:google )?(?:colab|github|kaggle|"
    r"tensorflow\.org|keras\.io|"
    r"binder|hugging ?face|deepnote|sagemaker studio lab)(?:aboratory)?|download (?:this )?notebook|"
    r"see (?:tf )?hub models?|"
    r"copy (?:and|&) edit",
    re.IGNORECASE,
)
"""Captions of the links above a published notebook."""
_RESULT = re.compile(
    r"\b(accurac\w*|scores?|auc|f1|loss|rmse|mae|precision|recall|r2|error|public lb|"
    r"leaderboard)\b.{0,60}?\d|"
    r"\d\s?%\s?(accura|precis|recall|on the)|\b(achieved?|reached|obtained|scored|got|gets|gives) (a|"
    r"an|the|about|around)?"
    r"\s?\S{0,20}\s?\S{0,20}\s?\d",
    re.IGNORECASE,
)
"""What came out of a run."""
_LEAD_IN = re.compile(
    r"^(?:so,?\s+|here,?\s+|now,?\s+)?(?:in|with|throughout) (?:this|the following) (?:\w+\s){0,2}?"
    r"(?:notebooks?|exercise|tutorial|project|lab|assignment|kernel|example|post|lesson|section|article|script|"
    r"guide|demo|"
    r"competition|work|task|challenge|case study|codelab),?\s+(?:we|i|you)(?:'ll|'re going to| will be able to| will|"
    r" are going to| am going to| want to| would like to| are asked to| try to| need to| shall|"
    r" can)\s+(?:learn (?:how )?to\s+|"
    r"also\s+|first\s+|see how to\s+)?|^(?:we|i) (?:will|want to|would like to|are going to|'ll|am going to)\s+",
    re.IGNORECASE,
)
"""How a notebook begins to say what it does; what follows is what one would ask for."""
_LESSON = re.compile(
    r"^(?:\W*(?:programming |final |mini |coding |hands[- ]on )?(?:assignment|exercise|homework|lab(?:oratory)?|"
    r"lesson|week|"
    r"chapter|module|project|day|part|unit|lecture|tutorial|notebook|step|task|hw|"
    r"practical)\s?#?[.\d]{0,8}[a-z]?\s?[:\-–—.|]+\s*)+",
    re.IGNORECASE,
)
"""What a course puts before a title."""
_DATA = re.compile(
    r"\b(dataset|data set|data|images?|samples?|rows|columns|features|labels?|classes|instances|records|reviews|"
    r"files)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Purpose:
    """The requirement and dataset attributes with the confidence in each, in [0, 1]."""

    requirement: str
    attributes: str
    requirement_confidence: float
    attributes_confidence: float
    language: str = ""
    """Of the requirement: ISO 639-1, "" for what is not known."""
    data_names: tuple[str, ...] = ()
    """What the data are called."""

    has_title: bool = False
    says_task: bool = False
    """Whether title or prose say what is to be done."""

    def with_sentence_of_code(self, sentence: str) -> Purpose:
        """With what the code does, for prose that does not say it."""
        if not sentence:
            return self
        requirement = _cut(f"{self.requirement} {sentence}".strip())
        confidence = max(self.requirement_confidence, 0.4)
        return replace(self, requirement=requirement, requirement_confidence=confidence, language=self.language or "en")


def read_purpose(notebook: ParsedNotebook, title: str, sources: Iterable[str], tags: Iterable[str] = ()) -> Purpose:
    """Title, sentences of purpose, and data sources as one requirement; sentences about the data as attributes.

    `title` is Meta Kaggle's, if any; then the notebook's own, then its first heading stand in.
    Confidence: 0.9 with a title and a sentence of purpose, 0.6 with one of them, 0.3 with the first
    sentence or a name of the data alone.
    """
    markdown = notebook.markdown_cells
    heading = _title(title) or _title(notebook.title) or next(_headings(markdown), "")
    prose = [line for line in _sentences(markdown) if not _CHORES.match(line)]
    purpose = [_asked(line) for line in prose if _is_purpose(line)][:3]
    opening: list[str] = []
    if not purpose:
        opening = [line for line in prose[:3] if not _RESULT.search(line)][:1]  # better than nothing
    stated = (*purpose, *opening)
    about_data = [line for line in prose if _DATA.search(line) and _asked(line) not in stated and line not in stated][
        :4
    ]
    names = data_names(sources, notebook.code)
    data_sentence = _data_sentence([name for name in names if name.lower() not in " ".join([heading, *stated]).lower()])

    requirement: list[str] = []
    if heading:
        requirement.append(_ended(heading))
    for line in stated:
        if line.lower() not in heading.lower():
            requirement.append(_ended(line))
    language = language_of(" ".join(requirement) or " ".join(prose))
    requirement += data_sentence
    attributes = [*_data_sentence(names), *map(_ended, about_data)]
    topics = sorted(filter(None, tags))
    if topics:
        attributes.append(f"Its topics are {_listed(topics[:6])}.")
    return Purpose(
        requirement=_cut(" ".join(requirement)),
        attributes=_cut(" ".join(attributes)),
        requirement_confidence=_requirement_confidence(heading, purpose, [*names, *opening]),
        attributes_confidence=0.3 * bool(names) + 0.4 * bool(about_data),
        language=language or ("en" if requirement else ""),
        data_names=tuple(names),
        has_title=bool(heading),
        says_task=bool(purpose) or _is_purpose(heading),
    )


def _title(text: str) -> str:
    """A title without scores and without its number in a course; "" where nothing is left that says a task."""
    title = title_of(text)
    short = _LESSON.sub("", title[:_LONGEST_TITLE])
    return short[:1].upper() + short[1:] if short != title and short else title


def _is_purpose(line: str) -> bool:
    return bool(_PURPOSE.search(line) or _PURPOSE_ELSEWHERE.search(line)) and not _RESULT.search(line)


def _asked(line: str) -> str:
    """A sentence as one would ask for it: "In this notebook we will classify digits" -> "Classify digits"."""
    asked = _LEAD_IN.sub("", line)
    if word_count(asked) < 3:
        return line
    return asked[:1].upper() + asked[1:]


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


def _headings(markdown: Iterable[str]) -> Iterator[str]:
    """Headings of two words or more that say something of the task."""
    for text in markdown:
        for line in headings(text):
            title = _title(line)
            if word_count(title) >= 2 and not _CHORES.match(title) and not _NO_TASK.search(title):
                yield title[:160]


def _sentences(markdown: Iterable[str]) -> Iterator[str]:
    """Sentences of prose: no lists of links, nothing about itself; 5 to 60 words, or 4 of what is done."""
    for text in markdown:
        for line in sentences(_BUTTONS.sub("\n\n", text)):
            if len(line) > _LONGEST_SENTENCE:
                continue
            fewest = _FEWEST_OF_PURPOSE if _WE_DO.match(line) else _FEWEST_WORDS
            if not fewest <= word_count(line) <= _MOST_WORDS or _ABOUT_ITSELF.search(line):
                continue
            if not _NO_TASK.search(_LEAD_IN.sub("", line)):
                yield line


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    if not first:
        return last
    return f"{', '.join(first)} and {last}"


def _ended(line: str) -> str:
    if line.endswith((".", "!", "?", "。", "！", "？", "।", "؟", "۔")):
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
