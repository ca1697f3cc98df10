"""What the figures of a scoring say in words, so that nobody has to find it in a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.comparison.code_rows import ALL, BASELINES, CodeRow, MethodRow
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.verdict import WITHIN_NOISE


def findings(methods: Sequence[MethodRow], rows: Sequence[CodeRow], compared: Sequence[Comparison]) -> Iterator[str]:
    """A sentence each on copying, on length, on the comparisons, on leaks, on what could not be measured."""
    methods = [row for row in methods if row.subset == ALL]
    for protocol in ("paper", "raw"):
        of_protocol = [row for row in rows if (row.protocol, row.subset) == (protocol, ALL)]
        ours = [row for row in of_protocol if row.table != BASELINES]
        copies = [row for row in of_protocol if row.table == BASELINES]
        if ours and copies:
            yield from _copying(protocol, max(ours, key=lambda row: row.codebleu), copies)
    yield from _noise(compared)
    yield from _leaks(methods)
    failed = sum(row.machinery_failures for row in methods)
    if failed:
        yield (
            f"{failed} of {sum(row.asked for row in methods)} outputs could not be made or measured for reasons that "
            "are not the method's; they are in no average."
        )


def _copying(protocol: str, best: CodeRow, copies: Sequence[CodeRow]) -> Iterator[str]:
    whole = [row for row in copies if "cut to" not in row.method]
    higher = sorted((row for row in whole if row.codebleu > best.codebleu), key=lambda row: -row.codebleu)
    name = f"{best.method} ({best.model})" if best.model else best.method
    if higher:
        listed = "; ".join(f"{row.method} {row.codebleu:.2f}" for row in higher)
        yield (
            f"Protocol {protocol}: the highest CodeBLEU of a method is {best.codebleu:.2f} ({name}). Without a model, "
            f"by handing over a known file as it is, {len(higher)} of {len(whole)} baselines reach more: {listed}."
        )
        yield _length(best, name, higher)
    else:
        yield (
            f"Protocol {protocol}: {name} has a CodeBLEU of {best.codebleu:.2f}, more than all {len(whole)} baselines, "
            "the choices in hindsight included."
        )


def _length(best: CodeRow, name: str, higher: Sequence[CodeRow]) -> str:
    ratios = sorted(row.length_ratio for row in higher)
    spread = f"{ratios[0]:.2f}" if len(ratios) == 1 else f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    still = sum(row.equal_length_codebleu > best.equal_length_codebleu for row in higher)
    of_them = "it has" if len(higher) == 1 else f"{still or 'none'} of them {'has' if still == 1 else 'have'}"
    less = "less" if not still and len(higher) == 1 else "more"
    return (
        f"{'Mostly that is length' if 2 * still < len(higher) else 'That is not length alone'}: {name} writes "
        f"{best.length_ratio:.2f} of the reference's words, the copied files {spread}. With candidate and reference "
        f"cut to one length, {name} has {best.equal_length_codebleu:.2f}, and {of_them} {less}."
    )


def _noise(compared: Sequence[Comparison]) -> Iterator[str]:
    chosen = [
        row
        for row in compared
        if row.subset == ALL and row.measure == "CodeBLEU" and row.protocol == "raw" and row.table != BASELINES
    ]
    for against in dict.fromkeys(row.against for row in chosen):
        group = [row for row in chosen if row.against == against]
        noise = [row.method for row in group if row.verdict == WITHIN_NOISE]
        yield (
            f"Of {len(group)} methods compared with {against} by CodeBLEU of the raw text, {len(noise)} differ by no "
            f"more than noise{': ' + ', '.join(noise) if noise else ''}."
        )


def _leaks(methods: Sequence[MethodRow]) -> Iterator[str]:
    ours = [row for row in methods if row.table != BASELINES]
    touched = max((row.contaminated for row in ours), default=0)
    if touched:
        asked = max(row.asked for row in ours)
        rest = "so there is no clean subset to look at" if touched == asked else "tables without them stand below"
        yield (
            f"{touched} of {asked} items are contaminated: their reference is in the sample pool, or their requirement "
            f"among the known plans; {rest}."
        )
    duplicates = sum(row.duplicates for row in ours)
    if duplicates:
        yield f"{duplicates} outputs are duplicates of a sample that their generator was shown."
