"""Which section a statement belongs to, by what it calls, for code whose cells do not say so."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import lru_cache

from pipeline.generate.symbolic.statement import SECTIONS, parse_statement

_TRAITS: tuple[tuple[str, str], ...] = (
    ("compile", r"\.compile\("),
    ("train", r"\.fit(_generator)?\(|callbacks\.|EarlyStopping\(|ModelCheckpoint\(|ReduceLROnPlateau\(|train_step|GradientTape"),
    ("model", r"layers\.|Sequential\(|\bModel\(|\.add\(|applications\.|\b(Conv[123]D|Dense|LSTM|GRU|Embedding|Flatten|Dropout)\(|\.summary\(|plot_model"),
    ("evaluate", r"\.evaluate\(|\.predict\(|classification_report|confusion_matrix|accuracy_score|_score\("),
    ("preprocessing", r"train_test_split|ImageDataGenerator|to_categorical|Scaler\(|Encoder\(|pad_sequences|Tokenizer|TextVectorization|\.map\(|\.batch\(|normali[sz]e|/ ?255|\.reshape\(|fillna|dropna|get_dummies"),
    ("data", r"read_csv|os\.listdir|os\.walk|glob\(|imread|load_img|image_dataset_from_directory|np\.load|open\(|load_data|\.head\(|\.info\(|\.describe\("),
    ("show", r"plt\.|sns\.|\.show\(|imshow|savefig|history\.history"),
)  # fmt: skip
_TRAIT_PATTERNS = tuple((section, re.compile(pattern)) for section, pattern in _TRAITS)
_SETUP = re.compile(
    r"os\.environ|warnings\.|set_random_seed|random\.seed|matplotlib\.use|set_seed|sns\.set|%matplotlib"
)


def assign_sections(pieces: Sequence[tuple[str, str]]) -> list[str]:
    """A section for each (source, section its cell names or "").

    Statements keep their order, so that a name is still defined before it is read: sections never step back, except
    that imports and set-up lines move to the front. Among all such labellings the one is taken that disagrees with
    the fewest statements (dynamic programming over statements and sections).
    """
    wanted = [section or section_of(source) for source, section in pieces]
    first_model = next((n for n, section in enumerate(wanted) if section in ("model", "compile", "train")), 0)
    for number in range(first_model):
        if wanted[number] in ("evaluate", "show") and not pieces[number][1]:
            wanted[number] = ""  # a plot before there is a model looks at the data
    rest = [number for number, section in enumerate(wanted) if section != "imports"]
    choices = SECTIONS[1:]
    cost = [0.0] * len(choices)
    back: list[list[int]] = []
    for number in rest:
        best, origin = float("inf"), 0
        row, came = [], []
        for place, section in enumerate(choices):
            if cost[place] < best:
                best, origin = cost[place], place
            named = bool(pieces[number][1])
            miss = 0.0 if wanted[number] in ("", section) else (100.0 if named else 1.0)
            row.append(best + miss)
            came.append(origin)
        cost = row
        back.append(came)
    sections = ["imports"] * len(pieces)
    place = min(range(len(choices)), key=lambda index: (cost[index], index))
    for number, came in zip(reversed(rest), reversed(back), strict=True):
        sections[number] = choices[place]
        place = came[place]
    return sections


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
    return next((section for section, pattern in _TRAIT_PATTERNS if pattern.search(source)), "")


_MODULES = frozenset("os np numpy random tf tensorflow keras matplotlib mpl plt sns pd warnings".split())


def _reads_modules_only(node: ast.AST) -> bool:
    """Whether a line can move to the front: it reads no value that is yet to be computed."""
    return all(name.id in _MODULES for name in ast.walk(node) if isinstance(name, ast.Name))


def _builds_model(source: str) -> bool:
    return dict(_TRAIT_PATTERNS)["model"].search(source) is not None
