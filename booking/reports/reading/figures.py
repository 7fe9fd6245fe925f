"""Numbers as laboratories write them: `<0.5`, `1,234.5`, `5,6`, `7 200`, `3.6×10^5`, `小于3.28`, `3-5/HPF`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from booking.reports.reading.units import ucum

NUMBER = (
    r"(?:10\s?\^\s?[0-9]{1,2}(?![0-9])(?!\s*/)|"
    r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[0-9]{1,3}(?:[, ][0-9]{3})+(?![0-9])(?:\.[0-9]+)?|"
    r"[0-9]{1,15}(?:[.,][0-9]{1,15})?|(?<![0-9])\.[0-9]{1,15})"
    r"(?:e[+-]?[0-9]{1,2}(?![0-9/])(?!\s*/)|\s*[x*]\s*10\s*(?:\^|e|\*\*)?\s*[+-]?[0-9]{1,2}(?![0-9])(?!\s*/))?"
)
"""A number without its sign in a folded text; a power of ten that is part of a unit (`×10^9/L`) isn't the number's."""
_TEN_TO_THE = re.compile(r"10\s?\^\s?([0-9]{1,2})")
_SHAPE = re.compile(r"(?!n/a)[a-z]{1,12}/[a-z0-9.]{1,8}|db ?hl|dbhl")
"""A unit that we don't know, but that can be nothing else."""
_POWER = re.compile(r"^(.*?)(?:e([+-]?[0-9]+)|\s*[x*]\s*10\s*(?:\^|e|\*\*)?\s*([+-]?[0-9]+))$")
_THOUSANDS_OR_DECIMALS = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
_EUROPEAN = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+")
_GROUPED = re.compile(r"[0-9]{1,3}(?:[, ][0-9]{3})+(?:\.[0-9]+)?")

BELOW = r"(?:≤|<|小于或等于|小于等于|不大于|不超过|不高于|小于|低于|少于|less than or equal to|less than|not more than|up to|at most|below|under|max(?:imum)?[.:]?)"
ABOVE = r"(?:≥|>|大于或等于|大于等于|不小于|不低于|不少于|大于|高于|超过|greater than or equal to|greater than|more than|not less than|at least|above|over|min(?:imum)?[.:]?)"
WITH_EQUAL = re.compile(r"≤|≥|等于|不|equal|up to|at most|at least|not |max|min")

_UNITS = frozenset(
    [
        "s",
        "sec",
        "ms",
        "min",
        "h",
        "l",
        "ml",
        "ul",
        "dl",
        "秒",
        "次/分",
        "次/分钟",
        "℃",
        "°c",
        "度",
        "岁",
        "分",
        "cm",
        "mm",
        "mmhg",
        "/hp",
        "/hpf",
        "/lp",
        "/lpf",
        "/hp视野",
        "个/hp",
        "个/hpf",
        "个/lp",
        "s/co",
        "coi",
        "iu/ml",
        "miu/ml",
        "uiu/ml",
        "iu/l",
        "copies/ml",
        "拷贝/ml",
        "cfu/ml",
        "fl",
        "pg",
        "ng/ml",
        "u/ml",
        "gpl",
        "mpl",
        "db",
        "d",
        "mg/l",
        "mg/lfeu",
        "ug/mlfeu",
        "feu",
        "index",
        "kpa",
        "mm/h",
        "/ul",
        "/100wbc",
        "%%",
        "kcal",
        "bpm",
        "mmol/24h",
        "g/24h",
        "mg/24h",
        "au/ml",
        "bau/ml",
        "ru/ml",
        "dpm",
        "mom",
        "dpm/mmol",
        "e.u./dl",
        "eu/dl",
        "thou/ul",
        "mill/ul",
        "leu/ul",
        "ery/ul",
        "wbc/ul",
        "rbc/ul",
        "ca/ul",
        "mosm/kg",
        "mosm/l",
        "ug/g",
        "mg/24h",
        "ml/min",
        "nmol/min",
    ]
)


@dataclass(frozen=True)
class Figure:
    """A number with `comparator` (`<`, `<=`, `>`, `>=` or blank), or from `number` to `to`. `unsure` if its comma can
    be a decimal one as well as a thousands separator. `unit` is what stood behind it."""

    number: float
    comparator: str = ""
    to: float | None = None
    unit: str = ""
    unsure: bool = False


def is_unit(text: str) -> bool:
    """Whether a folded text is a unit that we know."""
    compact = text.replace(" ", "")
    return bool(compact) and (compact in _UNITS or bool(ucum(compact)))


def looks_like_a_unit(text: str) -> bool:
    """Whether a folded text is a unit that we know, or is written as only a unit is."""
    return is_unit(text) or _SHAPE.fullmatch(text.strip()) is not None


def number_of(text: str) -> tuple[float, bool]:
    """The number of a text that matches NUMBER (with or without sign), and whether its comma is ambiguous."""
    if power_alone := _TEN_TO_THE.fullmatch(text.lstrip("+").strip()):
        return float(10 ** int(power_alone[1])), False
    sign = -1.0 if text.startswith("-") else 1.0
    digits, power = text.lstrip("+-").strip(), 0
    raised = _POWER.match(digits)
    if raised:
        digits, power = raised[1].strip(), int(raised[2] or raised[3])
    unsure = bool(_THOUSANDS_OR_DECIMALS.fullmatch(digits))
    if _EUROPEAN.fullmatch(digits):
        digits = digits.replace(".", "").replace(",", ".")
    elif _GROUPED.fullmatch(digits) and not digits.startswith("0,"):
        digits = digits.replace(",", "").replace(" ", "")
    else:
        digits = digits.replace(",", ".")
    return float(f"{sign * float(digits)}e{power}") if power else sign * float(digits), unsure


_SIGNED = rf"[+-]?\s?{NUMBER}"
_ONE = re.compile(rf"(?P<sign>{BELOW}|{ABOVE})?\s*(?P<number>{_SIGNED})\s*(?P<after>以下|以上)?\s*(?P<unit>.{{0,30}})")
_SPAN = re.compile(rf"(?P<number>{NUMBER})\s*(?:-|~|至|到|to)\s*(?P<to>{NUMBER})\s*(?P<unit>.{{0,30}})")


def comparator_of(sign: str, after: str = "") -> str:
    """`<`, `<=`, `>` or `>=` of a sign or words; blank for none."""
    if not sign:
        return {"以下": "<", "以上": ">"}.get(after, "")
    way = "<" if re.fullmatch(BELOW, sign) else ">"
    return way + ("=" if WITH_EQUAL.search(sign) else "")


def figure(text: str) -> Figure | None:
    """The figure that a folded text is, with nothing beside it but a unit; None for anything else."""
    span = _SPAN.fullmatch(text)
    if span and (not span["unit"] or looks_like_a_unit(span["unit"])):
        (low, first), (high, second) = number_of(span["number"]), number_of(span["to"])
        return Figure(low, to=high, unit=span["unit"], unsure=first or second) if low <= high else None
    one = _ONE.fullmatch(text)
    if one is None or (one["unit"] and not looks_like_a_unit(one["unit"])):
        return None
    number, unsure = number_of(one["number"].replace("- ", "-").replace("+ ", "+"))
    return Figure(number, comparator_of(one["sign"] or "", one["after"] or ""), None, one["unit"], unsure)
