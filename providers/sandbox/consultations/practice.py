"""How an account's doctors work: how many there are, how fast they answer, how many patients each has at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from providers.sandbox.consultations.doctors import BadPractice, Doctor, made_doctors, read_doctors

LONGEST = 30 * 86400.0


@dataclass(frozen=True)
class Practice:
    """`offers`: the codes of what is sold. `doctors`: the roster at start. `at_once`: the patients each has in hand.
    `answer_after`: seconds from a message to its answer, from the first to the second by dice of the account's seed;
    None: nobody answers. `turns`: answers before the summary. `pictures`: how often an answer has a picture, 0 to 1.
    `patience`: seconds without a word of the customer after which a doctor sums up."""

    offers: tuple[str, ...]
    doctors: tuple[Doctor, ...]
    at_once: int = 3
    answer_after: tuple[float, float] | None = (5.0, 20.0)
    turns: int = 3
    pictures: float = 0.3
    patience: float = 600.0


def read_practice(account: str, wish: Any, now: Practice | None) -> Practice:
    """The settings as the file or the control writes them: `doctors` is a number or a list, all is optional but
    `offers` and `doctors`. What runs `now` keeps what is not given, and its roster. Raises BadPractice."""
    names = {field.name for field in fields(Practice)}
    if not isinstance(wish, Mapping) or not set(wish) <= names:
        raise BadPractice(f"consultations has some of {', '.join(sorted(names))}")
    values = {name: _read(account, name, value) for name, value in wish.items()}
    if now is not None:
        if "doctors" in values:
            raise BadPractice("the roster is changed by PUT doctors")
        return replace(now, **values)
    if not values.get("offers") or not values.get("doctors"):
        raise BadPractice("consultations needs offers and doctors")
    return Practice(**values)


def _read(account: str, name: str, value: Any) -> Any:
    if name == "offers":
        return _codes(value)
    if name == "doctors":
        return read_roster(account, value)
    if name == "answer_after":
        return value if value is None else _span(value)
    whole = name in ("at_once", "turns")
    if not _number(value, 1 if name == "pictures" else LONGEST) or (whole and (type(value) is not int or value < 1)):
        raise BadPractice(f"{name} is a number" + (", 1 or more" if whole else ""))
    return value if whole else float(value)


def read_roster(account: str, value: Any) -> tuple[Doctor, ...]:
    """A number of doctors to make up, or a list of them. Raises BadPractice."""
    many = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 1000
    return made_doctors(account, value) if many else read_doctors(value)


def _codes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(code, str) and code for code in value):
        raise BadPractice("offers is a list of codes")
    return tuple(value)


def _span(value: Any) -> tuple[float, float]:
    pair = isinstance(value, list) and len(value) == 2 and all(_number(each, LONGEST) for each in value)
    if not pair or value[0] > value[1]:
        raise BadPractice("answer_after is two numbers of seconds, the smaller one first, or null")
    return float(value[0]), float(value[1])


def _number(value: Any, most: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= most
