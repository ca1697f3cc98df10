"""Words that give a task category away, for requirements that no known plan resembles."""

from __future__ import annotations

import re
from collections import defaultdict

_CUES: tuple[tuple[str, str, float], ...] = (
    (r"super.?resolution|upscal|upsampl\w+ (photo|image)|low.?resolution|higher resolution|sharper|enlarg", "Image Super-Resolution", 3),
    (r"caption|describe\w* (the |an? )?(image|photo|picture|scene)|sentence (for|about) (each|an?|the) (image|photo|picture)", "Image Captioning", 3),
    (r"segment\w*|\bmasks?\b|outline|pixel.?(wise|level|by)|every pixel|each pixel", "Image Segmentation", 2.5),
    (r"bounding box|\bboxes\b|detect (and )?(locate|count)|object detect|\blocat(e|es|ing)\b|where .{0,40} (is|are) in", "Object Detection", 2),
    (r"generat\w+ (new |realistic |synthetic |small |artificial |fake )*(\w+ ){0,4}?(image|photo|face|picture|pattern|texture|icon|logo|sprite|tile|artwork|drawing|painting)|\bgan\b|invent", "Image Generation", 3),
    (r"denois|remov\w+ (the )?(noise|blur|rain|scratch|haze|stain)|coloriz|colouri[sz]|restor\w+|inpaint|deblur|clean up .{0,30}(scan|image|photo|document)|style transfer|translate .{0,20}images? (in)?to", "Image-to-Image", 2.5),
    (r"\b(estimat|predict|regress|count|how (many|old|much|far))\w*\b.{0,60}\bfrom\b.{0,40}(photo|image|picture|scan|x-ray)|(photo|image|picture)\w*.{0,60}\b(age|weight|angle|count|distance|price|number of|score|depth)\b", "Image Regression", 1.6),
    (r"\b(image|photo|picture|x-?ray|scan|mri|microscop|satellite|camera|handwritten|leaf|leaves|snapshots?)", "Image Classification", 0.8),
    (r"video|\bclips? of \w+ frames|\bframes\b|footage", "Video Classification", 2),
    (r"audio|sound|speech|spoken|\bwav\b|recording|khz|microphone|acoustic|music|bird ?song|spectrogram|utterance", "Audio Classification", 2),
    (r"recommend|user.?item|ratings? (of|by|from|that) |\bwhich (movies|books|songs|products)|\brate[sd]? .{0,30}(movie|book|item|recipe)", "Recommendation System", 3),
    (r"forecast|next (\w+ )?(hour|day|week|month|quarter|value|step|reading|minute)|(hours|days|steps|weeks) ahead|future (value|demand|price|sales|load)|tomorrow", "Time Series Forecasting", 2.2),
    (r"accelerometer|gyroscope|\becg\b|\beeg\b|heartbeat|wearable|sensor (window|signal|trace|sequence|stream)|time.?series.{0,40}(classif|categor)|classif\w* .{0,40}(signal|time.?series|waveform)", "Time Series Classification", 2.2),
    (r"anomal|outlier|unusual|novelty|fault.{0,20}without label", "Anomaly Detection", 2),
    (r"translat\w+ .{0,60}(english|french|german|spanish|language|sentence|phrase|text|italian|portuguese)|summari[sz]|paraphras|rewrit|sequence.to.sequence|seq2seq|(convert|turn|normali[sz])\w* .{0,40}(text|phrase|sentence|date|word)s? (in)?to|spell(ing)?.correct", "Text-to-Text", 2.6),
    (r"generat\w+ .{0,40}(text|poem|poetry|lyric|stor(y|ies)|name|sentence|headline|recipe|verse|haiku|dialog)|next (word|character|token)|language model|writes? .{0,30}in the style", "Text Generation", 3),
    (r"answer\w* .{0,30}question|question.answer|find .{0,20}answer", "Question Answering", 2.5),
    (r"\b(text|review|tweet|comment|email|e-mail|message|article|document|sentence|news|headline|post|ticket|sentiment|spam|toxic|title|abstract|complaint|question|essay|description|resume|chat)s?\b", "Text Classification", 1.1),
    (r"\b(price|cost|consumption|amount|revenue|yield|salary|income|rent|strength|duration|emission|score|how (much|many|long))\b.{0,120}", "Tabular Regression", 0.9),
    (r"\bregression\b|\bestimate\b|\bcontinuous\b|numeric target|mean (squared|absolute) error|\bregressor\b", "Tabular Regression", 1.0),
    (r"\b(columns|tabular|csv|spreadsheet|table|features|attributes|records|rows|patients|customers|applicants|loan|churn|credit|measurements)\b", "Tabular Classification", 0.7),
    (r"\b(columns|tabular|csv|spreadsheet|table|features|attributes|records|rows)\b", "Tabular Regression", 0.6),
)  # fmt: skip

_COMPILED = tuple((re.compile(pattern), category, weight) for pattern, category, weight in _CUES)


def category_cues(text: str) -> dict[str, float]:
    """Evidence for task categories in the words of a requirement; weights add up, a category without cue is absent."""
    lowered = text.lower()
    found: dict[str, float] = defaultdict(float)
    for pattern, category, weight in _COMPILED:
        if pattern.search(lowered):
            found[category] += weight
    return dict(found)
