"""The kinds of data that the rest of a request can be about: what is translated is text."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.request.known_datasets import known_dataset
from pipeline.request.terms.pieces import Piece

KINDS = frozenset("image video audio text table series graph array".split())

_OF_PICTURES = frozenset(("image", "video", "array"))
_OF_TEXT = frozenset(("text",))
_OF_SOUND = frozenset(("audio", "series"))
_BY_PROBLEM = {
    "translation": _OF_TEXT,
    "summarization": _OF_TEXT,
    "question_answering": frozenset(("text", "image")),
    "tagging": _OF_TEXT,
    "segmentation": _OF_PICTURES,
    "detection": _OF_PICTURES,
    "super_resolution": _OF_PICTURES,
    "colorization": _OF_PICTURES,
    "captioning": _OF_PICTURES,
    "style_transfer": frozenset(("image", "audio", "video")),
    "text_recognition": frozenset(("image",)),
    "speech_recognition": frozenset(("audio",)),
    "forecasting": frozenset("series table video image graph".split()),
    "recommendation": frozenset("table series graph".split()),
    "reinforcement_learning": frozenset(("image",)),
}
_ONLY = frozenset(("recommendation", "reinforcement_learning"))
"""Problems whose requests speak of films and sensors that are no data of theirs."""
_TEXT_NETWORKS = frozenset(
    "bert bert_large multilingual_bert distilbert roberta xlm_roberta albert electra deberta camembert xlnet scibert "
    "biobert finbert clinicalbert gpt2 t5 t5_small flan_t5 bart pegasus mt5 marianmt sentence_bert "
    "universal_sentence_encoder elmo tf_idf bag_of_words word2vec glove fasttext subwords character_level word_level "
    "bleu rouge perplexity chrf".split()
)
_SOUND_NETWORKS = frozenset(
    "yamnet vggish wav2vec2 hubert whisper panns openl3 log_mel_spectrogram mel_spectrogram mfcc waveform cqt "
    "chroma wer eer".split()
)
_PICTURE_NETWORKS = frozenset(
    "resnet50 resnet18 resnet34 resnet101 resnet152 vgg16 vgg19 vgg mobilenet mobilenetv2 mobilenetv3 "
    "mobilenetv3large mobilenetv3small efficientnet efficientnetb0 efficientnetb1 efficientnetb2 efficientnetb3 "
    "efficientnetb4 efficientnetv2 efficientnetv2b0 inception inceptionv3 densenet densenet121 densenet169 xception "
    "convnext convnexttiny yolo faster_rcnn mask_rcnn retinanet vision_transformer vit_b16 swin dcgan cyclegan "
    "conditional_gan srcnn edsr gradcam psnr".split()
)
_GRAPH_NETWORKS = frozenset("gnn gcn gat graphsage".split())


def expected_kinds(pieces: list[Piece], problems: Iterable[str]) -> tuple[frozenset[str], bool]:
    """The kinds that fit, and whether no other can be meant."""
    kinds = KINDS
    only = False
    for problem in problems:
        kinds = _narrowed(kinds, _BY_PROBLEM.get(problem, KINDS))
        only = only or problem in _ONLY
    values = set()
    for piece in pieces:
        for term in piece.terms:
            if term.name == "dataset":
                known = known_dataset(term.value)
                if known is not None:
                    kinds = _narrowed(kinds, frozenset((known.kind,)))
                    only = True
            if term.role == "is":
                values.add(term.value)
    if values & _GRAPH_NETWORKS:
        kinds = _narrowed(kinds, frozenset(("graph", "series")))
    elif values & _TEXT_NETWORKS or any(piece.key.startswith("smiles") for piece in pieces):
        kinds = _narrowed(kinds, _OF_TEXT)
    elif values & _SOUND_NETWORKS:
        kinds = _narrowed(kinds, _OF_SOUND)
    elif values & _PICTURE_NETWORKS:
        kinds = _narrowed(kinds, _OF_PICTURES | {"audio"})
    elif any(piece.key in ("khz", "hz") for piece in pieces):
        kinds = _narrowed(kinds, _OF_SOUND)
    return kinds, only


def _narrowed(kinds: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """What is in both; where nothing is, what was there before."""
    return kinds & others or kinds
