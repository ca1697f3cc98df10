"""What is done to the data before and while the network sees them: splits, scaling, augmentation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice

from pipeline.analysis.values import Call, is_constant
from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    AT_RUN_TIME,
    Finding,
    Found,
    equal,
    is_known,
    listed,
    met,
    missing,
    unknown,
)
from pipeline.request.constraints import Constraint

# By a constraint's value: names of calls, and keywords of ImageDataGenerator and its like.
_AUGMENTATIONS: dict[str, tuple[str, str]] = {
    "flip": (
        r"RandomFlip|random_flip\w*|Random(Horizontal|Vertical)Flip|(Horizontal|Vertical)?Flip|flip_left_right|flip_up_down|fliplr|flipud|flip",
        "horizontal_flip|vertical_flip",
    ),
    "rotation": (r"RandomRotation|random_rotation|Rotate|RandomRotate90|rot90|RandomAffine|SafeRotate", "rotation_range|degrees"),
    "zoom": (r"RandomZoom|random_zoom|RandomScale|RandomResizedCrop", "zoom_range"),
    "crop": (r"RandomCrop|random_crop|RandomResizedCrop|stateless_random_crop|RandomSizedCrop", ""),
    "shift": (r"RandomTranslation|random_shift|ShiftScaleRotate|RandomAffine|roll", "width_shift_range|height_shift_range|translate"),
    "shear": (r"RandomShear|random_shear|RandomAffine", "shear_range|shear"),
    "brightness": (r"RandomBrightness|random_brightness|ColorJitter|RandomBrightnessContrast", "brightness_range|brightness"),
    "contrast": (r"RandomContrast|random_contrast|ColorJitter|RandomBrightnessContrast|CLAHE", "contrast"),
    "color": (r"RandomColor\w*|ColorJitter|random_(hue|saturation)|HueSaturationValue", "channel_shift_range|hue|saturation"),
    "noise": (r"GaussianNoise|GaussNoise|AddGaussianNoise", ""),
}  # fmt: skip

_AUGMENTATION_WORDS = {
    "noise": "(add|gaussian|random|with)_?noise|noise_(level|std|factor|augment)",
    "rotation": "(random|rotation)_?(angle|rotation)",
    "zoom": "(random_?zoom|zoom_?factor)",
    "shift": "random_?shift",
    "crop": "random_?crop",
    "brightness": "(^|_)brightness(_|$)",
    "contrast": "(^|_)contrast(_|$)",
    "mixup": "mix_?up",
    "cutout": "cut_?out|random_?erasing|coarse_?dropout",
    "cutmix": "cut_?mix",
    "time_mask": "time_?mask|spec_?augment",
    "frequency_mask": "freq\\w*_?mask|spec_?augment",
    "time_shift": "time_?shift",
    "pitch_shift": "pitch_?shift",
    "back_translation": "back_?translation",
}

_ANY_AUGMENTATION = "|".join(calls for calls, _ in _AUGMENTATIONS.values())

_SCALERS: dict[str, str] = {
    "standard": r"StandardScaler|Normalization|zscore|per_image_standardization|Normalize|RobustScaler",
    "min_max": r"MinMaxScaler|minmax_scale",
    "robust": r"RobustScaler",
    "max_abs": r"MaxAbsScaler",
    "rescale": r"Rescaling|ToTensor|to_tensor|convert_image_dtype",
    "log": r"log1p|log|power_to_db|amplitude_to_db|log10",
}


def _augmented_by(code: Code, calls: str, keywords: str) -> int | None:
    for call in code.calls:
        if calls and re.fullmatch(calls, call.name) and not call.path.startswith("numpy.roll"):
            return call.line
        for keyword, value in call.keywords.items():
            if keywords and value and _takes_augmentation(call) and re.fullmatch(keywords, keyword):
                return call.line
    return None


def _takes_augmentation(call: Call) -> bool:
    return call.name == "ImageDataGenerator" or re.search("transforms|albumentations", call.path) is not None


def _augmentation(constraint: Constraint, code: Code) -> Finding:
    if constraint.value == "true":
        keywords = "|".join(keywords for _, keywords in _AUGMENTATIONS.values() if keywords)
        line = _augmented_by(code, _ANY_AUGMENTATION, keywords)
        if line is None:
            line = code.word("augment|" + "|".join(_AUGMENTATION_WORDS.values()))
        return met(line) if line is not None else missing("no augmentation")
    calls, keywords = _AUGMENTATIONS.get(constraint.value, ("", ""))
    line = _augmented_by(code, calls, keywords)
    if line is None:
        words = _AUGMENTATION_WORDS.get(constraint.value)
        line = code.word(words) if words else None
    if line is not None:
        return met(line)
    if not calls and constraint.value not in _AUGMENTATION_WORDS:
        line = code.word(re.escape(constraint.value))
        return met(line) if line is not None else unknown(f"no check for {constraint.value}")
    others = [Found(call.name, call.line) for call in code.calls if re.fullmatch(_ANY_AUGMENTATION, call.name)]
    return missing(listed(others) or "no augmentation", others[0].line if others else None)


def _shares(code: Code) -> Iterator[Found]:
    """Shares that are held out, named by what they are for: `test`, `validation`, "" where that does not show."""
    parts: list[float] = []
    for call in code.calls:
        if call.name == "train_test_split":
            value = call.argument(-1, "test_size")
            if value not in (None,) and not is_constant(value):
                yield Found(value, call.line)
            elif isinstance(value, float):
                parts.append(value)
                yield Found(value, call.line)
                yield Found(round((1 - parts[0]) * value, 4), call.line)  # of what an earlier split left
            elif "train_size" in call.keywords and isinstance(call.keywords["train_size"], float):
                yield Found(round(1 - call.keywords["train_size"], 4), call.line)
            elif "test_size" not in call.keywords:
                yield Found(0.25, call.line)  # scikit-learn's own default
        for keyword in ("validation_split", "valid_pct"):
            if call.keywords.get(keyword) is not None:
                yield Found(call.keywords[keyword], call.line, "validation")
    for item in code.values(
        r"\w*(val|valid|validation|test|train)_(split|size|ratio|share|fraction|frac|pct)|split_ratio"
    ):
        if isinstance(item.value, float) and 0 < item.value < 1:
            yield Found(item.value if "train" not in item.name.lower() else round(1 - item.value, 4), item.line)
    for node in code.nodes_of(ast.BinOp):
        # `split = int(0.8 * len(rows))`
        if isinstance(node.op, ast.Mult):
            for side in (node.left, node.right):
                if isinstance(side, ast.Constant) and isinstance(side.value, float) and 0 < side.value < 1:
                    yield Found(side.value, node.lineno)
                    yield Found(round(1 - side.value, 4), node.lineno)


def _split(constraint: Constraint, code: Code) -> Finding:
    found = list(_shares(code))
    for item in found:
        if equal(item.value, constraint.value):
            return met(item.line)
    known = [item for item in found if is_known(item.value)]
    if known:
        return missing(f"shares {listed(known)}", known[0].line)
    if found or code.word("(^|_)(test|val|valid|validation)_"):
        return unknown(AT_RUN_TIME)
    return missing("nothing is held out")


def _divided_by_255(code: Code) -> int | None:
    changes: list[ast.BinOp | ast.AugAssign] = [*code.nodes_of(ast.BinOp), *code.nodes_of(ast.AugAssign)]
    for node in sorted(changes, key=lambda change: change.lineno):
        if isinstance(node.op, ast.Div | ast.Mult):
            side = node.right if isinstance(node, ast.BinOp) else node.value
            if isinstance(side, ast.Constant) and side.value in (255, 255.0, 127.5):
                return node.lineno
    for call in code.calls:
        if isinstance(call.keywords.get("rescale"), float):
            return call.line
    return None


def _scaling(constraint: Constraint, code: Code) -> Finding:
    pattern = _SCALERS.get(constraint.value)
    if pattern is None:
        return unknown(f"no check for {constraint.value} scaling")
    calls = code.calls_named(pattern)
    line = calls[0].line if calls else None
    if line is None and constraint.value == "rescale":
        line = _divided_by_255(code)
    if line is None and constraint.value in ("standard", "min_max"):
        line = _by_hand(code, constraint.value)
    if line is not None:
        return met(line)
    others = code.calls_named("|".join(_SCALERS.values()))
    return missing(
        listed([Found(call.name, call.line) for call in others]) or "no scaling", others[0].line if others else None
    )


def _by_hand(code: Code, kind: str) -> int | None:
    """`(x - x.mean()) / x.std()` or `(x - low) / (high - low)` with names that say so."""
    pattern = r"std|scale|sigma|deviation" if kind == "standard" else r"max.*min|range|span"
    before = r"mean|average|mu" if kind == "standard" else r"min|low"
    for node in code.nodes_of(ast.BinOp):
        if not isinstance(node.op, ast.Div):
            continue
        if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Sub):
            below, subtracted = _text(node.right), _text(node.left.right)
            if re.search(pattern, below) and re.search(before, subtracted):
                return node.lineno
    return None


def _text(node: ast.expr) -> str:
    """The names in an expression of ordinary size."""
    names: list[str] = []
    for part in islice(ast.walk(node), 40):
        if isinstance(part, ast.Name):
            names.append(part.id)
        elif isinstance(part, ast.Attribute):
            names.append(part.attr)
    return " ".join(names).lower()


CHECKS: dict[str, Check] = {
    "augmentation": _augmentation,
    "validation_split": _split,
    "test_split": _split,
    "scaling": _scaling,
}
