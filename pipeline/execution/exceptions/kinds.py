"""Which kind of failure an exception is, in the field's terms: by its type, then by what its message says."""

from __future__ import annotations

import re

from pipeline.execution.ladder import ExceptionKind

_BY_TYPE: dict[str, ExceptionKind] = {
    "SyntaxError": "syntax",
    "IndentationError": "syntax",
    "TabError": "syntax",
    "ModuleNotFoundError": "import",
    "ImportError": "import",
    "NameError": "name",
    "UnboundLocalError": "name",
    "MemoryError": "memory",
    "ResourceExhaustedError": "memory",
    "OutOfMemoryError": "memory",
    "EOFError": "input",
    "gaierror": "download",
    "URLError": "download",
    "HTTPError": "download",
    "ConnectionError": "download",
    "ConnectTimeout": "download",
    "NewConnectionError": "download",
    "NameResolutionError": "download",
    "MaxRetryError": "download",
    "LocalEntryNotFoundError": "download",
    "OfflineModeIsEnabled": "download",
    "ContentDecodingError": "download",
    "FileNotFoundError": "missing_file",
    "NotADirectoryError": "missing_file",
    "KeyboardInterrupt": "killed",
    "SystemExit": "exit",
}

# From top to bottom; the first whose words stand in the message decides. They are the words of TensorFlow, Keras 2
# and 3, PyTorch, scikit-learn, pandas and numpy.
_BY_MESSAGE: tuple[tuple[ExceptionKind, str], ...] = (
    (
        "download",
        r"URL fetch failure|name resolution|Network is unreachable|Max retries exceeded|Name or service not known|"
        r"couldn't connect to|Couldn't reach|Connection refused|offline mode|nltk\.download|Error while downloading|"
        r"Can't load (?:the )?(?:tokenizer|model|configuration|image processor|feature extractor)|kaggle\.json|"
        r"is not a local folder and is not a valid model identifier|Failed to (?:download|get data)",
    ),
    (
        "memory",
        r"OOM when allocating|Unable to allocate|can't allocate memory|out of memory|bad_alloc|Cannot allocate memory",
    ),
    (
        "missing_file",
        r"No such file or directory|Could not find directory|No images found|Found 0 (?:images|files|image)|"
        r"does not exist|Unable to (?:synchronously )?open file|No (?:valid )?files? (?:was |were )?found|"
        r"Couldn't find any class folder|num_samples=0|n_samples=0|not found or not a directory|_src\.empty\(\)|"
        r"NewRandomAccessFile|Dataset not found|File not found|not found in directory|No file or directory",
    ),
    (
        "missing_column",
        r"not in index|not found in axis|None of \[.*(?:Index|columns)|Usecols do not match|not in the columns|"
        r"Missing column provided|columns? .*(?:are|is) missing|not a column|no column named",
    ),
    (
        "device",
        r"CUDA|No GPU|GPU.*not (?:found|available)|cuDNN|not compiled with|Cannot find.*device|MPS backend",
    ),
    (
        "gradient",
        r"does not require grad|No gradients provided|modified by an inplace operation|through the graph a second time",
    ),
    (
        "shape",
        r"incompatible with the layer|[Ii]ncompatible shapes|[Ss]hapes? .*(?:incompatible|not aligned|mismatch|"
        r"not compatible|cannot be multiplied|must be equal)|must have the same (?:shape|rank|first dim|length|size|"
        r"number)|size mismatch|[Tt]he size of tensor|size .* is different to|"
        r"expected axis|expected (?:min_)?ndim|Dimensions must be equal|"
        r"cannot reshape|total size of (?:the )?new array|could not (?:be )?broadcast|must be the same as input size|"
        r"[Ee]xpected \d+D|only batches of spatial targets|Expected input batch_size|Data cardinality|"
        r"inconsistent numbers of samples|[Nn]egative dimension|output size.* (?:would be|is too)|Output size is too|"
        r"Kernel size can't be|Matrix size-incompatible|logits and labels must|Given groups=|stack expects each tensor|"
        r"input array dimensions|inhomogeneous shape|setting an array element with a sequence|matching shapes|"
        r"must match (?:the )?(?:existing )?size|shape .*is invalid for input|same number of (?:dimensions|samples)|"
        r"rank .*(?:must|undefined)|dimension mismatch|target and output (?:must|shapes?)|Length of values|"
        r"All arrays must be of the same length|bad input shape|should be a 1d array|Inputs to a layer should|"
        r"Found array with dim|Expected 2D array|can't be of shape|Arguments? `target` and `output` must|"
        r"unknown rank|has shape .*(?:but|expected)|doesn't match the (?:shape|broadcast)|Last dimension|"
        r"too many values to unpack|"
        r"not enough values to unpack|different numbers? of|computed from the input shape|Received: input_shape=",
    ),
    (
        "api_gone",
        r"unexpected keyword argument|is not a valid argument|Argument\(s\) not recognized|Unrecognized keyword arg|"
        r"no longer supported|"
        r"was removed|has been removed|is deprecated|deprecated since|no longer (?:available|exists)|"
        r"filepath provided must end in|must end in `|Only the (?:file )?formats? .*supported|"
        r"Unknown (?:optimizer|loss|metric|activation|layer)|File format not supported|"
        r"Could not interpret (?:optimizer|loss|metric|activation|initializer)|"
        r"Could not (?:locate|deserialize)|A KerasTensor cannot be used as input to a TensorFlow function|"
        r"Keyword argument not understood|not supported in eager mode|Only instances of `keras\.Layer`",
    ),
    (
        "type",
        r"could not convert|[Cc]ast string to|expected scalar type|dtype|must be real number|"
        r"must be (?:str|int|float)|unsupported operand|not callable|not subscriptable|not iterable|Failed to convert|"
        r"Unsupported object type|Invalid dtype|cannot be interpreted as",
    ),
)
_MESSAGES = tuple((kind, re.compile(pattern)) for kind, pattern in _BY_MESSAGE)

_GONE_OF_TABLES = frozenset("append iteritems ix as_matrix lookup mad get_value set_value from_csv".split())
_OBJECT = re.compile(r"'(?P<owner>[\w.]+)' object has no attribute '(?P<attribute>\w+)'")
_PLAIN_OWNERS = frozenset("NoneType str int float list dict tuple set bool bytes function generator method".split())
_MISSING_LIBRARY = re.compile(r"cannot open shared object file|undefined symbol|DLL load failed|version `GLIBC")

_REST: dict[str, ExceptionKind] = {
    "TypeError": "type",
    "ValueError": "value",
    "KeyError": "key",
    "IndexError": "index",
    "ZeroDivisionError": "value",
    "OverflowError": "value",
    "FloatingPointError": "value",
    "UnicodeDecodeError": "value",
    "InvalidArgumentError": "value",
    "AssertionError": "value",
    "UnimplementedError": "type",
    "InvalidParameterError": "value",
    "NotFittedError": "value",
    "EmptyDataError": "value",
    "ParserError": "value",
}


def exception_kind(type_name: str, message: str, *, own_names: frozenset[str], in_pandas: bool) -> ExceptionKind:
    """`own_names` are the functions and classes of the script: what they lack is no library's doing. `in_pandas` says
    whether the exception came out of pandas."""
    kind = _BY_TYPE.get(type_name)
    if kind is not None:
        return kind
    if type_name == "AttributeError":
        return _of_attribute(message, own_names)
    if type_name in ("KeyError", "IndexError"):
        return _of_key(type_name, message, in_pandas)
    for kind, pattern in _MESSAGES:
        if pattern.search(message):
            if kind == "api_gone" and _names_in(message.partition("()")[0]) & own_names:
                return "type"
            return kind
    return _REST.get(type_name, "other")


def is_broken_library(message: str) -> bool:
    """Whether a module is there and cannot be loaded: a defect of the environment, none of the project."""
    return _MISSING_LIBRARY.search(message) is not None


def _names_in(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


def _of_attribute(message: str, own_names: frozenset[str]) -> ExceptionKind:
    owner = _OBJECT.search(message)
    if owner is None:
        return "api_gone"  # a module's or a class' own
    if owner["owner"] in ("DataFrame", "Series", "DataFrameGroupBy"):
        return "api_gone" if owner["attribute"] in _GONE_OF_TABLES else "missing_column"
    if owner["owner"] in _PLAIN_OWNERS:
        return "type"
    return "name" if owner["owner"].rpartition(".")[2] in own_names else "api_gone"


def _of_key(type_name: str, message: str, in_pandas: bool) -> ExceptionKind:
    if in_pandas or _MESSAGES_OF_COLUMNS.search(message):
        return "missing_column"
    # `history.history["acc"]`: Keras calls it "accuracy" since 2.3.
    if message.strip("'\"") in ("acc", "val_acc"):
        return "api_gone"
    if re.search(r"out of bounds|out of range", message) and "Target" in message:
        return "value"
    return _REST[type_name]


_MESSAGES_OF_COLUMNS = dict(_MESSAGES)["missing_column"]
