"""Numbers that a requirement, its dataset attributes or a plan states in words: sizes, classes, lengths, settings.

"The dataset has 5,000 grayscale photos of five species, 64x64 pixels" -> height 64, width 64, channels 1, classes 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace

LONGEST = 50_000
"""Characters of a text that are searched: more than a requirement and its attributes can have together."""

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def _number_words() -> dict[str, int]:
    numbers = {word: value for value, word in enumerate(_UNITS)}
    for ten, tens in enumerate(_TENS, start=2):
        numbers[tens] = 10 * ten
    numbers |= {"a hundred": 100, "hundred": 100, "a dozen": 12, "dozen": 12, "both": 2}
    for ten, tens in enumerate(_TENS, start=2):
        for value, unit in enumerate(_UNITS[:10]):
            numbers[f"{tens}-{unit}"] = 10 * ten + value
    for value, unit in enumerate(_UNITS[1:10], start=1):
        numbers[f"{unit} hundred"] = 100 * value
    return numbers


NUMBER_WORDS = _number_words()
"""Numbers in words, as requirements spell them: "five", "twenty-five", "three hundred", "a dozen"."""

# A pattern takes the first alternative that fits, so the longest come first: "twenty-five" before
# "twenty".
_WORDED = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_NUMBER = rf"(?P<number>\d{{1,3}}(?:,\d{{3}}){{1,3}}|\d{{1,12}}|{_WORDED})"
_GAP = (
    r"[\s-]++(?:(?!(?:per|of|in|for|from|with|and|to|across|over|the|each|a|hundred|thousand|million)\b)"
    r"[a-z]+(?:-[a-z]+)?[\s-]++){0,2}?"
)
"""Up to two words between a number and what it counts ("12 numeric sensor features"), none that starts a new phrase."""

_CLASS_NOUNS = (
    "class|classes|categor(?:y|ies)|species|label|labels|types|kinds|genres|emotions|breeds|topics|groups|"
    "digits|letters|brand|varieties|genera|moods|makes|outcomes|segments|answers|departments|cuisines|"
    "diseases|conditions|activities|gestures|expressions|styles|languages|intents|speakers|words to recognise|"
    "commands|grades|levels|stages|brands|models|instruments|sentiments|actions|defects"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetFacts:
    """What is stated; None where nothing is. Sizes in pixels, sample rate in Hz, clips in seconds."""

    height: int | None = None
    width: int | None = None
    channels: int | None = None
    classes: int | None = None
    features: int | None = None
    targets: int | None = None
    sequence_length: int | None = None
    vocabulary: int | None = None
    horizon: int | None = None
    frames: int | None = None
    sample_rate: int | None = None
    clip_seconds: int | None = None
    scale: int | None = None
    latent: int | None = None
    users: int | None = None
    items: int | None = None
    batch_size: int | None = None
    epochs: int | None = None
    learning_rate: float | None = None

    def otherwise(self, other: DatasetFacts) -> DatasetFacts:
        """These facts, completed by the other's where nothing is stated here."""
        missing = [field.name for field in fields(self) if getattr(self, field.name) is None]
        return replace(self, **{name: getattr(other, name) for name in missing})


_FEATURE_NOUNS = (
    "(?:features?|columns?|attributes?|variables?|predictors?|measurements?|sensors?|indicators?|inputs?|"
    "channels? of (?:the )?(?:series|signal|sensor))"
)
_TARGET_NOUNS = "(?:targets?|outputs?|target (?:values?|variables?|columns?)|quantities to predict)"

_STEP_NOUNS = r"(?:time[\s-]?steps?|steps|tokens|words each|words long|readings per|look[\s-]?back)"
_LENGTH_PHRASES = (
    r"(?:sequence length|max(?:imum)? length|window|window size|lookback|padded to|cut to|truncated to|up to|past|"
    r"previous|last) (?:of |is |= ?)?(?:the )?(?:last |past )?"
)
_LENGTH_UNITS = (
    r"\s*(?:tokens|words|characters|steps|time|values|points|readings|samples|hours|hourly|days|daily|minutes|weeks|"
    r"months|entries)"
)
_HISTORY_NOUNS = (
    "(?:past|previous|last)? ?(?:days|hours|minutes|weeks|months|samples|points) of "
    "(?:history|data|readings|measurements|prices|records)"
)

_VOCABULARY_PHRASES = "vocab(?:ulary)? ?(?:size )?(?:of |is |= ?)?(?:the )?(?:about |around |most frequent )?"
_VOCABULARY_NOUNS = "(?:(?:unique |different |distinct |most frequent |most common )words|words? vocabulary|vocabulary)"

_HORIZON_UNITS = r"\s*-?(?:days?|hours?|minutes?|weeks?|months?|quarters?|steps?|time|values?|points?|readings?)"
_AHEAD_NOUNS = (
    "(?:days?|hours?|minutes?|weeks?|months?|steps?|time steps?|time-steps?) (?:ahead|in advance|into the future)"
)

_LATENT_PHRASES = "(?:latent|noise) (?:vector |space |dimension |dim |size )*(?:of |is |= ?)?(?:size |dimension )?"
_USER_NOUNS = "(?:users|customers|readers|viewers|listeners|members|subscribers|players|students)"
_ITEM_NOUNS = "(?:items|movies|films|books|products|songs|tracks|articles|recipes|games|courses|restaurants|podcasts)"


def read_facts(text: str) -> DatasetFacts:
    """The facts a text states. Of several statements about one thing the first counts."""
    text = text[:LONGEST].lower().replace("×", "x").replace("‑", "-")
    height, width, channels = _image_size(text)
    return DatasetFacts(
        height=height,
        width=width,
        channels=channels or _channels(text),
        classes=_classes(text),
        features=_count(text, _FEATURE_NOUNS),
        targets=_count(text, _TARGET_NOUNS),
        sequence_length=_sequence_length(text),
        vocabulary=_after(text, _VOCABULARY_PHRASES) or _count(text, _VOCABULARY_NOUNS),
        horizon=_horizon(text),
        frames=_count(text, "(?:frames)"),
        sample_rate=_sample_rate(text),
        clip_seconds=_count(text, r"(?:seconds?|s)\b(?! of history)", gap=r"[\s-]*+"),
        scale=_scale(text),
        latent=_after(text, _LATENT_PHRASES),
        users=_count(text, _USER_NOUNS),
        items=_count(text, _ITEM_NOUNS),
        batch_size=_after(text, r"batch(?:es)?(?:[ _-]?size)?(?: of| is| =| to|=|:)? ?"),
        epochs=_count(text, "epochs?") or _after(text, "epochs?(?: of| is| =| to|=|:)? ?"),
        learning_rate=_learning_rate(text),
    )


def shapes_in(text: str) -> list[tuple[int | None, ...]]:
    """Shapes written as tuples, without the batch axis; a named or unknown size is None.

    "(batch_size, 128, 128, 3)" -> (128, 128, 3). A first item that is no number ("None", "n") is the batch axis.
    """
    shapes: list[tuple[int | None, ...]] = []
    for inner in re.findall(r"\(([^()]*+)\)", text):
        if "," not in inner:
            continue
        items = [item.strip() for item in inner.split(",") if item.strip()]
        if not items or any(_is_phrase(item) for item in items):
            continue  # an aside in prose: "(photos, drawings and maps)"
        if not items[0].isdecimal():
            items = items[1:]
        if items:
            shapes.append(tuple(_axis_size(item) for item in items))
    return shapes


def _is_phrase(item: str) -> bool:
    """Whether an item between commas is words of prose; a product ("28 * 28") is a size."""
    return "*" not in item and re.search(r"\s", item) is not None


def _axis_size(item: str) -> int | None:
    size = int(item) if item.isdecimal() else 0
    return size or None


def _value(text: str) -> int:
    if text in NUMBER_WORDS:
        return NUMBER_WORDS[text]
    return int(text.replace(",", ""))


def _count(text: str, noun: str, gap: str = _GAP) -> int | None:
    """The number that counts `noun`: "12 numeric features" -> 12."""
    match = re.search(rf"(?<![.\d])\b{_NUMBER}{gap}{noun}\b", text)
    if match is None:
        return None
    return _value(match["number"]) or None


def _after(text: str, phrase: str, following: str = "") -> int | None:
    """The number that follows `phrase`: "batch size of 64" -> 64."""
    match = re.search(rf"\b{phrase}{_NUMBER}\b{following}", text)
    if match is None:
        return None
    return _value(match["number"]) or None


def _sequence_length(text: str) -> int | None:
    return (
        _count(text, _STEP_NOUNS)
        or _after(text, _LENGTH_PHRASES, following=_LENGTH_UNITS)
        or _count(text, _HISTORY_NOUNS)
    )


def _horizon(text: str) -> int | None:
    return (
        _after(text, "(?:next|following) (?:the )?", following=_HORIZON_UNITS)
        or _after(text, "horizon ?(?:of|is|=|:)? ?")
        or _count(text, _AHEAD_NOUNS)
    )


_SCREENS = ((4, 3), (16, 9), (16, 10))
"""Ratios of cameras and screens, whose sizes are written width first: "640x480". All others are rows x columns, as
arrays and layers have them; so reads `pipeline.request.reading.shapes`."""


def _image_size(text: str) -> tuple[int | None, int | None, int | None]:
    wide = re.search(r"\b(\d{2,4})\s*(?:px|pixels)? wide\b.{0,20}?\b(\d{2,4})\s*(?:px|pixels)? (?:high|tall)\b", text)
    if wide:
        return int(wide[2]), int(wide[1]), None
    match = re.search(
        r"\b(\d{2,4})\s*+(?:px|pixels)?\s*+(?:x|by|\*)\s*+(\d{2,4})"
        r"(?:\s*+(?:px|pixels)?\s*+(?:x|by|\*)\s*+([134]))?\b",
        text,
    )
    if match is None:
        square = re.search(r"\b(\d{2,4})[\s-]*(?:px|pixels?)\b", text)
        if square is None:
            return None, None, None
        return int(square[1]), int(square[1]), None
    first, second = int(match[1]), int(match[2])
    channels = int(match[3]) if match[3] else None
    if any(first * high == second * wide for wide, high in _SCREENS):
        return second, first, channels
    return first, second, channels


def _channels(text: str) -> int | None:
    if re.search(
        r"\bgr[ae]y[\s-]?scale|\bsingle[\s-]channel|\bblack[\s-]and[\s-]white|\bone channel|\bmonochrome", text
    ):
        return 1
    if re.search(r"\brgb\b|\bcolou?r\b|three channels|3 channels", text):
        return 3
    return None


def _classes(text: str) -> int | None:
    count = _count(text, rf"(?:{_CLASS_NOUNS})")
    if count is not None and 2 <= count <= 20_000:
        return count
    if re.search(r"\bbinary\b|\byes/no\b|\bor not\b|\bwhether\b|\bversus\b|\bvs\.?\b", text):
        return 2
    chosen = re.search(
        r"\b(?:as|into|between|either) ((?:[a-z-]++(?: [a-z-]++)?, ){0,400}[a-z-]++(?: [a-z-]++)?,? (?:or|and) [a-z-]+)\b",
        text,
    )
    if chosen:
        return len(re.split(r", (?:or |and )?| or | and ", chosen[1]))
    listed = re.search(
        r"(?<!\w)(?=\w*?(?:class|categor|label|species|type|genre))\w++[^.:]{0,60}[:(](?=[^.()]{3})\s*+"
        r"([^.()]{0,400}?)(?:[.)]|$)",
        text,
    )
    if listed:
        parts = re.split(r",\s*(?:and |or )?|;\s*|\s+and\s+|\s+or\s+", listed[1])
        names = [part for part in parts if part.strip()]
        # Names of classes are short; longer parts are clauses of a sentence.
        if len(names) >= 2 and all(len(name.split()) <= 4 for name in names):
            return len(names)
    return None


def _sample_rate(text: str) -> int | None:
    match = re.search(r"\b(\d+(?:\.\d+)?)\s*(k)?hz\b", text)
    if match is None:
        return None
    rate = float(match[1])
    if match[2]:
        rate *= 1000
    # Below 1 kHz it is the rate of a sensor, not of a recording.
    return int(rate) if int(rate) >= 1000 else None


def _scale(text: str) -> int | None:
    match = re.search(
        r"\b(?:x([2348])|([2348])x|([2348]) times|factor (?:of |by )?([2348])|scale (?:of |factor )?([2348]))\b", text
    )
    if match:
        return int(match[match.lastindex or 0])
    word = re.search(
        r"\b(twice|double|doubling|four times|three times|quadruple|factor (?:of )?(?:two|three|four))\b", text
    )
    if word is None:
        return None
    if re.search("four|quad", word[1]):
        return 4
    return 3 if "three" in word[1] else 2


def _learning_rate(text: str) -> float | None:
    match = re.search(
        r"(?:learning[ _-]?rate|\blr|\b(?:adam\w{0,40}|sgd|rmsprop|nadam))(?: of| is| to| =|=|:)? ?"
        r"(\d*\.\d+(?:e-?\d+)?|\d+(?:\.\d+)?e-\d+)",
        text,
    )
    return float(match[1]) if match else None
