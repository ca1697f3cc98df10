"""What the figures of a scoring say in words, so that nobody has to find it in a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.comparison.code_rows import ALL, BASELINES, CodeRow
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.method_rows import MethodRow
from pipeline.comparison.verdict import WITHIN_NOISE
from pipeline.measures.outputs import MethodName


def findings(methods: Sequence[MethodRow], rows: Sequence[CodeRow], compared: Sequence[Comparison]) -> Iterator[str]:
    """A sentence each on copying, on length, on the comparisons, on leaks, on what
    could not be measured."""
    methods = [row for row in methods if row.subset == ALL]
    for protocol in ("paper", "raw"):
        of_methods = []
        baselines = []
        for row in rows:
            if row.protocol != protocol or row.subset != ALL:
                continue
            if row.table == BASELINES:
                baselines.append(row)
            else:
                of_methods.append(row)
        if of_methods and baselines:
            best = max(of_methods, key=lambda row: row.codebleu)
            yield from _against_baselines(protocol, best, baselines)
    yield from _noise(compared)
    yield from _leaks(methods)
    failed = sum(row.machinery_failures for row in methods)
    if failed:
        outputs = sum(row.asked for row in methods)
        yield (
            f"{failed} of {outputs} outputs could not be made or measured for reasons that "
            "are not the method's; they are in no average."
        )


def _against_baselines(protocol: str, best: CodeRow, baselines: Sequence[CodeRow]) -> Iterator[str]:
    """Whether the best method is better than handing over a known file as it is."""
    # A baseline that was shortened to a method's length says so in its name.
    whole = [row for row in baselines if "cut to" not in row.method]
    higher = [row for row in whole if row.codebleu > best.codebleu]
    higher.sort(key=lambda row: -row.codebleu)
    name = MethodName.of(best).label
    if higher:
        listed = "; ".join(f"{row.method} {row.codebleu:.2f}" for row in higher)
        yield (
            f"Protocol {protocol}: the highest CodeBLEU of a method is {best.codebleu:.2f} ({name}). "
            f"Without a model, by handing over a known file as it is, {len(higher)} of {len(whole)} "
            f"baselines reach more: {listed}."
        )
        yield _length(best, name, higher)
    else:
        yield (
            f"Protocol {protocol}: {name} has a CodeBLEU of {best.codebleu:.2f}, more than all "
            f"{len(whole)} baselines, the choices in hindsight included."
        )


def _length(best: CodeRow, name: str, higher: Sequence[CodeRow]) -> str:
    """Whether the baselines that are higher than the best method still are so at equal length."""
    length_ratios = [row.length_ratio for row in higher]
    spread = f"{min(length_ratios):.2f}"
    if len(higher) > 1:
        spread += f" to {max(length_ratios):.2f}"
    still_higher = 0
    for row in higher:
        still_higher += row.equal_length_codebleu > best.equal_length_codebleu
    if len(higher) == 1 and still_higher:
        outcome = "it has more"
    elif len(higher) == 1:
        outcome = "it has less"
    elif still_higher == 1:
        outcome = "1 of them has more"
    else:
        outcome = f"{still_higher or 'none'} of them have more"
    cause = "That is not length alone"
    if 2 * still_higher < len(higher):
        cause = "Mostly that is length"
    return (
        f"{cause}: {name} writes {best.length_ratio:.2f} of the reference's words, the copied files "
        f"{spread}. With candidate and reference cut to one length, {name} has "
        f"{best.equal_length_codebleu:.2f}, and {outcome}."
    )


def _noise(compared: Sequence[Comparison]) -> Iterator[str]:
    """For each method that others were compared with: how many differ from it by chance alone."""
    groups: dict[str, list[Comparison]] = {}
    for row in compared:
        by_codebleu = (row.measure, row.protocol, row.subset) == ("CodeBLEU", "raw", ALL)
        if by_codebleu and row.table != BASELINES:
            groups.setdefault(row.against, []).append(row)
    for against, group in groups.items():
        within_noise = [row.method for row in group if row.verdict == WITHIN_NOISE]
        listed = ""
        if within_noise:
            listed = f": {', '.join(within_noise)}"
        yield (
            f"Of {len(group)} methods compared with {against} by CodeBLEU of the raw text, "
            f"{len(within_noise)} differ by no more than noise{listed}."
        )


def _leaks(methods: Sequence[MethodRow]) -> Iterator[str]:
    of_methods = [row for row in methods if row.table != BASELINES]
    touched = max((row.contaminated for row in of_methods), default=0)
    if touched:
        items = max(row.asked for row in of_methods)
        rest = "tables without them stand below"
        if touched == items:
            rest = "so there is no clean subset to look at"
        yield (
            f"{touched} of {items} items are contaminated: their reference is in the sample pool, "
            f"or their requirement among the known plans; {rest}."
        )
    duplicates = sum(row.duplicates for row in of_methods)
    if duplicates:
        yield f"{duplicates} outputs are duplicates of a sample that their generator was shown."
