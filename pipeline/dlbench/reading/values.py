"""What the values in a task's fields mean, whichever slot they stand in and however they are written."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from pipeline.dlbench.task import DATA_KINDS, STAGES, TASK_KINDS, Trap, TrapKind

_STAGE_WORDS = {
    "pre/post-processing": ("prepostprocessing", "preprocessing", "postprocessing", "dataprocessing", "prepost"),
    "model construction": ("modelconstruction", "modelbuilding", "model", "construction", "modeldefinition"),
    "training": ("training", "train", "modeltraining"),
    "inference": ("inference", "infer", "modelinference"),
    "evaluation": ("evaluation", "evaluationmetrics", "evaluationandmetrics", "metrics", "evaluate", "modelevaluation"),
}
_TASK_WORDS = {
    "general": ("general", "generic", "any"),
    "classification": ("classification", "imageclassification", "textclassification"),
    "detection": ("detection", "objectdetection"),
    "segmentation": ("segmentation", "imagesegmentation", "semanticsegmentation"),
    "prediction": ("prediction", "timeseriesprediction", "forecasting", "timeseries"),
    "recommendation": ("recommendation", "recommendations", "recommender"),
    "regression": ("regression",),
}
_DATA_WORDS = {
    "image": ("image", "images", "imagedata", "video"),
    "text": ("text", "texts", "textual", "textdata"),
    "tabular": ("tabular", "table", "tabulardata", "structured", "structureddata"),
    "other": ("other", "others", "audio", "graph", "3d", "pointcloud"),
}


def _meanings() -> dict[str, tuple[str, str]]:
    """A written value without signs and case -> its slot and the value it means."""
    meanings: dict[str, tuple[str, str]] = {}
    for slot, words in (("stage", _STAGE_WORDS), ("task", _TASK_WORDS), ("data", _DATA_WORDS)):
        for value, spellings in words.items():
            for spelling in spellings:
                meanings[spelling] = (slot, value)
    return meanings


_MEANINGS = _meanings()
assert (tuple(_STAGE_WORDS), tuple(_TASK_WORDS), tuple(_DATA_WORDS)) == (STAGES, TASK_KINDS, DATA_KINDS)


def place_values(stage: str, task: str, data: str) -> tuple[dict[str, str], list[Trap]]:
    """The three values in the slots they belong to ("" for one that is missing), and what was wrong with them."""
    slots = {"stage": "", "task": "", "data": ""}
    traps: list[Trap] = []
    swapped = []
    for written_in, written in (("stage", stage), ("task", task), ("data", data)):
        if not written.strip():
            continue
        meaning = _MEANINGS.get(re.sub(r"[^a-z0-9]", "", written.lower()))
        if meaning is None:
            traps.append(Trap(kind=TrapKind.UNKNOWN_VALUE, message=f"{written_in}: {written.strip()}"))
            continue
        slot, value = meaning
        if slot != written_in:
            swapped.append(f"{written_in}: {written.strip()}")
        # The first one stays where two say the same slot: nothing tells which is meant.
        slots[slot] = slots[slot] or value
    if swapped:
        traps.append(Trap(kind=TrapKind.SWAPPED_VALUES, message="; ".join(swapped)))
    return slots, traps


_TEST_FOLDERS = frozenset({"test", "tests", "testing"})
_TEST_FILE = re.compile(r"^(test_.*|.*_tests?|conftest|_?testing|_?test_?utils)\.py$")


def is_test_code(path: str) -> bool:
    """Whether a file belongs to the tests, so that a candidate there would change what judges it."""
    parts = PurePosixPath(path).parts
    if any(part.lower() in _TEST_FOLDERS for part in parts[:-1]):
        return True
    return bool(parts) and _TEST_FILE.match(parts[-1].lower()) is not None


_BLOB = re.compile(r"^https?://[^/]+/[^/]+/[^/]+/(?:blob|tree|raw)/[^/]+/")
_LINE = re.compile(r"#L(\d+).*$")


def target_path(written: str) -> tuple[str, int]:
    """The path in the repository and the line (0 for none) of a ground truth: a path or a link, with `#Lnnn` or not."""
    text = written.strip().strip("\"'`").replace("\\", "/")
    line = 0
    if found := _LINE.search(text):
        line = int(found.group(1))
        text = text[: found.start()]
    text = _BLOB.sub("", text)
    return text.removeprefix("./").strip("/"), line


def target_name(class_name: str, function: str) -> tuple[str, str]:
    """Class and function of what is written as `def name(x):`, `Class.name`, `name()`, or `None` for no class."""
    function = re.sub(r"^\s*(async\s+)?def\s+", "", function.strip().strip("\"'`"))
    function = re.split(r"[(:\s]", function, maxsplit=1)[0]
    class_name = re.sub(r"^\s*class\s+", "", class_name.strip().strip("\"'`"))
    class_name = re.split(r"[(:\s]", class_name, maxsplit=1)[0]
    if class_name.lower() in ("none", "nan", "null", "n/a", "-"):
        class_name = ""
    if "." in function and not class_name:
        class_name, _, function = function.rpartition(".")
    return class_name, function


def repository_name(written: str) -> str:
    """The repository's name of an address, `owner/name` or a name."""
    text = written.strip().strip("\"'`").rstrip("/").removesuffix(".git")
    name = text.rsplit("/", 1)[-1].lower()
    return "" if name in ("none", "nan", "null") else name


_ONE_COLON = re.compile(r"(?<=\w):(?=\w)")


def pytest_nodes(written: object) -> tuple[tuple[str, ...], list[Trap]]:
    """Pytest nodes of a list, its text, or lines and commas; without doubles, in order."""
    nodes: list[str] = []
    traps: list[Trap] = []
    for text in _node_texts(written):
        node = re.sub(r"^(python\s+-m\s+)?(pytest|py\.test)\s+", "", text.strip().strip("\"'`")).strip()
        node = node.replace("\\", "/").removeprefix("./")
        if not node or node.lower() in ("none", "nan", "null"):
            continue
        plain, bracket, parameters = node.partition("[")
        mended = _ONE_COLON.sub("::", plain)
        if mended != plain:
            traps.append(Trap(kind=TrapKind.ONE_COLON, message=node))
            node = mended + bracket + parameters
        if not node.partition("::")[0].endswith(".py"):
            traps.append(Trap(kind=TrapKind.DIRECTORY, message=node))
        if node not in nodes:
            nodes.append(node)
    if not nodes:
        traps.append(Trap(kind=TrapKind.NO_TEST, message="no pytest node is given"))
    return tuple(nodes), traps


def _node_texts(written: object) -> list[str]:
    if written is None:
        return []
    if isinstance(written, Sequence) and not isinstance(written, str):
        return [text for item in written for text in _node_texts(item)]
    text = str(written).strip()
    if text.startswith(("[", "(")):
        try:
            listed = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            listed = None
        if isinstance(listed, list | tuple):
            return [item for one in listed for item in _node_texts(one)]
    return _outside_brackets(text)


def _outside_brackets(text: str) -> list[str]:
    """The text cut at line breaks, commas, semicolons and blanks, but not within the brackets of a parameter."""
    pieces, depth, current = [], 0, ""
    for character in text:
        depth += (character == "[") - (character == "]" and depth > 0)
        if character == "\n" or (depth == 0 and (character in ",;" or character.isspace())):
            pieces.append(current)
            current, depth = "", 0
        else:
            current += character
    pieces.append(current)
    words = [piece for piece in (piece.strip() for piece in pieces) if piece]
    return [word for word in words if word not in ("pytest", "py.test", "python", "-m", "-v", "-q")]
