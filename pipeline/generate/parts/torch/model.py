"""Parts of PyTorch networks: dropout, and images that are changed at random while it learns."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from pipeline.generate.parts.script import Script, keyword_of
from pipeline.generate.parts.torch.loop import training_step
from pipeline.request.constraints import Constraint

_DROPOUTS = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout")

_AUGMENTATIONS = {
    "flip": "flipped = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5\n"
    "images = torch.where(flipped, images.flip(-1), images)",
    "brightness": "brightness = 0.9 + 0.2 * torch.rand(len(images), 1, 1, 1, device=images.device)\n"
    "images = images * brightness",
    "contrast": "contrast = 0.9 + 0.2 * torch.rand(len(images), 1, 1, 1, device=images.device)\n"
    "mean = images.mean(dim=(1, 2, 3), keepdim=True)\n"
    "images = mean + (images - mean) * contrast",
    "noise": "images = images + 0.05 * torch.randn_like(images)",
    "crop": "height, width = images.shape[-2:]\n"
    'padded = nn.functional.pad(images, (4, 4, 4, 4), mode="reflect")\n'
    "tops, lefts = torch.randint(9, (2, len(images))).tolist()\n"
    "places = zip(padded, tops, lefts, strict=True)\n"
    "random_crop = [image[:, top : top + height, left : left + width] for image, top, left in places]\n"
    "images = torch.stack(random_crop)",
}
"""Lines that change a batch of images, each image by itself; those on shape come from _MOVED."""

_MOVED = {
    "rotation": "rotation_angle = 0.35 * (torch.rand(len(images), device=images.device) - 0.5)",
    "zoom": "zoom_factor = 0.9 + 0.2 * torch.rand(len(images), device=images.device)",
    "shift": "random_shift = 0.2 * (torch.rand(len(images), 2, device=images.device) - 0.5)",
}
"""Lines that draw what an affine grid is made of: angles up to 10 degrees either way."""

_OTHER_TARGETS = re.compile(r"mask|box|keypoint|landmark", re.I)
"""Names of targets that would have to move along with the image."""


def dropout(script: Script, constraint: Constraint) -> Script | None:
    """None at all where it is forbidden; else its rate: the constant's, or that of every layer that has one."""
    if constraint.negated:
        for call in reversed(script.calls(*_DROPOUTS)):
            without = _without(script, call)
            if without is None:
                return None
            script = without
        return _without_rate(script)
    if constraint.number is None:
        return None
    constant = script.assigned("DROPOUT")
    if isinstance(constant, ast.Constant):
        return script.replaced(constant, constraint.value)
    for call in reversed(script.calls(*_DROPOUTS)):
        rate = call.args[0] if call.args else keyword_of(call, "p")
        if isinstance(rate, ast.Constant):
            script = script.replaced(rate, constraint.value)
    return script


def _without_rate(script: Script) -> Script:
    """Without the constant, where nothing reads it any more."""
    reads = [node for node in ast.walk(script.tree) if isinstance(node, ast.Name) and node.id == "DROPOUT"]
    constant = script.assigned("DROPOUT")
    statement = script.statement_of(constant) if constant is not None else None
    return script.without_lines(statement) if statement is not None and len(reads) == 1 else script


def _without(script: Script, call: ast.Call) -> Script | None:
    """Without a layer in a list; anywhere else one that gives what it gets."""
    for node in ast.walk(script.tree):
        if isinstance(node, ast.List) and call in node.elts:
            return script.without_element(node, call)
    if not isinstance(call.func, ast.Attribute):
        return None
    return script.replaced(call, f"{ast.unparse(call.func.value)}.Identity()")


def augmentation(script: Script, constraint: Constraint) -> Script | None:
    """A function on the batches that are trained on, where the targets stay what they are: `model(augment(images))`."""
    wanted = ("flip", "rotation") if constraint.value == "true" else (constraint.value,)
    step = training_step(script)
    if step is None or not script.calls("Conv2d") or any(name not in {**_AUGMENTATIONS, **_MOVED} for name in wanted):
        return None
    if _OTHER_TARGETS.search(" ".join(ast.unparse(statement) for statement in step.body)):
        return None
    there = script.calls("augment")
    if there:
        return _augmented_further(script, wanted)
    for node in ast.walk(step.body[step.forward]):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "model" and len(node.args) == 1:
            script = script.replaced(node.args[0], f"augment({script.text(node.args[0])})")
            again = training_step(script)
            if again is None:
                return None
            return script.with_lines_before(again.body[again.forward], _function(wanted))
    return None


def _augmented_further(script: Script, wanted: Sequence[str]) -> Script | None:
    """With more changes in the function that another constraint has brought in."""
    for node in script.tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "augment" and len(node.body) > 1:
            return script.with_lines_after(node.body[-2], "\n".join(_changes(wanted)))
    return None


def _function(wanted: Sequence[str]) -> str:
    lines = [
        "def augment(images):",
        '    """A batch of images (count, channels, height, width), each changed at random."""',
        *(f"    {line}" for line in _changes(wanted)),
    ]
    return "\n".join([*lines, "    return images\n\n\n"])


def _changes(wanted: Sequence[str]) -> list[str]:
    """Lines that change the batch `images`; what moves it goes through one grid."""
    lines: list[str] = []
    for name in wanted:
        if name in _AUGMENTATIONS:
            lines += _AUGMENTATIONS[name].split("\n")
    moved = [name for name in wanted if name in _MOVED]
    if moved:
        lines += [_MOVED[name] for name in moved]
        angle = "rotation_angle" if "rotation" in moved else "torch.zeros(len(images), device=images.device)"
        size = "zoom_factor" if "zoom" in moved else "1.0"
        shift = ("random_shift[:, 0]", "random_shift[:, 1]") if "shift" in moved else ("torch.zeros_like(cosine)",) * 2
        lines += [
            f"cosine, sine = {size} * torch.cos({angle}), {size} * torch.sin({angle})",
            f"rows = [torch.stack([cosine, -sine, {shift[0]}], 1), torch.stack([sine, cosine, {shift[1]}], 1)]",
            "grid = nn.functional.affine_grid(torch.stack(rows, 1), images.shape, align_corners=False)",
            'images = nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=False)',
        ]
    return lines
