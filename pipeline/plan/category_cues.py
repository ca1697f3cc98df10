"""Words that give a task category away, for requirements that no known plan resembles.

A category is a task on a kind of data: what is wanted ("estimate", "which of five kinds", "remove the noise") and from
what ("photos", "a table", "16 kHz recordings"). Tasks and data are searched for separately and then combined. For the
data, the dataset attributes count as much as the requirement; for the task, less.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from pipeline.plan.dataset_facts import LONGEST

_Cues = tuple[tuple[str, re.Pattern[str], float], ...]


def _cues(*rows: tuple[str, str, float]) -> _Cues:
    compiled = []
    for name, pattern, weight in rows:
        compiled.append((name, re.compile(pattern), weight))
    return tuple(compiled)


_DATA = _cues(
    ("image", r"\b(image|photo|picture|radiograph|snapshot|painting|sketch|drawing|camera|dashcam|thumbnail|selfie|mammogram)", 1.0),
    ("image", r"\bx-?rays?\b(?! fluor)|\b(mri|ct)\b|microscop|satellite|aerial|histolog|fundus|ultrasound|slides?\b|\bscans?\b|handwrit", 1.0),
    ("image", r"\b\d+ ?[x×] ?\d+\b|pixel|\brgb\b|gr[ae]y-?scale|\bjpe?g|\bpng\b|colou?r channel", 1.0),
    ("image", r"\b(mnist|cifar|imagenet|face|facial|tumou?r|lesion|digit|cat|dog|bird|flower|leaf|leaves|logo|icon|fingerprint|x-?ray)s?\b", 0.5),
    ("text", r"\b(english|german|french|spanish|italian|danish|latin|chat ?bot|gpt|bert|rapper|haiku|lyrics)\b", 1.2),
    ("audio", r"\bmusic\b|\bgenre of (a )?(song|track)", 1.2),
    ("video", r"\bvideos?\b|footage|\bclips? .{0,30}frames|\bframes\b.{0,40}(clip|sequence|video|per|each)|\d frames|film clip|cctv", 3.0),
    ("audio", r"\baudio|\bsounds?\b|\bspeech|spoken|\bwav\b|k?hz\b.{0,40}(record|clip|sampl)|(record|clip|sampl).{0,40}k?hz\b|microphone|\bsongs? clips?|spectrogram|waveform|bird ?song|\bcalls?\b.{0,20}record|\bvoice", 2.5),
    ("text", r"\b(text|review|tweet|comment|e-?mail|message|article|document|sentence|news|headline|post|ticket|sms|title|abstract|complaint|essay|poem|lyric|transcript|clause|phrase|caption|question|quer(y|ie)|word|character|vocabulary|token|paragraph|stor(y|ie)|advertisement|verse|dialogue|nlp|language)s?\b", 1.2),
    ("text", r"\b(sentiment|spam|toxic|sarcas|fake news|hate speech|clickbait|intents?)\b", 1.5),
    ("series", r"time.?series|\b(hourly|daily|weekly|monthly|half-hourly)\b|(every|each|per) (\w+ )?(second|minute|hour|day|week|month)\b|time.?steps?|\b(past|last|previous) \w* ?(hours|days|weeks|months|minutes)|sliding window|\bwindows? of\b|\bstocks?\b|temperature over|(past|last|previous) (\d+|\w+) (days|hours)", 1.4),
    ("series", r"accelerometer|gyroscope|\b(ecg|eeg|emg)s?\b|heart ?beat|wearable|sensor (window|signal|trace|stream|sequence)|\bsignals?\b|\b\d+ ?hz\b", 1.6),
    ("table", r"\b(columns?|tabular|csv|spreadsheet|tables?|features|attributes|rows|numeric|categorical|variables|figures|questionnaire|survey|records)\b", 1.2),
    ("table", r"\b(customers?|patients?|applicants?|students?|houses?|loans?|employees?|passengers?|wines?|cars?|flights?|churn|credit|insurance)\b", 0.5),
    ("ratings", r"recommend|ratings? (of|by|from|that|given)|\bwho (bought|read|watched|rated|listened)|user.{0,30}item|\bclicks?\b.{0,30}item|collaborative", 2.0),
)  # fmt: skip

_TASKS = _cues(
    ("classify", r"classif|categori[sz]|recogni[sz]|identif|distinguish|\bapart\b|\bwhich (of|kind|type|species|class|crop|one)|whether|\bflags?\b|diagnos|\btells?\b .{0,40}(or|from|apart|which)|\bspecies\b|\bclasses\b|\blabels?\b|sort .{0,30}(into|by)|\binto (one of|\w+ (classes|categories|kinds|types|groups))|\bdetect(s|ing|ion)?\b|\bgrades?\b|\blikely to\b|will (churn|default|leave|cancel|buy|drop)|\bone of\b|\b(kinds|types|genres|breeds|emotions|stages|levels) of\b|decide", 1.0),
    ("classify", r"\b(will|whether|if|likely|predict) .{0,60}(cancel|churn|default|leave|buy|drop|pass|fail|survive|return|convert|click|fraud)|\byes/no\b|\bchurn|\bfraud", 2.0),
    ("regress", r"\bestimat|regress|how (many|much|old|long|far|tall|strong|well)\b|\b(price|cost|age|weight|yield|salary|income|consumption|strength|duration|power|angle|amount|revenue|rent|charges|score|rating|speed|height|distance|loads?|emissions?|lifetime|time) (of|in|for|from|per|to|at)\b|predict(s|ing)? (the|a|an|its|their|each)?\s?(\w+ ){0,3}(price|cost|age|weight|yield|salary|income|consumption|strength|duration|power|angle|amount|revenue|rent|charges|score|speed|height|distance|load|emission|lifetime|value|number|count|time|percentage|concentration|temperature)|numeric target|continuous|\bcount(s|ing)?\b (the |how )|mean (squared|absolute) error|\btargets?\b (is|are) (the )?\w+ (in|from) ", 1.1),
    ("segment", r"segment|\bmasks?\b|outlin|pixel.?(wise|level|by)|(every|each|per) pixel|delineat|\bu-?net\b", 3.0),
    ("locate", r"bounding box|\bbox(es)?\b|object detect|\blocat(e|es|ing|ion of)\b|\bfind .{0,50} in (the |a |an |each |every |its )?(\w+ )?(photo|image|picture|frame|scan)|\byolo\b|localis|localiz", 3.0),
    ("upscale", r"super.?resolution|upscal|upsampl|low.?resolution|higher resolution|sharper|enlarg|\b[2348]x (the )?(resolution|size|larger|bigger)|(twice|times) (as (large|big)|larger|bigger)|(twice|four times|double|\dx|three times) .{0,20}(resolution|size|detail)", 3.5),
    ("restore", r"denois|(remove?|removing|take|get rid) .{0,40}(noise|blur|rain|scratch|haze|stain|speckle|grain|watermark|streak|fog)|coloriz|colou?ri[sz]|\brestor|inpaint|deblur|clean(s|ing)? (up )?.{0,40}(scan|image|photo|document|picture)|style transfer|(turn|translat|convert|transform)\w{0,30} .{0,50}(sketch|photo|image|picture|map|drawing|scene)\w{0,30} .{0,20}(in)?to|image.to.image|pix2pix|cyclegan|\bdepth map|reconstruct", 3.2),
    ("generate", r"generat|\b\w*gan(-gp)?s?\b|\bcreat\w{0,30} (fake|synthetic|artificial|realistic)|chat ?bot|\bgpt|invent|synthesi[sz]|\bvae\b|variational|propose new|\bdream up|new (images|pictures|photos|faces|designs|patterns|letters|names|verses|texts?|lines|melod)|creates? (new|fresh|original)|writes? (new|short|verses|poems|stor|lines)|in the (style|manner) of|next (word|character|token|letter)|language model|compose", 2.6),
    ("caption", r"caption|(describ|draft|suggest|write|say|tell)\w{0,30} .{0,60}(sentence|line|description|caption|words|title)\w{0,30} .{0,40}(for|of|per|about|from|under) (a |an |each |every |the |its )?(\w+ ){0,2}(photo|image|picture|painting|radiograph|scan|scene|x-ray)|(photo|image|picture|painting|radiograph|scan|scene)s?\b.{0,60}(describe|description|in words|sentence|alt.?text|menu line)|describe (the )?(\w+ )?(photo|image|picture|painting|scene)", 3.6),
    ("rewrite", r"translat\w{0,30} (\w+ ){0,5}(english|french|german|spanish|italian|portuguese|dutch|polish|latin|sentence|phrase|text|language|dialect|question)|summari[sz]|paraphras|rewrit|simplif\w{1,30} .{0,30}(text|sentence)|sequence.to.sequence|seq2seq|(convert|turn|normali[sz]e|expand|correct|transliterat)\w{0,30} .{0,50}(text|phrase|sentence|date|word|spelling|name|abbreviation|shorthand|note|command)|from (english|french|german|spanish) (in)?to", 3.2),
    ("answer", r"answer\w{0,30} .{0,40}question|question.answer|find .{0,30}answer|\banswers?\b .{0,40}\b(passage|paragraph|context|description)|questions? .{0,60}\banswers?\b", 3.2),
    ("forecast", r"forecast|\bnext (\w+ )?(hours?|days?|weeks?|months?|quarters?|values?|steps?|readings?|minutes?|season|year)|(hours?|days?|steps?|weeks?|minutes|months) (ahead|in advance)|\b(future|tomorrow|coming (hours?|days?|weeks?))\b|in (one|two|\d+) (hours|days|weeks)|following (day|hour|week|month)|stock (price )?predict|(past|last|previous) (\d+|\w+) (days|hours|weeks|months)", 3.0),
    ("recommend", r"recommend(s|ation|er|ations)?\b.{0,60}(user|reader|listener|customer|member|item|rating|movie|book|product|song|cook|player)|\bratings?\b.{0,60}(user|member|reader|viewer|player|cook)|collaborative|(user|customer|reader|member|seeker|listener|viewer|player)s?\b.{0,80}(would (like|rate|enjoy|buy|click|apply)|will (like|rate|enjoy|buy|click|apply|open|watch)|might like)|matrix factori|suggest .{0,40}to (each|every|a|our) (user|customer|reader|member|listener|player)", 3.2),
    ("anomaly", r"anomal|outlier|unusual|strange|abnormal (hours|behaviou?r|period)|novelty|no labels|without labels|unlabell?ed|odd(ly)? behav", 2.8),
)  # fmt: skip

_CATEGORIES: dict[tuple[str, str], str] = {
    ("classify", "image"): "Image Classification",
    ("classify", "video"): "Video Classification",
    ("classify", "audio"): "Audio Classification",
    ("classify", "text"): "Text Classification",
    ("classify", "series"): "Time Series Classification",
    ("classify", "table"): "Tabular Classification",
    ("regress", "image"): "Image Regression",
    ("regress", "table"): "Tabular Regression",
    ("regress", "series"): "Tabular Regression",
    ("generate", "image"): "Image Generation",
    ("generate", "text"): "Text Generation",
    ("segment", "image"): "Image Segmentation",
    ("locate", "image"): "Object Detection",
    ("upscale", "image"): "Image Super-Resolution",
    ("restore", "image"): "Image-to-Image",
    ("caption", "image"): "Image Captioning",
    ("rewrite", "text"): "Text-to-Text",
    ("answer", "text"): "Question Answering",
    ("forecast", "series"): "Time Series Forecasting",
    ("recommend", "ratings"): "Recommendation System",
    ("recommend", "table"): "Recommendation System",
    ("anomaly", "series"): "Anomaly Detection",
    ("anomaly", "table"): "Anomaly Detection",
    ("anomaly", "image"): "Anomaly Detection",
}

CUED_CATEGORIES: tuple[str, ...] = tuple(sorted(set(_CATEGORIES.values())))
"""The categories that cues can speak for."""

_IMPLIED = (
    ("segment", "image", 0.8),
    ("locate", "image", 0.8),
    ("upscale", "image", 0.8),
    ("restore", "image", 0.8),
    ("caption", "image", 0.8),
    ("rewrite", "text", 0.8),
    ("answer", "text", 0.8),
    ("generate", "image", 0.4),
    ("recommend", "ratings", 0.8),
)
"""What a task is most likely done on where no word says so."""

_NEGATED = re.compile(
    r"\b(?:no|nor|without|not have (?:any )?|don't have (?:any )?)\s*(?:\w+ )?"
    r"(?:images?|photos?|pictures?|texts?|audio|videos?)\b"
)
"""Data that the user says are not there: their words are no cue."""


@lru_cache(maxsize=1024)
def category_cues(requirement: str, attributes: str) -> Mapping[str, float]:
    """Evidence for task categories in the user's words, adding up to 1; where nothing speaks for any, a little for
    what is commonest."""
    data, tasks = _data_and_tasks(requirement, attributes)
    for task, kind, weight in _IMPLIED:
        if task in tasks:
            data.setdefault(kind, weight)
    data.setdefault("table", 0.1)  # what is not said to be anything else is most often a table
    # What is to be forecast is a series, said or not.
    data.setdefault("series", 0.5 if "forecast" in tasks else 0.0)
    tasks.setdefault("classify", 0.2)
    evidence: dict[str, float] = {}
    for (task, kind), category in _CATEGORIES.items():
        product = tasks.get(task, 0.0) * data.get(kind, 0.0)
        if product:
            evidence[category] = evidence.get(category, 0.0) + product
    total = 0.0
    for weight in evidence.values():  # not `sum`, which from Python 3.12 on gives another last digit
        total += weight
    return {category: share / total for category, share in evidence.items()}


def cue_certainty(requirement: str, attributes: str) -> float:
    """How much of `category_cues` is said, not supposed: 1 where words tell both the task and the data (or a task that
    implies its data), 0.5 where they tell one of them, 0 where they tell neither."""
    data, tasks = _data_and_tasks(requirement, attributes)
    implied = any(task in tasks for task, _, _ in _IMPLIED)
    return (bool(data or implied) + bool(tasks)) / 2


def _data_and_tasks(requirement: str, attributes: str) -> tuple[dict[str, float], dict[str, float]]:
    """The weights of the kinds of data and of the tasks that the words speak for."""
    requirement = _NEGATED.sub(" ", requirement[:LONGEST].lower())
    attributes = _NEGATED.sub(" ", attributes[:LONGEST].lower())
    data = _weights(_DATA, requirement, attributes, attributes_count=1.0)
    tasks = _weights(_TASKS, requirement, attributes, attributes_count=0.4)
    return data, tasks


def _weights(cues: _Cues, requirement: str, attributes: str, *, attributes_count: float) -> dict[str, float]:
    """The summed weights by name; a cue in the attributes counts `attributes_count` times its weight."""
    weights: dict[str, float] = {}
    for name, pattern, weight in cues:
        for text, factor in ((requirement, 1.0), (attributes, attributes_count)):
            if pattern.search(text):
                weights[name] = weights.get(name, 0.0) + factor * weight
    return weights
