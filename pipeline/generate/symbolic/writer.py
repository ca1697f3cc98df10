"""Template, drafts and comparison without a language model: the embedded default behind the same records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from pipeline.errors import StageFailure
from pipeline.generate.parts.adding import with_parts
from pipeline.generate.project import script_files
from pipeline.generate.symbolic.adapt import adapt
from pipeline.generate.symbolic.architecture import with_aligned_sizes, with_plan_layers
from pipeline.generate.symbolic.compare import compare
from pipeline.generate.symbolic.constants import with_data
from pipeline.generate.symbolic.notebook import Notebook, read_notebook
from pipeline.generate.symbolic.target import Target, for_other_task, for_own_data, target_of
from pipeline.generate.symbolic.template import CodeTemplate, anti_unify
from pipeline.generate.symbolic.torch.adapting import is_torch
from pipeline.own_data.constants import facts_of
from pipeline.plan.frameworks import KERAS, PYTORCH
from pipeline.records import Drafted, Retrieved, Templated
from pipeline.retrieval.sample_pool import Sample


class SymbolicWriter:
    """Writes from a sample pool. Samples and templates are parsed once and kept."""

    def __init__(self, samples: Sequence[Sample], *, own_data: Callable[[], Sequence[Sample]] = tuple) -> None:
        """`own_data` gives the samples for rows with data of their own, once there is such a row."""
        self._code = {sample.id: sample.code for sample in samples}
        self._own_data = cache(lambda: {sample.id: sample for sample in own_data()})
        self._notebook = lru_cache(maxsize=1024)(self._read)
        self._template = lru_cache(maxsize=4096)(self._abstract)
        self._last_drafts: dict[str, Notebook] = {}  # by their text; they need no parsing to be compared

    def template(self, record: Retrieved) -> dict[str, object]:
        """Template RAG: what the two most similar samples share. The plan's framework becomes that of the samples."""
        fields: dict[str, object] = {"template": self._template_of(record).text()}
        if record.plan is not None:
            framework = PYTORCH if is_torch(self._notebook(record.samples[0].id)) else KERAS
            fields["plan"] = record.plan.model_copy(update={"framework": framework})
        return fields

    def drafts(self, record: Templated) -> dict[str, object]:
        """Draft 1, the nearest sample adapted to the plan; draft 2, the template filled from the plan."""
        target = _target(record)
        code = with_aligned_sizes(self._adapted(self._notebook(record.samples[0].id), target, record), target)
        shared = self._template_of(record)
        filled = self._adapted(shared.fill(target.title, _values_for(shared, target)), target, record)
        template = with_plan_layers(filled, target) or filled
        # Comparing reads drafts from memory or from their text: settled, the two are the same.
        code, template = code.settled(), template.settled()
        code_text, template_text = code.text(), template.text()
        self._last_drafts = {code_text: code, template_text: template}
        return {"code_draft": code_text, "template_draft": template_text}

    def compare(self, record: Drafted) -> dict[str, object]:
        """The final project, merged from the better sections of both drafts, with the parts that are asked for."""
        code, template = self._draft(record.code_draft), self._draft(record.template_draft)
        final, choices = compare(code, template, _target(record))
        script = with_parts(final.text(), record.constraints)
        return {"files": script_files(script), "choices": choices}

    def _adapted(self, notebook: Notebook, target: Target, record: Retrieved) -> Notebook:
        """The notebook with the plan's values, and with what its sample declares to hold facts of the row's data."""
        notebook = adapt(notebook, target)
        if record.data is None:
            return notebook
        sample = self._own_data()[record.samples[0].id]
        return with_data(notebook, sample.constants, facts_of(record.data, record.data_folder))

    def _draft(self, text: str) -> Notebook:
        return self._last_drafts.get(text) or read_notebook(text)

    def _read(self, sample_id: str) -> Notebook:
        code = self._code.get(sample_id)
        notebook = read_notebook(self._own_data()[sample_id].code if code is None else code)
        if not notebook.statements:
            raise StageFailure("unreadable_sample", f"sample {sample_id} holds no Python that parses")
        return notebook

    def _abstract(self, first_id: str, second_id: str) -> CodeTemplate:
        return anti_unify(self._notebook(first_id), self._notebook(second_id))

    def _template_of(self, record: Retrieved) -> CodeTemplate:
        # A pool of one sample gives one: its template is the sample itself.
        first, second = record.samples[0], record.samples[min(1, len(record.samples) - 1)]
        if record.data is not None:  # data are read one way, the first sample's
            second = first
        return self._template(first.id, second.id)


def _values_for(template: CodeTemplate, target: Target) -> dict[str, str]:
    """What the second sample has where that, unlike the first, names the plan's optimizer, loss or metric."""
    wanted = [name.lower() for name in (target.optimizer, target.loss, target.metric) if name]
    values: dict[str, str] = {}
    for name, (first, second) in template.values.items():
        added = [word for word in wanted if word in second.lower() and word not in first.lower()]
        if added and "\n" not in second:
            values[name] = second
    return values


def _target(record: Retrieved) -> Target:
    if record.plan is None or not record.samples:
        raise StageFailure("no_plan", "the row has no plan or no sample to write from")
    target = target_of(record.plan, record.requirement, record.attributes, record.constraints, record.data)
    if record.data is not None:
        return for_own_data(target, record.samples[0].task_category, record.data)
    if record.samples[0].task_category == target.category:
        return target
    return for_other_task(target)
