"""Template, drafts and comparison without a language model: the embedded default behind the same records."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, lru_cache

from pipeline.errors import StageFailure
from pipeline.generate.model_settings import with_model_settings
from pipeline.generate.parts.adding import with_parts
from pipeline.generate.parts.inputs import beside_script, with_named_columns
from pipeline.generate.parts.predictions import with_asked_form
from pipeline.generate.project import script_files
from pipeline.generate.symbolic.adapt import adapt
from pipeline.generate.symbolic.architecture import with_aligned_sizes, with_plan_layers
from pipeline.generate.symbolic.compare import CODE, TEMPLATE, compare
from pipeline.generate.symbolic.constants import assigned_names, with_data
from pipeline.generate.symbolic.correcting import Corrected, plan_as_written, plan_to_write
from pipeline.generate.symbolic.notebook import Notebook, read_notebook
from pipeline.generate.symbolic.target import Target, for_other_task, for_own_data, for_sample, target_of
from pipeline.generate.symbolic.template import CodeTemplate, anti_unify
from pipeline.generate.symbolic.torch.adapting import is_torch
from pipeline.measures.delivery.check import check_delivery
from pipeline.own_data.asked import facts_asked
from pipeline.own_data.constants import facts_of
from pipeline.plan.correcting import settings_stated
from pipeline.plan.frameworks import KERAS, PYTORCH
from pipeline.records import Drafted, Retrieved, SectionChoice, Templated
from pipeline.retrieval.sample_pool import Sample
from pipeline.retrieval.steering import are_alike, is_steered


class SymbolicWriter:
    """Writes from a sample pool. Samples and templates are parsed once and kept."""

    def __init__(self, samples: Sequence[Sample], *, own_data: Callable[[], Sequence[Sample]] = tuple) -> None:
        """`own_data` gives the samples for rows with data of their own, once there is such a row."""
        self._samples = {sample.id: sample for sample in samples}
        self._own_data = cache(lambda: {sample.id: sample for sample in own_data()})
        self._steered = is_steered(samples)
        self._notebook = lru_cache(maxsize=1024)(self._read)
        self._template = lru_cache(maxsize=4096)(self._abstract)
        self._last_drafts: dict[str, Notebook] = {}  # by their text; they need no parsing to be compared

    def template(self, record: Retrieved) -> dict[str, object]:
        """Template RAG: what the two most similar samples share."""
        return {"template": self._template_of(record).text()}

    def drafts(self, record: Templated) -> dict[str, object]:
        """Draft 1, the nearest sample adapted to the plan; draft 2, the template filled from the plan."""
        target = self._target(record)
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
        """The final project, merged from the better sections of both drafts, with the parts that are asked for; and the
        plan as it was written by, in the framework of the samples."""
        code, template = self._draft(record.code_draft), self._draft(record.template_draft)
        target = self._target(record)
        final, choices = compare(code, template, target)
        # Predictions are of the rows without answers, which the sample writes, and not of the test.
        of_unlabelled = record.data is not None and bool(record.data.unlabelled)
        added = [one for one in record.constraints if not of_unlabelled or one.name != "predictions_file"]

        def finished(text: str) -> str:
            return with_parts(with_model_settings(text, added), added, record.requirement)

        if target.asked and any(choice.chosen == TEMPLATE for choice in choices):
            # A sample that declares its cell was chosen for what is asked and is known to learn: a plan's layers take
            # the place of its own where they do more of it, the parts counted that bring in what is asked.
            alone, _ = compare(code, code, target)
            script = finished(alone.text())
            asked = [one for one in record.constraints if one.aspect in _SHOWN_BY_DRAFTS]
            met = check_delivery(asked, script)
            by_plan = finished(final.text()) if met.not_met else script
            if not met.not_met or met.met >= check_delivery(asked, by_plan).met:
                choices = tuple(_taken_back(choice) for choice in choices)
            else:
                script = by_plan
        else:
            script = finished(final.text())
        if of_unlabelled and record.data is not None:
            script = with_asked_form(script, record.data, record.requirement)
        if record.data is None:
            script = with_named_columns(script, record.constraints, record.requirement)
            script = beside_script(script, record.constraints)
        sample = self._sample(record.samples[0].id)
        plan, corrections = plan_as_written(
            self._plan(record), target, sample, choices, script, settings_stated(record.plan_origins)
        )
        framework = PYTORCH if is_torch(self._notebook(sample.id)) else KERAS
        plan = plan.model_copy(update={"framework": framework})
        return {"files": script_files(script), "choices": choices, "plan_final": plan, "corrections": corrections}

    def _adapted(self, notebook: Notebook, target: Target, record: Retrieved) -> Notebook:
        """The notebook with the plan's values, and with what its sample declares to hold facts of the row's data, or of
        what the request says about them."""
        notebook = adapt(notebook, target)
        sample = self._sample(record.samples[0].id)
        if record.data is not None:
            return with_data(notebook, sample.constants, facts_of(record.data, record.data_folder))
        if not sample.constants:
            return notebook
        facts = facts_asked(record, classes=target.facts.classes, own_names=_class_names(notebook, sample))
        return with_data(notebook, sample.constants, facts)

    def _plan(self, record: Retrieved) -> Corrected:
        """The plan that is written by, and what it says otherwise than the row's."""
        if record.plan is None or not record.samples:
            raise StageFailure("no_plan", "the row has no plan or no sample to write from")
        sample = self._sample(record.samples[0].id)
        known_to_learn = sample.plan if sample.declared_cell is not None else None
        return plan_to_write(record.plan, known_to_learn, record.constraints, record.data)

    def _target(self, record: Retrieved) -> Target:
        plan, _ = self._plan(record)
        target = target_of(plan, record.requirement, record.attributes, record.constraints, record.data)
        sample = self._sample(record.samples[0].id)
        if record.data is not None:
            target = for_own_data(target, record.samples[0].task_category, record.data)
        if sample.declared_cell is not None:
            return for_sample(target, sample, record.constraints, has_own_data=record.data is not None)
        if record.data is not None or record.samples[0].task_category == target.category:
            return target
        return for_other_task(target)

    def _sample(self, sample_id: str) -> Sample:
        return self._samples.get(sample_id) or self._own_data()[sample_id]

    def _draft(self, text: str) -> Notebook:
        return self._last_drafts.get(text) or read_notebook(text)

    def _read(self, sample_id: str) -> Notebook:
        notebook = read_notebook(self._sample(sample_id).code)
        if not notebook.statements:
            raise StageFailure("unreadable_sample", f"sample {sample_id} holds no Python that parses")
        return notebook

    def _abstract(self, first_id: str, second_id: str) -> CodeTemplate:
        return anti_unify(self._notebook(first_id), self._notebook(second_id))

    def _template_of(self, record: Retrieved) -> CodeTemplate:
        first, second = record.samples[0].id, self._second_for_template(record)
        return self._template(first, second)

    def _second_for_template(self, record: Retrieved) -> str:
        """The second sample; the first itself, which is then its own template, where the pool gave but one, where the
        second would bring in sections of another task, and for data of the row's own, which are read one way."""
        first, second = record.samples[0].id, record.samples[min(1, len(record.samples) - 1)].id
        if record.data is not None:
            return first
        if self._steered and not are_alike(self._sample(first).cell(), self._sample(second).cell()):
            return first
        return second


_SHOWN_BY_DRAFTS = frozenset({"architecture", "training", "task", "data"})
"""Aspects in which drafts differ: they read the same files and print the same results."""


def _taken_back(choice: SectionChoice) -> SectionChoice:
    """The choice where the adapted sample is taken whole."""
    if choice.chosen != TEMPLATE:
        return choice
    return replace(choice, chosen=CODE, reason="the plan's layers would do no more of what is asked")


def _values_for(template: CodeTemplate, target: Target) -> dict[str, str]:
    """What the second sample has where that, unlike the first, names the plan's optimizer, loss or metric."""
    wanted = [name.lower() for name in (target.optimizer, target.loss, target.metric) if name]
    values: dict[str, str] = {}
    for name, (first, second) in template.values.items():
        added = [word for word in wanted if word in second.lower() and word not in first.lower()]
        if added and "\n" not in second:
            values[name] = second
    return values


def _class_names(notebook: Notebook, sample: Sample) -> int:
    """How many names of classes the sample makes data up for; 0 where it has no such constant."""
    constants = {name for name, fact in sample.constants.items() if fact == "class_names"}
    for statement in notebook.section("data"):
        node, is_names = statement.node, constants.intersection(assigned_names(statement))
        if is_names and isinstance(node, ast.Assign) and isinstance(node.value, ast.List):
            return len(node.value.elts)
    return 0
