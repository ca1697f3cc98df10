"""What is read: kinds of data, well-known data sets, representations."""

from __future__ import annotations

import ast
import re

from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.data.files import files_read
from pipeline.measures.delivery.data.sizes import shapes
from pipeline.measures.delivery.findings import (
    Finding,
    listed,
    met,
    missing,
    plain,
    spaced,
    unknown,
)
from pipeline.measures.delivery.layers import (
    RECURRENT,
    is_backbone,
)
from pipeline.measures.delivery.sight import called_name
from pipeline.request.constraints import Constraint

# By kind: names of calls, with their paths, that read it or prepare it.
_READERS: dict[str, str] = {
    "image": r"load_img|imread|Image\.open|decode_(jpeg|png|image)|image_dataset_from_directory|flow_from_\w+|ImageDataGenerator|"
    r"ImageFolder|img_to_array|Rescaling|Resizing|(fashion_)?mnist\.load_data|cifar100?\.load_data|MNIST|FashionMNIST|CIFAR100?|"
    r"imshow|Random(Flip|Rotation|Zoom)|image\.\w+|nib(abel)?\.load|dcmread",
    "text": r"TextVectorization|Tokenizer\w*|texts_to_sequences|(Count|Tfidf)Vectorizer|imdb\.load_data|reuters\.load_data|"
    r"text_dataset_from_directory|word_tokenize|AutoTokenizer|\w+Tokenizer(Fast)?\.from_pretrained|fit_on_texts|pad_sequences|"
    r"get_tokenizer|regex_replace|read_text|StringLookup",
    "audio": r"librosa\.\w+(\.\w+)*|decode_wav|wavfile\.read|audio_dataset_from_directory|torchaudio\.\w+|soundfile\.\w+|sf\.read|"
    r"stft|melspectrogram|mfcc|wave\.open|mel_spectrogram|linear_to_mel_weight_matrix",
    "video": r"VideoCapture|read_video|VideoReader|mimread",
    "table": r"read_csv|read_excel|read_parquet|read_table|load_(iris|wine|breast_cancer|diabetes)|fetch_california_housing|"
    r"boston_housing\.load_data|get_dummies|OneHotEncoder|ColumnTransformer|fetch_openml|load_dataset|DictReader",
    "series": r"timeseries_dataset_from_array|TimeseriesGenerator|rolling|TimeSeriesSplit|create_sequences|make_windows|"
    r"sliding_window\w*|split_sequence|window(ed)?_\w+|make_sequences",
    "graph": r"from_networkx|Planetoid|to_networkx|from_edgelist|read_edgelist",
    "array": r"numpy\.load|loadmat|genfromtxt|loadtxt|numpy\.fromfile|h5py\.File",
}  # fmt: skip

_LAYERS = {
    "image": r"(Separable|Depthwise)?Conv2D|Conv3D",
    "video": r"Conv3D|ConvLSTM2D",
    "graph": r"\w*(GCN|GAT|SAGE|Graph)\w*Conv",
}

_WORDS = {
    "text": "(^|_)(texts?|sentences?|tweets?|documents?|chars?)(_|$)|(^|_)vocab|tokeni[sz]",
    "video": "(^|_)videos?(_|$)|(num|n)_frames|frame_count|(^|_)clips(_|$)",
    "series": "(^|_)(time_?series|look_?back|window|horizon|timesteps|sensor|signal|recording|seq(uence)?_len(gth)?)s?(_|$)",
    "graph": "adjacency|edge_index|edge_list|node_features",
    "table": "(^|_)(dataframe|df|tabular)(_|$)",
    "audio": "(^|_)(audio|waveform|spectrogram|wav|mel)s?(_|$)",
}


def _kind(constraint: Constraint, code: Code) -> Finding:
    """By what reads it, by layers that take nothing else, by words; another kind only by what reads it."""
    line = _kind_line(constraint.value, code)
    if line is not None:
        return met(line)
    others = [kind for kind in _READERS if _reader(kind, code) is not None]
    if constraint.value not in _READERS or others in ([], ["array"]):
        return unknown("nothing says what is read")
    return missing("reads " + ", ".join(others))


def _reader(kind: str, code: Code) -> int | None:
    fitting = re.compile(rf"(^|\.)({_READERS[kind]})$")
    return next((call.line for call in code.calls if fitting.search(call.path)), None)


def _kind_line(kind: str, code: Code) -> int | None:
    if kind not in _READERS:
        return None
    line = _reader(kind, code)
    if line is None and kind in _LAYERS:
        line = next((layer.line for layer in code.all_layers if re.fullmatch(_LAYERS[kind], layer.kind)), None)
    if line is None and kind == "image":
        line = _image_input(code)
    if line is not None:
        return line
    words = _WORDS.get(kind)
    if kind == "series":
        if _reader("audio", code) is not None and _represented("mel_spectrogram", code) is not None:
            return None  # what is heard is read otherwise
        if _kind_line("text", code) is not None:
            return None  # texts are sequences too
        line = code.word(_WORDS["series"])
        if line is None and _kind_line("image", code) is None:
            line = next((layer.line for layer in code.layers if layer.kind in RECURRENT), None)
        return line
    if kind == "text" and not any(layer.kind == "Embedding" for layer in code.all_layers):
        return None
    return code.word(words) if words else None


def _image_input(code: Code) -> int | None:
    for item in shapes(code):
        if isinstance(item.value, tuple) and len(item.value) == 3 and item.value[-1] in (1, 3, 4):
            return item.line
    return next((layer.line for layer in code.layers if is_backbone(layer) and layer.kind != "KerasLayer"), None)


def _dataset(constraint: Constraint, code: Code) -> Finding:
    """By its name in a call (`load_iris`, `keras.datasets.mnist`) or in a text (`"titanic.csv"`)."""
    for call in code.calls:
        if any(_is_named(part, constraint.value) for part in call.path.split(".")):
            return met(call.line)
    for text in code.texts:
        if len(str(text.value)) < 80 and _is_named(str(text.value), constraint.value):
            return met(text.line)
    read = list(files_read(code))
    return missing(f"reads {listed(read)}" if read else "the data set is not named", read[0].line if read else None)


_LONGER_NAMES = {"mnist": "fashion_?mnist|kmnist|emnist|medmnist", "cifar10": "cifar_?100"}


def _is_named(text: str, data_set: str) -> bool:
    """Whether the text has the name between its other words: "yelp" in "yelp_reviews.json"."""
    words = re.sub(r"[\W_]+", "_", spaced(text))
    if re.search(_LONGER_NAMES.get(data_set, "^$"), words):
        return False
    if len(plain(data_set)) > 5 and plain(data_set) in plain(words):
        return True
    return f"_{data_set}_" in f"_{words}_"


_REPRESENTATIONS: dict[str, tuple[str, str, str]] = {
    # calls | words | texts
    "mel_spectrogram": (r"melspectrogram|MelSpectrogram|linear_to_mel_weight_matrix|mel_spectrogram|mel", "(^|_)mel(_|$|s$)", ""),
    "spectrogram": (r"stft|spectrogram|melspectrogram|STFT|Spectrogram", "spectrogram", ""),
    "mfcc": (r"mfcc|MFCC|mfccs_from_log_mel_spectrograms", "(^|_)mfccs?(_|$)", ""),
    "tf_idf": (r"TfidfVectorizer|TfidfTransformer", "", r"^tf[-_]?idf$"),
    "bag_of_words": (r"CountVectorizer", "bag_of_words|(^|_)bow(_|$)", r"^(count|multi_hot)$"),
    "word2vec": (r"Word2Vec|KeyedVectors", "word2vec|w2v", "word2vec|googlenews"),
    "glove": (r"GloVe", "glove", "glove"),
    "fasttext": (r"FastText", "fast_?text", r"fasttext|wiki.*\.vec"),
    "subwords": (r"\w*(WordPiece|BPE|SentencePiece|Subword)\w*|AutoTokenizer|BertTokenizer\w*", "subword|bpe|wordpiece|sentencepiece", r"(bert|gpt2|t5|roberta)-"),
    "bytes": ("decode_raw|unicode_split|ByteTokenizer", "(^|_)bytes?(_|$)", ""),
}  # fmt: skip


def _representation(constraint: Constraint, code: Code) -> Finding:
    value = constraint.value
    if value == "log_mel_spectrogram":
        mel = _represented("mel_spectrogram", code)
        log = code.calls_named("power_to_db|amplitude_to_db|log|log1p|log10|AmplitudeToDB")
        if mel is not None and log:
            return met(mel)
        return missing("no logarithm of it" if mel is not None else "no mel spectrogram", mel)
    if value == "one_hot":
        return _one_hot(code)
    if value == "waveform":
        spectral = _represented("spectrogram", code) or _represented("mfcc", code)
        audio = _kind_line("audio", code)
        if spectral is not None:
            return missing("spectrograms", spectral)
        return met(audio) if audio is not None else missing("no audio is read")
    if value not in _REPRESENTATIONS:
        return unknown(f"no check for {value}")
    line = _represented(value, code)
    return met(line) if line is not None else missing("not made here")


def _represented(value: str, code: Code) -> int | None:
    calls, words, texts = _REPRESENTATIONS[value]
    found = code.calls_named(calls)
    if found:
        return found[0].line
    line = code.word(words) if words else None
    if line is None and texts:
        line = code.text(texts)
    return line


def _one_hot(code: Code) -> Finding:
    """Of inputs; what encodes labels does not count."""
    labels = re.compile("label|target|(^|_)y(_|$)|class")
    encoding = re.compile("one_hot|to_categorical|OneHotEncoder|get_dummies|CategoryEncoding|onehot\\w*|one_hot_\\w+")
    for node in code.nodes_of(ast.Call):
        if encoding.fullmatch(called_name(node)):
            names = [arg.id for arg in node.args[:2] if isinstance(arg, ast.Name)]
            if not any(labels.search(name.lower()) for name in names):
                return met(node.lineno)
    return missing("inputs are not one-hot encoded")


DATA: dict[str, Check] = {
    "kind": _kind,
    "dataset": _dataset,
    "representation": _representation,
}
