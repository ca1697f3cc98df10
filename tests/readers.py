"""The readers of foreign text: one line each, a function of the text. What a user, a notebook or a model wrote reaches
the program through these."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from types import MappingProxyType

from corpus_build.deduplicate.shingles import CODE_WORDS, code_shingles, word_shingles
from corpus_build.drops import Drop
from corpus_build.extract.extraction import extract_static
from corpus_build.read.execution_time import read_time
from corpus_build.read.scan import scan
from corpus_build.read.sources import RawNotebook
from corpus_build.records import Clustered, KaggleFacts
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.foreign_text import visible
from pipeline.generate.project import project_files
from pipeline.generate.symbolic.notebook import read_notebook
from pipeline.generate.symbolic.target import target_of
from pipeline.inputs.csv_rows import read_csv
from pipeline.inputs.formats import read_text_lines
from pipeline.inputs.ids import UniqueIds, safe_id
from pipeline.inputs.json_rows import read_json_document, read_json_lines
from pipeline.inputs.rows import RawRow, requirement_of
from pipeline.keras.layers import parse_layers
from pipeline.keras.prose import activation_in
from pipeline.llm.asking.replies import ReplyError, read_program, read_template
from pipeline.llm.asking.splice import splice
from pipeline.measures.codebleu.paper_text import paper_text
from pipeline.measures.output_measures import compare_texts
from pipeline.measures.plan_metrics import plan_part, read_predicted, score_plan
from pipeline.measures.project_scores import read_code
from pipeline.pages.report_text import clip, clip_lines, python_lines
from pipeline.plan.category_cues import category_cues
from pipeline.plan.dataset_facts import read_facts
from pipeline.plan.reading import UnreadablePlanError, read_plan
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_category, canonical_loss, canonical_metric, canonical_optimizer
from pipeline.request.language import language_of
from pipeline.request.reading.reader import read_constraints
from pipeline.retrieval.firewall import row_shingles

_CLUSTERED = Clustered(
    row=0,
    place="notebook",
    id="0",
    reason="",
    kept="notebook",
    cluster="0",
    cluster_size=1,
    first_executed_at=None,
    executed_at=None,
    time_source="",
    code_digest="0",
    kaggle=KaggleFacts(),
)

Reader = Callable[[str], object]

REFUSALS = (DLCodeGenError, StageFailure, Drop, UnreadablePlanError, ReplyError)
"""What a reader says of a text that it does not take. Any other exception is a fault."""

_PROGRAM = "import keras\nmodel = keras.Sequential([keras.layers.Dense(1)])\nmodel.compile('adam', 'mse')\n"


def _bytes(text: str) -> BytesIO:
    return BytesIO(text.encode("utf-8", "replace"))


def _plan(text: str) -> object:
    plan = read_plan(text)
    return target_of(plan, "", ""), score_plan(plan, SolutionPlan())


def _plan_fields(text: str) -> object:
    """A plan that says the text wherever it says anything."""
    settings = ("Optimizer", "Loss Function", "Learning Rate", "Batch Size", "Epochs", "Evaluation Metric")
    plan = read_plan(
        {
            "Task Category": text,
            "Dataset": {"Input": text, "Output": text},
            "Preprocess": text,
            "Model Architecture": {
                "Layers": [text, f"Dense({text}", f"Conv2D filters{text}"],
                "Hyperparameters": dict.fromkeys(settings, text),
            },
        }
    )
    return target_of(plan, "", ""), score_plan(plan, SolutionPlan())


def _csv(text: str) -> object:
    return list(read_csv(_bytes(f"requirement\n{text}"), "in.csv"))


def _row(text: str) -> object:
    requirement = requirement_of(RawRow("row", {"requirement": text, "attributes": text}), 0, UniqueIds())
    return requirement, target_of(SolutionPlan(), requirement.requirement, requirement.attributes)


def _notebook(kind: str) -> Reader:
    def read(text: str) -> object:
        cells = [{"cell_type": kind, "source": text}, {"cell_type": "code", "source": _PROGRAM}]
        return _item(json.dumps({"cells": cells, "metadata": {}}).encode(), ".ipynb")

    return read


def _script(text: str) -> object:
    return _item(text.encode("utf-8", "replace"), ".py")


def _file(text: str) -> object:
    return _item(text.encode("utf-8", "replace"), ".ipynb")


def _item(data: bytes, extension: str) -> object:
    item = RawNotebook(place="notebook", id="0", extension=extension, data=data)
    return scan(item, "tensorflow"), extract_static(item, _CLUSTERED)


def _symbolic(text: str) -> object:
    return read_notebook(text).text()


READERS = MappingProxyType(
    {
        "inputs: csv": _csv,
        "inputs: json": lambda text: list(read_json_document(_bytes(f"[{text}"), "in.json")),
        "inputs: json lines": lambda text: list(read_json_lines(_bytes(text), "in.jsonl")),
        "inputs: text": lambda text: list(read_text_lines(_bytes(text), "in.txt")),
        "inputs: row": _row,
        "inputs: id": lambda text: safe_id(text, 0),
        "plan: json": _plan,
        "plan: fields": _plan_fields,
        "plan: prediction": lambda text: (read_predicted(text), plan_part(text)),
        "plan: facts": read_facts,
        "plan: cues": lambda text: category_cues(text, text),
        "request: constraints": read_constraints,
        "request: language": language_of,
        "plan: vocabulary": lambda text: (
            canonical_category(text),
            canonical_loss(text),
            canonical_metric(text),
            canonical_optimizer(text),
        ),
        "keras: layers": parse_layers,
        "keras: activation": activation_in,
        "reply: program": read_program,
        "reply: template": read_template,
        "reply: splice": lambda text: splice(text[: len(text) // 2], text[len(text) // 2 :]),
        "code: scores": lambda text: read_code(text, SolutionPlan()),
        "code: CodeBLEU": lambda text: compare_texts(text, _PROGRAM),
        "code: paper's text": paper_text,
        "code: symbolic notebook": _symbolic,
        "code: project files": project_files,
        "firewall": lambda text: row_shingles(text, text),
        "page: text": lambda text: (visible(text), clip(text), python_lines(clip_lines(text))),
        "corpus: markdown": _notebook("markdown"),
        "corpus: code": _notebook("code"),
        "corpus: script": _script,
        "corpus: file": _file,
        "corpus: time": read_time,
        "corpus: shingles": lambda text: (code_shingles(text), word_shingles(text, CODE_WORDS)),
    }
)
