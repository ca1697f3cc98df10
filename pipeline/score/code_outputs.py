"""The measures of a file of generated code: all candidates against their references, under one protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.score.codebleu import CodeBleu, code_bleu, corpus_code_bleu, words
from pipeline.score.length_control import cut_to_equal_length, length_ratio


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeScores:
    """`corpus`: over all pairs, as the paper reports it. `items`: each pair on its own, for intervals and tests; None
    for one beyond CodeBLEU's limits, which the corpus leaves out too. `length_ratio`: words of all candidates over
    those of all references; `item_length_ratios` of each pair, None without a word in the reference. `equal_length`:
    the corpus value with candidate and reference cut to one length."""

    corpus: CodeBleu | None
    items: tuple[CodeBleu | None, ...]
    length_ratio: float
    item_length_ratios: tuple[float | None, ...]
    equal_length: CodeBleu | None

    @property
    def measured(self) -> int:
        return sum(item is not None for item in self.items)


def score_outputs(candidates: Sequence[str], references: Sequence[str]) -> CodeScores:
    """The scores of texts that a protocol (`paper_text.PROTOCOLS`) has made ready.

    Raises ValueError where there are not as many candidates as references.
    """
    pairs = list(zip(candidates, references, strict=True))
    return CodeScores(
        corpus=corpus_code_bleu(pairs),
        items=tuple(code_bleu(candidate, reference) for candidate, reference in pairs),
        length_ratio=length_ratio(pairs),
        item_length_ratios=tuple(
            len(words(candidate)) / length if (length := len(words(reference))) else None
            for candidate, reference in pairs
        ),
        equal_length=corpus_code_bleu(cut_to_equal_length(candidate, reference) for candidate, reference in pairs),
    )
