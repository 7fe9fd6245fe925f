"""Each range of a text with what it is for: a sex, an age, a good or a bad value, a condition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from booking.reports.reading.bounds import Bounds, bounds_of
from booking.reports.reading.figures import is_unit
from booking.reports.reading.range_words import words_of

GROWN_UP = 18
CHILD_UNDER = 14
AFTER_MENOPAUSE = 56
BEFORE_MENOPAUSE = 39
"""Until the one age a range for women before the menopause is taken for hers, from the other one for those after it;
between them, nobody told us."""
_AGES = ("adult", "child", "ages", "ages_mixed", "age_side", "age_after", "age_plus")

_ENDS = re.compile(r"\s*(?:[;,/|)\]。]|\.(?![0-9])|$)")
_CLOSES = re.compile(r"[^0-9<>≤≥;,/|)\]。]*(?:[;,/|)\]。]|$)")
_LIKE_A_UNIT = re.compile(
    r"[x+=*]|[a-z0-9.*^%{}\[\]]{1,14}/[a-z0-9.*^{}\[\]]{1,14}|units?|index|ratio|titer|score|cells"
)


@dataclass(frozen=True)
class LabelledRange:
    """Bounds and whom they are for, ages in completed years. `good`: whether a word beside them calls them so; None
    without one. `only` are conditions that we can't check (a phase, a pregnancy, a risk). `menopause`: the ages are of
    women before or after it. `first` is the kind of label that came first: sex or age."""

    bounds: Bounds
    sex: str = ""
    from_age: int = 0
    to_age: int = 999
    good: bool | None = None
    only: tuple[str, ...] = ()
    menopause: bool = False
    first: str = ""

    @property
    def labels(self) -> int:
        """How closely it is labelled: how many of sex, age and conditions it names."""
        return bool(self.sex) + (self.from_age > 0 or self.to_age < 999) + bool(self.only)


def labelled_ranges(plain: str) -> list[LabelledRange]:
    """The ranges of a folded text in order, each with its labels and those of the heading that it stands under."""
    return _with_headings(list(_with_labels(plain)))


def _with_labels(plain: str) -> Iterator[LabelledRange]:
    """Each range of a text with what it is for: labels stand before it, or in brackets behind it."""
    labels = LabelledRange(Bounds(None, None))
    behind = _words_stand_behind(plain)
    waiting: LabelledRange | None = None
    bare: LabelledRange | None = None
    brackets = 0
    for kind, token in words_of(plain):
        text = token[0]
        if kind == "mark":
            brackets += text.count("(") + text.count("[") - text.count(")") - text.count("]")
            if waiting is not None and brackets <= 0 and re.search(r"[;,/|]|[)\]]", text):
                yield waiting
                waiting = bare = None
            continue
        if kind in ("idle", "risk") or (kind == "word" and (is_unit(text) or _LIKE_A_UNIT.fullmatch(text))):
            if kind == "word" and waiting is not None and is_unit(text):
                waiting = replace(waiting, bounds=replace(waiting.bounds, unit=waiting.bounds.unit or text))
            continue
        bounds = bounds_of(kind, token)
        if bounds is not None:
            if waiting is not None and bare is not None and brackets > 0:
                yield bare  # `0.9-1.1 (treated 2-3)`: what stands in the brackets is of the bounds in them
                labels = replace(waiting, bounds=labels.bounds)
            elif waiting is not None:
                yield waiting
            waiting, bare = replace(labels, bounds=bounds), None
            labels = LabelledRange(Bounds(None, None))
        elif waiting is not None and brackets > 0 and not (bare is None and _is_said_before(waiting, kind)):
            bare = bare or waiting
            waiting = _labelled(waiting, kind, token)
        elif waiting is not None and kind in ("good", "bad") and waiting.good is None:
            # A word behind bounds is theirs if nothing follows it; between two bounds nobody knows whose it is.
            its = behind or _ENDS.match(plain, token.end())
            waiting = _labelled(waiting, kind if its else "bad", token)
            if not its:
                labels = _labelled(labels, "bad", token)
        elif waiting is not None and brackets <= 0 and _CLOSES.match(plain, token.end()):
            waiting = _labelled(waiting, kind, token)  # `3-6 男，2-5 女`: no bounds follow that it could be of
        else:
            if waiting is not None:
                yield waiting
                waiting = None
            labels = _labelled(labels, kind, token)
    if waiting is not None:
        yield waiting


def _words_stand_behind(plain: str) -> bool:
    """Whether bounds and categories take turns from the first bounds to a last word, as in `<5.2 合适 ≥6.2 升高`: then
    each word is of the bounds before it."""
    turns = []
    for kind, token in words_of(plain):
        if bounds_of(kind, token) is not None:
            turns.append("bounds")
        elif kind in ("good", "bad"):
            turns.append("word")
    return len(turns) > 2 and turns == ["bounds", "word"] * (len(turns) // 2)


def _is_said_before(so_far: LabelledRange, kind: str) -> bool:
    """Whether bounds have such a label already, so that one in brackets behind them begins the next, as in
    `(男)3-6 (女)2-5`."""
    if kind in ("female", "male"):
        return bool(so_far.sex)
    return kind in _AGES and (so_far.from_age > 0 or so_far.to_age < 999)


def _with_headings(ranges: list[LabelledRange]) -> list[LabelledRange]:
    """Ranges with what an earlier one heads: the ages of `男：20-59岁 57-97；60-79岁 57-111` are all men's, and the
    sexes of `<50岁：男0-15 女0-20` are all under 50."""
    made: list[LabelledRange] = []
    heading: LabelledRange | None = None
    for each in ranges:
        aged = each.from_age > 0 or each.to_age < 999
        if each.sex and aged:
            heading = each
        elif heading is not None and heading.first == "sex" and aged:
            each = replace(each, sex=heading.sex)
        elif heading is not None and heading.first == "age" and each.sex:
            each = replace(each, from_age=heading.from_age, to_age=heading.to_age)
        elif each.sex or aged:
            heading = None
        made.append(each)
    return made


def _labelled(so_far: LabelledRange, kind: str, token: re.Match[str]) -> LabelledRange:
    """With one label more; a word that is no other kind of label is a condition."""
    if not so_far.first and kind in ("female", "male", "after", "before"):
        so_far = replace(so_far, first="sex")
    elif not so_far.first and kind in _AGES:
        so_far = replace(so_far, first="age")
    if kind in ("female", "male"):
        made = replace(so_far, sex=kind)
        return replace(made, from_age=max(GROWN_UP, so_far.from_age)) if token[0].startswith("成年") else made
    if kind == "after":
        return replace(so_far, sex="female", from_age=max(AFTER_MENOPAUSE, so_far.from_age), menopause=True)
    if kind == "before":
        return replace(so_far, sex="female", to_age=min(BEFORE_MENOPAUSE, so_far.to_age), menopause=True)
    if kind == "adult":
        return replace(so_far, from_age=max(GROWN_UP, so_far.from_age))
    if kind == "child":
        return replace(so_far, to_age=min(CHILD_UNDER - 1, so_far.to_age))
    if kind == "ages":
        return replace(so_far, from_age=int(token["age_from"]), to_age=int(token["age_to"]))
    if kind == "ages_mixed":
        months = int(token["mixed_from"]) if "月" in token["mixed_unit"] or token["mixed_unit"].startswith("mo") else 1
        return replace(so_far, from_age=-(-months // 12), to_age=int(token["mixed_to"]))
    if kind == "age_side":
        return _aged(so_far, token["age_sign"], int(token["age_at"]))
    if kind == "age_after":
        way = token["age_way"]
        return _aged(so_far, "≥" if re.search("上|over|older|above", way) else "≤", int(token["age_at2"]))
    if kind == "age_plus":
        return replace(so_far, from_age=int(token["age_at3"]))
    if kind in ("good", "bad"):
        return replace(so_far, good=kind == "good" and so_far.good is not False)
    return replace(so_far, only=(*so_far.only, token[0]))


def _aged(so_far: LabelledRange, sign: str, age: int) -> LabelledRange:
    if sign in (">", "大于"):
        return replace(so_far, from_age=age + 1)
    if sign in ("≥", "大于等于"):
        return replace(so_far, from_age=age)
    return replace(so_far, to_age=age - 1 if sign in ("<", "小于") else age)
