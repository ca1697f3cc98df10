"""Numbers that a requirement, its dataset attributes or a plan states in words: sizes, classes, lengths, settings.

"The dataset has 5,000 grayscale photos of five species, 64x64 pixels" -> height 64, width 64, channels 1, classes 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
NUMBER_WORDS = (
    {word: value for value, word in enumerate(_UNITS)}
    | {word: 10 * value for value, word in enumerate(_TENS, start=2)}
    | {"a hundred": 100, "hundred": 100, "a dozen": 12, "dozen": 12, "both": 2}
    | {
        f"{tens}-{unit}": 10 * ten + value
        for ten, tens in enumerate(_TENS, start=2)
        for value, unit in enumerate(_UNITS[:10])
    }
    | {f"{unit} hundred": 100 * value for value, unit in enumerate(_UNITS) if 0 < value < 10}
)
_WORDED = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))  # the longest first: "twenty-five" before "twenty"
_NUMBER = rf"(?P<number>\d{{1,3}}(?:,\d{{3}}){{1,3}}|\d{{1,12}}|{_WORDED})"
_GAP = r"[\s-]+(?:(?!(?:per|of|in|for|from|with|and|to|across|over|the|each|a|hundred|thousand|million)\b)[a-z]+(?:-[a-z]+)?[\s-]+){0,2}?"
"""Up to two words between a number and what it counts ("12 numeric sensor features"), none that starts a new phrase."""

_CLASS_NOUNS = (
    "class|classes|categor(?:y|ies)|species|label|labels|types|kinds|genres|emotions|breeds|topics|groups|digits|letters|brand|"
    "varieties|genera|moods|makes|outcomes|segments|answers|departments|cuisines|diseases|conditions|activities|gestures|expressions|styles|languages|intents|speakers|words to recognise|"
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
        missing = {field.name for field in fields(self) if getattr(self, field.name) is None}
        return replace(self, **{name: getattr(other, name) for name in missing})


def read_facts(text: str) -> DatasetFacts:
    """The facts a text states. Of several statements about one thing the first counts."""
    text = text.lower().replace("×", "x").replace("‑", "-")
    height, width, channels = _image_size(text)
    return DatasetFacts(
        height=height,
        width=width,
        channels=channels or _channels(text),
        classes=_classes(text),
        features=_count(text, r"(?:features?|columns?|attributes?|variables?|predictors?|measurements?|sensors?|indicators?|inputs?|channels? of (?:the )?(?:series|signal|sensor))"),
        targets=_count(text, r"(?:targets?|outputs?|target (?:values?|variables?|columns?)|quantities to predict)"),
        sequence_length=_count(text, r"(?:time[\s-]?steps?|steps|tokens|words each|words long|readings per|look[\s-]?back)")
        or _after(text, r"(?:sequence length|max(?:imum)? length|window|window size|lookback|padded to|cut to|truncated to|up to|past|previous|last) (?:of |is |= ?)?(?:the )?(?:last |past )?", r"\s*(?:tokens|words|characters|steps|time|values|points|readings|samples|hours|hourly|days|daily|minutes|weeks|months|entries)")
        or _count(text, r"(?:past|previous|last)? ?(?:days|hours|minutes|weeks|months|samples|points) of (?:history|data|readings|measurements|prices|records)"),
        vocabulary=_after(text, r"vocab(?:ulary)? ?(?:size )?(?:of |is |= ?)?(?:the )?(?:about |around |most frequent )?")
        or _count(text, r"(?:(?:unique |different |distinct |most frequent |most common )words|words? vocabulary|vocabulary)"),
        horizon=_after(text, r"(?:next|following) (?:the )?", r"\s*-?(?:days?|hours?|minutes?|weeks?|months?|quarters?|steps?|time|values?|points?|readings?)")
        or _after(text, r"horizon ?(?:of|is|=|:)? ?")
        or _count(text, r"(?:days?|hours?|minutes?|weeks?|months?|steps?|time steps?|time-steps?) (?:ahead|in advance|into the future)"),
        frames=_count(text, r"(?:frames)"),
        sample_rate=_sample_rate(text),
        clip_seconds=_count(text, r"(?:seconds?|s)\b(?! of history)", gap=r"[\s-]*"),
        scale=_scale(text),
        latent=_after(text, r"(?:latent|noise) (?:vector |space |dimension |dim |size )*(?:of |is |= ?)?(?:size |dimension )?"),
        users=_count(text, r"(?:users|customers|readers|viewers|listeners|members|subscribers|players|students)"),
        items=_count(text, r"(?:items|movies|films|books|products|songs|tracks|articles|recipes|games|courses|restaurants|podcasts)"),
        batch_size=_after(text, r"batch(?:es)?(?:[ _-]?size)?(?: of| is| =| to|=|:)? ?"),
        epochs=_count(text, r"epochs?") or _after(text, r"epochs?(?: of| is| =| to|=|:)? ?"),
        learning_rate=_learning_rate(text),
    )  # fmt: skip


def shapes_in(text: str) -> list[tuple[int | None, ...]]:
    """Shapes written as tuples, without the batch axis; a named or unknown size is None.

    "(batch_size, 128, 128, 3)" -> (128, 128, 3). A leading name, None or "n" is the batch axis; so is the first of
    four or more numbers followed by an image shape.
    """
    shapes = []
    for inner in re.findall(r"\(([^()]*,[^()]*)\)", text):
        items = [item.strip() for item in inner.split(",") if item.strip()]
        if not items or any(re.search(r"\s", item) for item in items if not item.isdecimal() and "*" not in item):
            continue
        if not items[0].isdecimal():
            items = items[1:]
        shapes.append(tuple(int(item) if item.isdecimal() and int(item) > 0 else None for item in items))
    return [shape for shape in shapes if shape]


def _value(text: str) -> int:
    return NUMBER_WORDS[text] if text in NUMBER_WORDS else int(text.replace(",", ""))


def _count(text: str, noun: str, gap: str = _GAP) -> int | None:
    """The number that counts `noun`: "12 numeric features" -> 12."""
    match = re.search(rf"(?<![.\d])\b{_NUMBER}{gap}{noun}\b", text)
    return (_value(match["number"]) or None) if match else None


def _after(text: str, phrase: str, following: str = "") -> int | None:
    """The number that follows `phrase`: "batch size of 64" -> 64."""
    match = re.search(rf"\b{phrase}{_NUMBER}\b{following}", text)
    return (_value(match["number"]) or None) if match else None


def _image_size(text: str) -> tuple[int | None, int | None, int | None]:
    wide = re.search(r"\b(\d{2,4})\s*(?:px|pixels)? wide\b.{0,20}?\b(\d{2,4})\s*(?:px|pixels)? (?:high|tall)\b", text)
    if wide:
        return int(wide[2]), int(wide[1]), None
    match = re.search(
        r"\b(\d{2,4})\s*(?:px|pixels)?\s*(?:x|by|\*)\s*(\d{2,4})(?:\s*(?:px|pixels)?\s*(?:x|by|\*)\s*([134]))?\b", text
    )
    if match is None:
        square = re.search(r"\b(\d{2,4})[\s-]*(?:px|pixels?)\b", text)
        return (int(square[1]), int(square[1]), None) if square else (None, None, None)
    first, second, channels = int(match[1]), int(match[2]), int(match[3]) if match[3] else None
    if re.search(r"height ?(?:x|by|\*|,|and) ?width|\bh ?x ?w\b", text):
        return first, second, channels
    return second, first, channels  # "640x480" names the width first


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
        r"\b(?:as|into|between|either) ((?:[a-z-]+(?: [a-z-]+)?, )*[a-z-]+(?: [a-z-]+)?,? (?:or|and) [a-z-]+)\b", text
    )
    if chosen:
        return len(re.split(r", (?:or |and )?| or | and ", chosen[1]))
    listed = re.search(
        r"(?:class|categor|label|species|type|genre)\w*[^.:]{0,60}[:(]\s*([^.()]{3,400}?)(?:[.)]|$)", text
    )
    if listed:
        names = [name for name in re.split(r",\s*(?:and |or )?|;\s*|\s+and\s+|\s+or\s+", listed[1]) if name.strip()]
        if len(names) >= 2 and all(len(name.split()) <= 4 for name in names):
            return len(names)
    return None


def _sample_rate(text: str) -> int | None:
    match = re.search(r"\b(\d+(?:\.\d+)?)\s*(k)?hz\b", text)
    if match is None:
        return None
    rate = int(float(match[1]) * (1000 if match[2] else 1))
    return rate if rate >= 1000 else None


def _scale(text: str) -> int | None:
    match = re.search(
        r"\b(?:x([2348])|([2348])x|([2348]) times|factor (?:of |by )?([2348])|scale (?:of |factor )?([2348]))\b", text
    )
    if match:
        return int(next(group for group in match.groups() if group))
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
        r"(?:learning[ _-]?rate|\blr|\b(?:adam\w*|sgd|rmsprop|nadam))(?: of| is| to| =|=|:)? ?(\d*\.\d+(?:e-?\d+)?|\d+(?:\.\d+)?e-\d+)",
        text,
    )
    return float(match[1]) if match else None
