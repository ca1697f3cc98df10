"""The language a request is written in, by its letters and its small words.

The rules of `pipeline.request.reading` know English. Of other languages they read numbers, names, loan words and the
commonest terms, and the caller warns. Requests are short and full of English terms ("CNN", "batch size"), so the small
words decide: articles, prepositions, pronouns. With fewer than two of them a text of Latin letters counts as English.
"""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["en", "de", "es", "fr", "pt", "it", "nl", "zh", "ja", "ko", "ru", "other"]

LANGUAGES: dict[str, str] = {
    "en": "English",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "pt": "Portuguese",
    "it": "Italian",
    "nl": "Dutch",
    "zh": "Chinese",
    "ja": "Japanese",
    "ko": "Korean",
    "ru": "Russian",
    "other": "another language than English",
}
"""Their names in English."""

_SMALL_WORDS: dict[Language, frozenset[str]] = {
    "en": frozenset(
        "the a an of and to for with in on is are that this it be from by as at my our we i want please using use "
        "which or not into each per have has should can will you me".split()
    ),
    "de": frozenset(
        "der die das und mit für ein eine einen einem einer ich nicht auf aus von zu den dem des im ist sind wir soll "
        "möchte bitte auch oder als bei nach über zum zur werden kein keine ohne am brauche".split()
    ),
    "es": frozenset(
        "el la los las una un con para de del y en que por quiero necesito se sin es sus mi más como entre usando cada "
        "al lo muy también".split()
    ),
    "fr": frozenset(
        "le la les des du un une avec pour et en est que sur dans je veux à au aux par sans mon ma mes nous il ou ce "
        "cette chaque entre qui sont".split()
    ),
    "pt": frozenset(
        "o os as um uma com para de da do das dos e em que por quero preciso sem não meu minha no na nas nos são mais "
        "entre usando cada também ao".split()
    ),
    "it": frozenset(
        "il lo gli le un una con per di del della dei delle e in che voglio vorrei senza non mio mia nel nella sono da "
        "alla ogni anche tra".split()
    ),
    "nl": frozenset(
        "de het een van en met voor ik wil niet op uit in is zijn wij onze graag ook of bij naar elke geen zonder aan "
        "dat die".split()
    ),
}
_OTHER_WORDS = frozenset(
    "dla jest oraz przez nie och på för av till att ett og til som ikke ve ile bir için olan és egy hogy pentru din "
    "pro jsou".split()
)
"""Small words of Polish, Swedish, Danish, Norwegian, Turkish, Hungarian, Romanian and Czech, which are not told from
each other. None that is a term too: AF is a rhythm of the heart."""
_OTHER_LETTERS = re.compile("[ąćęłńśźżčďěňřšťůžğışőűășțơưđøåæ\u1e00-\u1eff]")
"""Latin letters that none of the languages above has."""

_TELLING_WORDS: dict[Language, frozenset[str]] = {
    "de": frozenset(
        "bild bilder bildern fotos klassifizieren klassifizierung klassifikation erkennen erkennung vorhersagen "
        "vorhersage "
        "unterscheiden hund hunde hunden katze katzen texte texten daten netz netzwerk neuronales lernrate epochen "
        "schichten schicht tabelle spalte spalten klassen datei ordner bewertungen kunden preise wetter strom "
        "verbrauch "
        "stromverbrauch genauigkeit vergleichen zeitreihe zeitreihen übersetzen zusammenfassen segmentieren schätzen "
        "finden einordnen sortieren modell trainieren welche welcher welches ob nur mehr".split()
    ),
    "es": frozenset(
        "clasificar clasificación fotos imágenes gatos perros detectar predecir predicción reconocer textos datos red "
        "capas épocas tasa aprendizaje precio precios ventas reseñas noticias clases tabla columnas archivo carpeta "
        "traducir resumir segmentar modelo entrenar cuál qué si según".split()
    ),
    "fr": frozenset(
        "classer chats chiens détecter prédire prédiction reconnaître textes données "
        "réseau couches époques taux apprentissage prix ventes avis tableau colonnes fichier dossier traduire "
        "résumer segmenter modèle entraîner quel quelle selon".split()
    ),
    "pt": frozenset(
        "classificar classificação fotos imagens gatos cachorros detectar prever previsão reconhecer textos dados rede "
        "camadas épocas taxa aprendizado preço preços vendas avaliações notícias tabela colunas arquivo pasta traduzir "
        "resumir segmentar modelo treinar qual se".split()
    ),
    "it": frozenset(
        "classificare classificazione foto immagini gatti cani rilevare prevedere previsione riconoscere testi "
        "dati rete "
        "strati epoche tasso apprendimento prezzo prezzi vendite recensioni notizie classi tabella colonne cartella "
        "tradurre riassumere segmentare modello addestrare quale se".split()
    ),
    "nl": frozenset(
        "afbeeldingen foto's classificeren herkennen voorspellen honden katten teksten gegevens netwerk lagen prijzen "
        "verkoop recensies klassen tabel kolommen bestand vertalen samenvatten trainen welke".split()
    ),
}
"""Words with which requests say what is wanted; short ones have few small words: "Bilder von Hunden klassifizieren"."""
_LETTERS: tuple[tuple[Language, re.Pattern[str]], ...] = (
    ("ja", re.compile("[\u3040-\u30ff]")),  # kana before ideograms, which Japanese has too
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u3400-\u9fff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("other", re.compile("[\u0590-\u08ff\u0900-\u0dff\u0e00-\u0fff\u0370-\u03ff]")),  # Hebrew to Tibetan; Greek
)
_LATIN = re.compile("[a-zà-ÿ]+")
_LEAST_SHARE = 0.15
"""Share of a text's letters that another script has to have: one Greek letter makes no text Greek."""


def language_of(text: str) -> Language:
    """The language of a text; "en" where nothing tells another."""
    text = text[:20_000].lower()
    letters = sum(char.isalpha() for char in text)
    for language, pattern in _LETTERS:
        # An ideogram says about as much as three Latin letters.
        weight = 3 if language in ("zh", "ja", "ko") else 1
        if letters and weight * len(pattern.findall(text)) >= _LEAST_SHARE * letters:
            return language
    words = set(_LATIN.findall(text))
    if _is_other(text, words):
        return "other"
    found = {
        language: words & (small | _TELLING_WORDS.get(language, frozenset()))
        for language, small in _SMALL_WORDS.items()
    }
    best = max(found, key=lambda language: len(found[language]))
    # Letters alone tell nothing: the "e" of "H&E".
    is_told = len(found[best]) > max(len(found["en"]), 1) and any(len(word) > 2 for word in found[best])
    return best if is_told else "en"


def _is_other(text: str, words: set[str]) -> bool:
    """Whether words have letters, or are small words, of a language that has no name here; names alone tell none."""
    signs = sum(_OTHER_LETTERS.search(word) is not None for word in set(text.split())) + len(words & _OTHER_WORDS)
    english = len(words & _SMALL_WORDS["en"])
    return signs > english and (signs > 1 or not english)
