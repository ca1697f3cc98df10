"""What one kind of model alone has: a target network, an exploration rate, the tokens of a question or of a summary."""

from __future__ import annotations

from pipeline.request.reading.phrases.phrase import NUMBER, Match, Phrase, first_number, phrase
from pipeline.request.terms.tokens import written

_AT_MOST = (
    r"(?: (?:of|to|at most|up to|max(?:imum)?\.?|limited to|cut (?:at|to)|padded to|have|with|are|is|no longer than))*"
)
_UNITS = r"(?:tokens|words|wordpieces|subwords)"
_WATCHES = (
    r"(?:monitor|watch|track|early[ -]?stop|saved? (?:the )?best|saves (?:the )?best|patience|plateau|"
    r"(?:save|keep|store)\w* the (?:\w+ )?(?:model|network|net|weights|checkpoint) (?:with|of|at) "
    r"the (?:best|lowest|highest))\w{0,4}"
)
_WATCHED = r"(?:\w+_)?(?:loss|acc\w*|auc|f1|iou|dice|mae|mse|recall|precision|rmse|psnr|score)"


def _two(match: Match) -> str | None:
    if len(match.numbers) != 2:
        return None
    first, last = match.numbers
    return f"{written(first)},{written(last)}"


def _validated(match: Match) -> str | None:
    """What is watched under the name that libraries give it: "validation loss" is `val_loss`."""
    return match.words["thing"].replace("validation ", "val_").replace(" ", "_")


def _length_of(noun: str, nouns: str, problem: str) -> Phrase:
    """The length of a part of the input or output that has one of its own: "answers max 12 tokens"."""
    patterns = (
        rf"{nouns}(?: length)?{_AT_MOST}[ =:(]*(?P<asked>(?P<numbers>{NUMBER}) ?{_UNITS})",
        rf"{noun}[ _]len(?:gth)?{_AT_MOST}[ =:]*(?P<numbers>{NUMBER})",
    )
    return phrase("size", f"{noun}_length", noun.removesuffix("y"), patterns, first_number, problem)


MODELS = (
    _length_of("question", "questions?", "question_answering"),
    _length_of("answer", "answers?", "question_answering"),
    _length_of("summary", "summar(?:y|ies)", "summarization"),
    phrase(
        "training",
        "target_update",
        "target",
        (rf"target[ -]net\w*[^.;\n]{{0,40}}? (?P<asked>every (?P<numbers>{NUMBER})) ",),
        first_number,
    ),
    phrase(
        "training",
        "epsilon",
        "epsilon ε",
        (r"(?:epsilon|ε)[^.;\n]{0,25}?(?P<numbers>\d(?:\.\d+)? ?(?:to|->|→|down to|-) ?0?\.\d+)",),
        _two,
    ),
    phrase(
        "training",
        "monitor",
        "val_ validation",
        (rf"{_WATCHES}(?: [\w-]{{1,12}}){{0,4}}? (?P<thing>(?:val_|validation ){_WATCHED})\b",),
        _validated,
    ),
    phrase(
        "architecture",
        "patch_size",
        "patch",
        (r"(?P<numbers>\d{1,3}) ?(?:x|×|by) ?\d{1,3}[ -](?:pixel |px )?patch(?:es)?\b",),
        first_number,
        "vision_transformer transformer",
    ),
)
