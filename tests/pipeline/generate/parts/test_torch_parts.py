"""Parts added to PyTorch scripts: what is asked for is there, the rest stays, and the result runs."""

from __future__ import annotations

import ast
import importlib.util
import sys

import pytest

from pipeline.analysis.names import names_never_defined
from pipeline.errors import DLCodeGenError
from pipeline.generate.parts.adding import with_parts
from pipeline.measures.delivery.check import check_delivery
from pipeline.records import SourceFile
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Limits
from pipeline.torch.api import invalid_calls
from tests.pipeline.generate.parts.torch_script import SCRIPT
from tests.pipeline.measures.asked import asked

SCHEDULES = ("step", "cosine", "exponential", "polynomial", "one_cycle", "reduce_on_plateau", "warmup")

ALL = (
    "training.early_stopping=true", "training.patience=2", "training.gradient_clipping=1.5",
    "training.weight_decay=0.0005", "training.momentum=0.9", "training.augmentation=flip",
    "training.augmentation=rotation", "training.augmentation=shift", "training.augmentation=contrast",
    "training.mixed_precision=true", "training.class_weights=true", "training.label_smoothing=0.1", "training.seed=7",
    "training.dropout=0.45", "metric.metric=f1", "output.plot=learning_curves", "output.plot=confusion_matrix",
    "output.report=classification_report", "output.model_file=stripes.pt",
)  # fmt: skip


def unmet(source: str, *wanted: str) -> list[str]:
    delivery = check_delivery([asked(text) for text in wanted], source)
    return [f"{check.constraint.name}={check.constraint.value}" for check in delivery.not_met]


def added(*wanted: str, source: str = SCRIPT) -> str:
    changed = with_parts(source, [asked(text) for text in wanted])
    tree = ast.parse(changed)
    assert names_never_defined(tree) == ()
    assert invalid_calls(tree) == ()
    return changed


@pytest.mark.parametrize(
    "text", [*ALL, *(f"training.schedule={name}" for name in SCHEDULES), "not training.dropout=true"]
)
def test_each_part_is_there_afterwards(text: str) -> None:
    if "patience" not in text:  # a stopping has one
        assert unmet(SCRIPT, text) != []
    assert unmet(added(text), text) == []


def test_all_together() -> None:
    assert unmet(added(*ALL, "training.schedule=one_cycle"), *ALL, "training.schedule=one_cycle") == []


@pytest.mark.parametrize("first", SCHEDULES[:-1])
@pytest.mark.parametrize("second", ["cosine", "one_cycle", "reduce_on_plateau"])
def test_another_schedule_takes_the_place_of_the_first(first: str, second: str) -> None:
    both = added(f"training.schedule={second}", source=added(f"training.schedule={first}"))
    assert both.count("lr_scheduler.") == both.count("scheduler.step(") == 1


def test_a_rate_that_warms_up_goes_over_into_the_schedule() -> None:
    wanted = ("training.schedule=cosine", "training.schedule=warmup")
    changed = added(*wanted)
    assert unmet(changed, *wanted) == []
    assert "SequentialLR(optimizer, [warmup, scheduler], milestones=[WARMUP_EPOCHS])" in changed
    assert changed.count("scheduler.step()") == 1


def test_scaled_gradients_are_unscaled_before_they_are_clipped() -> None:
    changed = added("training.mixed_precision=true", "training.gradient_clipping=1.0")
    lines = [line.strip() for line in changed.split("\n")]
    clipping = "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)"
    order = ["scaler.scale(loss).backward()", "scaler.unscale_(optimizer)", clipping]
    order += ["scaler.step(optimizer)", "scaler.update()"]
    places = [lines.index(line) for line in order]
    assert places == sorted(places)


def test_a_script_that_no_part_fits_stays_as_it_is() -> None:
    odd = "import torch\nfrom torch import nn\nmodel = nn.Linear(3, 1)\n"
    assert with_parts(odd, [asked(text) for text in (*ALL, "training.schedule=step")]) in (
        odd,
        odd + '\n# %% Save\ntorch.save(model.state_dict(), "stripes.pt")\n',
    )


RUN_ALL = """
import os
import runpy

for name in sorted(os.listdir(".")):
    if name.startswith("with_"):
        runpy.run_path(name, run_name="__main__")
        print("ran", name)
"""


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")
def test_scripts_with_all_parts_run() -> None:
    """In the sandbox, with each schedule, in one process: importing torch is what takes long."""
    try:
        sandbox = ProcessSandbox(sys.executable, environment={"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"})
    except DLCodeGenError as error:
        pytest.skip(str(error))
    files = [SourceFile(path="project.py", text=RUN_ALL)]
    for name in SCHEDULES:
        files.append(SourceFile(path=f"with_{name}.py", text=added(*ALL, f"training.schedule={name}")))
    execution = sandbox.run(files, "project.py", Limits(seconds=300))
    assert execution.ok, execution.reason()
    assert (
        execution.stdout_tail.count("held-out accuracy") == execution.stdout_tail.count("ran with_") == len(SCHEDULES)
    )
