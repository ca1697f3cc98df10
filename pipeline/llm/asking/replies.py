"""The program in a model's reply: out of fences, several blocks, several files, or prose around it.

A reply counts as Python if it parses or if most of its lines are statements: a syntax error is the model's, and is
measured (parse rate), while an essay, a refusal or an empty answer is no program at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.analysis.parsing import parsed
from pipeline.foreign_text import storable
from pipeline.llm.asking.code.code_mending import mended
from pipeline.llm.asking.code.fences import MARKDOWN, Block, fenced_blocks
from pipeline.llm.asking.code.held_code import code_in_json
from pipeline.llm.asking.code.program_parts import is_program, one_program
from pipeline.llm.asking.code.unfenced import longest_whole, looks_like_python, unfenced_code
from pipeline.llm.asking.thinking import answer_in
from pipeline.plan.change import Decisions
from pipeline.records import SourceFile

MAX_CHARACTERS = 400_000
"""Of a reply, what is read: no project of one file is longer, and a loop of repetition may be."""

_PYTHON = re.compile(
    r"(?:i?python|py|jupyter|keras|tensorflow|pytorch|torch|tf|code|tool_code|sage)(?:[-_]?\d[\d.]*|con)?"
)
"""Languages of blocks that hold Python."""

_OTHER = frozenset(
    "bash sh shell zsh console terminal cmd powershell ps1 bat dockerfile docker makefile make yaml yml toml ini cfg "
    "csv html css javascript js ts typescript java c cpp c++ cs go rust r julia sql xml latex tex mermaid dot ascii "
    "requirements".split()
)
"""Languages of blocks that do not."""

_JSON = ("json", "ipynb", "jsonc", "json5", "")
_CODE_TAG = re.compile(
    r"^[ \t]*(?:<pre>)?(?:<(?P<tag>code|python)\b[^>\n]{0,80}>|\[(?P<bracket>PYTHON|CODE)\])", re.MULTILINE
)
_CODE_TAG_END = re.compile(r"(?:</(?:code|python)>(?:</pre>)?|\[/(?:PYTHON|CODE)\])[ \t]*$", re.MULTILINE)
_FENCE_LINE = re.compile(r"^[ \t>]{0,12}(?:```|~~~)[^\n`]{0,80}$", re.MULTILINE)
_LANGUAGE_LINE = re.compile(r"\A\s*(?:python|py)\d{0,2}[ \t]*\n", re.IGNORECASE)
"""A language that stands without its fence."""

_REFUSAL = re.compile(
    r"\b(?:i(?:'| a)?m (?:very )?(?:sorry|unable|not able)|sorry,|i (?:can(?:no|')t|am not able to|won't|will not)|"
    r"as an ai\b|i (?:must|have to) decline|cannot (?:help|assist|comply|fulfil))",
    re.IGNORECASE,
)
_CUT_WORD = re.compile(r"\n[^\n]*\w[ \t]*\Z")
"""The last line of a reply that was cut off within a word: what is there of it may be another word."""

_ESCAPE = re.compile(r"\\([nt\"'\\])")
_ESCAPED = {"n": "\n", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_PLACEHOLDER = re.compile(r"<<\s*([A-Za-z_]\w*?)\s*>>")
_HELD_PLACEHOLDER = re.compile(r"placeholder__([A-Za-z_]\w*?)__")
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

    decisions: Decisions = field(default_factory=Decisions)
    """What the reply says beside it."""

    @property
    def text(self) -> str:
        """All of it in one text; several files one after another, each under its name, the main one last."""
        if not self.others:
            return self.code
        return "\n".join(f"# {file.path}\n{file.text}" for file in self.others) + f"\n# main file\n{self.code}"


def read_program(text: str, *, cut: bool = False) -> Program:
    """The program a reply holds; where there is none, with line breaks for what was escaped (`\\n`). Raises ReplyError
    where there is none either.

    Blocks that name different files are files; other blocks are parts of one program, unless one of them defines all
    that the others do. What is not Python (shell commands, printed output) is left out, and so is what only shows how
    the program is used. Of a reply that was `cut` off, what is whole of the program is kept.
    """
    text = clean_text(text)
    if not text.strip():
        raise ReplyError("empty_reply", "the model answered nothing")
    try:
        return _program_in(text, cut)
    except ReplyError:
        if "\\n" not in text:
            raise
        unescaped = _ESCAPE.sub(lambda match: _ESCAPED[match[1]], text)
        try:
            return _program_in(unescaped, cut)
        except ReplyError:
            pass
        raise


def _program_in(text: str, cut: bool) -> Program:
    """The program in the text of a reply. Raises ReplyError."""
    text = _with_fences(text)
    blocks = fenced_blocks(text)
    python = _python_blocks(blocks)
    program = _files(python)
    if program is None:
        program = Program(one_program([block.text for block in python]))
    if not _is_enough(program):
        beside = _beside_blocks(text, blocks)
        if beside:
            program = Program(one_program([beside, *(block.text for block in python)]))
    code = mended(program.code)
    if cut and text.endswith(code):
        code = _CUT_WORD.sub("", code)
    if cut and parsed(code) is None:
        code = longest_whole(code) or code
    program = Program(code.strip("\n") + "\n", program.others)
    if looks_like_python(program.code):
        return program
    if _REFUSAL.search(text[:400]):
        raise ReplyError("refused", f"the model declined: {_beginning(text)}")
    raise ReplyError("not_python", f"the answer is not Python: {_beginning(text)}")


def read_template(text: str, *, cut: bool = False) -> str:
    """The program with placeholders (`<<image_size>>`) that a reply holds. Raises ReplyError where there is none."""
    program = read_program(_PLACEHOLDER.sub(r"placeholder__\1__", text), cut=cut)
    return _HELD_PLACEHOLDER.sub(r"<<\1>>", program.text)


def clean_text(text: str) -> str:
    """What a reply says to its reader (`answer_in`), in plain line breaks and characters that files can hold."""
    text = storable(text[:MAX_CHARACTERS]).replace("\x00", "")
    return answer_in(text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff"))


def _with_fences(text: str) -> str:
    """The text with the tags around its code (`<code>`, `[PYTHON]`) as fences, where it has no fence."""
    if _FENCE_LINE.search(text) or not (_CODE_TAG.search(text) or _CODE_TAG_END.search(text)):
        return text
    if parsed(text) is not None:  # a program that writes HTML
        return text
    text = _CODE_TAG_END.sub("\n```\n", text)
    return _CODE_TAG.sub("```python\n", text)


def _python_blocks(blocks: Sequence[Block]) -> list[Block]:
    """The blocks that are Python, mended, as they say or by their look; where only their look would decide and none
    looks like it, those that do not say what they are."""
    certain: list[Block] = []
    unsaid: list[Block] = []
    for block in blocks:
        held = code_in_json(block.text) if block.language in _JSON or block.text.startswith("{") else ""
        block = replace(block, text=held or mended(block.text))
        if not block.text.strip() or block.language in _OTHER:
            continue
        is_python = held or _PYTHON.fullmatch(block.language)
        if is_python or (block.language not in _JSON[:-1] and _is_code(block)):
            certain.append(block)
        elif not block.language:
            unsaid.append(block)
    within = [inner for block in blocks if block.language in MARKDOWN for inner in fenced_blocks(block.text)]
    if within and not is_program(one_program([block.text for block in certain])):
        return [*_python_blocks(within), *certain]
    return certain or unsaid


def _is_code(block: Block) -> bool:
    """Whether a block that does not say so looks like Python; one that says something else has to be a program."""
    return looks_like_python(block.text) if not block.language else is_program(block.text)


def _is_enough(program: Program) -> bool:
    return bool(program.others) or is_program(program.code)


def _beside_blocks(text: str, blocks: Sequence[Block]) -> str:
    """The code outside of a reply's blocks, as where a fence is missing; "" unless it is a program, or all there is."""
    pieces: list[str] = []
    position = 0
    for block in blocks:
        pieces.append(text[position : block.start])
        position = block.end
    pieces.append(text[position:])
    outside = _LANGUAGE_LINE.sub("", "\n".join(pieces), count=1)
    code = code_in_json(outside) or unfenced_code(outside)
    if is_program(code) or not any(_PYTHON.fullmatch(block.language) for block in blocks):
        return code
    return ""


def _files(blocks: Sequence[Block]) -> Program | None:
    """The program of blocks that name at least two files; blocks of one file are joined, those of none are left out."""
    files: dict[str, list[str]] = {}
    for block in blocks:
        if block.path.endswith(".py"):
            files.setdefault(block.path, []).append(block.text)
    if len(files) < 2:
        return None
    joined = {path: one_program(texts) for path, texts in files.items()}
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


def _beginning(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 120 else line[:117] + "...")
