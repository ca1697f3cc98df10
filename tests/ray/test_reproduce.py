"""The reproduction on a small checkout: the values of a plain loop, every file written, damage named."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from jobs.reproduce import main
from jobs.scoring.reproduction.results import Reproduction
from jobs.scoring.reproduction.tables import report_tables
from pipeline.errors import DLCodeGenError
from pipeline.measures.codebleu.codebleu import code_bleu, corpus_code_bleu
from pipeline.measures.codebleu.length_control import length_ratio
from pipeline.measures.codebleu.paper_text import PROTOCOLS

pytestmark = pytest.mark.ray

DASHES = "-" * 37
REFERENCES = [
    f"import numpy as np\n\n\ndef {name}(x):\n    # {name}\n    total = np.{call}(x)\n    return total * {number}\n"
    for number, (name, call) in enumerate([("add", "sum"), ("middle", "mean"), ("most", "max"), ("least", "min")])
]
OURS = [code.replace("total", "result") for code in REFERENCES]
DIRECT = [f"```python\nprint({number})\n```" for number in range(len(REFERENCES))]


def known_plan(number: int) -> dict[str, Any]:
    return {
        "User Requirement": f"Task number {number} about arrays",
        "Dataset Attributes": "arrays",
        "Code Plan": {
            "Task Category": "Tabular Regression",
            "Dataset": {"Input": "rows of numbers in an array", "Output": "one number for each array"},
            "Preprocess": "none",
            "Model Architecture": {
                "Layers": [f"Dense({number + 1})"],
                "Hyperparameters": {"optimizer": "Adam", "learning rate": 0.01, "batch size": 8, "epochs": 5},
            },
        },
    }


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("artifact")
    plans = [known_plan(number) for number in range(len(REFERENCES))]
    lines = [json.dumps(plan) for plan in plans]
    tasks = [json.dumps({key: plan[key] for key in ("User Requirement", "Dataset Attributes")}) for plan in plans]
    write(root / "Datasets/DLCodeEval/Test.txt", "\n".join(tasks))
    write(root / "Datasets/DLCodeEval/Test_Code.txt", f"\n{DASHES}\n".join(REFERENCES))
    write(root / "Datasets/DLSamplePool/Samples.txt", f"\n{DASHES}\n".join([*REFERENCES[1:], REFERENCES[0]]))
    write(root / "Datasets/DLPlanData/Train.txt", "\n".join(lines))
    write(root / "Datasets/DLPlanData/Test.txt", "\n".join(lines))
    folder = root / "Results/RQ1/DeepSeek-V2.5"
    write(folder / "deepseekcoder_DLCodeGen.txt", f"\n{DASHES}\n".join(OURS))
    write(folder / "deepseekcoder_Direct.txt", f"\n{DASHES}\n".join(DIRECT))
    write(folder / "deepseekcoder_PS.txt", f"\n{DASHES}\n".join(DIRECT[:2]))
    write(root / "Results/RQ5/deepseekcoder_1.5.txt", f"\n{DASHES}\n".join(OURS))
    predictions = root / "Results/RQ3/results"
    write(predictions / "GPT-2-Large_Beam.txt", "\n".join([*lines[:3], lines[3][:-30]]))
    write(predictions / "GPT-2-Large_Greedy.txt", lines[0])
    return root


@pytest.fixture(scope="module")
def found(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Reproduction:
    return main(str(checkout), str(tmp_path_factory.mktemp("out")), seeds=2, quiet=True)


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_values_are_those_of_a_plain_loop(found: Reproduction, protocol: str) -> None:
    ready = PROTOCOLS[protocol]
    pairs = [(ready(ours), ready(reference)) for ours, reference in zip(OURS, REFERENCES, strict=True)]
    corpus = corpus_code_bleu(pairs)
    rows = [row for row in found.code.rows if (row.method, row.protocol, row.subset) == ("DLCodeGen", protocol, "all")]
    assert corpus is not None
    assert [(row.codebleu, row.dataflow_match, row.length_ratio, row.measured) for row in rows] == [
        (100 * corpus.codebleu, 100 * corpus.dataflow_match, length_ratio(pairs), 4)
    ]
    items = [item.codebleu for item in found.code.items if (item.method, item.protocol) == ("DLCodeGen", protocol)]
    alone = [code_bleu(*pair) for pair in pairs]
    assert items == [100 * value.codebleu for value in alone if value is not None]


def test_published_values_stand_beside_ours(found: Reproduction) -> None:
    values = {(value.table, value.method, value.column): value for value in found.values}
    ours = values["Table II", "DLCodeGen", "codebleu"]
    assert ours.published == 27.52
    assert ours.difference == pytest.approx(ours.reproduced - 27.52)
    assert values["Fig. 5", "temperature 1.5", "codebleu"].published == 27.96


def test_what_is_absent_or_damaged_is_named(found: Reproduction) -> None:
    absent = "\n".join(found.absent)
    assert "Table II, GPT-4o-mini, Direct: no Results/RQ1/GPT-4o-mini/*_Direct.txt" in absent
    assert "deepseekcoder_PS.txt: 2 outputs for 4 references" in absent
    assert "GPT-2-Large_Greedy.txt: 1 predictions for 4 rows" in absent
    assert "Fig. 5" not in absent


def test_baselines_and_comparisons(found: Reproduction) -> None:
    paper = {row.method: row for row in found.code.rows if (row.protocol, row.subset) == ("paper", "all")}
    best = paper["best sample, in hindsight"].codebleu
    assert best >= max(
        paper[name].codebleu for name in ("copy of the neighbour", "one file for every task, in hindsight")
    )
    assert paper["random sample of the category"].standard_error is not None
    assert paper["copy of the neighbour, cut to the length of DLCodeGen with DeepSeek-V2.5"].length_ratio <= 1
    compared = {
        row.method: row
        for row in found.code.comparisons
        if (row.measure, row.protocol, row.subset) == ("CodeBLEU", "paper", "all")
    }
    assert compared["Direct"].difference < 0
    assert compared["Direct"].low <= compared["Direct"].difference <= compared["Direct"].high
    assert compared["temperature 1.5"].verdict == "within noise"


def test_plans(found: Reproduction) -> None:
    rows = {(row.planner, row.column): row for row in found.plans.rows}
    assert rows["GPT-2-Large_Beam", "task_category"].reproduced == 100
    assert rows["GPT-2-Large_Beam", "validity_strict"].reproduced == 75
    assert rows["GPT-2-Large_Beam", "validity_lenient"].reproduced == 100
    assert rows["GPT-2-Large_Beam", "layers_distance"].published == 28.39
    assert rows["no plan at all", "optimizer"].reproduced == 0


def test_everything_is_written(found: Reproduction) -> None:
    manifest = json.loads(Path(found.out, "manifest.json").read_text())
    for name, count in manifest["rows"].items():
        assert pq.read_table(Path(found.out, f"{name}.parquet")).num_rows == count
        assert pacsv.read_csv(Path(found.out, f"{name}.csv")).num_rows == count
    assert manifest["rows"]["reproduced"] == len(found.values) == 11
    assert manifest["absent"] == list(found.absent)
    assert len(manifest["sha256"]) == 9


def test_the_report_prints(found: Reproduction) -> None:
    console = Console(width=240, record=True, file=io.StringIO())
    for table in report_tables(found):
        console.print(table)
    text = console.export_text()
    assert "mean absolute difference" in text
    assert "best sample, in hindsight" in text


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="no checkout"):
        main(str(tmp_path), str(tmp_path / "out"))
