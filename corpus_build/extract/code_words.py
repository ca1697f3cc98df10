"""Words of code that give its task or its data away, looked for when they are asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PATTERNS = {
    "anomaly": r"anomal|reconstruction_error|novelty_detect",
    "answers": r"start_(?:position|logits|token)|\bsquad\b|question_answer",
    "audio": r"\b(?:librosa|torchaudio|soundfile|python_speech_features|wavfile|melspectrogram|mfccs?)\b|tf\.audio\b",
    "boxes": r"\bbbox(?!_inches|_to_anchor|\s*=\s*(?:dict|\{))|bounding_?box|\banchor_box|\byolo|\bx_?min\b|\bboxes\b|"
    r"\bbox_|non_max_supp",
    "caption": r"\bcaption|flickr",
    "ctc": r"\bctc_|ctc_(?:batch|loss|decode)|\bctcloss\b",
    "generator": r"def \w*generator\b|\bgenerator\s*=\s*(?!\w*datagen)\w*(?:build|make|create|define|get|gen|seq|mod)|"
    r"\b\w*gan\b|\bdcgan|\bvae\b|\bz_mean\b|diffusion",
    "masks": r"\bmasks?\b|segment|\bdice|\biou\b",
    "next_word": r"next_(?:word|char|token)|seed_text|generate_text|ngrams?_seq|\btemperature\b|\bchar2idx\b|"
    r"\bidx2char\b|set\(text\)|\bids_from_chars\b",
    "pictures": r"\b(?:im(?:age|g)|photo|picture)s?\b|\.(?:jpe?g|png)\b|\bcv2\b",
    "ratings": r"\buser_?ids?\b|\bratings?\b|\bmovie_?ids?\b|\bitem_?ids?\b|\bn(?:um)?_users\b",
    "restore": r"\bnois(?:y|ed|e_factor)|denois|coloriz|inpaint|deblur|pix2pix|cyclegan|style_?transfer",
    "text": r"\btf\.string\b|nnlm|universal.sentence|tokeni[sz]|input_word_ids|"
    r"pad_sequences|textvectorization|\bvocab|stopwords",
    "translate": r"\bdecoder_\w|transformerdecoder|target_vocab|summari[sz]|translat|seq2seq",
    "upscale": r"depth_to_space|super.?res|\bsrgan\b|\bsrcnn\b|\blow_?res|\bhr_images|\blr_images|\bhigh_?res|\bedsr\b",
    "video": r"videocapture|frames?_per|\b(?:num|n|max)_frames\b|\bvideos?\b",
    "window": r"look_?back|\bwindow(?:_size)?\b|time_?steps?\b|create_(?:dataset|sequences)\b|\bn_steps\b|"
    r"timeseriesgenerator|timeseries_dataset|forecast",
}
_COMPILED = {name: re.compile(pattern) for name, pattern in _PATTERNS.items()}
_COMMENT = re.compile(r"#[^\n]*")


@dataclass(slots=True)
class CodeWords:
    """A program's words in lower case, comments left out."""

    code: str
    _known: dict[str, bool] = field(default_factory=dict)
    _text: str | None = None

    def has(self, sign: str) -> bool:
        """Whether the code has one of the words of this sign, a key of the table above."""
        if sign not in self._known:
            if self._text is None:
                self._text = _COMMENT.sub("", self.code).lower()
            self._known[sign] = _COMPILED[sign].search(self._text) is not None
        return self._known[sign]
