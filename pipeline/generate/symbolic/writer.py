"""Template, drafts and comparison without a language model: the embedded default behind the same records."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pipeline.errors import StageFailure
from pipeline.generate.project import project_files
from pipeline.generate.symbolic.adapt import adapt
from pipeline.generate.symbolic.architecture import with_aligned_sizes, with_plan_layers
from pipeline.generate.symbolic.compare import compare
from pipeline.generate.symbolic.notebook import Notebook, read_notebook
from pipeline.generate.symbolic.target import Target, for_other_task, target_of
from pipeline.generate.symbolic.template import CodeTemplate, anti_unify
from pipeline.records import Drafted, Retrieved, Templated
from pipeline.retrieval.sample_pool import Sample


class SymbolicWriter:
    """Writes from a sample pool. Samples and templates are parsed once and kept."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._code = {sample.id: sample.code for sample in samples}
        self._notebook = lru_cache(maxsize=1024)(self._read)
        self._template = lru_cache(maxsize=4096)(self._abstract)
        self._last_drafts: dict[str, Notebook] = {}  # by their text; they need no parsing to be compared

    def template(self, record: Retrieved) -> dict[str, object]:
        """Template RAG: what the two most similar samples share."""
        return {"template": self._template_of(record).text()}

    def drafts(self, record: Templated) -> dict[str, object]:
        """Draft 1, the nearest sample adapted to the plan; draft 2, the template filled from the plan."""
        target = _target(record)
        code = with_aligned_sizes(adapt(self._notebook(record.samples[0].id), target), target)
        shared = self._template_of(record)
        filled = adapt(shared.fill(target.title, _values_for(shared, target)), target)
        template = with_plan_layers(filled, target) or filled
        # Comparing reads drafts from memory or from their text: settled, the two are the same.
        code, template = code.settled(), template.settled()
        code_text, template_text = code.text(), template.text()
        self._last_drafts = {code_text: code, template_text: template}
        return {"code_draft": code_text, "template_draft": template_text}

    def compare(self, record: Drafted) -> dict[str, object]:
        """The final project, merged from the better sections of both drafts."""
        code, template = self._draft(record.code_draft), self._draft(record.template_draft)
        final, choices = compare(code, template, _target(record))
        return {"files": project_files(final.text()), "choices": choices}

    def _draft(self, text: str) -> Notebook:
        return self._last_drafts.get(text) or read_notebook(text)

    def _read(self, sample_id: str) -> Notebook:
        notebook = read_notebook(self._code[sample_id])
        if not notebook.statements:
            raise StageFailure("unreadable_sample", f"sample {sample_id} holds no Python that parses")
        return notebook

    def _abstract(self, first_id: str, second_id: str) -> CodeTemplate:
        return anti_unify(self._notebook(first_id), self._notebook(second_id))

    def _template_of(self, record: Retrieved) -> CodeTemplate:
        # A pool of one sample gives one: its template is the sample itself.
        first, second = record.samples[0], record.samples[min(1, len(record.samples) - 1)]
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
    target = target_of(record.plan, record.requirement, record.attributes)
    if record.samples[0].task_category == target.category:
        return target
    return for_other_task(target)
