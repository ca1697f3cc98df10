"""What the figures of a scoring say in words, so that nobody has to find it in a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.comparison.code_rows import ALL, BASELINES, CodeRow, MethodRow
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.verdict import WITHIN_NOISE
from pipeline.measures.outputs import MethodName


def findings(methods: Sequence[MethodRow], rows: Sequence[CodeRow], compared: Sequence[Comparison]) -> Iterator[str]:
    """A sentence each on copying, on length, on the comparisons, on leaks, on what could not be measured."""
    methods = [row for row in methods if row.subset == ALL]
    for protocol in ("paper", "raw"):
        of_protocol = [row for row in rows if (row.protocol, row.subset) == (protocol, ALL)]
        of_methods = [row for row in of_protocol if row.table != BASELINES]
        baselines = [row for row in of_protocol if row.table == BASELINES]
        if of_methods and baselines:
            best = max(of_methods, key=lambda row: row.codebleu)
            yield from _against_baselines(protocol, best, baselines)
    yield from _noise(compared)
    yield from _leaks(methods)
    failed = sum(row.machinery_failures for row in methods)
    if failed:
        yield (
            f"{failed} of {sum(row.asked for row in methods)} outputs could not be made or measured for reasons that "
            "are not the method's; they are in no average."
        )


def _against_baselines(protocol: str, best: CodeRow, baselines: Sequence[CodeRow]) -> Iterator[str]:
    """Whether the best method is better than handing over a known file as it is."""
    whole = [row for row in baselines if "cut to" not in row.method]
    higher = [row for row in whole if row.codebleu > best.codebleu]
    higher.sort(key=lambda row: -row.codebleu)
    name = MethodName.of(best).label
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
    """Whether the baselines that are higher than the best method still are so at equal length."""
    shortest = min(row.length_ratio for row in higher)
    longest = max(row.length_ratio for row in higher)
    still_higher = sum(row.equal_length_codebleu > best.equal_length_codebleu for row in higher)
    if len(higher) == 1:
        spread = f"{shortest:.2f}"
        outcome = "it has more" if still_higher else "it has less"
    else:
        spread = f"{shortest:.2f} to {longest:.2f}"
        outcome = f"{still_higher or 'none'} of them {'has' if still_higher == 1 else 'have'} more"
    cause = "Mostly that is length" if 2 * still_higher < len(higher) else "That is not length alone"
    return (
        f"{cause}: {name} writes {best.length_ratio:.2f} of the reference's words, the copied files {spread}. With "
        f"candidate and reference cut to one length, {name} has {best.equal_length_codebleu:.2f}, and {outcome}."
    )


def _noise(compared: Sequence[Comparison]) -> Iterator[str]:
    by_codebleu = [row for row in compared if (row.measure, row.protocol, row.subset) == ("CodeBLEU", "raw", ALL)]
    of_methods = [row for row in by_codebleu if row.table != BASELINES]
    for against in dict.fromkeys(row.against for row in of_methods):
        group = [row for row in of_methods if row.against == against]
        within_noise = [row.method for row in group if row.verdict == WITHIN_NOISE]
        listed = f": {', '.join(within_noise)}" if within_noise else ""
        yield (
            f"Of {len(group)} methods compared with {against} by CodeBLEU of the raw text, {len(within_noise)} differ "
            f"by no more than noise{listed}."
        )


def _leaks(methods: Sequence[MethodRow]) -> Iterator[str]:
    of_methods = [row for row in methods if row.table != BASELINES]
    touched = max((row.contaminated for row in of_methods), default=0)
    if touched:
        items = max(row.asked for row in of_methods)
        rest = "so there is no clean subset to look at" if touched == items else "tables without them stand below"
        yield (
            f"{touched} of {items} items are contaminated: their reference is in the sample pool, or their requirement "
            f"among the known plans; {rest}."
        )
    duplicates = sum(row.duplicates for row in of_methods)
    if duplicates:
        yield f"{duplicates} outputs are duplicates of a sample that their generator was shown."
