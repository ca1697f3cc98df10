"""Which section a statement belongs to, by what it calls, for code whose cells do not say so."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.generate.symbolic.statement import SECTIONS, parse_statement
from pipeline.syntax import walk

_TRAITS: tuple[tuple[str, str], ...] = (
    ("compile", r"\.compile\("),
    ("train", r"\.fit(_generator)?\(|callbacks\.|EarlyStopping\(|ModelCheckpoint\(|ReduceLROnPlateau\(|train_step|GradientTape"),
    ("model", r"layers\.|Sequential\(|\bModel\(|\.add\(|applications\.|\b(Conv[123]D|Dense|LSTM|GRU|Embedding|Flatten|Dropout)\(|\.summary\(|plot_model"),
    ("evaluate", r"\.evaluate\(|\.predict\(|classification_report|confusion_matrix|accuracy_score|_score\("),
    ("preprocessing", r"train_test_split|ImageDataGenerator|to_categorical|Scaler\(|Encoder\(|pad_sequences|Tokenizer|TextVectorization|\.map\(|\.batch\(|normali[sz]e|/ ?255|\.reshape\(|fillna|dropna|get_dummies"),
    ("data", r"read_csv|os\.listdir|os\.walk|glob\(|imread|load_img|image_dataset_from_directory|np\.load|open\(|load_data|\.head\(|\.info\(|\.describe\("),
    ("show", r"plt\.|sns\.|\.show\(|imshow|savefig|history\.history"),
)  # fmt: skip
"""What code of a section calls. The first that matches counts, so the most telling calls come
first: `model.compile(` is about compiling even where a layer's name follows, and plots come last,
since every section may draw one."""

_TRAIT_PATTERNS = {section: re.compile(pattern) for section, pattern in _TRAITS}

_SETUP = re.compile(
    r"os\.environ|warnings\.|set_random_seed|random\.seed|matplotlib\.use|set_seed|sns\.set|%matplotlib"
)
"""Calls that set up the program: they go to the imports."""

_MODULES = frozenset("os np numpy random tf tensorflow keras matplotlib mpl plt sns pd warnings".split())
"""Names that stand for modules in nearly every notebook."""

_MOVED_BY_NAME, _MOVED_BY_CALLS = 100.0, 1.0
"""What it costs to put a statement into another section than its cell names, or than its calls
speak for: what the author wrote weighs more than any number of guesses that a project has."""


def assign_sections(pieces: Sequence[tuple[str, str]]) -> list[str]:
    """A section for each (source, section its cell names or "").

    Statements keep their order, so that a name is still defined before it is read: sections never
    step back, except that imports and set-up lines move to the front. Among all such labellings the
    one is taken that disagrees with the fewest statements (dynamic programming over statements and
    sections).
    """
    preferences = _preferences(pieces)
    placed = [number for number, preference in enumerate(preferences) if preference.section != "imports"]
    sections = ["imports"] * len(pieces)
    labels = _cheapest_labelling([preferences[number] for number in placed])
    for number, label in zip(placed, labels, strict=True):
        sections[number] = label
    return sections


@dataclass(frozen=True, slots=True)
class _Preference:
    """Where a statement belongs by itself."""

    section: str
    """"" where any section is as good."""

    cost: float
    """The price of another section."""


def _preferences(pieces: Sequence[tuple[str, str]]) -> list[_Preference]:
    preferences: list[_Preference] = []
    for source, named in pieces:
        if named:
            preferences.append(_Preference(named, _MOVED_BY_NAME))
        else:
            preferences.append(_Preference(section_of(source), _MOVED_BY_CALLS))
    for number in range(_first_of_model(preferences)):
        if preferences[number].section in ("evaluate", "show") and not pieces[number][1]:
            preferences[number] = _Preference("", 0.0)  # a plot before there is a model looks at the data
    return preferences


def _first_of_model(preferences: Sequence[_Preference]) -> int:
    for number, preference in enumerate(preferences):
        if preference.section in ("model", "compile", "train"):
            return number
    return 0


def _cheapest_labelling(preferences: Sequence[_Preference]) -> list[str]:
    """Sections after the imports, one for each preference, that never step back and cost least (Viterbi, 1967)."""
    choices = SECTIONS[1:]
    cost = [0.0] * len(choices)  # of the best labelling so far that ends in each section
    steps: list[list[int]] = []  # for each statement: the section of the one before it, by its own section
    for preference in preferences:
        new_cost: list[float] = []
        previous: list[int] = []
        best = 0
        for index, section in enumerate(choices):
            # The cheapest section up to this one; of equal ones the earliest, so that equal input
            # gives equal output.
            if cost[index] < cost[best]:
                best = index
            disagrees = preference.section not in ("", section)
            new_cost.append(cost[best] + (preference.cost if disagrees else 0.0))
            previous.append(best)
        cost = new_cost
        steps.append(previous)
    index = cost.index(min(cost))
    labels: list[str] = []
    for previous in reversed(steps):
        labels.append(choices[index])
        index = previous[index]
    labels.reverse()
    return labels


@lru_cache(maxsize=8192)
def section_of(source: str) -> str:
    """The section that the statement's own calls speak for, or "" where they speak for none."""
    node = parse_statement(source)
    if isinstance(node, ast.Import | ast.ImportFrom):
        return "imports"
    if isinstance(node, ast.Expr) and _SETUP.search(source) and _reads_modules_only(node):
        return "imports"
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and not _builds_model(source):
        return ""  # a helper stays beside the code that follows it
    for section, pattern in _TRAIT_PATTERNS.items():
        if pattern.search(source):
            return section
    return ""


def _reads_modules_only(node: ast.AST) -> bool:
    """Whether a line can move to the front: it reads no value that is yet to be computed."""
    names = [name.id for name in walk(node) if isinstance(name, ast.Name)]
    return all(name in _MODULES for name in names)


def _builds_model(source: str) -> bool:
    return _TRAIT_PATTERNS["model"].search(source) is not None
