"""The readers of foreign text: one line each, a function of the text. What a user, a notebook or a model wrote reaches
the program through these."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from corpus_build.deduplicate.shingles import CODE_WORDS, code_shingles, word_shingles
from corpus_build.drops import Drop
from corpus_build.extract.extraction import extract_static
from corpus_build.read.execution_time import read_time
from corpus_build.read.scan import scan
from corpus_build.read.sources import RawNotebook
from corpus_build.records import Clustered, KaggleFacts
from pipeline.data_description.describe import describe
from pipeline.data_description.tables.text_format import decode, table_of
from pipeline.dlbench.agreement.generated import generated_tests
from pipeline.dlbench.placing.place import place
from pipeline.dlbench.placing.target import find_target
from pipeline.dlbench.reading.own_yaml import read_yaml
from pipeline.dlbench.reading.rows import task_of
from pipeline.dlbench.reading.tables import read_csv as read_dlbench_csv
from pipeline.dlbench.reading.tables import read_json_rows
from pipeline.dlbench.reading.text_files import looks_like_task, read_text
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.execution.exceptions.tracebacks import chain
from pipeline.foreign_text import markdown_cell, markdown_text, masked_url, spreadsheet_cell, visible, without_secrets
from pipeline.generate.not_done import with_list
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
from pipeline.llm.asking.readers import plan_in, program_in
from pipeline.llm.asking.replies import ReplyError, read_program, read_template
from pipeline.llm.asking.splice import splice
from pipeline.llm.decisions import decisions_in
from pipeline.llm.protocol import Sampling
from pipeline.llm.scripted import ScriptedLLM
from pipeline.measures.codebleu.paper_text import paper_text
from pipeline.measures.delivery.check import check_delivery
from pipeline.measures.judge import JudgedTask, judged
from pipeline.measures.output_measures import compare_texts
from pipeline.measures.plan_metrics import plan_part, read_predicted, score_plan
from pipeline.measures.project_scores import read_code
from pipeline.own_data.constraints import constraints_of
from pipeline.own_data.predictions import with_asked_predictions
from pipeline.own_data.target_kinds import with_asked_kinds
from pipeline.pages.report_text import clip, clip_lines, python_lines
from pipeline.plan.category_cues import category_cues
from pipeline.plan.change import PlanCorrection
from pipeline.plan.correcting import corrected
from pipeline.plan.dataset_facts import read_facts
from pipeline.plan.reading import UnreadablePlanError, read_plan
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_category, canonical_loss, canonical_metric, canonical_optimizer
from pipeline.request.data_contract import Column, DataContract, DataInput, DataTarget
from pipeline.request.language import language_of
from pipeline.request.reading.reader import read_constraints
from pipeline.retrieval.firewall import row_shingles
from serving.api.asked import NewProject, new_request
from serving.api.errors import ApiError
from serving.api.forms import Form
from serving.settings import OnlineSettings
from serving.web.edits import edited_plan

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

REFUSALS = (ApiError, DLCodeGenError, StageFailure, Drop, UnreadablePlanError, ReplyError)
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


_REQUEST = "Classify photos of 9 kinds of mushrooms, 80x80, with SGD, dropout 0.3, early stopping and a ROC curve."
_CONSTRAINTS = read_constraints(_REQUEST)
_FUNCTION = "def mean(values):\n    return sum(values) / len(values)\n"


def _delivery(text: str) -> object:
    checked = check_delivery(_CONSTRAINTS, text, requirement=_REQUEST)
    return checked, with_list(_PROGRAM, checked)


def _table(text: str) -> object:
    """What `describe` does with a table's first bytes."""
    shown, encoding = decode(text.encode("utf-8", "replace"), "data.csv")
    return table_of(shown, encoding), table_of(shown, encoding, sure=False)


def _data(name: str) -> Reader:
    def read(text: str) -> object:
        with TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_text(text, "utf-8", "replace")
            return describe(folder)

    return read


def _own_data_words(text: str) -> object:
    """A request beside data of one's own."""
    contract = with_asked_predictions(_CONTRACT, text)
    return with_asked_kinds(contract, (), text), constraints_of(contract, text)


_CONTRACT = DataContract(
    inputs=(
        DataInput(
            name="row", kind="table", path="train.csv", columns=(Column(name="age", role="feature", kind="number"),)
        ),
    ),
    targets=(DataTarget(name="price", kind="number", path="train.csv"),),
)


def _judge(text: str) -> object:
    return asyncio.run(judged(ScriptedLLM(lambda request: text), JudgedTask(requirement=text), text, Sampling(), 0))


def _corrections(text: str) -> object:
    plan = read_plan({"Task Category": "Image Classification", "Model Architecture": {"Layers": ["Dense(1)"]}})
    names = ("layers", "optimizer", "learning_rate", "dataset.input", text[:1000])
    wanted = [PlanCorrection(field=name, was=text, now=text, because=text) for name in names]
    return corrected(plan, wanted)


def _service(text: str) -> object:
    text = text[: OnlineSettings().requirement_characters]  # longer ones are refused
    asked = NewProject(requirement=text, attributes=text, also=text)
    return new_request(asked.requirement or "", asked.attributes)


def _page_edits(text: str) -> object:
    form = Form({name: [text] for name in ("layers", "input", "optimizer", "epochs", "keep")})
    return read_plan(edited_plan(form))


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
        "reply: project": lambda text: program_in(text, cut=False),
        "reply: plan": plan_in,
        "reply: decisions": decisions_in,
        "reply: verdict": _judge,
        "plan: corrections": _corrections,
        "code: delivery": _delivery,
        "code: execution's output": lambda text: (chain(text), chain(f"Traceback (most recent call last):\n{text}")),
        "data: table": _table,
        "data: CSV file": _data("train.csv"),
        "data: JSON file": _data("train.json"),
        "data: text file": _data("notes.txt"),
        "data: words of the request": _own_data_words,
        "dlbench: CSV": lambda text: list(read_dlbench_csv(f"prompt,ground truth\n{text}", "tasks.csv")),
        "dlbench: JSON": lambda text: list(read_json_rows(text, "tasks.json")),
        "dlbench: YAML": lambda text: list(read_yaml(text, "tasks.yaml")),
        "dlbench: text": lambda text: (looks_like_task(text), task_of(read_text(f"prompt: {text}\n", "1.txt"))),
        "dlbench: candidate": lambda text: place(_FUNCTION, find_target(_FUNCTION, "", "mean"), text),
        "dlbench: source": lambda text: find_target(text, "", "mean"),
        "dlbench: tests": lambda text: generated_tests(text, "mean"),
        "serving: request": _service,
        "serving: edited plan": _page_edits,
        "page: Markdown": lambda text: (markdown_text(text), markdown_cell(text), spreadsheet_cell(text)),
        "messages: addresses": lambda text: (without_secrets(text), without_secrets(f"a://{text}"), masked_url(text)),
        "corpus: markdown": _notebook("markdown"),
        "corpus: code": _notebook("code"),
        "corpus: script": _script,
        "corpus: file": _file,
        "corpus: time": read_time,
        "corpus: shingles": lambda text: (code_shingles(text), word_shingles(text, CODE_WORDS)),
    }
)
