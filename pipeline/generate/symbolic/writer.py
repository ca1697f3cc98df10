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
from pipeline.generate.symbolic.template import Template, anti_unify
from pipeline.records import Drafted, Retrieved, Templated
from pipeline.retrieval.sample_pool import Sample


class SymbolicWriter:
    """Writes from a sample pool. Samples and templates are parsed once and kept."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._code = {sample.id: sample.code for sample in samples}
        self._notebook = lru_cache(maxsize=1024)(self._read)
        self._template = lru_cache(maxsize=4096)(self._abstract)
        self._written: dict[str, Notebook] = {}  # the last row's drafts, which need no parsing to be compared

    def template(self, record: Retrieved) -> dict[str, object]:
        """Template RAG: what the two most similar samples share."""
        return {"template": self._template_of(record).text()}

    def drafts(self, record: Templated) -> dict[str, object]:
        """Draft 1, the nearest sample adapted to the plan; draft 2, the template filled from the plan."""
        target = _target(record)
        code = with_aligned_sizes(adapt(self._notebook(record.samples[0].id), target), target)
        abstract = self._template_of(record)
        filled = adapt(abstract.fill(target.title, _values_for(abstract, target)), target)
        template = with_plan_layers(filled, target) or filled
        code, template = code.settled(), template.settled()  # what comparing reads, from memory or from text
        texts = code.text(), template.text()
        self._written = dict(zip(texts, (code, template), strict=True))
        return {"code_draft": texts[0], "template_draft": texts[1]}

    def compare(self, record: Drafted) -> dict[str, object]:
        """The final project, merged from the better sections of both drafts."""
        code, template = (
            self._written.get(text) or read_notebook(text) for text in (record.code_draft, record.template_draft)
        )
        final, choices = compare(code, template, _target(record))
        return {"files": project_files(final.text()), "choices": choices}

    def _read(self, sample_id: str) -> Notebook:
        notebook = read_notebook(self._code[sample_id])
        if not notebook.statements:
            raise StageFailure("unreadable_sample", f"sample {sample_id} holds no Python that parses")
        return notebook

    def _abstract(self, first: str, second: str) -> Template:
        return anti_unify(self._notebook(first), self._notebook(second))

    def _template_of(self, record: Retrieved) -> Template:
        first, second = record.samples[0], record.samples[min(1, len(record.samples) - 1)]
        return self._template(first.id, second.id)


def _values_for(template: Template, target: Target) -> dict[str, str]:
    """What the second sample has where that, unlike the first, names the plan's optimizer, loss or metric."""
    wanted = [name.lower() for name in (target.optimizer, target.loss, target.metric) if name]
    return {
        name: second
        for name, (first, second) in template.values.items()
        if "\n" not in second and any(word in second.lower() and word not in first.lower() for word in wanted)
    }


def _target(record: Retrieved) -> Target:
    if record.plan is None or not record.samples:
        raise StageFailure("no_plan", "the row has no plan or no sample to write from")
    target = target_of(record.plan, record.requirement, record.attributes)
    return target if record.samples[0].task_category == target.category else for_other_task(target)
