"""Parts of the training of PyTorch scripts: schedule, stopping, the optimizer's and the loss's arguments, precision."""

from __future__ import annotations

import ast

from pipeline.generate.parts.script import Script, keyword_of, name_of
from pipeline.generate.parts.torch.loop import (
    Step,
    assigned_name,
    epoch_loop,
    last_of_history,
    optimizer_of,
    schedule_of,
    training_call,
    training_step,
    watched,
)
from pipeline.request.constraints import Constraint
from pipeline.syntax import walk

_MODULE = "torch.optim.lr_scheduler"

_BY_EPOCH = {
    "step": "StepLR({0}, step_size=max(1, EPOCHS // 3), gamma=0.1)",
    "exponential": "ExponentialLR({0}, gamma=0.95)",
    "cosine": "CosineAnnealingLR({0}, T_max=EPOCHS)",
    "polynomial": "PolynomialLR({0}, total_iters=EPOCHS)",
}
"""Schedules that change the rate once in an epoch."""

_WARMUP_EPOCHS = 5

_HALF_PRECISION = 'with torch.autocast(DEVICE.type, dtype=torch.float16, enabled=DEVICE.type == "cuda"):'


def schedule(script: Script, constraint: Constraint) -> Script | None:
    """A scheduler behind the optimizer and its step in the loop, in the place of the one that is there."""
    loop, made = epoch_loop(script), optimizer_of(script)
    if loop is None or made is None or (script.assigned("EPOCHS") is None and not _is_set(script, "EPOCHS")):
        return None
    optimizer = assigned_name(made[0])
    if constraint.value == "warmup":
        return _warmup(script, optimizer)
    call = training_call(script, loop)
    if call is None:
        return None
    if constraint.value in _BY_EPOCH:
        text = _BY_EPOCH[constraint.value].format(optimizer)
    elif constraint.value == "reduce_on_plateau" and (seen := watched(script)) is not None:
        mode = "" if seen.is_loss else 'mode="max", '
        text = f"ReduceLROnPlateau({optimizer}, {mode}factor=0.5, patience=3)"
    elif (
        constraint.value == "one_cycle"
        and (batches := batches_of(script, call[1]))
        and _is_set(script, "LEARNING_RATE")
    ):
        text = f"OneCycleLR({optimizer}, max_lr=LEARNING_RATE, total_steps=EPOCHS * len({batches}))"
    else:
        return None
    script = _without_schedule(script)
    again = optimizer_of(script)
    assert again is not None
    script = script.with_lines_after(again[0], f"scheduler = {_MODULE}.{text}")
    return _with_schedule_steps(script, constraint.value)


def _can_cycle(script: Script, call: ast.Call, constraint: Constraint) -> bool:
    return constraint.value == "one_cycle" and bool(batches_of(script, call)) and _is_set(script, "LEARNING_RATE")


def _with_schedule_steps(script: Script, kind: str) -> Script | None:
    """The scheduler's step where it belongs: behind each batch, each epoch, or what the epoch came to."""
    loop = epoch_loop(script)
    if loop is None:
        return None
    if kind == "one_cycle":
        step = training_step(script)
        return None if step is None else script.with_lines_after(step.body[step.update], "scheduler.step()")
    if kind == "reduce_on_plateau":
        last, seen = last_of_history(loop), watched(script)
        if last is None or seen is None:
            return None
        return script.with_lines_after(last, f"scheduler.step({seen.values}[-1])")
    call = training_call(script, loop)
    return None if call is None else script.with_lines_after(call[0], "scheduler.step()")


def _without_schedule(script: Script) -> Script:
    there = schedule_of(script)
    if there is None:
        return script
    name = assigned_name(there[0])
    steps: list[ast.stmt] = []
    for node in walk(script.tree):
        if isinstance(node, ast.Expr) and ast.unparse(node.value).startswith(f"{name}.step("):
            steps.append(node)
    # From the last one to the first, so that the places of the others stay.
    for statement in sorted([*steps, there[0]], key=lambda one: one.lineno, reverse=True):
        script = script.without_lines(statement)
    return script


def _warmup(script: Script, optimizer: str) -> Script | None:
    """The rate grows over the first epochs; a schedule that is there takes over then."""
    lines = f"WARMUP_EPOCHS = {_WARMUP_EPOCHS}  # in which the rate grows\n"
    rising = f"{_MODULE}.LinearLR({optimizer}, start_factor=0.1, total_iters=WARMUP_EPOCHS)"
    there = schedule_of(script)
    if there is None:
        made, loop = optimizer_of(script), epoch_loop(script)
        if made is None or loop is None:
            return None
        script = script.with_lines_after(made[0], f"{lines}scheduler = {rising}")
        return _with_schedule_steps(script, "warmup")
    if name_of(there[1]) in ("OneCycleLR", "ReduceLROnPlateau"):
        return None
    name = assigned_name(there[0])
    both = f"{_MODULE}.SequentialLR({optimizer}, [warmup, {name}], milestones=[WARMUP_EPOCHS])"
    return script.with_lines_after(there[0], f"{lines}warmup = {rising}\n{name} = {both}")


def early_stopping(script: Script, constraint: Constraint) -> Script | None:
    """Also for the patience, of a stopping that is there or of a new one: its constant, and a `break`."""
    patience = constraint.value if constraint.name == "patience" else "5"
    known = script.assigned("PATIENCE")
    if known is not None and constraint.name == "patience":
        script = script.replaced(known, patience)
    loop, seen = epoch_loop(script), watched(script)
    if loop is None or seen is None:
        return None
    if any(isinstance(node, ast.Break) for node in walk(loop)):
        return script if known is not None else None
    best = "min" if seen.is_loss else "max"
    values = seen.values
    stop = (
        f"if len({values}) - {values}.index({best}({values})) > PATIENCE:\n"
        '    print(f"early stopping: {PATIENCE} epochs without a gain")\n'
        "    break"
    )
    script = script.with_lines_after(loop.body[-1], stop)
    if known is None:
        place = _statement_that_sets(script, "EPOCHS")
        if place is None:
            return None
        says = "# epochs without a gain after which training ends"
        script = script.with_lines_after(place, f"PATIENCE = {patience}  {says}")
    return script


def optimizer_argument(script: Script, constraint: Constraint) -> Script | None:
    """`weight_decay` or `momentum`: its constant where it has one, else a number."""
    made = optimizer_of(script)
    if made is None:
        return None
    usual = {"weight_decay": "0.0001", "l2": "0.0001", "momentum": "0.9"}
    name = "weight_decay" if constraint.name == "l2" else constraint.name
    value = usual[constraint.name] if constraint.value == "true" else constraint.value
    if name == "momentum" and name_of(made[1]) not in ("SGD", "RMSprop"):
        return None
    given = keyword_of(made[1], name)
    constant = script.assigned(given.id) if isinstance(given, ast.Name) else None
    if isinstance(constant, ast.Constant):
        return script.replaced(constant, value)
    return script.with_keyword(made[1], name, value)


def gradient_clipping(script: Script, constraint: Constraint) -> Script | None:
    """By their norm, between gradients and update."""
    value = "1.0" if constraint.value == "true" else constraint.value
    for call in script.calls("clip_grad_norm_", "clip_grad_value_"):
        if len(call.args) > 1:
            return script.replaced(call.args[1], value)
    step = training_step(script)
    if step is None:
        return None
    line = f"torch.nn.utils.clip_grad_norm_(model.parameters(), {value})"
    return script.with_lines_after(step.body[step.backward], line)


def label_smoothing(script: Script, constraint: Constraint) -> Script | None:
    """For cross-entropies of classes."""
    value = "0.1" if constraint.value == "true" else constraint.value
    losses = script.calls("CrossEntropyLoss")
    return script.with_keyword(losses[0], "label_smoothing", value) if len(losses) == 1 else None


def class_weights(script: Script, constraint: Constraint) -> Script | None:
    """A class weighs more the fewer examples it has; counted in the batches of the training."""
    losses, loop = script.calls("CrossEntropyLoss"), epoch_loop(script)
    call = training_call(script, loop) if loop is not None else None
    batches = batches_of(script, call[1]) if call is not None else ""
    counted_by = ("NUM_CLASSES", "DEVICE")
    if len(losses) != 1 or not batches or not all(_is_set(script, name) for name in counted_by):
        return None
    if keyword_of(losses[0], "ignore_index") is not None:  # what is ignored is no class to be counted
        return None
    lines = (
        "def count_classes(loader):\n"
        '    """How many examples each class has."""\n'
        "    counts = torch.zeros(NUM_CLASSES)\n"
        "    for *_, numbers in loader:\n"
        "        counts += torch.bincount(numbers.flatten(), minlength=NUM_CLASSES)\n"
        "    return counts\n\n\n"
        f"class_counts = count_classes({batches})  # a class weighs more the fewer examples it has\n"
        "class_weights = class_counts.sum() / (NUM_CLASSES * class_counts.clamp(min=1))\n"
    )
    script = script.with_keyword(losses[0], "weight", "class_weights.to(DEVICE)")
    return script.with_lines_before(script.calls("CrossEntropyLoss")[0], lines)


def mixed_precision(script: Script, constraint: Constraint) -> Script | None:
    """The network and its loss in half precision, gradients scaled: on a GPU, for CPUs are slower with it."""
    step, made = training_step(script), optimizer_of(script)
    unsafe = script.calls("BCELoss", "CTCLoss", "binary_cross_entropy", "ctc_loss")
    if step is None or made is None or unsafe or not _is_set(script, "DEVICE"):
        return None
    optimizer = assigned_name(made[0])
    script = _with_scaled_update(script, step, optimizer)
    script = script.indented(step.body[step.forward], step.body[step.loss_at], _HALF_PRECISION)
    again = optimizer_of(script)
    assert again is not None
    return script.with_lines_after(
        again[0], 'scaler = torch.amp.GradScaler(DEVICE.type, enabled=DEVICE.type == "cuda")'
    )


def _with_scaled_update(script: Script, step: Step, optimizer: str) -> Script:
    """The scaler's steps, the last ones first: earlier places stay."""
    script = script.with_lines_instead(step.body[step.update], f"scaler.step({optimizer})\nscaler.update()")
    unscaled = ""
    for statement in step.body[step.backward + 1 : step.update]:
        if "clip_grad" in ast.unparse(statement):
            unscaled = f"\nscaler.unscale_({optimizer})"
    return script.with_lines_instead(step.body[step.backward], f"scaler.scale({step.loss}).backward(){unscaled}")


def seed(script: Script, constraint: Constraint) -> Script | None:
    """The constant, or what `manual_seed` is given."""
    known = script.assigned("SEED")
    if known is not None:
        return script.replaced(known, constraint.value)
    for call in script.calls("manual_seed"):
        if len(call.args) == 1:
            return script.replaced(call.args[0], constraint.value)
    return None


def batches_of(script: Script, call: ast.Call) -> str:
    """The loader that an epoch of training is given or goes through: `train_loader`, `loaders["train"]`."""
    step = training_step(script)
    if step is not None and _is_set(script, step.batches.partition("[")[0]):
        return step.batches
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        text = ast.unparse(argument)
        if "loader" in text or "batches" in text:
            return text.replace("'", '"')
    return ""


def _is_set(script: Script, name: str) -> bool:
    return _statement_that_sets(script, name) is not None


def _statement_that_sets(script: Script, name: str) -> ast.stmt | None:
    """The first statement outside of functions that gives the name a value."""
    for statement in script.tree.body:
        if isinstance(statement, ast.Assign) and name in [ast.unparse(target) for target in statement.targets]:
            return statement
    return None
