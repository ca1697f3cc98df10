"""Steps of time and of text: "the last 30 days" are read, "the next 7" predicted; "max 250 words"."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.request.constraints import Constraint
from pipeline.request.reading.found import Found, Numbers
from pipeline.request.reading.shapes import is_whole
from pipeline.request.terms.pieces import Piece

_TIME = frozenset(
    "workdays weekdays nights shifts seasons rounds step steps timesteps day days hour hours minute minutes week "
    "weeks month months quarter quarters reading readings samples values points observations records ticks "
    "candles second seconds games visits events items clicks trading daily hourly weekly monthly measurements "
    "purchases bars quarterly sales prices cycles tage tagen stunden wochen monate minuten días horas semanas "
    "meses minutos jours heures semaines mois dias giorni ore settimane mesi дней часов недель месяцев 天 小时 日 時間 "
    "个 週 周 步 月 시간 일".split()
)
_CJK_TIME = ("时间步", "小时", "時間", "分钟", "ステップ", "시간", "스텝")
_PAST = frozenset(
    "eingabe entrada entrée ingresso "
    "last past previous preceding prior trailing letzten letzte vergangenen últimas últimos pasadas "
    "dernières derniers ultime ultimi последние последних предыдущих 过去 过去的 最近 直近 直近の "
    "지난 previously".split()
)
_NEXT = frozenset(
    "ausgabe salida sortie saída uscita "
    "next following coming upcoming subsequent nächsten nächste kommenden próximas próximos siguientes "
    "prochaines prochains prossime prossimi seguintes следующие следующих ближайшие ближайших 未来 接下来 今後 "
    "次の 다음".split()
)


def windows(pieces: list[Piece], numbers: Numbers, taken: set[int]) -> list[Found]:
    """Time steps read and predicted: "the last 30 days" is a length, "the next 7" a horizon."""
    results: list[Found] = []
    fine = _finer_than_hours(pieces)
    for index, piece in numbers:
        if piece.kind != "number" or index in taken or not is_whole(piece):
            continue
        if fine and any(part.key.split()[0] in _LONG for part in pieces[index + 1 : index + 3]):
            taken.add(index)  # twelve hours of values every ten minutes are no twelve steps
            continue
        if _at_most(pieces, index):
            taken.add(index)
            results.append(Found("size", "length", str(int(piece.number or 0)), index, index + 1))
            continue
        at_rate = _at_rate(pieces, index)
        if at_rate is not None:
            taken.add(index)
            is_read = any(found.name == "length" for found in results)
            ahead = _tells_time(pieces, index - 1) == "horizon" if index else False
            steps = "horizon" if ahead or (is_read and _comes_out(pieces, at_rate)) else "length"
            results.append(Found("size", steps, str(int(piece.number or 0)), index, at_rate))
            continue
        if _goes_out(pieces, index, results):
            taken.add(index)
            results.append(Found("size", "horizon", str(int(piece.number or 0)), index - 1, index))
            continue
        cue = _cue_before(pieces, index)
        unit = _time_after(pieces, index)
        if cue is None and unit is not None and index + 1 < unit:
            name = _tells_time(pieces, index + 1)
            if name is not None:  # "les 48 prochaines heures"
                taken.add(index)
                results.append(Found("size", name, str(int(piece.number or 0)), index, unit))
                continue
        if cue is None and unit is not None and _predicts(pieces, index):
            taken.add(index)
            results.append(Found("size", "horizon", str(int(piece.number or 0)), index - 1, unit))
            continue
        if cue is None or (unit is None and not _ends_phrase(pieces, index, cue)):
            continue
        unit = index if unit is None else unit
        name = _tells_time(pieces, cue) or "length"
        taken.add(index)
        results.append(Found("size", name, str(int(piece.number or 0)), cue, unit))
    return results


_RATES = frozenset("hourly daily weekly monthly quarterly minutely".split())
_VALUES = frozenset("values value readings reading measurements measurement points samples observations".split())


def _at_rate(pieces: list[Piece], index: int) -> int | None:
    """Where "24 hourly values" or "96 quarter-hour meter readings" end: so many steps of a series."""
    behind = pieces[index + 1 : index + 6]
    keys = [piece.key for piece in behind]
    rate = 1 if keys[:1] and keys[0].split(" ")[0] in _RATES else 0
    if not rate and keys[:1] in (["quarter"], ["half"]):
        rate = 2 + (keys[1:2] == ["-"])
        if keys[rate - 1 : rate] not in (["hour"], ["hourly"]):
            return None
    if not rate:
        return None
    for place in range(rate - 1, min(len(behind), rate + 2)):
        if behind[place].sentence != pieces[index].sentence or behind[place].kind == "mark":
            return None
        if behind[place].last in _VALUES:
            return index + 1 + place
    return None


def _comes_out(pieces: list[Piece], last: int) -> bool:
    """Whether what was counted is said to be given by the model, or is the second that is counted."""
    behind = {piece.key for piece in pieces[last + 1 : last + 12] if piece.sentence == pieces[last].sentence}
    return not behind.isdisjoint(("out", "predicted", "forecast", "ahead", "output", "follow"))


def _goes_out(pieces: list[Piece], index: int, results: list[Found]) -> bool:
    """ "120 time steps in, 72 out", "lookback 336, predict 96": a number without a unit of its own."""
    here = pieces[index]
    before = pieces[index - 1].key if index else ""
    behind = [piece.key for piece in pieces[index + 1 : index + 3] if piece.sentence == here.sentence]
    ends = not behind or not behind[0][:1].isalnum()
    earlier = [piece.key for piece in pieces[max(0, index - 8) : index] if piece.sentence == here.sentence]
    is_second = any(found.name == "length" for found in results) or not _LOOKS_BACK.isdisjoint(earlier)
    if before in _FORECASTS_BEFORE and ends and is_second:
        return True
    return behind[:1] == ["out"] and "in" in earlier and before in (",", "and", "/")


_LOOKS_BACK = frozenset(
    ("lookback", "history", "window", "context", "look back", "look-back", "seq len", "input length")
)
_FORECASTS_BEFORE = frozenset("predict forecast predicts forecasts forecasting predicting".split())
_MINUTES = {"minute": 1, "hour": 60, "day": 1440, "week": 10080}
_RATE = re.compile(
    r"\b(?:(?P<half>half[- ]hourly)|(?P<quarter>quarter[- ]hourly)|(?P<hour>hourly|every hour|once an hour)"
    r"|(?P<day>daily|once a day)|(?P<minute>(?<!beats )(?<!words )(?<!revolutions )(?:per|every|each) minute)"
    r"|(?:at (?P<at>\d{1,3})|(?P<of>\d{1,3}))[- ]?(?:minutes?|min)\b"
    r"(?(at)|[- ](?:data|values?|readings?|resolution|intervals?|means?|averages?|bars|candles|series|sampling)))"
)
"""How often a series has a value: "hourly", "at 15 minutes", "10-minute data"."""
_UNIT = re.compile(r"\b(minute|hour|day|week)s?\b")
_BEHIND = 8
"""How far behind the number the unit may stand where the words that were read end with the number."""


def in_steps(text: str, constraints: list[Constraint]) -> list[Constraint]:
    """Spans of time as steps where the request says how often there is a value: 7 days of hourly readings are 168.

    Without a rate, or with several, a number stays as it is.
    """
    lower = text.lower()
    rates = {_minutes(match) for match in _RATE.finditer(lower)}
    if len(rates) != 1:
        return constraints
    rate = rates.pop()
    results = []
    for one in constraints:
        if one.name in ("length", "horizon") and one.aspect == "size":
            words = lower[one.start : one.end]
            unit = _UNIT.search(words) or _UNIT.match(lower[one.end : one.end + _BEHIND].lstrip(" -"))
            steps, rest = divmod(_MINUTES[unit.group(1)], rate) if unit is not None else (1, 0)
            if steps > 1 and not rest and one.value.isdecimal():
                one = replace(one, value=str(int(one.value) * steps))
        results.append(one)
    return results


def _minutes(rate: re.Match[str]) -> int:
    """The minutes from one value to the next."""
    named = {"half": 30, "quarter": 15, "hour": 60, "day": 1440, "minute": 1}
    for name, minutes in named.items():
        if rate[name]:
            return minutes
    return max(1, int(rate["at"] or rate["of"]))


def _predicts(pieces: list[Piece], index: int) -> bool:
    """ "predict 7 days", where no word looks ahead"""
    return index > 0 and pieces[index - 1].key in ("predict", "forecast", "predicts", "forecasts", "forecasting")


def _ends_phrase(pieces: list[Piece], index: int, cue: int) -> bool:
    """Whether steps need no name: "from the last 10 frames forecast the next 10"."""
    if _tells_time(pieces, cue) != "horizon" and not (cue and _from_past(pieces, cue)):
        return False
    return index + 1 == len(pieces) or pieces[index + 1].kind == "mark"


def _from_past(pieces: list[Piece], cue: int) -> bool:
    """ "the next 5 workdays from the last 40": what is read needs no unit of its own"""
    return not _FROM.isdisjoint(piece.key for piece in pieces[max(0, cue - 2) : cue])


_FROM = frozenset("from using given usando aus mit de".split())
_LONG = frozenset(("minute", "minutes", "hour", "hours", "day", "days", "week", "weeks"))


def _finer_than_hours(pieces: list[Piece]) -> bool:
    """Whether the series has a value every few minutes or more often, so that hours and days are no steps."""
    for index, piece in enumerate(pieces):
        if piece.kind == "number":
            if pieces[index + 1 : index + 2] and pieces[index + 1].key in _HERTZ:
                return True
        elif piece.key == "every" and [part.key for part in pieces[index + 2 : index + 3]] in _FINE:
            return True
    return False


_FINE = (["minutes"], ["min"], ["seconds"], ["s"])
_HERTZ = frozenset(("hz", "khz", "hertz", "гц", "кгц", "赫兹"))
_TEXT_UNITS = frozenset("words tokens characters chars word letters wörter palabras mots शब्द".split())


_LIMITS = frozenset(
    "max maximum maximum. up most first longest longer maximal limit limited cut capped truncated trimmed máximo "
    "than höchstens अधिकतम".split()
)


def _at_most(pieces: list[Piece], index: int) -> bool:
    """Whether a number of words is the most that is read: "max 250 words", "up to 40 tokens"."""
    if index + 1 >= len(pieces) or pieces[index + 1].key not in _TEXT_UNITS:
        return False
    before = {piece.key for piece in pieces[max(0, index - 3) : index] if piece.sentence == pieces[index].sentence}
    return bool(before & _LIMITS)


def _cue_before(pieces: list[Piece], index: int) -> int | None:
    for position in range(index - 1, max(-1, index - 4), -1):
        if _tells_time(pieces, position) is not None:
            return position
        if pieces[position].key not in ("the", "of", "about", "~", "の", "的"):
            return None
    return None


def _tells_time(pieces: list[Piece], position: int) -> str | None:
    """Whether a word looks back, to what is read, or ahead, to what is predicted."""
    word = pieces[position].last
    # Scripts without blanks come letter by letter.
    letters = "".join([piece.key for piece in pieces[max(0, position - 2) : position + 1]])
    for words, name in ((_PAST, "length"), (_NEXT, "horizon")):
        if word in words or (not letters.isascii() and letters.endswith(tuple(words))):
            return name
    return None


def _time_after(pieces: list[Piece], index: int) -> int | None:
    for position in range(index + 1, min(len(pieces), index + 4)):
        piece = pieces[position]
        first = piece.key.split()[0]
        # Scripts without blanks come letter by letter: 小 时.
        if not first.isascii() and any(first.endswith(word) for word in _CJK_TIME):
            return position  # 个时间步
        pair = piece.key + pieces[position + 1].key if position + 1 < len(pieces) else piece.key
        if piece.key in _TIME or first in _TIME or (not pair.isascii() and pair in _TIME):
            return position
        if piece.kind not in ("word", "term") and piece.key != "-":
            return None
    return None
