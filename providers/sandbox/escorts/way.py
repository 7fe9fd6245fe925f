"""How an account sends escorts: what it sells, who its staff is, and how its day goes by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from providers.sandbox.escorts.staff import BadStaff, Worker, made_staff, read_staff

LONGEST = 30 * 86400.0
MOST_MADE = 50


@dataclass(frozen=True)
class Way:
    """`offers`: the codes of what is sold. `staff`: who goes, at start. `assign_after`: seconds from a booking's
    confirmation to the naming of who goes; None: nobody is named by itself. `every`: seconds from one thing that she
    does to the next; None: by the window's own clock, from 45 minutes before it begins."""

    offers: tuple[str, ...]
    staff: tuple[Worker, ...]
    assign_after: float | None = 5.0
    every: float | None = None


def read_way(account: str, wish: Any, now: Way | None, pools: Sequence[str] = ()) -> Way:
    """The settings as the file or the control writes them: `staff` is a number for each of the `pools`, or a list; all
    is optional but `offers` and `staff`. What runs `now` keeps what is not given, and its staff. Raises BadStaff."""
    names = {field.name for field in fields(Way)}
    if not isinstance(wish, Mapping) or not set(wish) <= names:
        raise BadStaff(f"escorts has some of {', '.join(sorted(names))}")
    if now is not None and "staff" in wish:
        raise BadStaff("the staff is changed by PATCH staff")
    values = {name: _read(account, name, value, pools) for name, value in wish.items()}
    if now is not None:
        return replace(now, **values)
    if not values.get("offers") or "staff" not in values:
        raise BadStaff("escorts needs offers and staff")
    return Way(**values)


def _read(account: str, name: str, value: Any, pools: Sequence[str]) -> Any:
    if name == "offers":
        if not isinstance(value, list) or not all(isinstance(code, str) and code for code in value):
            raise BadStaff("offers is a list of codes")
        return tuple(value)
    if name == "staff":
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_MADE:
            return tuple(each for pool in pools for each in made_staff(account, pool, value))
        return read_staff(value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LONGEST
    if value is not None and not number:
        raise BadStaff(f"{name} is a number of seconds, or null")
    return None if value is None else float(value)
