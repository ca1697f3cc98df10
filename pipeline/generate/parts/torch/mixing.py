"""Examples changed at random while a PyTorch network learns: mixed in pairs, with a part blanked."""

from __future__ import annotations

import ast

from pipeline.generate.parts.script import Script
from pipeline.generate.parts.torch.loop import training_step
from pipeline.request.constraints import Constraint

_MIXED = '''def mixed(inputs, targets):
    """Each example mixed with another one of the batch, and both targets with the share of the first (mixup)."""
    share = float(np.random.beta(MIXUP_ALPHA, MIXUP_ALPHA))
    partner = torch.randperm(len(inputs), device=inputs.device)
    return share * inputs + (1 - share) * inputs[partner], targets, targets[partner], share


'''


def mixup(script: Script, constraint: Constraint) -> Script | None:
    """Pairs of examples are mixed: for losses of a batch `loss = criterion(model(x), y)`."""
    step = training_step(script)
    if constraint.value != "mixup" or step is None or step.forward != step.loss_at:
        return None
    statement = step.body[step.forward]
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
        return None
    call = statement.value
    inner = call.args[0] if len(call.args) == 2 else None
    if not isinstance(inner, ast.Call) or ast.unparse(inner.func) != "model" or len(inner.args) != 1:
        return None
    loss, criterion = ast.unparse(statement.targets[0]), ast.unparse(call.func)
    inputs, targets = script.text(inner.args[0]), script.text(call.args[1])
    if criterion not in ("criterion", "loss_function", "nn.functional.cross_entropy"):
        return None
    lines = (
        f"examples, first, second, share = mixed({inputs}, {targets})\n"
        "outputs = model(examples)\n"
        f"{loss} = share * {criterion}(outputs, first) + (1 - share) * {criterion}(outputs, second)"
    )
    place = script.statement_of(statement)
    if not isinstance(place, ast.FunctionDef):
        return None
    script = script.with_lines_instead(statement, lines)
    again = script.statement_of(script.calls("mixed")[0])
    assert again is not None
    head = "MIXUP_ALPHA = 0.2  # the larger, the more are examples mixed by halves\n\n\n"
    return script.with_lines_before(again, head + _MIXED).with_import("import numpy as np")


def cutout(script: Script, constraint: Constraint) -> Script | None:
    """A square of each image is blanked while the network learns."""
    step = training_step(script)
    if step is None or not script.calls("Conv2d") or constraint.value not in ("cutout", "random_erasing"):
        return None
    for node in ast.walk(step.body[step.forward]):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "model" and len(node.args) == 1:
            script = script.replaced(node.args[0], f"cutout({script.text(node.args[0])})")
            again = training_step(script)
            return None if again is None else script.with_lines_before(again.body[again.forward], _CUTOUT)
    return None


_CUTOUT = '''def cutout(images):
    """A batch (count, channels, height, width), each with a square of a quarter of its side blanked (cutout)."""
    height, width = images.shape[-2:]
    side = max(1, min(height, width) // 4)
    mask = torch.ones_like(images[:, :1])
    for number in range(len(images)):
        top, left = np.random.randint(height - side + 1), np.random.randint(width - side + 1)
        mask[number, :, top : top + side, left : left + side] = 0
    return images * mask


'''


def masked_spectrogram(script: Script, constraint: Constraint) -> Script | None:
    """Some bands, or some moments, of each spectrogram are blanked while the network learns (SpecAugment)."""
    step = training_step(script)
    axes = {"frequency_mask": -2, "time_mask": -1}
    if step is None or constraint.value not in axes or "mel" not in script.source.lower():
        return None
    name = constraint.value
    for node in ast.walk(step.body[step.forward]):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "model" and len(node.args) == 1:
            script = script.replaced(node.args[0], f"{name}({script.text(node.args[0])})")
            again = training_step(script)
            if again is None:
                return None
            function = _MASKED.format(name=name, axis=axes[constraint.value])
            changed = script.with_lines_before(again.body[again.forward], function)
            return changed.with_import("import numpy as np")
    return None


_MASKED = '''def {name}(spectrograms):
    """A batch (..., bands, moments), each with an eighth of its {axis} axis blanked by zeros (SpecAugment)."""
    masked = spectrograms.clone()
    size = masked.shape[{axis}]
    width = max(1, size // 8)
    for number in range(len(masked)):
        masked[number].narrow({axis}, int(np.random.randint(size - width + 1)), width).zero_()
    return masked


'''
