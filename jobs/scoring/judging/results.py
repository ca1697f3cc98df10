"""What judging runs comes to, and the folder it is written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jobs.runs.result_files import write_tables
from jobs.runs.versions import versions_of
from jobs.scoring.run_outputs import Run
from jobs.scoring.settings import JudgeConfig
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.judge_rows import (
    JudgedRow,
    Judgement,
    Preference,
    PreferenceRow,
    judged_comparisons,
    judged_rows,
    preference_rows,
)
from pipeline.measures.judge import ASPECTS, model_family, own_family
from pipeline.measures.outputs import MethodName
from pipeline.storage.files import write_manifest


@dataclass(frozen=True, kw_only=True, slots=True)
class Judging:
    """Judged runs, as they were written to `out`."""

    judge: str
    rows: tuple[JudgedRow, ...]
    comparisons: tuple[Comparison, ...]
    preferences: tuple[PreferenceRow, ...]
    failures: int
    """Answers that could not be had or read."""
    warnings: tuple[str, ...]
    """What a reader has to know about the judge."""
    judgements: tuple[Judgement, ...]
    """The single answers about projects."""
    answers: tuple[Preference, ...]
    """The single answers about pairs."""
    contaminated: Mapping[str, str]
    """The contaminated items, with what they are contaminated by."""
    out: str

    @property
    def why_nothing(self) -> str:
        """Why the first question has no answer, where none has one; else ""."""
        failures = [row.failure for row in self.judgements if not row.unasked]
        failures += [row.failure for row in self.answers]
        return failures[0] if failures and all(failures) else ""


def judging_of(
    judge: str,
    runs: Sequence[Run],
    ours: MethodName,
    judgements: Sequence[Judgement],
    answers: Sequence[Preference],
    contaminated: Mapping[str, str],
    out: str,
) -> Judging:
    """The tables of a judge's answers about `runs`, which are compared with `ours`."""
    failed_judgements = [row for row in judgements if row.failure]
    failed_answers = [row for row in answers if row.failure]
    return Judging(
        judge=judge,
        rows=tuple(judged_rows(judgements, contaminated)),
        comparisons=tuple(judged_comparisons(judgements, ours, contaminated)),
        preferences=tuple(preference_rows(answers, contaminated)),
        failures=len(failed_judgements) + len(failed_answers),
        warnings=tuple(judge_warnings(judge, runs)),
        judgements=tuple(judgements),
        answers=tuple(answers),
        contaminated=contaminated,
        out=out,
    )


def judge_warnings(judge: str, runs: Sequence[Run]) -> Iterator[str]:
    """Whether a judge is of the family of a model that it judges, as far as names say: one statement at most."""
    own = [run.name.method for run in runs if own_family(judge, run.name.model)]
    if own:
        family = model_family(judge) or judge
        yield f"{judge} judges its own family ({family}) in {', '.join(own)}: models favour what their family writes"
        return
    names = dict.fromkeys([judge, *(run.name.model for run in runs if run.name.model)])
    unknown = [name for name in names if not model_family(name)]
    if unknown:
        yield f"whether {judge} judges its own family was not checked: no family is known for {', '.join(unknown)}"


def write_judging(judging: Judging, config: JudgeConfig) -> None:
    """Writes the tables and the manifest."""
    write_tables(
        judging.out,
        {
            "judged": (judging.rows, JudgedRow),
            "judged_comparisons": (judging.comparisons, Comparison),
            "preferred": (judging.preferences, PreferenceRow),
            "judgements": (judging.judgements, Judgement),
            "preferences": (judging.answers, Preference),
        },
    )
    manifest = {
        "judge": judging.judge,
        "family": model_family(judging.judge),
        "warnings": list(judging.warnings),
        "aspects": list(ASPECTS),
        "settings": config.model_dump(mode="json", exclude={"llm": {"api_key_env"}}),
        "versions": versions_of(("dlcodegen-ray", "numpy")),
        "asked": sum(not row.unasked for row in judging.judgements) + len(judging.answers),
        "failed": judging.failures,
        "contaminated": dict(judging.contaminated),
    }
    write_manifest(judging.out, manifest)
