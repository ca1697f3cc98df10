"""Sizes of images and videos: "224x224x3", "420 by 540", "shape (64, 64, 1)", "28 px"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.request.reading.found import Found
from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.tokens import written

_TIMES = frozenset(("x", "×", "*", "by", "✕", "х", "на", "mal", "por", "par", "乘"))
_PIXELS = frozenset(("px", "pixel", "pixels", "píxeles", "pixeln", "像素", "ピクセル"))
_NO_IMAGE = frozenset(
    "kernel kernels filter filters convolution convolutions convs conv pooling pool stride strides patch "
    "patches grid max maxpool maxpooling board matrix window windows factor cell cells tiles blocks "
    "layers split splits square squares hole holes".split()
)
"""Words beside a product of numbers that is no size of an image."""

_NO_SIDES = frozenset("overlap margin margins border borders stride padding shift offset".split())
_PARTS_OF_IMAGES = frozenset("patch patches tiles".split())
_LARGEST_PATCH = 32
"""Larger ones are images of their own: "512x512 tiles", "33x33 patches"."""

_NO_IMAGE_BEFORE = frozenset(("heatmap", "heatmaps", "mfcc", "mfccs"))
_LEAST_SIDE = 4
_KERNELS = frozenset("kernel kernels filter filters convolution convolutions convs conv".split())
_NETWORK_PARTS = ("kernel_size", "filters", "pooling", "stride", "conv_layers")
_SHAPED = frozenset("shape shapes shaped input inputs size sizes image images resolution dimensions".split())
_GOES_IN = frozenset(("input", "inputs"))
_MADE = frozenset(
    "tiled cut resized resize downscaled scaled rescaled cropped downsampled reduced shrunk downscale".split()
)
"""Behind these stands the size that the network sees."""
_COMES_OUT = frozenset("output outputs to into → produce high".split())
_SCREENS = frozenset(((4, 3), (16, 9), (16, 10)))
"""Ratios of cameras and screens, whose sizes are written width first."""


def sizes(pieces: list[Piece], taken: set[int], *, video: bool) -> list[Found]:
    """The sizes that products of numbers and pixels state. The pieces read are added to `taken`."""
    results: list[Found] = []
    index = 0
    while index < len(pieces):
        numbers = _product(pieces, index) if pieces[index].kind == "number" else None
        if numbers is None or numbers[0] in taken:
            index += 1
            continue
        last = numbers[-1]
        if len(numbers) == 1:
            results.extend(_pixels(pieces, index, taken))
        elif _is_kernel(pieces, numbers):
            results.append(
                Found("architecture", "kernel_size", written(pieces[numbers[0]].number or 0), numbers[0], last)
            )
            taken.update(numbers)
        elif len(numbers) == 2 and min(pieces[number].number or 0 for number in numbers) < _LEAST_SIDE:
            if _is_of_series(pieces, numbers):
                results.extend(_steps_and_variables(pieces, numbers))
                taken.update(numbers)  # "windows of 200 x 3"; "GRU 2x128" are two layers
        elif len(numbers) == 2 and _is_of_series(pieces, numbers):
            results.extend(_steps_and_variables(pieces, numbers))
            taken.update(numbers)
        elif _is_image(pieces, numbers[0], last):
            if _follows(pieces, numbers[0], _GOES_IN | _MADE):
                results = [found for found in results if found.name not in ("height", "width", "channels")]
            if not any(found.name == "height" for found in results) or not _follows(pieces, numbers[0], _COMES_OUT):
                results.extend(_image(pieces, numbers, video=video))
            taken.update(numbers)
        elif _beside(
            pieces,
            numbers[0],
            last,
            _KERNELS,
        ):
            results.append(
                Found("architecture", "kernel_size", written(pieces[numbers[0]].number or 0), numbers[0], last)
            )
            taken.update(numbers)
        else:
            taken.update(numbers)
        index = last + 1
    return results


SERIES = frozenset(
    "accelerometer imu ecg eeg emg gyroscope inertial sensor sensors signal signals readings samples vibration "
    "spectra spectrum waveform".split()
)
_MOST_VARIABLES = 64


def _is_of_series(pieces: list[Piece], numbers: list[int]) -> bool:
    """ "windows of 200 x 3 accelerometer", "ECG segments of 1000 x 12": many steps of a few variables."""
    steps, variables = (pieces[number].number or 0 for number in (numbers[0], numbers[-1]))
    if steps < 4 * variables or variables > _MOST_VARIABLES:
        return False
    around = pieces[max(0, numbers[0] - 4) : numbers[-1] + 4]
    near = [part for part in around if part.sentence == pieces[numbers[0]].sentence]
    return any(not SERIES.isdisjoint(part.key.split()) for part in near)


def _steps_and_variables(pieces: list[Piece], numbers: list[int]) -> Iterator[Found]:
    first, last = numbers
    following = {piece.key for piece in pieces[last + 1 : last + 3]}
    names = ("length", "channels" if following & {"channels", "channel"} else "features")
    for name, index in zip(names, numbers, strict=True):
        yield Found("size", name, written(pieces[index].number or 0.0), first, last)


def _is_kernel(pieces: list[Piece], numbers: list[int]) -> bool:
    """ "3x3", "5 x 5" where filters or convolutions are spoken of nearby."""
    sides = {pieces[number].number for number in numbers}
    if len(numbers) != 2 or len(sides) != 1 or not sides <= {3.0, 5.0, 7.0}:
        return False
    around = pieces[max(0, numbers[0] - 8) : numbers[-1] + 4]
    if any(
        part.key in ("pool", "pooling", "grid", "patch", "patches", "board") or part.is_named("pooling")
        for part in around[-7:]
    ):
        return False
    return any(part.is_named("filters") or part.key in _KERNELS for part in around)


def _product(pieces: list[Piece], index: int) -> list[int] | None:
    """The numbers of a product that begins here: of "64 x 64 x 3" or "(64, 64, 3)" three, of a lone number one."""
    if pieces[index].kind != "number" or not is_whole(pieces[index]):
        return None
    numbers = [index]
    position = index + 1
    times = _TIMES | {","} if _opens_shape(pieces, index) else _TIMES
    while position + 1 < len(pieces) and len(numbers) < 5:
        if pieces[position].key in _PIXELS:
            position += 1
            continue
        if pieces[position].key not in times or not is_whole(pieces[position + 1]):
            break
        numbers.append(position + 1)
        position += 2
    return numbers


def _opens_shape(pieces: list[Piece], index: int) -> bool:
    """Whether a bracket with a shape opens before a number: "of shape (64, 64, 3)", "input (28, 28, 1)"."""
    if not index or pieces[index - 1].key not in ("(", "["):
        return False
    before = {word for piece in pieces[max(0, index - 5) : index] for word in re.split(r"[ _]", piece.key)}
    return bool(before & _SHAPED)


def _follows(pieces: list[Piece], first: int, words: frozenset[str]) -> bool:
    """Whether a size stands behind one of some words: "48x48 in, output 192x192"."""
    return any(
        piece.key in words and piece.sentence == pieces[first].sentence for piece in pieces[max(0, first - 4) : first]
    )


def is_whole(piece: Piece) -> bool:
    return (
        piece.kind == "number"
        and not piece.share
        and piece.number is not None
        and 1 <= piece.number == int(piece.number)
    )


def _is_image(pieces: list[Piece], first: int, last: int) -> bool:
    values = [pieces[first].number or 0, pieces[last].number or 0]
    if max(values) < 8 or (first and pieces[first - 1].key in _NO_IMAGE_BEFORE):
        return False
    if min(values) > _LARGEST_PATCH:
        return not _beside(pieces, first, last, _NO_IMAGE - _PARTS_OF_IMAGES)
    return not _beside(pieces, first, last, _NO_IMAGE)


def _beside(pieces: list[Piece], first: int, last: int, words: frozenset[str]) -> bool:
    """Whether a word about parts of a network stands next to a product: "3x3 kernels", "kernel size 5x5"."""
    if last + 1 < len(pieces):
        following = pieces[last + 1]
        if following.key.partition(" ")[0] in words:
            return True
        if any(term.name in _NETWORK_PARTS for term in following.terms):
            return True
    for part in pieces[max(0, first - 2) : first]:
        names = {term.name for term in part.meanings("key")}
        if part.sentence == pieces[first].sentence and names & {"kernel_size", "stride"}:
            return True
        if part.key in ("patch", "patches", "pool", "stride") and words is _KERNELS:
            return True
    return False


def _image(pieces: list[Piece], numbers: list[int], *, video: bool) -> Iterator[Found]:
    values = [int(pieces[index].number or 0) for index in numbers]
    first, last = numbers[0], numbers[-1]
    names = ["height", "width", "channels"]
    if len(values) == 4:
        names = ["frames" if video else "depth", *names]
    elif len(values) == 3 and values[0] in (1, 3, 4) and values[1] > 8:
        names = ["channels", "height", "width"]
    elif len(values) == 3 and values[2] > 16:
        names = ["frames" if video else "depth", "height", "width"]
    elif len(values) == 2 and _width_first(values[0], values[1]):
        names = ["width", "height"]
    for name, value in zip(names, values, strict=False):
        yield Found("size", name, str(value), first, last)


def _width_first(first: int, second: int) -> bool:
    return any(first * high == second * wide for wide, high in _SCREENS)


def _pixels(pieces: list[Piece], index: int, taken: set[int]) -> list[Found]:
    """The size of a square image: "28 px", "resized to 224", "at 299 resolution"; or one of its sides."""
    value = str(int(pieces[index].number or 0))
    following = [piece.key for piece in pieces[index + 1 : index + 4]]
    preceding = [piece.key for piece in pieces[max(0, index - 4) : index]]
    if following and following[0] == "-":
        following = following[1:]
    pixels = bool(following) and following[0] in _PIXELS
    if pixels and following[1:2] and following[1] in _NO_SIDES:
        return []  # "32 px overlap"
    if following and following[0] in ("rows", "lines") and "by" in following + preceding:
        side = "height"
    elif (following and following[0] in ("columns", "cols") and "by" in following + preceding) or (
        pixels and following[1:2] == ["wide"]
    ):
        side = "width"
    elif pixels and following[1:2] in (["high"], ["tall"]):
        side = "height"
    elif pixels or _resized(preceding):
        if int(value) < 8 or index in taken:
            return []
        taken.add(index)
        last = index + 1 if pixels and pieces[index + 1].key in _PIXELS else index
        return [Found("size", name, value, index, last) for name in ("height", "width")]
    else:
        return []
    taken.add(index)
    return [Found("size", side, value, index, index + (2 if pixels else 1))]


_RESIZED = (
    *("resized to", "resize to", "resize images to", "resize them to", "resized to about", "scaled to", "crops of"),
    *("image size", "image size of", "image size :", "image size =", "image_size =", "img_size", "img size"),
    *("img_size =", "input size", "input size of", "resolution", "resolution of"),
)


def _resized(preceding: list[str]) -> bool:
    """Whether the words before a number say that images are brought to that size."""
    return " ".join(preceding).endswith(_RESIZED)


def factors(pieces: list[Piece], taken: set[int]) -> list[Found]:
    """ "x4", by which images are enlarged. ("4x" is read by its unit.)"""
    results: list[Found] = []
    for index, piece in enumerate(pieces[1:], start=1):
        if (
            piece.kind == "number"
            and index not in taken
            and pieces[index - 1].key in ("x", "×")
            and is_whole(piece)
            and (piece.number or 0) <= 16
        ):
            taken.add(index)
            results.append(Found("size", "scale", written(piece.number or 0.0), index - 1, index))
    return results
