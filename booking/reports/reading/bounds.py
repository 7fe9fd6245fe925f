"""The bounds of a range: `3.9-6.1`, `<5.2`, `≥30`, `5±2`, `[1, 3]`, `10以下`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from booking.reports.reading.figures import WITH_EQUAL, number_of


@dataclass(frozen=True)
class Bounds:
    """A range. `low_open` and `high_open`: the bound itself is outside (`<1.7`). `unsure`: its commas can be decimal
    ones as well as thousands separators. `unit` is what stood behind it."""

    low: float | None
    high: float | None
    low_open: bool = False
    high_open: bool = False
    unsure: bool = False
    unit: str = ""


def bounds_of(kind: str, token: re.Match[str]) -> Bounds | None:
    """The bounds that a word of a range text (`words_of`) is; None for one of another kind, for `0-0`, and for one that
    can be read in two ways."""
    if kind == "pair":
        return _range(token["pair_low"], token["pair_high"])
    if kind == "spread":
        (middle, _), (by, unsure) = number_of(token["s_mid"] or "0"), number_of(token["s_by"])
        return Bounds(round(middle - by, 6), round(middle + by, 6), unsure=unsure)
    if kind == "between":
        low = token["b_low"].strip("()")
        if low.startswith("-") and token["b_sep"] == "--" and not token["b_high"].startswith(("+", "-", "(")):
            return None  # `-5--3`: to three, or to minus three?
        return _range(low, token["b_high"].strip("()"))
    if kind == "around":
        found = _range(token["a_low"], token["a_high"])
        return replace(found, low_open=token["a_open"] == "<", high_open=token["a_open2"] == "<") if found else None
    if kind == "both":
        found = _range(token["c_low"], token["c_high"])
        return (
            replace(found, low_open=_is_open(token["c_sign"]), high_open=_is_open(token["c_sign2"])) if found else None
        )
    if kind == "amid":
        return _range(token["m_low"], token["m_high"])
    if kind == "below":
        high, unsure = number_of(token["below_at"])
        return Bounds(None, high, high_open=_is_open(token["below_sign"]), unsure=unsure)
    if kind == "above":
        low, unsure = number_of(token["above_at"])
        return Bounds(low, None, low_open=_is_open(token["above_sign"]), unsure=unsure)
    if kind == "until":
        at, unsure = number_of(token["until_at"])
        up = token["until_way"] in ("以上", "or more", "or above", "and above")
        return Bounds(at, None, unsure=unsure) if up else Bounds(None, at, unsure=unsure)
    if kind == "from":
        low, unsure = number_of(token["from_at"])
        return Bounds(low, None, unsure=unsure)
    if kind == "to":
        high, unsure = number_of(token["to_at"])
        return Bounds(None, high, unsure=unsure)
    return None


def _is_open(sign: str) -> bool:
    return not WITH_EQUAL.search(sign)


def _range(first: str, second: str) -> Bounds | None:
    (low, unsure), (high, also) = number_of(first), number_of(second)
    if low == high == 0:
        return None
    return Bounds(min(low, high), max(low, high), unsure=unsure or also)
