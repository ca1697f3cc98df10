"""How a PyTorch network is fitted beside its loss and rate: batches drawn and summed up, losses, averages."""

from __future__ import annotations

import ast
import re

from pipeline.generate.parts.script import Script, keyword_of
from pipeline.generate.parts.torch.loop import (
    assigned_name,
    epoch_loop,
    optimizer_of,
    schedule_of,
    training_call,
    training_step,
)
from pipeline.request.constraints import Constraint
from pipeline.syntax import walk


def gradient_accumulation(script: Script, constraint: Constraint) -> Script | None:
    """The weights change once in so many batches, by the mean of their gradients."""
    step, made = training_step(script), optimizer_of(script)
    if step is None or made is None or not step.batches or constraint.number is None or constraint.number < 2:
        return None
    if "clip_grad" in ast.unparse(ast.Module(list(step.body), [])):
        return None
    optimizer = assigned_name(made[0])
    zeroing = [one for one in step.body if ast.unparse(one) == f"{optimizer}.zero_grad()"]
    loop = _loop_of(script, step.body)
    if len(zeroing) != 1 or loop is None or "scaler" in script.source:
        return None
    update, backward = step.body[step.update], step.body[step.backward]
    counted = f"if batch_number % ACCUMULATION_STEPS == 0 or batch_number == len({step.batches}):\n"
    # The last places first, so that the others stay.
    script = script.with_lines_instead(update, f"{counted}    {optimizer}.step()\n    {optimizer}.zero_grad()")
    script = script.with_lines_instead(backward, f"({step.loss} / ACCUMULATION_STEPS).backward()")
    script = script.without_lines(zeroing[0])
    target, batches = script.text(loop.target), script.text(loop.iter)
    for node in walk(script.tree):
        if isinstance(node, ast.For) and node.lineno == loop.lineno:
            script = script.replaced(node.iter, f"enumerate({batches}, start=1)")
    for node in walk(script.tree):
        if isinstance(node, ast.For) and node.lineno == loop.lineno:
            around = target if target.startswith("(") or "," not in target else f"({target})"
            script = script.replaced(node.target, f"batch_number, {around}")
    again = optimizer_of(script)
    assert again is not None
    says = "# batches between two changes of the weights"
    return script.with_lines_after(again[0], f"ACCUMULATION_STEPS = {int(constraint.number)}  {says}")


def _loop_of(script: Script, body: object) -> ast.For | None:
    for node in walk(script.tree):
        if isinstance(node, ast.For) and node.body is body:
            return node
    return None


def beta_1(script: Script, constraint: Constraint) -> Script | None:
    """Adam's decay of the mean of gradients."""
    changed = script
    for number in range(len(script.calls("Adam", "AdamW"))):
        call = changed.calls("Adam", "AdamW")[number]
        given = keyword_of(call, "betas")
        second = ast.unparse(given.elts[1]) if isinstance(given, ast.Tuple) and len(given.elts) == 2 else "0.999"
        changed = changed.with_keyword(call, "betas", f"({constraint.value}, {second})")
    return changed if changed is not script else None


def schedule_setting(script: Script, constraint: Constraint) -> Script | None:
    """A number of the schedule that is there."""
    if constraint.number is None:
        return None
    if constraint.name == "warmup_epochs":
        known = script.assigned("WARMUP_EPOCHS")
        return None if known is None else script.replaced(known, str(int(constraint.number)))
    arguments = {
        ("plateau_patience", "ReduceLROnPlateau"): "patience",
        ("decay_factor", "ReduceLROnPlateau"): "factor",
        ("decay_factor", "StepLR"): "gamma",
        ("decay_factor", "ExponentialLR"): "gamma",
        ("decay_every", "StepLR"): "step_size",
    }
    there = schedule_of(script)
    calls = script.calls("ReduceLROnPlateau", "StepLR", "ExponentialLR") if there is not None else []
    for call in calls:
        argument = arguments.get((constraint.name, ast.unparse(call.func).rpartition(".")[2]))
        if argument is not None:
            value = constraint.value if argument in ("factor", "gamma") else str(int(constraint.number))
            return script.with_keyword(call, argument, value)
    return None


def no_shuffling(script: Script, constraint: Constraint) -> Script | None:
    """Examples in their order in every epoch."""
    if not constraint.negated:
        return None
    for call in reversed(script.calls("DataLoader")):
        given = keyword_of(call, "shuffle")
        if isinstance(given, ast.Constant) and given.value is True:
            script = script.replaced(given, "False")
    return script


def oversampling(script: Script, constraint: Constraint) -> Script | None:
    """Batches are drawn so that each class is as frequent as the others, of a loader that shuffles."""
    loaders: list[tuple[ast.stmt, ast.Call, ast.expr]] = []
    for call in script.calls("DataLoader"):
        given, statement = keyword_of(call, "shuffle"), script.statement_of(call)
        if isinstance(given, ast.Constant) and given.value is True and isinstance(statement, ast.Assign):
            loaders.append((statement, call, given))
    losses = script.calls("CrossEntropyLoss", "FocalLoss")
    if len(loaders) != 1 or len(losses) != 1 or losses[0].args or "NUM_CLASSES" not in script.source:
        return None
    if any(one.arg in ("ignore_index", "reduction") for one in losses[0].keywords):  # a class for each word or step
        return None
    statement, call, given = loaders[0]
    if not call.args or not isinstance(call.args[0], ast.Name | ast.Call):
        return None
    dataset = script.text(call.args[0])
    # The loader gets a sampler in the place of its shuffling.
    keyword = next(one for one in call.keywords if one.value is given)
    script = script.replaced(given, "OVERSAMPLED")
    lines = (
        f"train_examples = {dataset}\n"
        "train_classes = torch.tensor([int(label) for *_, label in train_examples])\n"
        "class_counts = torch.bincount(train_classes)\n"
        "# Each class as often as the others: an example is drawn the more often the rarer its class.\n"
        "sampler = torch.utils.data.WeightedRandomSampler(1.0 / class_counts[train_classes], len(train_classes))\n"
    )
    source = script.source.replace(f"{keyword.arg}=OVERSAMPLED", "sampler=sampler")
    changed = Script(source)
    again = next(one for one in changed.calls("DataLoader") if keyword_of(one, "sampler") is not None)
    changed = changed.replaced(again.args[0], "train_examples")
    last = next(one for one in changed.calls("DataLoader") if keyword_of(one, "sampler") is not None)
    return changed.with_lines_before(last, lines)


_FOCAL = '''class FocalLoss(nn.Module):
    """Cross-entropy in which examples count less the surer they are told (Lin et al. 2017)."""

    def forward(self, outputs, targets):
        """The mean over a batch of outputs before {before}."""
        losses = nn.functional.{function}(outputs, targets, reduction="none")
        return ((1 - torch.exp(-losses)) ** FOCAL_GAMMA * losses).mean()


'''


def focal_loss(script: Script, constraint: Constraint) -> Script | None:
    """In the place of the only cross-entropy."""
    if constraint.value != "focal":
        return None
    losses = script.calls("CrossEntropyLoss", "BCEWithLogitsLoss")
    if len(losses) != 1 or any(one.arg in ("ignore_index", "reduction") for one in losses[0].keywords):
        return None
    statement = script.statement_of(losses[0])
    if not isinstance(statement, ast.Assign) or statement.value not in (losses[0],):
        return None
    binary = "BCE" in ast.unparse(losses[0].func)
    function = "binary_cross_entropy_with_logits" if binary else "cross_entropy"
    text = _FOCAL.format(before="the sigmoid" if binary else "softmax", function=function)
    script = script.replaced(losses[0], "FocalLoss()")
    return script.with_lines_before(script.calls("FocalLoss")[0], f"FOCAL_GAMMA = 2.0\n\n\n{text}")


def focal_gamma(script: Script, constraint: Constraint) -> Script | None:
    """How fast examples count less."""
    known = script.assigned("FOCAL_GAMMA")
    return None if known is None else script.replaced(known, constraint.value)


def averaged_weights(script: Script, constraint: Constraint) -> Script | None:
    """A moving average of the weights beside them, which is what is kept at the end."""
    loop, made = epoch_loop(script), optimizer_of(script)
    step = training_step(script)
    call = training_call(script, loop) if loop is not None else None
    if loop is None or made is None or step is None or call is None:
        return None
    decay = "0.99" if constraint.number is None else constraint.value
    script = script.with_lines_after(step.body[step.update], "averaged.update_parameters(model)")
    again = optimizer_of(script)
    assert again is not None
    made_lines = (
        f"EMA_DECAY = {decay}\n"
        "average = torch.optim.swa_utils.get_ema_multi_avg_fn(EMA_DECAY)\n"
        "averaged = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=average, use_buffers=True)"
    )
    script = script.with_lines_after(again[0], made_lines)
    last = epoch_loop(script)
    loads = [one for one in script.tree.body if ast.unparse(one).startswith("model.load_state_dict(")]
    place = loads[0] if loads else last
    if place is None:
        return None
    return script.with_lines_after(place, "model.load_state_dict(averaged.module.state_dict())  # the averaged weights")


def monitor(script: Script, constraint: Constraint) -> Script | None:
    """The best weights by the loss of what is held out, where the history has it and another value decides."""
    wanted = constraint.value if constraint.value.startswith("val_") else f"val_{constraint.value}"
    if not re.search(rf'history\["{wanted}"\]|"{wanted}": \[\]', script.source):
        return None
    source = script.source
    for old in re.findall(r'history\["(val_\w+)"\]\[-1\] [<>=]+ (?:min|max)\(history\["\1"\]\)', source):
        best = "min" if "loss" in wanted or "error" in wanted else "max"
        sign = "<=" if best == "min" else ">="
        source = re.sub(
            rf'history\["{old}"\]\[-1\] [<>=]+ (?:min|max)\(history\["{old}"\]\)',
            f'history["{wanted}"][-1] {sign} {best}(history["{wanted}"])',
            source,
        )
    return Script(source)
