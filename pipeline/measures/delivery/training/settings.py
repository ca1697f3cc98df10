"""How long and in what portions the network is trained, what holds it back, and which callbacks watch it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pipeline.analysis.values import Call, Unknown, is_network
from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    Finding,
    Found,
    amount,
    equal,
    is_known,
    met,
    missing,
    one_of,
    unknown,
)
from pipeline.measures.delivery.layers import (
    Layer,
)
from pipeline.request.constraints import Constraint


def _regularisation(kind: str) -> Check:
    def find(constraint: Constraint, code: Code) -> Finding:
        found: list[Found] = []
        for call in code.calls:
            name = call.name.lower()
            if name in (kind, f"{kind}regularizer") and ("regularizers" in call.path or call.path == call.name):
                found.append(Found(call.argument(0, kind, "l"), call.line))
            elif name in ("l1l2", "l1_l2"):
                found.append(Found(call.argument(0 if kind == "l1" else 1, kind), call.line))
            elif any(call.keywords.get(f"{part}_regularizer") == kind for part in ("kernel", "bias", "activity")):
                found.append(Found(0.01, call.line))  # Keras' default behind the name
            elif kind == "l2" and "weight_decay" in call.keywords and call.path.startswith("torch.optim"):
                found.append(Found(call.keywords["weight_decay"], call.line))
        return amount(found, constraint.value, f"no {kind} penalty")

    return find


def _keyword(pattern: str, nothing: str) -> Check:
    """A number under a name that matches the pattern, wherever it is set."""

    def find(constraint: Constraint, code: Code) -> Finding:
        return amount(code.values(pattern), constraint.value, nothing)

    return find


def _dropout(constraint: Constraint, code: Code) -> Finding:
    found: list[Found] = []
    for layer in code.all_layers:
        found += _dropout_of(layer)
    for call in code.calls:
        # `self.dropout(x)` calls a layer, which is looked at where it is built.
        if re.search(r"functional\.dropout|^dropout$", call.path) and not is_network(call.owner):
            found.append(Found(call.argument(1, "p", "rate"), call.line))
    return amount(found, constraint.value, "no dropout")


def _dropout_of(layer: Layer) -> Iterator[Found]:
    if layer.kind.endswith("Dropout"):
        rate = layer.value("rate")
        yield Found(0.5 if rate is None else rate, layer.line)
        return
    for keyword in ("dropout", "recurrent_dropout", "dropout_rate"):
        value = layer.call.keywords.get(keyword)
        if value not in (None, 0, 0.0):
            yield Found(value, layer.line)


def _batch_size(constraint: Constraint, code: Code) -> Finding:
    found: list[Found] = []
    for call in code.trace.calls:
        if call.name == "fit":
            found.append(Found(call.argument(2, "batch_size"), call.line))
        elif call.name == "batch" or call.name == "padded_batch":
            found.append(Found(call.argument(0, "batch_size"), call.line))
    for call in code.calls:
        if call.name == "DataLoader":
            found.append(Found(call.argument(1, "batch_size"), call.line))
        elif "batch_size" in call.keywords and not call.name.startswith(("evaluate", "predict")):
            found.append(Found(call.keywords["batch_size"], call.line))
    if not any(is_known(item.value) for item in found):
        found += code.values("(train_)?(batch_size|batchsize|batch|bs)|per_device_train_batch_size")
    default = [
        call for call in code.trace.calls if call.name == "fit" and not any(is_known(item.value) for item in found)
    ]
    if default and equal(32, constraint.value):
        return met(default[0].line, "Keras' default")
    return one_of([item for item in found if is_known(item.value)], constraint.value, _unset(code, "no batch size set"))


def _unset(code: Code, what: str) -> Finding:
    line = next((call.line for call in code.trace.calls if call.name.startswith("fit")), None)
    return missing(what, line)


def _epochs(constraint: Constraint, code: Code) -> Finding:
    """Of the longest training; of a loop over epochs, its rounds."""
    found: list[Found] = []
    if code.torch is not None and code.torch.epochs is not None:
        return one_of([Found(code.torch.epochs, code.torch.epochs_line)], constraint.value, missing("no epochs found"))
    for call in code.trace.calls:
        if call.name in ("fit", "fit_generator"):
            found.append(Found(call.argument(3 if call.name == "fit" else 2, "epochs", "nb_epoch"), call.line))
    for loop in code.loops:
        if isinstance(loop.node.target, ast.Name) and "epoch" in loop.node.target.id:
            found.append(Found(_rounds(loop.items), loop.node.lineno))
    if not any(is_known(item.value) for item in found):
        found += code.values("((n|num|max|total|train|training)_)*epochs?|nb_epochs?|num_train_epochs")
    return one_of(found, constraint.value, missing("no epochs found"))


def _rounds(items: object) -> object:
    if isinstance(items, Call) and items.args:  # tqdm(range(n))
        items = items.args[0]
    return len(items) if isinstance(items, range) else Unknown.ANY


def _steps(constraint: Constraint, code: Code) -> Finding:
    found = [Found(_rounds(loop.items), loop.node.lineno) for loop in code.loops]
    named = code.values(r"\w*(steps|iterations|iters|timesteps)|steps_per_epoch")
    known = [item for item in (*named, *found) if is_known(item.value)]
    return one_of(known, constraint.value, missing("no such number of steps"))


def _patience(constraint: Constraint, code: Code) -> Finding:
    stopping = code.calls_named("EarlyStopping")
    found = [Found(call.keywords.get("patience", 0), call.line) for call in stopping]
    if re.search("rate|plateau|lr", constraint.subject):
        found = []
    elif code.torch is not None and code.torch.patience is not None:
        found = [Found(code.torch.patience, code.torch.early_stopping)]
    found = found or code.values(r"\w*patience")
    return one_of(found, constraint.value, missing("no patience set"))


def _early_stopping(constraint: Constraint, code: Code) -> Finding:
    calls = code.calls_named("EarlyStopping")
    line = calls[0].line if calls else code.word("early_?stop|patience_counter|epochs_(without|no)_improve")
    if line is None and code.torch is not None:
        line = code.torch.early_stopping
    return met(line) if line is not None else _unset(code, "no early stopping")


def _checkpoint(constraint: Constraint, code: Code) -> Finding:
    calls = code.calls_named("ModelCheckpoint|BackupAndRestore|Checkpoint|CheckpointManager|save_checkpoint")
    calls = calls or [call for call in code.calls if call.path == "torch.save"]
    return met(calls[0].line) if calls else _unset(code, "no checkpoint")


def _mixed_precision(constraint: Constraint, code: Code) -> Finding:
    for call in code.calls:
        if call.name in ("autocast", "GradScaler", "LossScaleOptimizer"):
            return met(call.line)
        if any(isinstance(arg, str) and arg in _HALF for arg in (*call.args, *call.keywords.values())):
            return met(call.line)
        if call.name == "Trainer" and str(call.keywords.get("precision", "")).startswith(("16", "bf16")):
            return met(call.line)
        if call.keywords.get("fp16") is True or call.keywords.get("bf16") is True:
            return met(call.line)
    return missing("one precision throughout")


_HALF = frozenset({"mixed_float16", "mixed_bfloat16"})


def _class_weights(constraint: Constraint, code: Code) -> Finding:
    for call in code.calls:
        for keyword in ("class_weight", "sample_weight", "pos_weight", "loss_weights"):
            if keyword in call.keywords and call.keywords[keyword] is not None and keyword != "loss_weights":
                return met(call.line)
        if re.search(r"(Cross|BCE|NLL)\w*Loss$", call.name) and call.keywords.get("weight") is not None:
            return met(call.line)
    return _unset(code, "every class counts the same")


def _oversampling(constraint: Constraint, code: Code) -> Finding:
    pattern = (
        "SMOTE\\w*|ADASYN|\\w*OverSampler|WeightedRandomSampler|rejection_resample|sample_from_datasets|fit_resample"
    )
    calls = code.calls_named(pattern) or [
        call for call in code.calls_named("resample|choice") if call.keywords.get("replace") is True
    ]
    line = calls[0].line if calls else code.word("over_?sampl")
    return met(line) if line is not None else missing("no oversampling")


def _stratified(constraint: Constraint, code: Code) -> Finding:
    for call in code.calls:
        if call.name.startswith("Stratified") or call.keywords.get("stratify") not in (None, False):
            return met(call.line)
    splits = code.calls_named("train_test_split|KFold")
    return missing("split without regard to the classes", splits[0].line if splits else None)


def _teacher_forcing(constraint: Constraint, code: Code) -> Finding:
    """Named so, or fed with the answer but for its last token: `target[:, :-1]`."""
    line = code.word("teacher|decoder_(in|target)|decoder_input")
    for node in code.nodes_of(ast.Subscript):
        if line is None and isinstance(node.slice, ast.Tuple):
            last = node.slice.elts[-1]
            if isinstance(last, ast.Slice) and isinstance(last.upper, ast.UnaryOp) and code.word("embed"):
                line = node.lineno
    return met(line) if line is not None else unknown("no sign of how the decoder is fed")


def _shuffle(constraint: Constraint, code: Code) -> Finding:
    calls = [call for call in code.calls if not code.is_made_up(call.line)]
    off = [call for call in calls if call.keywords.get("shuffle") is False]
    for call in calls:
        if call.keywords.get("shuffle") is True or call.name in ("shuffle", "permutation", "randperm"):
            return met(call.line)
        if call.name == "train_test_split" and "shuffle" not in call.keywords:
            return met(call.line, "train_test_split shuffles")
    if off:
        return missing("not shuffled", off[0].line)
    for call in code.trace.calls:
        if call.name == "fit" and not constraint.negated:
            return met(call.line, "fit shuffles by default")
    return missing("nothing is shuffled")


def _folds(constraint: Constraint, code: Code) -> Finding:
    found = [Found(call.argument(0, "n_splits"), call.line) for call in code.calls_named(r"\w*(KFold|TimeSeriesSplit)")]
    found += [Found(call.keywords["cv"], call.line) for call in code.calls if "cv" in call.keywords]
    return one_of(found or code.values("(n|num|k)_?(folds|splits)|folds|k"), constraint.value, missing("no folds"))


def _seed(constraint: Constraint, code: Code) -> Finding:
    found = [
        Found(call.args[0], call.line)
        for call in code.calls_named(
            r"set_random_seed|set_seed|seed|manual_seed(_all)?|PRNGKey|key|default_rng|seed_everything"
        )
        if call.args
    ]
    return one_of([*found, *code.values("seed|random_state|random_seed")], constraint.value, missing("no seed set"))


def _label_smoothing(constraint: Constraint, code: Code) -> Finding:
    found = [item for item in code.values(r"\w*label_smoothing|smoothing") if item.value]
    return amount(found, constraint.value, "no label smoothing")


CHECKS: dict[str, Check] = {
    "batch_size": _batch_size,
    "epochs": _epochs,
    "patience": _patience,
    "label_smoothing": _label_smoothing,
    "l1": _regularisation("l1"),
    "l2": _regularisation("l2"),
    "seed": _seed,
    "folds": _folds,
    "steps": _steps,
    "dropout": _dropout,
    "early_stopping": _early_stopping,
    "checkpoint": _checkpoint,
    "mixed_precision": _mixed_precision,
    "class_weights": _class_weights,
    "oversampling": _oversampling,
    "stratified": _stratified,
    "teacher_forcing": _teacher_forcing,
    "shuffle": _shuffle,
}
