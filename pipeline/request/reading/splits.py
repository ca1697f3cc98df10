"""How the data are divided: "80/20 split", "train/val/test 70/15/15", "80-10-10"; and how rare the rare class is."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.request.reading.found import Found, Numbers
from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.tokens import written

_RARE = frozenset(
    "positive positives fraud fraudulent minority rare churn churners imbalance imbalanced unbalanced "
    "left leave yes default defaults defective anomalous sick ill cancel cancelled cancellations spam "
    "toxic clicks clicked conversions purchases buyers fraude fraudes fraudulentas betrug frode "
    "failures failure failing faulty bad bots attacks cases desequilibrio déséquilibre "
    "ungleichgewicht unausgewogen desequilibradas desbalanceadas malignant".split()
)
_ONLY = frozenset("only just nur solo seulement 只有 merely apenas somente sólo soltanto лишь только".split())
_COUNTED = frozenset("are is were have of left bought churn default clicks click frauds são sind son sont sono".split())
_IMBALANCED = frozenset(
    "imbalance imbalanced unbalanced skewed unausgewogen desequilibrado desequilibradas desbalanceado "
    "desbalanceadas déséquilibré déséquilibrées 不平衡 不均衡".split()
)


def splits(pieces: list[Piece], numbers: Numbers, taken: set[int]) -> Iterator[Found]:
    """The shares held out. The numbers read are added to `taken`."""
    for index, piece in numbers:
        if piece.kind != "number" or index in taken:
            continue
        held_out = _held_out(pieces, index) if piece.share else None
        if held_out is not None:
            taken.add(index)
            yield held_out
            continue
        parts = _parts(pieces, index)
        shares = [(pieces[position].number or 0.0) * (100 if pieces[position].share else 1) for position in parts]
        if len(shares) > 1 and sum(shares) == 1:
            shares = [100 * share for share in shares]
        if len(shares) not in (2, 3) or sum(shares) != 100 or shares[0] < 50:
            continue
        taken.update(parts)
        last = parts[-1]
        if len(shares) == 3:
            yield Found("training", "validation_split", written(shares[1] / 100), parts[0], last)
            yield Found("training", "test_split", written(shares[2] / 100), parts[0], last)
        else:
            around = {part.key for part in pieces[max(0, index - 5) : last + 5]}
            name = "validation_split" if around & {"val", "validation", "validate", "validierung"} else "test_split"
            yield Found("training", name, written(shares[1] / 100), parts[0], last)


_FARTHEST = 7
_ENDS = frozenset("and but with then so accuracy error loss score recall precision dropout epochs".split())
_VALIDATES = frozenset("validate validates validated validating".split())


def _held_out(pieces: list[Piece], index: int) -> Found | None:
    """ "15 % of the plots for validation", "validate on 20 %": a share, and what it is held out for."""
    if not 0 < (pieces[index].number or 0.0) < 1:
        return None
    value = written(pieces[index].number or 0.0)
    before = [part.key for part in pieces[max(0, index - 4) : index] if part.sentence == pieces[index].sentence]
    if not _VALIDATES.isdisjoint(before) and ("on" in before or "with" in before) and "," not in before:
        return Found("training", "validation_split", value, index, index)
    held = {"for", "as", "to", "is", "are"}
    opened = False
    for position in range(index + 1, min(len(pieces), index + _FARTHEST)):
        here = pieces[position]
        words = here.key.replace("-", " ").split()
        if here.kind in ("mark", "number") or here.sentence != pieces[index].sentence or words[0] in _ENDS:
            return None
        opened = opened or words[0] in held
        if not opened:
            continue
        following = pieces[position + 1].key if position + 1 < len(pieces) else ""
        if following in _ENDS - {"and", "but", "with", "then", "so"}:
            return None
        for word in words:
            if word.startswith(("validat", "tuning")) or word in ("val", "dev"):
                return Found("training", "validation_split", value, index, position)
            if word in ("test", "testing", "tests", "evaluation"):
                return Found("training", "test_split", value, index, position)
    return None


def _parts(pieces: list[Piece], index: int) -> list[int]:
    numbers = [index]
    position = index
    while len(numbers) < 4 and position + 2 < len(pieces) and pieces[position + 1].key in ("/", "-", ":", "–", ","):
        if pieces[position + 2].kind != "number":
            break
        position += 2
        numbers.append(position)
    return numbers


def imbalance(pieces: list[Piece], numbers: Numbers, taken: set[int]) -> Found | None:
    """The rare class' share, or `true` where the classes are only said to be unequal."""
    for index, piece in numbers:
        if piece.kind != "number" or index in taken or piece.number is None:
            continue
        is_small = (piece.share or piece.key.isalpha()) and 0 < piece.number < 0.5
        if is_small and (_near_rare(pieces, index) or _counts_few(pieces, index) or _is_part(pieces, index)):
            taken.add(index)
            return Found("classes", "imbalance", written(piece.number), index, index)
        following = pieces[index + 1 : index + 3]
        one_in = _one_in(pieces, index)
        if one_in is not None:
            taken.update((index, index + 2))
            return one_in
        is_ratio = len(following) == 2 and following[0].key in (":", "to", "/") and following[1].kind == "number"
        if is_ratio and _near_rare(pieces, index):
            low, high = sorted((piece.number, following[1].number or 0.0))
            if low > 0 and low != high:
                taken.update((index, index + 2))
                return Found("classes", "imbalance", written(round(low / (low + high), 4)), index, index + 2)
    for index, piece in enumerate(pieces):
        is_rare = piece.key == "rare" and index > 0 and pieces[index - 1].key in ("are", "is", "very")
        if is_rare or piece.key in _IMBALANCED or (piece.kind == "word" and piece.key.startswith("imbalanc")):
            return Found("classes", "imbalance", "true", index, index)
    return None


def _near_rare(pieces: list[Piece], index: int) -> bool:
    """Whether a word for what is rare stands beside a number: "2 % fraud"."""
    for part in pieces[max(0, index - 5) : index + 6]:
        if part.sentence == pieces[index].sentence and not _RARE.isdisjoint(part.key.split()):
            return True
    return False


def _counts_few(pieces: list[Piece], index: int) -> bool:
    """ "only 3 % are ...", "AF only 9 percent" """
    few = any(part.key in _ONLY for part in pieces[max(0, index - 2) : index])
    if not few:
        return False
    if index + 1 == len(pieces) or pieces[index + 1].kind == "mark" or pieces[index + 1].key in _COUNTED:
        return True
    following = pieces[index + 1]
    return following.kind == "word" and following.key not in _NO_PART


def _is_part(pieces: list[Piece], index: int) -> bool:
    """ "cider apples are 6 % of all", "swarms are rare (7 %)" """
    before = [part.key for part in pieces[max(0, index - 3) : index]]
    if before[-1:] == ["("] and not _SCARCE.isdisjoint(before):
        return True
    behind = [part.key for part in pieces[index + 1 : index + 3]]
    is_of = behind[:1] in (["of"], ["von"], ["der"], ["de"]) and not _OF_ROWS.intersection(behind)
    return bool(before) and before[-1] in _ARE and is_of


def _one_in(pieces: list[Piece], index: int) -> Found | None:
    """ "about one in ten drops", "4 in 100" """
    behind = pieces[index + 1 : index + 3]
    if len(behind) < 2 or behind[0].key not in ("in", "von", "de", "sur") or behind[1].kind != "number":
        return None
    whole = behind[1].number or 0.0
    part = pieces[index].number or 0.0
    if whole not in _WHOLES or not 0 < part < whole / 2 or part != int(part) or behind[1].share:
        return None
    if index + 3 < len(pieces) and pieces[index + 3].meanings("unit"):
        return None
    return Found("classes", "imbalance", written(round(part / whole, 6)), index, index + 2)


_SCARCE = frozenset("rare scarce few selten seltene raras raros rares wenige rarely uncommon minority".split())
_ARE = frozenset("are is was were sind ist son es sont est são make makes up about only".split())
_OF_ROWS = frozenset("data rows training examples time images samples it width height".split())
_NO_PART = frozenset(
    "of for validation test testing held noise dropout warmup accuracy error false missing overlap as to in on at per "
    "the my our from faster slower better worse more less padding margin".split()
)
_WHOLES = frozenset((5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 250, 300, 500, 1000, 10000))
