"""What a project does to its data before the network sees them: steps in words, and the shapes they lead to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.values import Call, is_constant

_AUGMENTING = (
    "rotation_range width_shift_range height_shift_range shear_range zoom_range horizontal_flip vertical_flip "
    "brightness_range channel_shift_range"
).split()
_RANDOM = re.compile(r"^(?:Random[A-Z]\w*|random_(?:flip|crop|rotation|brightness|contrast|zoom)\w*)$")
_SCALERS = {
    "MaxAbsScaler": "features are scaled by their largest absolute value",
    "MinMaxScaler": "features are scaled to a range with MinMaxScaler",
    "Normalization": "features are normalized by a Normalization layer",
    "PowerTransformer": "features are made more normal with PowerTransformer",
    "RobustScaler": "features are scaled with RobustScaler",
    "StandardScaler": "features are standardized with StandardScaler",
}
_ENCODERS = {
    "LabelBinarizer": "labels are binarized",
    "LabelEncoder": "labels are encoded as integers",
    "OneHotEncoder": "categorical features are one-hot encoded",
    "OrdinalEncoder": "categorical features are encoded as integers",
    "get_dummies": "categorical features are one-hot encoded",
    "one_hot": "labels are one-hot encoded",
    "to_categorical": "labels are one-hot encoded",
}
_CLEANING = {
    "SMOTE": "classes are balanced with SMOTE",
    "SimpleImputer": "missing values are imputed",
    "dropna": "rows with missing values are removed",
    "drop_duplicates": "duplicates are removed",
    "fillna": "missing values are filled",
    "PCA": "dimensions are reduced with PCA",
    "CountVectorizer": "text is turned into word counts",
    "TfidfVectorizer": "text is turned into TF-IDF vectors",
    "fit_on_texts": "text is tokenized",
    "TextVectorization": "text is tokenized by a TextVectorization layer",
    "word_tokenize": "text is tokenized",
    "WordNetLemmatizer": "words are lemmatized",
    "PorterStemmer": "words are stemmed",
    "melspectrogram": "audio is turned into mel spectrograms",
    "mfcc": "audio is turned into MFCC features",
    "stft": "audio is turned into spectrograms",
}
_READERS = {"flow_from_directory": "target_size", "flow_from_dataframe": "target_size"}
_READERS |= {"image_dataset_from_directory": "image_size"}


def preparation_steps(project: ProjectTrace) -> tuple[str, ...]:
    """The steps in the order in which the code first takes each: "images are resized to 224x224"."""
    steps: list[str] = []
    for call in project.calls:
        for read in (_resizing, _named, _scaling, _augmenting, _padding, _splitting):
            for step in read(call):
                if step not in steps:
                    steps.append(step)
    return tuple(steps)


def image_size(project: ProjectTrace) -> tuple[int, int] | None:
    """Height and width to which images are brought, where a call says so."""
    for call in project.calls:
        size = image_size_of(call)
        if size is not None:
            return size
    return None


def sequence_length(project: ProjectTrace) -> int | None:
    """The length to which sequences are padded or cut."""
    for call in project.calls:
        if call.name == "pad_sequences":
            value = call.argument(1, "maxlen")
        elif call.name == "TextVectorization":
            value = call.argument(-1, "output_sequence_length")
        else:
            continue
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def calls_named(project: ProjectTrace, names: Iterable[str]) -> frozenset[str]:
    """Which of the names are called anywhere."""
    return frozenset(names) & {call.name for call in project.calls}


def image_size_of(call: Call) -> tuple[int, int] | None:
    """Height and width that a call brings images to."""
    if call.name in _READERS:
        size = call.argument(-1, _READERS[call.name])
    elif call.name == "load_img":
        size = call.argument(-1, "target_size")
    elif call.name == "Resizing":
        return _pair((call.argument(0, "height"), call.argument(1, "width")))
    elif call.name == "resize":
        # cv2 and PIL count width first; a square, as in nearly all code, is the same either way.
        # `image.resize(size)` of PIL; `cv2.resize(image, size)`, `tf.image.resize(image, size)`.
        size = call.argument(0, "size") if len(call.args) == 1 else call.argument(1, "size", "dsize")
        pair = _pair(size)
        if pair is not None and "cv2" in call.path:
            width, height = pair
            return height, width
        return pair
    elif call.name == "resize_with_pad":
        return _pair((call.argument(1, "target_height"), call.argument(2, "target_width")))
    else:
        return None
    return _pair(size)


def _pair(size: object) -> tuple[int, int] | None:
    if isinstance(size, list | tuple) and len(size) >= 2:
        height, width = size[:2]
        if isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0:
            return height, width
    return None


def _resizing(call: Call) -> Iterator[str]:
    if (size := image_size_of(call)) is not None:
        yield f"images are resized to {size[0]}x{size[1]}"


def _named(call: Call) -> Iterator[str]:
    for table in (_SCALERS, _ENCODERS, _CLEANING):
        if call.name in table:
            yield table[call.name]


def _scaling(call: Call) -> Iterator[str]:
    position = 0 if call.name == "Rescaling" else -1  # `ImageDataGenerator` has it far down its list
    scale = call.argument(position, "rescale", "scale")
    if call.name in ("ImageDataGenerator", "Rescaling") and isinstance(scale, float) and scale > 0:
        yield f"pixel values are scaled by 1/{1 / scale:.4g}"
    if call.name == "preprocess_input" and "." in call.path:
        model = call.path.split(".")[-2]
        if model == "applications":
            yield "images are preprocessed"
        else:
            yield f"images are preprocessed as {model} expects"


def _augmenting(call: Call) -> Iterator[str]:
    if call.name == "ImageDataGenerator":
        ways = [name.removesuffix("_range").replace("_", " ") for name in _AUGMENTING if call.keywords.get(name)]
        if ways:
            yield f"images are augmented ({', '.join(ways)})"
    elif _RANDOM.match(call.name) and (call.layer is not None or "image" in call.path):
        yield "images are augmented at random"


def _padding(call: Call) -> Iterator[str]:
    if call.name == "pad_sequences":
        length = call.argument(1, "maxlen")
        if is_constant(length) and length:
            yield f"sequences are padded to {length}"
        else:
            yield "sequences are padded"


def _splitting(call: Call) -> Iterator[str]:
    if call.name == "train_test_split":
        share = call.argument(-1, "test_size")
        if isinstance(share, float) and 0 < share < 1:
            yield f"{share:.0%} of the rows are held out"
        else:
            yield "rows are held out for testing"
