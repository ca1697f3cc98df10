"""Slips of the pen in the field's long words: "clasification", "tranformer", "optimzer"."""

from __future__ import annotations

from rapidfuzz import process
from rapidfuzz.distance import OSA

# Words that no other English word is one letter away from, endings left aside ("kernel" has "kennel").
_WORDS = (
    *("accuracy", "activation", "adversarial", "anomalies", "anomaly", "attention", "augmentation", "autoencoder"),
    *("balanced", "baseline", "bidirectional", "categorical", "checkpoint", "classification", "classifier", "classify"),
    *("clustering", "colorize", "convolution", "convolutional", "crossentropy", "dataset", "detection", "dropout"),
    *("embedding", "embeddings", "encoder", "epochs", "estimate", "finetune", "forecast", "forecasting", "gradient"),
    *("generator", "grayscale", "images", "imbalanced", "keras", "learning", "matrix", "mobilenet", "momentum"),
    *("network", "networks", "neural", "normalization", "optimizer", "picture", "pictures", "precision", "predict"),
    *(
        "pretrained",
        "pytorch",
        "recognition",
        "recommend",
        "recommendation",
        "recommender",
        "reconstruction",
        "recurrent",
    ),
    *("regression", "regularization", "residual", "scheduler", "segmentation", "sentiment", "sequence"),
    *("siamese", "sigmoid", "softmax", "spectrogram", "stratified", "summarize", "tensorflow", "transfer"),
    *("transformer", "translate", "translation", "validation", "variational", "vocabulary"),
)
_OFTEN_MISTYPED = {
    "spieces": "species",
    "speices": "species",
    "speceis": "species",
    "specie": "species",
    "confusoin": "confusion",
    "confussion": "confusion",
    "coment": "comment",
    "coments": "comments",
    "comented": "commented",
}
_LONG = 12
"""From this length on two letters may be wrong."""
_SHORTEST = 5


def mended(word: str) -> str:
    """A word of the field for one that is a slip away from it; any other word as it is. Lower case."""
    if word in _OFTEN_MISTYPED:
        return _OFTEN_MISTYPED[word]
    if len(word) < _SHORTEST or not word.isascii() or not word.isalpha():
        return word
    match = process.extractOne(word, _WORDS, scorer=OSA.distance, score_cutoff=2 if len(word) >= _LONG else 1)
    if match is None:
        return word
    known = match[0]
    return known if _is_slip(word, known) else word


def _is_slip(word: str, known: str) -> bool:
    """Whether a word can only be a mistyped one: the first letter is right, and it is no other ending."""
    if word[0] != known[0]:
        return False
    same = 0
    while same < min(len(word), len(known)) and word[same] == known[same]:
        same += 1
    only_ending = same >= min(len(word), len(known)) - 2 and word[-1] != known[-1]
    swapped = sorted(word) == sorted(known)
    return swapped or not only_ending
