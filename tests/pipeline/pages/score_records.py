"""Measured outputs of two methods and a baseline, as a scoring has them."""

from __future__ import annotations

from dataclasses import replace

from pipeline.comparison.code_rows import BASELINES, code_rows
from pipeline.comparison.comparisons import comparisons
from pipeline.comparison.method_rows import method_rows
from pipeline.measures.output_measures import measure_all
from pipeline.measures.outputs import Measured, MethodName, Output, Shown
from pipeline.pages.findings import findings
from pipeline.pages.score_items import Answer, ScoreItem
from pipeline.pages.score_report import PlainTable, PublishedRow, PublishedTable, ScorePage

FIRST, SECOND, COPY = (
    MethodName("Runs", "", "first"),
    MethodName("Runs", "a model", "second"),
    MethodName(BASELINES, "", "copy"),
)
REFERENCES = [
    "import keras\n\nmodel = keras.Sequential()\n"
    f"for size in ({number}, {number + 1}):\n    model.add(keras.layers.Dense(size))\n"
    for number in range(3)
]


def outputs(change: str) -> list[Output]:
    return [
        Output(
            item=f"item-{number}",
            requirement=f"Task {number} with </script> and <b>tags</b>",
            category="Tabular Regression",
            code=code.replace("size", change),
            reference=code,
            shown=(Shown(id="s1", code=REFERENCES[0]),),
        )
        for number, code in enumerate(REFERENCES)
    ]


def measured() -> dict[MethodName, list[Measured]]:
    short = [replace(output, code=output.code[:60]) for output in outputs("width")]
    short[2] = replace(short[2], code="")
    return {
        FIRST: measure_all(short),
        SECOND: measure_all(outputs("units")),
        COPY: measure_all([replace(output, code=REFERENCES[0] * 2, shown=()) for output in outputs("size")]),
    }


def score_page() -> ScorePage:
    scored = measured()
    methods, rows = list(method_rows(scored)), list(code_rows(scored))
    compared = list(comparisons(scored, FIRST, [SECOND, COPY]))
    first, second = outputs("width"), outputs("units")
    return ScorePage(
        title="Scores of two",
        lede="Three items.",
        findings=tuple(findings(methods, rows, compared)),
        methods=methods,
        rows=rows,
        comparisons=compared,
        items=[
            ScoreItem(
                number=number,
                id=one.item,
                requirement=one.requirement,
                category=one.category,
                reference=one.reference or "",
                shown=one.shown,
                answers=[
                    Answer(method="first", measured=scored[FIRST][number], code=one.code, drafts={"Draft 1": one.code}),
                    Answer(method="second (a model)", measured=scored[SECOND][number], code=other.code),
                ],
            )
            for number, (one, other) in enumerate(zip(first, second, strict=True))
        ],
        asked=3,
        published=[
            PublishedTable(
                title="Table II",
                columns=["n-gram", "CodeBLEU"],
                rows=[
                    PublishedRow(method="first", values={"n-gram": (4.0, 4.5), "CodeBLEU": (20.0, 19.0)}),
                    PublishedRow(method="second", values={"CodeBLEU": (None, 21.0)}),
                ],
            )
        ],
        tables=[PlainTable(title="Plans", about="Of plans.", heads=["column", "planner"], rows=[["loss", "1 | 2"]])],
        absent=["Fig. 5: no file"],
    )
