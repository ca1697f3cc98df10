"""The program in a model's reply: out of fences, several blocks, several files, or prose around it.

A reply counts as Python if it parses or if most of its lines are statements: a syntax error is the model's, and is
measured (parse rate), while an essay, a refusal or an empty answer is no program at all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.analysis.parsing import parsed
from pipeline.llm.asking.fences import Block, fenced_blocks
from pipeline.records import SourceFile

MAX_CHARACTERS = 400_000
"""Of a reply, what is read: no project of one file is longer, and a loop of repetition may be."""

_PYTHON = ("", "python", "py", "python3", "ipython", "ipython3", "python2", "pycon", "jupyter", "keras", "tensorflow")
_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_REFUSAL = re.compile(
    r"\b(?:i(?:'| a)?m (?:very )?(?:sorry|unable|not able)|sorry,|i (?:can(?:no|')t|am not able to|won't|will not)|"
    r"as an ai\b|i (?:must|have to) decline|cannot (?:help|assist|comply|fulfil))",
    re.IGNORECASE,
)
_STATEMENT = re.compile(
    r"^\s*(?:import [\w.]+(?: as \w+)?(?:, *[\w.]+(?: as \w+)?)*$|from [\w.]+ import |def \w+\(|async def |"
    r"class \w+[(:]|@\w|"
    r"(?:if|elif|while|for|with|try|except|else|finally)\b.*:\s*(?:#.*)?$|(?:return|raise|assert|del|global|yield)\b|"
    r"(?:pass|break|continue)$|[\w.]+(?:\[[^\]]*\])?(?:, *[\w.]+)* *[-+*/|&]?= *\S|[\w.]+\(.*\)?,?$|#|[)\]}]+[,.)\]}]*|"
    r"[\w.]+\(|['\"].*['\"],?\)*$|\w+ *= *)"
)
_OPENS = re.compile(r"^(?:import |from [\w.]+ import |def |class |@\w|#|\"\"\"|'''|[A-Za-z_]\w* *= *\S|if __name__)")
_MAGIC = re.compile(r"^(?P<indent>\s*)(?=[!%][\w%!]|(?:pip3?|conda) install )")
_PLACEHOLDER = re.compile(r"<<\s*([A-Za-z_]\w*?)\s*>>")
_HELD_PLACEHOLDER = re.compile(r"placeholder__([A-Za-z_]\w*?)__")
_ENDINGS = 50
"""Empty lines at which code without fences may end: each is tried by parsing, from the last one."""

_MOST_PARSED = 1_000_000
"""Characters that are parsed at most to find that end: all endings of a reply of 20,000 characters."""

_MAIN_NAMES = ("project.py", "main.py", "train.py", "run.py", "app.py")


class ReplyError(ValueError):
    """A reply without a program; `kind` is `refused`, `empty_reply` or `not_python`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Program:
    """The program of a reply."""

    code: str
    """The text of its main file."""

    others: tuple[SourceFile, ...] = ()
    """The other files that it came with."""

    @property
    def text(self) -> str:
        """All of it in one text; several files one after another, each under its name, the main one last."""
        if not self.others:
            return self.code
        return "\n".join(f"# {file.path}\n{file.text}" for file in self.others) + f"\n# main file\n{self.code}"


def read_program(text: str) -> Program:
    """The program a reply holds. Raises ReplyError where there is none.

    Blocks that name different files are files; other blocks are parts of one program, unless one of them defines all
    that the others do. What is not Python (shell commands, printed output) is left out.
    """
    text = clean_text(text)
    if not text.strip():
        raise ReplyError("empty_reply", "the model answered nothing")
    blocks = fenced_blocks(text)
    python = _python_blocks(blocks)
    program = _files(python)
    if program is None:
        program = Program(_one_program([block.text for block in python]))
    if not program.code.strip() and not blocks:
        program = Program(without_prose(text))
    program = Program(without_magics(program.code).strip("\n") + "\n", program.others)
    if looks_like_python(program.code):
        return program
    if _REFUSAL.search(text[:400]):
        raise ReplyError("refused", f"the model declined: {_beginning(text)}")
    raise ReplyError("not_python", f"the answer is not Python: {_beginning(text)}")


def read_template(text: str) -> str:
    """The program with placeholders (`<<image_size>>`) that a reply holds. Raises ReplyError where there is none."""
    program = read_program(_PLACEHOLDER.sub(r"placeholder__\1__", text))
    return _HELD_PLACEHOLDER.sub(r"<<\1>>", program.text)


def clean_text(text: str) -> str:
    """A reply's text without its thinking, in plain line breaks and characters that files can hold."""
    text = text[:MAX_CHARACTERS].encode("utf-8", "replace").decode().replace("\x00", "")
    return _THINKING.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def looks_like_python(code: str) -> bool:
    """Whether a text is meant as Python: it parses and does more than name things ("Sure" parses), or two thirds of its
    lines, and at least two, read like statements."""
    tree = parsed(code)
    if tree is not None:
        return any(not _says_nothing(node) for node in tree.body)
    lines = [line for line in code.split("\n") if line.strip()]
    statements = sum(_STATEMENT.match(line) is not None for line in lines)
    return statements >= 2 and 3 * statements >= 2 * len(lines)


def without_prose(text: str) -> str:
    """The code of a reply without fences: from the first line that opens like code to the last after which it parses.
    Where nothing parses, to the end."""
    lines = text.split("\n")
    start = next((number for number, line in enumerate(lines) if _OPENS.match(line)), None)
    if start is None:
        return ""
    lines = lines[start:]
    # Prose after the code is a paragraph of its own: the code ends at an empty line, or with the reply.
    breaks = [number for number in range(len(lines), 0, -1) if number == len(lines) or not lines[number].strip()]
    left = _MOST_PARSED
    for end in breaks[:_ENDINGS]:
        code = "\n".join(lines[:end])
        left -= len(code)
        if left < 0:
            break
        if parsed(without_magics(code)) is not None:
            return code
    return "\n".join(lines)


def without_magics(code: str) -> str:
    """Notebook commands (`!pip install`, `%matplotlib inline`) as comments; a program that parses stays as it is."""
    if parsed(code) is not None:
        return code
    return "\n".join(_MAGIC.sub(r"\g<indent># ", line) for line in code.split("\n"))


def _python_blocks(blocks: Sequence[Block]) -> list[Block]:
    """The blocks that are Python, as they say or by their look; where only their look would decide and none looks like
    it, those that do not say what they are."""
    python = [block for block in blocks if block.language in _PYTHON and block.text.strip()]
    certain = [block for block in python if block.language or looks_like_python(block.text)]
    return certain or python


def _says_nothing(node: ast.stmt) -> bool:
    """A bare name, word in quotes, number or comparison: what a sentence of prose may parse as."""
    return isinstance(node, ast.Expr) and not any(isinstance(inner, ast.Call) for inner in ast.walk(node))


def _files(blocks: Sequence[Block]) -> Program | None:
    """The program of blocks that name at least two files; blocks of one file are joined, those of none are left out."""
    files: dict[str, list[str]] = {}
    for block in blocks:
        if block.path.endswith(".py"):
            files.setdefault(block.path, []).append(block.text)
    if len(files) < 2:
        return None
    joined = {path: _one_program(texts) for path, texts in files.items()}
    main = _main_file(joined)
    others = [SourceFile(path=path, text=text + "\n") for path, text in joined.items() if path != main]
    return Program(joined[main], tuple(others))


def _main_file(files: dict[str, str]) -> str:
    """The file that is run: by its name, else one that says `__main__`, else the last."""
    for name in _MAIN_NAMES:
        for path in files:
            if path.rsplit("/", 1)[-1] == name:
                return path
    for path, text in files.items():
        if "__main__" in text:
            return path
    return list(files)[-1]


def _one_program(texts: Sequence[str]) -> str:
    """Blocks as one program: a block that defines all that the others do is the whole of it, the last such one; else
    they follow one another."""
    if len(texts) < 2:
        return "".join(texts)
    names = [_defined(text) for text in texts]
    everything = set().union(*names)
    for text, defined in reversed(list(zip(texts, names, strict=True))):
        if everything and defined == everything:
            return text
    return "\n\n".join(dict.fromkeys(texts))  # a block that is repeated is one


def _defined(text: str) -> frozenset[str]:
    """The names that a block's top level defines; none where it does not parse."""
    tree = parsed(without_magics(text))
    if tree is None:
        return frozenset()
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(item.asname or item.name).split(".")[0] for item in node.names}
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                names |= _names_in(target)
        elif isinstance(node, ast.AnnAssign):
            names |= _names_in(node.target)
    return frozenset(names)


def _names_in(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _beginning(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 120 else line[:117] + "...")
