"""The words that texts are written from."""

from __future__ import annotations

TOPICS = {
    "sport": "match goal coach league player stadium referee season tournament score training injury".split(),
    "cooking": "oven recipe flour butter simmer sauce onion bake spice whisk dough garlic".split(),
    "finance": "bank interest loan market shares dividend budget inflation invoice bond profit tax".split(),
    "travel": "flight hotel passport luggage beach ticket border tour museum harbour hostel map".split(),
    "technology": "laptop server battery software screen update network chip keyboard cloud driver browser".split(),
    "garden": "soil seed rose lawn compost hedge tulip prune spade greenhouse weed tomato".split(),
    "private": "dinner weekend cousin birthday meeting homework photos lunch tomorrow call train kids".split(),
    "advertising": "winner prize free offer click cash bonus guaranteed cheap discount urgent subscribe".split(),
}

FILLERS = (
    "today we again about some other really maybe then little much still once after before during many people often "
    "quite nearly always never early late around there"
).split()

GOOD_AND_BAD = {
    "good": "great lovely excellent pleasant wonderful fine friendly clean".split(),
    "bad": "awful terrible dirty rude horrible weak noisy boring".split(),
}

COMPLAINTS = {
    "delivery": "parcel courier late tracking lost shipment".split(),
    "price": "expensive overcharged invoice fee refund cost".split(),
    "quality": "broken scratched faulty cheaply cracked defect".split(),
    "support": "hotline unanswered agent waiting callback email".split(),
}

GIVEN_NAMES = "Maria John Wei Fatima Lukas Aisha Peter Ingrid Carlos Yuki Olga Samuel".split()
CITIES = "Berlin Lagos Osaka Lima Oslo Cairo Madrid Hanoi Dublin Quito Riga Perth".split()
FIRMS = "Globex Initech Umbra Hooli Vandelay Soylent Acme Stark Wonka Cyberdyne Tyrell Aperture".split()

UNITS = "g kg ml cups spoons slices litres pinches".split()
FOODS = "flour sugar milk carrots rice butter beans onions lentils honey".split()

SYNONYMS = (
    ("reset", "restore", "recover"),
    ("delete", "remove", "erase"),
    ("install", "set-up", "deploy"),
    ("password", "passphrase", "login-code"),
    ("photo", "picture", "image"),
    ("laptop", "notebook", "computer"),
    ("phone", "mobile", "handset"),
    ("folder", "directory", "catalogue"),
    ("invoice", "bill", "receipt"),
    ("printer", "copier", "plotter"),
    ("account", "profile", "membership"),
    ("shop", "store", "market"),
)
