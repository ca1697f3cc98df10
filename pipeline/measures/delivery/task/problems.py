"""The kind of problem, by the form of the model and the words of the code."""

from __future__ import annotations

import ast
import re

from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    Finding,
    equal,
    is_known,
    met,
    missing,
    unknown,
)
from pipeline.measures.delivery.layers import (
    RECURRENT,
    Layer,
    is_convolution,
)
from pipeline.measures.delivery.network.known import (
    networks,
)
from pipeline.measures.delivery.training.losses import loss_names
from pipeline.request.constraints import Constraint

CROSS_ENTROPIES = frozenset(
    "binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy binary_focal_crossentropy "
    "categorical_focal_crossentropy hinge categorical_hinge squared_hinge".split()
)

_REGRESSION_LOSSES = frozenset(
    "mean_squared_error mean_absolute_error huber log_cosh mean_absolute_percentage_error mean_squared_logarithmic_error "
    "poisson quantile".split()
)


def kind_of(code: Code) -> tuple[str, int | None]:
    """What the model's form says that it does, with the line: `classification`, `regression`, `dense_prediction` (a
    value for every pixel), `tokens` (a class for every place of a sequence), `reconstruction`, `adversarial`; "" where
    nothing tells."""
    if code.word("generator") is not None and code.word("discriminator|critic") is not None:
        return "adversarial", code.word("discriminator|critic")
    if (line := code.word("auto_?encoder|(^|_)vae(_|$)")) is not None:
        return "reconstruction", line
    losses = {str(item.value) for item in loss_names(code)}
    if (line := _fitted_to_itself(code)) is not None:
        return "reconstruction", line
    for network in networks(code):  # `TFBertForSequenceClassification`
        if re.search("forsequenceclassification|formultiplechoice", str(network.value)):
            return "classification", network.line
        if re.search("forconditionalgeneration|lmhead|causallm|seq2seqlm|fortokenclassification", str(network.value)):
            return "tokens", network.line
    if not code.heads:
        return ("regression" if losses & _REGRESSION_LOSSES else ""), None
    head = code.heads[-1]
    if (is_convolution(head.kind) and not _pooled_after(head, code)) or _shaped_after(head, code):
        return "dense_prediction", head.line
    if _gives_sequences(head, code):
        return "tokens", head.line
    if losses & CROSS_ENTROPIES or head.activation == "softmax":
        return "classification", head.line
    if losses & _REGRESSION_LOSSES or (head.size == 1 and head.activation in ("", "linear")):
        return "regression", head.line
    return "", head.line


def _pooled_after(head: Layer, code: Code) -> bool:
    after = code.layers[list(map(id, code.layers)).index(id(head)) :]
    return any("Global" in layer.kind or layer.kind == "Flatten" for layer in after)


def _shaped_after(head: Layer, code: Code) -> bool:
    """Whether the numbers that the last layer gives are put into the shape of a picture."""
    after = code.layers[list(map(id, code.layers)).index(id(head)) :]
    shapes = [layer.value("target_shape") for layer in after if layer.kind == "Reshape"]
    return any(isinstance(shape, tuple | list) and len(shape) >= 2 for shape in shapes)


def _fitted_to_itself(code: Code) -> int | None:
    for node in code.nodes_of(ast.Call):
        if not (isinstance(node.func, ast.Attribute) and node.func.attr == "fit"):
            continue
        names = [arg.id for arg in node.args[:2] if isinstance(arg, ast.Name)]
        if len(names) == 2 and names[0] == names[1]:
            return node.lineno
    return None


def _line(code: Code, layer: Layer) -> str:
    return code.source.split("\n")[layer.line - 1] if layer.line else ""


def _gives_sequences(head: Layer, code: Code) -> bool:
    """The last layer names a token for every place: it is as wide as the vocabulary, or follows whole sequences."""
    embeddings = [layer for layer in code.all_layers if layer.kind == "Embedding"]
    size = head.size
    if head.library == "torch" and re.search("vocab|characters|words", _line(code, head).lower()):
        return True
    if head.call.layer is not None and re.search("vocab|word_index|tokenizer", head.call.layer.text.lower()):
        return True
    if is_known(size) and any(
        equal(item.value, str(size)) for item in code.values(r"(\w+_)?vocab(ulary)?(_size)?|vocab\w*")
    ):
        return True
    if code.word("vocab|token|(^|_)(texts?|sentences?|chars?|words?)(_|$)") is None:
        return False  # embeddings of categories
    if is_known(size) and any(equal(layer.value("input_dim"), str(size)) for layer in embeddings):
        return True
    if not embeddings:
        return False
    if any(layer.kind == "TimeDistributed" for layer in code.layers):
        return True
    before = code.layers[: list(map(id, code.layers)).index(id(head))]
    last = next((layer for layer in reversed(before) if layer.kind not in ("Dropout", "Dense", "Bidirectional")), None)
    if last is None or last.kind not in RECURRENT:
        return False
    if last.library == "torch":  # PyTorch's give a state for every place; a forward that wants one takes it
        return not _takes_one_state(code)
    return last.value("return_sequences") is True


_ONE_STATE = re.compile(r"\[:, -1|\[-1|\[-2|hidden|\bh_?n\b|\.(mean|max|amax|sum|gather)\(|pool|attention|attend")


def _takes_one_state(code: Code) -> bool:
    """Whether a `forward` of PyTorch makes one state of those of all places: the last one, a mean, a weighted sum."""
    forwards = [function for function in code.nodes_of(ast.FunctionDef) if function.name == "forward"]
    return any(_ONE_STATE.search(ast.unparse(statement)) for function in forwards for statement in function.body)


# By problem: forms that fit, and words that tell it from others of that form ("" where the form alone does).
_PROBLEMS: dict[str, tuple[str, str]] = {
    "classification": ("classification", ""),
    "regression": ("regression", ""),
    "forecasting": (
        "regression reconstruction",
        r"(^|_)(horizon|look_?back|window|forecast\w*|time_?steps?|lags?|future|seq(uence)?_len\w*|n_steps|past|history_size)(s|_|$)",
    ),
    "segmentation": ("dense_prediction", r"(^|_)masks?(_|$)|segment|unet|u_net"),
    "detection": ("regression dense_prediction classification", r"(^|_)(bbox(es)?(?!_inches)|box(es)?|anchors?)(_|$)|detect|yolo|rcnn"),
    "generation": ("adversarial tokens reconstruction dense_prediction", r"generat|sampl|(^|_)vae|diffusion"),
    "translation": ("tokens", r"translat|source|target_(text|vocab|lang)|(^|_)(src|tgt)(_|$)|phrases|english|french|german|spanish|turkish|tamil"),
    "summarization": ("tokens", r"summari[sz]|summaries|summary_\w+|\w+_summary|abstractive|highlights"),
    "question_answering": ("tokens classification", r"question|answer|(^|_)squad"),
    "tagging": ("tokens", r"(^|_)(tags?|ner|pos_tags?|entity|entities)(_|$)|tagger|tagging"),
    "captioning": ("tokens", r"caption"),
    "recommendation": ("regression classification", r"(^|_)(user|item|movie|book|recipe|rating)(s|_|$)"),
    "anomaly_detection": ("reconstruction classification regression", r"anomal|outlier|threshold|novelty"),
    "reconstruction": ("reconstruction dense_prediction", ""),
    "denoising": ("dense_prediction reconstruction", "denois|noisy|speckle"),
    "super_resolution": ("dense_prediction adversarial reconstruction", r"(^|_)(hr|lr|low_res\w*|high_res\w*|upscal\w*|scale|super_?res\w*|sr)(_|$)"),
    "colorization": ("dense_prediction adversarial reconstruction", r"coloriz|colouris|gray|grey|lab(_|$)"),
    "speech_recognition": ("tokens classification", r"ctc|transcript|(^|_)asr(_|$)"),
    "retrieval": ("regression classification", r"similar|retriev|triplet|siamese|embedding|anchor|contrastive"),
    "clustering": ("", r"k_?means|cluster|dbscan|gaussian_mixture"),
    "style_transfer": ("", r"style_(image|img|loss|layer|weight|feature|path|target|output)|style_transfer|cycle"),
    "reinforcement_learning": ("", r"(^|_)(agent|env|reward|replay|policy|q_value)s?(_|$)"),
}  # fmt: skip

_KIND_WORDS = {
    "dense_prediction": "a value for every pixel",
    "tokens": "a class for every place of a sequence",
    "adversarial": "generator and discriminator",
}


def _problem(constraint: Constraint, code: Code) -> Finding:
    """By the form of the model; where several problems have it, by words too. A problem whose words are missing is
    not met where the form differs, and cannot be told where it fits."""
    entry = _PROBLEMS.get(constraint.value)
    if entry is None:
        return unknown(f"no check for {constraint.value}")
    kinds, words = entry
    kind, line = kind_of(code)
    word_line = _worded_line(constraint.value, code)
    if kind in kinds.split() and (not words or word_line is not None):
        if constraint.value == "regression" and _is_forecast(code):
            return met(line, "of values to come")
        return met(word_line if word_line is not None and constraint.value != "classification" else line)
    if not kinds:  # no form of its own
        return met(word_line) if word_line is not None else missing(shown_kind(kind) or "nothing of the kind", line)
    if not kind:
        return unknown("neither head nor loss tells what the model does")
    numbers = {str(item.value) for item in loss_names(code)} & _REGRESSION_LOSSES
    if constraint.value == "regression" and (kind == "adversarial" or (kind == "dense_prediction" and numbers)):
        return unknown(f"{shown_kind(kind)}, and numbers all the same")
    if {kind, constraint.value} == {"classification", "regression"}:  # a loss for each of several outputs
        fitting = _REGRESSION_LOSSES if constraint.value == "regression" else CROSS_ENTROPIES
        for item in loss_names(code):
            if str(item.value) in fitting:
                return met(item.line)
    if kind not in kinds.split() or kind in ("classification", "regression"):
        return missing(shown_kind(kind), line)
    for other, (forms, _) in _PROBLEMS.items():
        if kind in forms.split() and other != "generation" and (other_line := _worded_line(other, code)) is not None:
            return missing(f"{shown_kind(kind)}, for {other}", other_line)
    return unknown(f"{shown_kind(kind)}, but nothing says for what")


_COLUMNS = {
    "summarization": r"^(summary|summaries|headlines?|highlights)$",
    "captioning": "caption",
    "translation": "translat",
}
"""Names of columns and files that tell what a model of texts does."""


def _worded_line(problem: str, code: Code) -> int | None:
    words = _PROBLEMS[problem][1]
    line = code.word(words) if words else None
    if line is None and problem in _COLUMNS:
        line = code.text(_COLUMNS[problem])
    return line


def _is_forecast(code: Code) -> bool:
    return code.word(_PROBLEMS["forecasting"][1]) is not None and any(layer.kind in RECURRENT for layer in code.layers)


def shown_kind(kind: str) -> str:
    return _KIND_WORDS.get(kind, kind)


PROBLEMS: dict[str, Check] = {"problem": _problem}
