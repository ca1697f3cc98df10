"""How a Keras model is fitted: what is watched, rare classes drawn more often, averaged weights, mixed examples."""

from __future__ import annotations

import ast
import re

from pipeline.generate.parts.script import Script, keyword_of
from pipeline.request.constraints import Constraint

_WATCHING = ("EarlyStopping", "ModelCheckpoint", "ReduceLROnPlateau")
_LOWER_IS_BETTER = re.compile(r"loss|error|mae|mse|rmse")


def monitor(script: Script, constraint: Constraint) -> Script | None:
    """The callbacks that are there watch the asked value, if training reports it."""
    name = constraint.value if constraint.value.startswith("val_") else f"val_{constraint.value}"
    if name != "val_loss" and not _is_reported(script, name.removeprefix("val_")):
        return None
    calls = script.calls(*_WATCHING)
    mode = "min" if _LOWER_IS_BETTER.search(name) else "max"
    for number in reversed(range(len(calls))):
        call = script.calls(*_WATCHING)[number]
        script = script.with_keyword(call, "monitor", f'"{name}"')
        if name != "val_loss":
            script = script.with_keyword(script.calls(*_WATCHING)[number], "mode", f'"{mode}"')
    return script if calls else None


def _is_reported(script: Script, metric: str) -> bool:
    """Whether `compile` has a metric of that name, for a model with one output."""
    metrics = script.compiled("metrics")
    if not isinstance(metrics, ast.List) or isinstance(script.compiled("loss"), ast.Dict):
        return False
    names = [ast.unparse(one) for one in metrics.elts]
    return any(text in (f"'{metric}'", metric) or f"name='{metric}'" in text for text in names)


def no_shuffling(script: Script, constraint: Constraint) -> Script | None:
    """Examples in their order in every epoch; only what is forbidden."""
    fit = script.model_call("fit")
    if not constraint.negated or fit is None or len(fit.args) < 2:
        return None
    return script.with_keyword(fit, "shuffle", "False")


def gradient_accumulation(script: Script, constraint: Constraint) -> Script | None:
    """The weights change once in so many batches."""
    optimizer = script.compiled("optimizer")
    steps = constraint.number
    if not isinstance(optimizer, ast.Call) or steps is None or steps < 2:
        return None
    return script.with_keyword(optimizer, "gradient_accumulation_steps", str(int(steps)))


def averaged_weights(script: Script, constraint: Constraint) -> Script | None:
    """A moving average of the weights, which the optimizer puts in their place at the end of the training."""
    optimizer = script.compiled("optimizer")
    if not isinstance(optimizer, ast.Call):
        return None
    script = script.with_keyword(optimizer, "use_ema", "True")
    again = script.compiled("optimizer")
    assert isinstance(again, ast.Call)
    decay = "0.99" if constraint.number is None else constraint.value
    return script.with_keyword(again, "ema_momentum", decay)


def beta_1(script: Script, constraint: Constraint) -> Script | None:
    """Adam's decay of the mean of gradients."""
    changed = script
    for number in range(len(script.calls("Adam", "AdamW", "Nadam"))):
        call = changed.calls("Adam", "AdamW", "Nadam")[number]
        changed = changed.with_keyword(call, "beta_1", constraint.value)
    return changed if changed is not script else None


def oversampling(script: Script, constraint: Constraint) -> Script | None:
    """Rare classes are drawn again until each is as frequent as the most frequent one; for labels in an array."""
    fit, loss = script.model_call("fit"), script.compiled("loss")
    if fit is None or not isinstance(loss, ast.Constant) or not str(loss.value).endswith("crossentropy"):
        return None
    names = [argument.id for argument in fit.args if isinstance(argument, ast.Name)]
    if len(names) != 2 or len(fit.args) != 2 or keyword_of(fit, "sample_weight") is not None:
        return None
    examples, labels = names
    numbers = f"{labels}.argmax(axis=-1)" if loss.value == "categorical_crossentropy" else f"np.ravel({labels})"
    if not _are_arrays(script, examples):
        return None
    lines = (
        "# Rare classes are drawn again, until each is as frequent as the most frequent one.\n"
        f"class_numbers = {numbers}\n"
        "classes, counts = np.unique(class_numbers, return_counts=True)\n"
        "oversampled = np.concatenate(\n"
        "    [np.random.choice(np.flatnonzero(class_numbers == one), counts.max(), replace=True) for one in classes]\n"
        ")\n"
        "np.random.shuffle(oversampled)\n\n"
    )
    changed = script.replaced(fit.args[1], f"{labels}[oversampled]")
    again = changed.model_call("fit")
    assert again is not None
    changed = changed.replaced(again.args[0], f"{examples}[oversampled]")
    last = changed.model_call("fit")
    assert last is not None
    return changed.with_lines_before(last, lines).with_import("import numpy as np")


def _are_arrays(script: Script, name: str) -> bool:
    """Whether a name may be one array, and no dict or list of several."""
    value = script.assigned(name)
    has_one_input = len(script.calls("Input")) == 1
    return has_one_input and not isinstance(value, ast.Dict | ast.List)


def frozen_epochs(script: Script, constraint: Constraint) -> Script | None:
    """The epochs before the backbone learns along: those of the first of two fits."""
    fits = [call for call in script.calls("fit") if ast.unparse(call.func) == "model.fit"]
    epochs = keyword_of(fits[0], "epochs") if len(fits) > 1 else None
    if epochs is None or constraint.number is None or ast.unparse(epochs) != "EPOCHS":
        return None
    value = script.assigned_first("EPOCHS")
    place = script.statement_of(value) if value is not None else None
    if place is None:
        return None
    changed = script.replaced(epochs, "FROZEN_EPOCHS")
    source = re.sub(r"\bEPOCHS - 0\.5", "FROZEN_EPOCHS - 0.5", changed.source)
    source = re.sub(
        r"^(    )EPOCHS = min\(EPOCHS, (\d+)\)(.*)$", r"\1FROZEN_EPOCHS = min(FROZEN_EPOCHS, \2)\3", source, flags=re.M
    )
    line = f"FROZEN_EPOCHS = {int(constraint.number)}  # in which the backbone stays as it is\n"
    return Script(source).with_lines_after(place, line)


_LOSSES = {
    "categorical_crossentropy": "keras.losses.CategoricalCrossentropy",
    "binary_crossentropy": "keras.losses.BinaryCrossentropy",
}


def label_smoothing(script: Script, constraint: Constraint) -> Script | None:
    """For cross-entropies of probabilities."""
    loss = script.compiled("loss")
    if not isinstance(loss, ast.Constant) or loss.value not in _LOSSES:
        return smoothed_numbers(script, constraint)
    value = "0.1" if constraint.value == "true" else constraint.value
    return script.replaced(loss, f"{_LOSSES[str(loss.value)]}(label_smoothing={value})")


_SMOOTHED = '''def smoothed_crossentropy(labels, outputs):
    """Cross-entropy of classes whose labels are not quite sure: a share of {value} is spread over all classes."""
    numbers = keras.ops.cast(keras.ops.reshape(labels, keras.ops.shape(outputs)[:-1]), "int32")
    wanted = keras.ops.one_hot(numbers, outputs.shape[-1])
    return keras.losses.categorical_crossentropy(wanted, outputs, label_smoothing={value})


'''


def smoothed_numbers(script: Script, constraint: Constraint) -> Script | None:
    """Label smoothing where labels are numbers of classes, for which Keras' own loss has none."""
    loss, compiled = script.compiled("loss"), script.model_call("compile")
    if compiled is None or not isinstance(loss, ast.Constant) or loss.value != "sparse_categorical_crossentropy":
        return None
    value = "0.1" if constraint.value == "true" else constraint.value
    changed = script
    for call in reversed(script.calls("compile")):
        given = keyword_of(call, "loss")
        if isinstance(given, ast.Constant) and given.value == loss.value:
            changed = changed.replaced(given, "smoothed_crossentropy")
    metrics = keyword_of(compiled, "metrics")
    if metrics is not None and "'accuracy'" in ast.unparse(metrics):  # of a function Keras cannot tell which is meant
        source = changed.source.replace('metrics=["accuracy"', 'metrics=["sparse_categorical_accuracy"')
        if "val_accuracy" in source or '"accuracy"' in source:
            source = changed.source.replace(
                'metrics=["accuracy"', 'metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")'
            )
        changed = Script(source)
    again = changed.model_call("compile")
    assert again is not None
    return changed.with_lines_before(again, _SMOOTHED.format(value=value))


_FOCAL_TWO = '''def focal_loss(labels, outputs):
    """Binary cross-entropy in which examples count less the surer they are told (Lin et al. 2017)."""
    return keras.losses.binary_focal_crossentropy(labels, outputs, gamma=FOCAL_GAMMA)


'''
_FOCAL_MANY = '''def focal_loss(labels, outputs):
    """Cross-entropy in which examples count less the surer they are told (Lin et al. 2017)."""
    wanted = {wanted}
    return keras.losses.categorical_focal_crossentropy(wanted, outputs, gamma=FOCAL_GAMMA)


'''


def focal_loss(script: Script, constraint: Constraint) -> Script | None:
    """In the place of a cross-entropy of classes."""
    loss = script.compiled("loss")
    if constraint.value != "focal" or not isinstance(loss, ast.Constant):
        return None
    wanted = {
        "categorical_crossentropy": "labels",
        "sparse_categorical_crossentropy": (
            'keras.ops.one_hot(keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32"), outputs.shape[-1])'
        ),
    }
    if loss.value == "binary_crossentropy":
        function = _FOCAL_TWO
    elif loss.value in wanted and not re.search(r"return_sequences=True\)\(x\)\n.*softmax|masks", script.source):
        function = _FOCAL_MANY.format(wanted=wanted[str(loss.value)])
    else:
        return None
    changed = script
    for call in reversed(script.calls("compile")):
        given = keyword_of(call, "loss")
        if isinstance(given, ast.Constant) and given.value == loss.value:
            changed = changed.replaced(given, "focal_loss")
    kind = {"binary_crossentropy": "Binary", "categorical_crossentropy": "Categorical"}.get(
        str(loss.value), "SparseCategorical"
    )
    source = changed.source.replace('metrics=["accuracy"', f'metrics=[keras.metrics.{kind}Accuracy(name="accuracy")')
    changed = Script(source)
    again = changed.model_call("compile")
    assert again is not None
    return changed.with_lines_before(again, f"FOCAL_GAMMA = 2.0\n\n\n{function}")


def focal_gamma(script: Script, constraint: Constraint) -> Script | None:
    """How fast examples count less."""
    known = script.assigned("FOCAL_GAMMA")
    return None if known is None else script.replaced(known, constraint.value)
