"""Parts of the training: callbacks, the optimizer's and the loss's arguments, losses in the place of others."""

from __future__ import annotations

import ast
import re

from pipeline.generate.parts.script import Script, keyword_of, name_of
from pipeline.request.constraints import Constraint
from pipeline.syntax import walk


def early_stopping(script: Script, constraint: Constraint) -> Script | None:
    """Also for the patience, of a stopping that is there or of a new one."""
    patience = constraint.value if constraint.name == "patience" else "5"
    for call in script.calls("EarlyStopping"):
        return script.with_keyword(call, "patience", patience)
    monitor = monitored(script)
    return with_callback(
        script, f"keras.callbacks.EarlyStopping({monitor}patience={patience}, restore_best_weights=True)"
    )


def checkpoint(script: Script, constraint: Constraint) -> Script | None:
    """The best model so far."""
    if script.has_model_class():  # Keras saves no model of a class that it does not know
        return None
    return with_callback(
        script, f'keras.callbacks.ModelCheckpoint("best.keras", {monitored(script)}save_best_only=True)'
    )


def optimizer_argument(script: Script, constraint: Constraint) -> Script | None:
    """`weight_decay`, `momentum` or the clipping of gradients by their norm."""
    optimizer = script.compiled("optimizer")
    if not isinstance(optimizer, ast.Call):
        return None
    name = {"gradient_clipping": "clipnorm"}.get(constraint.name, constraint.name)
    usual = {"clipnorm": "1.0", "weight_decay": "0.0001", "momentum": "0.9"}
    value = usual[name] if constraint.value == "true" else constraint.value
    if name == "momentum" and name_of(optimizer) not in ("SGD", "RMSprop"):
        return None
    return script.with_keyword(optimizer, name, value)


def mixed_precision(script: Script, constraint: Constraint) -> Script | None:
    """Half precision but for the outputs."""
    heads = [call for call in script.calls("Dense", "Conv2D") if keyword_of(call, "activation") is not None]
    heads = [call for call in heads if ast.unparse(call).endswith(("'softmax')", "'sigmoid')"))]
    if script.model_call("compile") is None or not script.calls("set_random_seed"):
        return None
    for head in reversed(heads):
        script = script.with_keyword(head, "dtype", '"float32"')
    place = script.calls("set_random_seed")[0]
    return script.with_lines_before(place, 'keras.mixed_precision.set_global_policy("mixed_float16")\n')


def seed(script: Script, constraint: Constraint) -> Script | None:
    """The one seed of Keras, NumPy and Python."""
    for call in script.calls("set_random_seed"):
        if len(call.args) == 1:
            return script.replaced(call.args[0], constraint.value)
    return None


def class_weights(script: Script, constraint: Constraint) -> Script | None:
    """A class weighs more the fewer examples it has; for labels in an array, also where batches are made of them."""
    fit, loss = script.model_call("fit"), script.compiled("loss")
    if fit is None or not isinstance(loss, ast.Constant) or not str(loss.value).endswith("crossentropy"):
        return None
    one_for_each_class = loss.value == "categorical_crossentropy"
    if len(fit.args) > 1 and isinstance(fit.args[1], ast.Name):
        labels = fit.args[1].id
        numbers = f"{labels}.argmax(axis=-1)" if one_for_each_class else f"np.ravel({labels}).astype(int)"
    elif len(fit.args) == 1 and script.binds("train_labels") and "def predicted_classes(" in script.source:
        numbers = "np.asarray(train_labels)"  # class numbers: docs/starter.md
    else:
        return None
    lines = (
        "# A class weighs more the fewer examples it has.\n"
        f"class_numbers = {numbers}\n"
        "classes, counts = np.unique(class_numbers, return_counts=True)\n"
        "class_weight = dict(zip(classes.tolist(), len(class_numbers) / (len(classes) * counts)))\n\n"
    )
    changed = script.with_keyword(fit, "class_weight", "class_weight")
    again = changed.model_call("fit")
    assert again is not None
    return changed.with_lines_before(again, lines).with_import("import numpy as np")


def monitored(script: Script) -> str:
    """What callbacks watch where nothing is held out."""
    fit = script.model_call("fit")
    held_out = fit is not None and any(_fit_option(script, fit, f"validation_{name}") for name in ("data", "split"))
    return "" if held_out else 'monitor="loss", '


def _fit_option(script: Script, fit: ast.Call, name: str) -> ast.expr | None:
    """What `fit` is handed under a name: by a keyword, or by `**options` of a dict that is written out."""
    given = keyword_of(fit, name)
    if given is not None:
        return given
    for keyword in fit.keywords:
        if keyword.arg is not None or not isinstance(keyword.value, ast.Name):
            continue
        options = script.assigned(keyword.value.id)
        if not isinstance(options, ast.Dict):
            continue
        for key, value in zip(options.keys, options.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == name:
                return value
    return None


def callback_list(script: Script) -> ast.List | None:
    """The callbacks of the first `fit`, where they are written out."""
    fit = script.model_call("fit")
    given = _fit_option(script, fit, "callbacks") if fit is not None else None
    if isinstance(given, ast.Name):
        given = script.assigned(given.id)
    return given if isinstance(given, ast.List) else None


def with_callback(script: Script, callback: str) -> Script | None:
    """With one more callback of the training; None where there is none, or no place for it."""
    fit = script.model_call("fit")
    if fit is None:
        return None
    is_for_first = "LearningRateScheduler" in callback  # its rates are those of the first training
    there = callback_list(script)
    given = _fit_option(script, fit, "callbacks")
    is_shared = isinstance(given, ast.Name) and _count_of_fits_with(script, given.id) > 1
    if there is not None and not (is_for_first and is_shared):
        return script.with_element(there, callback)
    if given is not keyword_of(fit, "callbacks"):  # it stands in the options, which no second one may go beside
        return None
    further = _further_fits(script, fit)
    if given is None and further and not is_for_first and not script.binds("callbacks"):
        # The same object watches all parts of a training: of a second checkpoint the first epoch would be the best.
        for call in reversed([fit, *further]):
            script = script.with_keyword(call, "callbacks", "callbacks")
        return script.with_lines_before(fit, f"callbacks = [{callback}]\n")
    added = f"[{callback}]" if given is None else f"[*{script.text(given)}, {callback}]"
    return script.with_keyword(fit, "callbacks", added)


def _count_of_fits_with(script: Script, name: str) -> int:
    """How many fits are handed a list of callbacks."""
    given = [keyword_of(call, "callbacks") for call in script.calls("fit")]
    return sum(isinstance(one, ast.Name) and one.id == name for one in given)


def _further_fits(script: Script, first: ast.Call) -> list[ast.Call]:
    """The fits of the same model after the first, such as those of a fine-tuning; none where one of them has callbacks
    or options of its own."""
    further: list[ast.Call] = []
    for statement in script.tree.body:
        value = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
        if isinstance(value, ast.Call) and ast.unparse(value.func) == "model.fit" and value.lineno > first.lineno:
            further.append(value)
    own = any(keyword.arg in (None, "callbacks") for call in further for keyword in call.keywords)
    return [] if own else further


def without_callback(script: Script, name: str) -> Script:
    """Without the first callback of that name."""
    there = callback_list(script)
    for element in there.elts if there is not None else ():
        if there is not None and isinstance(element, ast.Call) and name_of(element) == name:
            return script.without_element(there, element)
    return script


_OF_PIXELS = {"mse": "mean_squared_error", "mae": "mean_absolute_error", "binary_crossentropy": "binary_crossentropy"}
_OF_NUMBERS = frozenset({"mse", "mae", "mean_squared_error", "mean_absolute_error"})
_RECONSTRUCTS = re.compile(r"denois|autoencoder|reconstruct", re.IGNORECASE)


def of_reconstructions(script: Script, constraint: Constraint) -> Script | None:
    """How far a reconstruction is off, by squares or absolutely: in the place of another such loss."""
    loss = script.compiled("loss")
    wanted = _OF_PIXELS.get(constraint.value)
    if wanted is None or not isinstance(loss, ast.Constant) or not _RECONSTRUCTS.search(script.source):
        return None
    if loss.value not in {*_OF_NUMBERS, "binary_crossentropy"} or "softmax" in script.source:
        return None
    if wanted == "binary_crossentropy" and 'activation="sigmoid"' not in script.source:
        return None
    return script.replaced(loss, f'"{wanted}"')


_SUMS = frozenset({"segmentation_loss", "loss_function"})
"""Functions of the samples that add binary cross-entropy and the Dice loss."""

_DICE = "dice_loss"


def one_of_two(script: Script, constraint: Constraint) -> Script | None:
    """The Dice loss or binary cross-entropy alone; None for other losses and where there is no sum of these two."""
    functions = {node.name: node for node in script.tree.body if isinstance(node, ast.FunctionDef)}
    sums = [name for name in functions if name in _SUMS]
    if constraint.value not in ("dice", "binary_crossentropy") or _DICE not in functions or len(sums) != 1:
        return None
    (name,) = sums
    is_dice = constraint.value == "dice"
    crossentropy = script.assigned("crossentropy")  # PyTorch's is an object of its own
    unused = [functions[name]] if is_dice else [functions[_DICE], functions[name]]
    if is_dice and crossentropy is not None:
        statement = script.statement_of(crossentropy)
        assert statement is not None
        unused.append(statement)  # type: ignore[arg-type]
    for statement in sorted(unused, key=lambda one: one.lineno, reverse=True):
        script = script.without_lines(statement)
    instead = _DICE if is_dice else "crossentropy" if crossentropy is not None else '"binary_crossentropy"'
    for node in [node for node in walk(script.tree) if isinstance(node, ast.Name) and node.id == name]:
        script = script.replaced(node, instead)
    return Script(re.sub(r"\n{4,}", "\n\n\n", script.source))
