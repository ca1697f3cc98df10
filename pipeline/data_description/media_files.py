"""What a sample of image, audio or text files is: sizes and modes, rates and lengths, words."""

from __future__ import annotations

import os
import posixpath
import wave
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from pipeline.data_description.listing import FileKind, sampled
from pipeline.data_description.tables.text_format import decode
from pipeline.data_description.wording import pixels, shown_name
from pipeline.errors import DLCodeGenError
from pipeline.request.data_contract import DataKind

SAMPLED_FILES = 200
"""Files of a kind that are opened."""

_DECODED_PIXELS = 200_000_000
"""So many pixels of a sample are decoded, to find images that are cut off; of the others the head is read."""
_TEXT_BYTES = 1 << 20
"""Read of each text."""
_MOST_LABELS = 64
"""Different values of a mask at most; a picture has more."""

_MODES = {"1": "black-and-white", "L": "grayscale", "RGB": "RGB", "RGBA": "RGBA", "P": "palette", "CMYK": "CMYK"}
# A palette has colours, or the numbers of a mask.
_CHANNELS = {
    "1": 1,
    "L": 1,
    "I": 1,
    "I;16": 1,
    "F": 1,
    "RGB": 3,
    "YCbCr": 3,
    "HSV": 3,
    "LAB": 3,
    "RGBA": 4,
    "CMYK": 4,
    "LA": 2,
}


@dataclass(kw_only=True, slots=True)
class MediaFacts:
    """What is common to the files of one input."""

    kind: DataKind
    words: str = ""
    """Of one file, as in "RGB images of 64x64 pixels (height x width)", without their number."""
    shape: tuple[int | None, ...] = ()
    damaged: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    labels: tuple[int, ...] | None = None
    """The values of masks; None where the images are no masks."""


def media_facts(root: str, kind: FileKind, paths: Sequence[str], *, masks: bool = False) -> MediaFacts:
    """The facts of files of one kind, of which a sample is opened. `masks`: whether images may be masks."""
    chosen = sampled(paths, SAMPLED_FILES)
    facts = _READERS[kind](root, chosen, masks) if kind in _READERS else MediaFacts(kind="video", words="videos")
    if kind == "video":
        facts.notes.append("videos were counted, not opened: their sizes and lengths are not known")
    elif len(chosen) < len(paths):
        facts.notes.append(f"{len(chosen)} of {len(paths):,} {kind} files were opened")
    return facts


def _image_facts(root: str, paths: Sequence[str], masks: bool) -> MediaFacts:
    facts = MediaFacts(kind="image", words="images", shape=(None, None, None))
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        facts.notes.append("image sizes were not read: that needs Pillow (uv pip install '.[data]')")
        return facts
    sizes: Counter[tuple[int, int]] = Counter()
    modes: Counter[str] = Counter()
    labels: set[int] | None = set() if masks else None
    decoded = 0
    for path in paths:
        try:
            with Image.open(os.path.join(root, path)) as image:
                size, mode = (image.height, image.width), image.mode
                if decoded + size[0] * size[1] <= _DECODED_PIXELS:
                    decoded += size[0] * size[1]
                    if not masks:
                        image.draft(None, (image.width // 8, image.height // 8))
                    image.load()
                    labels = _labels(image, labels)
        except (
            OSError,
            ValueError,
            SyntaxError,
            EOFError,
            UnidentifiedImageError,
            Image.DecompressionBombError,
        ) as error:
            facts.damaged.append(_damage(path, error))
            continue
        sizes[size] += 1
        modes[mode] += 1
    if not sizes:
        return facts
    mode = modes.most_common(1)[0][0]
    same = len(sizes) == 1
    (height, width), count = sizes.most_common(1)[0]
    channels = _CHANNELS.get(mode) if len(modes) == 1 else None
    facts.shape = (height if same else None, width if same else None, channels)
    facts.labels = tuple(sorted(labels)) if labels else None
    mode_words = "16-bit grayscale" if mode.startswith("I") else _MODES.get(mode, mode)
    if len(modes) > 1:
        mode_words = f"mostly {mode_words}"
        facts.notes.append(f"images of several modes: {', '.join(mode for mode, _ in modes.most_common(6))}")
    if same:
        size_words = pixels(height, width)
    elif count >= 0.5 * sum(sizes.values()):
        size_words = f"different sizes (most {height} by {width}, height by width)"
    else:
        heights, widths = zip(*sizes.elements(), strict=True)
        size_words = (
            f"different sizes (median {round(median(heights))} by {round(median(widths))}, height by width; "
            f"heights {min(heights)} to {max(heights)}, widths {min(widths)} to {max(widths)})"
        )
    facts.words = f"{mode_words} images of {size_words}"
    return facts


def _labels(image: Any, labels: set[int] | None) -> set[int] | None:
    """The values seen so far and in this image; None once there are too many for a mask."""
    if labels is None:
        return None
    if image.mode not in ("1", "L", "P", "I", "I;16"):
        # Masks are often saved in colour, but are black and white all the same.
        colours = image.convert("RGB").getcolors(_MOST_LABELS)
        if colours is None:
            return None
        labels |= {red * 65536 + green * 256 + blue for _, (red, green, blue) in colours}
    else:
        colours = image.getcolors(_MOST_LABELS)
        if colours is None:
            return None
        labels |= {int(value) for _, value in colours}
    return labels if len(labels) <= _MOST_LABELS else None


def _audio_facts(root: str, paths: Sequence[str], masks: bool) -> MediaFacts:
    facts = MediaFacts(kind="audio", words="recordings", shape=(None, None))
    rates: Counter[int] = Counter()
    channels: Counter[int] = Counter()
    seconds: list[float] = []
    unread = 0
    for path in paths:
        try:
            sound = _sound(os.path.join(root, path))
        except (OSError, EOFError, ValueError, RuntimeError, wave.Error) as error:
            facts.damaged.append(_damage(path, error))
            continue
        if sound is None:
            unread += 1
            continue
        frames, rate, tracks = sound
        rates[rate] += 1
        channels[tracks] += 1
        seconds.append(frames / rate)
    if unread:
        facts.notes.append(f"{unread} sound files were not read: that needs soundfile (uv pip install '.[data]')")
    if not rates:
        return facts
    track = "mono" if set(channels) == {1} else "stereo" if set(channels) == {2} else "mono and stereo"
    rate_words = f"{next(iter(rates))} Hz" if len(rates) == 1 else "different sample rates (" + ", ".join(
        f"{rate} Hz" for rate, _ in rates.most_common(4)
    ) + ")"  # fmt: skip
    shortest, longest = min(seconds), max(seconds)
    same = longest - shortest < 0.01
    length = (
        f"{longest:.3g} seconds each" if same else f"{shortest:.2g} to {longest:.3g} s, median {median(seconds):.3g} s"
    )
    facts.words = f"{track} recordings at {rate_words}, {length}"
    samples = round(longest * next(iter(rates))) if same and len(rates) == 1 else None
    facts.shape = (samples, next(iter(channels)) if len(channels) == 1 else None)
    return facts


def _sound(file: str) -> tuple[int, int, int] | None:
    """Frames, rate and channels of a sound file; None where soundfile is needed and missing."""
    try:
        import soundfile
    except ImportError:
        if not file.lower().endswith(".wav"):
            return None
        with wave.open(file, "rb") as sound:
            return sound.getnframes(), sound.getframerate(), sound.getnchannels()
    info = soundfile.info(file)
    if not info.frames or not info.samplerate:
        raise ValueError("it holds no sound") from None
    return info.frames, info.samplerate, info.channels


def _text_facts(root: str, paths: Sequence[str], masks: bool) -> MediaFacts:
    facts = MediaFacts(kind="text", words="texts", shape=(None,))
    lengths = []
    for path in paths:
        try:
            with open(os.path.join(root, path), "rb") as stream:
                text, encoding = decode(stream.read(_TEXT_BYTES), path)
        except (OSError, DLCodeGenError) as error:
            facts.damaged.append(_damage(path, error))
            continue
        if not text.strip():
            facts.damaged.append(f"{shown_name(path)}: empty")
            continue
        if encoding == "cp1252" and not facts.notes:
            facts.notes.append("some texts are not UTF-8; they were read as Windows-1252")
        lengths.append(len(text.split()))
    if lengths:
        facts.words = f"texts of {min(lengths):,} to {max(lengths):,} words, median {round(median(lengths)):,}"
    return facts


def _damage(path: str, error: Exception) -> str:
    reason = str(error).replace(os.path.dirname(path), "") if isinstance(error, wave.Error) else ""
    kind = {
        "UnidentifiedImageError": "no image, or of a kind that Pillow does not read",
        "DecompressionBombError": "too large",
    }.get(type(error).__name__, "")
    return f"{shown_name(posixpath.basename(path))}: {kind or reason or 'damaged or cut off'}"


_READERS = {"image": _image_facts, "audio": _audio_facts, "text": _text_facts}
