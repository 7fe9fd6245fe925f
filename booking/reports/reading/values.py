"""A delivered value: its figure, its quality and the mark beside it, in whatever order a laboratory writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from booking.reports.reading.figures import Figure, figure, is_unit
from booking.reports.reading.folding import folded
from booking.reports.reading.marks import NOTHING, Mark, known_mark
from booking.reports.reading.qualities import Quality, quality_of, without_result
from booking.reports.reading.sentences import sentence_of

LONGEST = 80


@dataclass(frozen=True)
class Value:
    """What a value says. `void`: that there is no valid result (haemolysed, not tested)."""

    figure: Figure | None = None
    quality: Quality = ""
    mark: Mark = NOTHING
    void: bool = False


_WITHIN = re.compile(r"(?P<number>[<>≤≥]?\s*[0-9.,]+)\s*[(\[]?(?P<mark>hh|ll|h|l|n)[)\]]?\s+(?P<unit>[a-z%/].*)")
_ARROWS = re.compile(r"[↑↓]+")
_BEHIND = re.compile(
    r"^(?P<rest>.*?[0-9%\])a-z\u3400-\u9fff])\s*(?P<mark>\*+|!+)$"
    r"|^(?P<rest2>.*[0-9\s])(?P<mark2>hh|ll|h|l|n|critical|panic|危急值|危急|偏高|偏低|升高|降低|高|低)$"
    r"|^(?P<rest4>[^0-9]{2,20}|[1-4]\+)\s+(?P<mark4>hh|ll|h|l|a|abn|abnormal)$"
    r"|^(?P<rest3>[^,; ]*[0-9%][^,; ]*(?: [a-z%/][^,; ]*)??)(?:\s*[,; ]\s*|\s+-\s+)"
    r"(?P<mark3>[a-z\u3400-\u9fff][a-z\u3400-\u9fff ]{0,20})$"
)
_BEFORE = re.compile(
    r"^(?P<mark>\*+|!+|(?:hh|ll|h|l|n|high|low|critical|panic)(?=[\s:])|[(\[](?:hh|ll|h|l|n|high|low|critical|高|低)[)\]]|危急值|危急|偏高|偏低|升高|降低)[\s:,]*(?P<rest>[0-9<>≤≥+.-].*)$"
)
_BRACKET = re.compile(r"^(?P<outer>.+?)\s*[(\[]\s*(?P<inner>[^()\[\]]+?)\s*[)\]]$")
_UNITS_TOO = ("h", "l")


_SUSCEPTIBLE = re.compile(r"(?P<rest>.*[0-9])\s*\(?(?P<grade>s|r|i|sdd|ns)\)?")
_CONCENTRATION = re.compile("(?:mg/l|ug/ml|mcg/ml)")
_RESULT = re.compile(
    r"^(?:(?:检测|检验|测定|测量)?(?:结果|值)(?:为|是)?|results?(?: is)?|value)\s*[:=]?\s*(?=\S)|^=\s*"
)
_NAMED = re.compile(
    r"^(?P<label>[a-z\u3400-\u9fff][a-z0-9\u3400-\u9fff/-]{0,14}?)值?\s*(?P<sign>[:=]|\s)\s*(?P<rest>\S.*)$"
)
_USUAL_LABELS = (
    *("dob", "dpm", "s/co", "coi", "index", "ratio", "比值", "数", "od", "abi", "fev1/fvc", "fev1%", "lvef", "ef"),
    *("右侧abi", "左侧abi", "右abi", "左abi"),
)


def without_label(name: str, value: str) -> str:
    """A value without what it is called by: `DOB=12.6`, `结果：5.2`, and the item's own name, as in `GLU 7.2`."""
    plain = folded(value)
    bare = _RESULT.sub("", plain, count=1)
    found = _NAMED.match(bare)
    if found is not None and _is_its_name(found["label"], found["sign"], folded(name)):
        bare = found["rest"]
    return value if bare == plain else bare


def _is_its_name(label: str, sign: str, name: str) -> bool:
    if label in _USUAL_LABELS or sign == "=":
        return sign != " " or label in _USUAL_LABELS
    return len(label) > 1 and known_mark(label) is None and not quality_of(label) and label in name


def value_of(text: str, unit: str) -> Value:
    """What a value says. `unit` is the unit delivered with it: without one, an `L` behind a number is litres."""
    plain = folded(text)
    if not plain or len(plain) > LONGEST:
        return Value(quality=sentence_of(plain), void=not plain)
    graded = _SUSCEPTIBLE.fullmatch(plain)
    if graded is not None and _CONCENTRATION.fullmatch(folded(unit)):
        plain = graded["rest"].strip()
    whole = Value(figure(plain), quality_of(plain))
    if whole.figure is None and not whole.quality:
        whole = _marked(plain, unit) or _both(plain, unit) or Value(quality=sentence_of(plain))
    if graded is not None and plain == graded["rest"].strip() and whole.figure is not None:
        whole = replace(whole, mark=known_mark(graded["grade"]) or NOTHING)
    return replace(whole, void=without_result(plain))


def _marked(plain: str, unit: str) -> Value | None:
    arrows = _ARROWS.findall(plain)
    if len(arrows) == 1 and (beside := _read(" ".join(_ARROWS.sub(" ", plain).split()))) is not None:
        return replace(beside, mark=known_mark(arrows[0]) or NOTHING)
    within = _WITHIN.fullmatch(plain)
    if within is not None and is_unit(within["unit"]) and (beside := _read(within["number"])) is not None:
        return replace(beside, mark=known_mark(within["mark"]) or NOTHING)
    starred = plain.strip("*! ")
    if starred != plain and quality_of(starred):
        return Value(quality=quality_of(starred), mark=Mark("abnormal"))
    for pattern in (_BEHIND, _BEFORE):
        found = pattern.match(plain)
        if found is None:
            continue
        parts = {name.rstrip("234"): text for name, text in found.groupdict().items() if text is not None}
        mark = known_mark(parts["mark"])
        if (
            parts["mark"] in _UNITS_TOO
            and not unit.strip()
            and pattern is _BEHIND
            and not _ends_the_unit(parts["rest"])
        ):
            continue
        inner = _read(parts["rest"].strip(" ,;-"))
        if inner is not None and mark is not None and not mark.finding:
            return replace(inner, mark=mark)
    return None


def _ends_the_unit(rest: str) -> bool:
    """Whether what stands before an `L` or `H` has a unit already, or a comma: then the letter is a mark."""
    before = figure(rest.strip(" ,;"))
    return rest[-1:] in (",", ";") or (before is not None and bool(before.unit))


def _read(plain: str) -> Value | None:
    """A figure or a word of quality, and nothing else."""
    read = Value(figure(plain), quality_of(plain))
    return read if read.figure is not None or read.quality else None


def _both(plain: str, unit: str) -> Value | None:
    """A figure or quality with another one, a mark or a remark behind it in brackets, or with a blank between."""
    found = _BRACKET.match(plain)
    if found is not None:
        outer, inner = found["outer"], found["inner"]
        mark = known_mark(inner)
        first = Value(figure(outer), quality_of(outer))
        if first.figure is None and not first.quality:
            first = _marked(outer, unit) or first
        if first.figure is None and not first.quality:
            return None
        if _says_more(inner, first):
            return None
        second = Value(figure(inner), quality_of(inner), mark if mark is not None and mark.flag else NOTHING)
        return Value(
            first.figure or second.figure, first.quality or second.quality, _two_marks(first.mark, _beside(second))
        )
    for blank in re.finditer("[,;:]? |[,;:]", plain):
        left, right = plain[: blank.start()], plain[blank.end() :]
        for words, number in ((left, right), (right, left)):
            quality, amount = quality_of(words), figure(number)
            if quality and amount is not None:
                return Value(amount, quality)
    return None


_BEFORE_THIS = re.compile(
    "(?:prev|last|prior|former|was |上次|前次|既往|历史)|(?:class|grade|level|type) ?[0-9]$|[0-9]级$"
)
_OUTCOME = re.compile("阴|阳|pos|neg|react|detect")
_MORE = re.compile(f"[0-9]|{_OUTCOME.pattern}")


def _says_more(remark: str, first: Value) -> bool:
    """Whether what stands in brackets behind a figure or a word may be another result of now (`4.0 (复查6.5)`)."""
    if _BEFORE_THIS.match(remark):
        return False
    beside = figure(remark)
    if beside is not None and beside.to is None:
        return first.figure is not None and not first.quality
    return (
        beside is None
        and not quality_of(remark)
        and known_mark(remark) is None
        and bool((_MORE if first.figure else _OUTCOME).search(remark))
    )


def _two_marks(first: Mark, second: Mark) -> Mark:
    """Both marks of a figure that has one behind it and one in brackets; none if they contradict each other."""
    if NOTHING in (first, second):
        return first if second == NOTHING else second
    return first if first.flag == second.flag else Mark(unknown=True)


def _beside(value: Value) -> Mark:
    """The mark in brackets behind a number; a word of quality there is no mark of its own."""
    return NOTHING if value.quality in ("negative", "positive", "trace") else value.mark
