"""The forms of the calendar of places: rows of text to rules and back, each fault at its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flask import request

from booking.capacity_rules.check import MOST_DAYS, MOST_PLACES, MOST_RULES
from booking.capacity_rules.decisions import MOST_REASON, Decision
from booking.capacity_rules.plan import DAY, Rules, Section, WeeklyRule, whole_day
from marketplace.core import strictjson
from marketplace.core.errors import Invalid

ROW = ("from", "to", "minutes", "places")
RULE_ROW = (*ROW, "since", "until", "held", "drop")
"""`held`: since when a rule has held that has no other first day written."""
WHOLE = "day"
"""The length of a slot that is the whole day."""
AS_ALL = ""
"""What is chosen for a booking that goes with all."""
BLANK_ROWS = 1
FORM_BYTES = 2 * 1024 * 1024
"""What a form may be large that shows some thousand bookings, each with fields of its own."""
LONGEST = 300
"""Characters of a field; a longer one is as if it weren't there."""

Fields = Mapping[str, str]
"""A form's fields by their names; weekdays of a row are one field each (`r1_day3`)."""


@dataclass(frozen=True)
class Row:
    """A row of a form as it was typed; `days` are weekdays, Monday is 1."""

    number: int
    values: Mapping[str, str]
    days: frozenset[int] = frozenset()

    @property
    def blank(self) -> bool:
        """Whether nobody has written anything into it, or it is to be dropped."""
        return bool(self.values.get("drop")) or not (self.values.get("from") or self.values.get("places") or self.days)


def sent() -> Fields:
    """The fields that this request's form has, as far as they can be stored; none without a form."""
    found = request.form.items() if request.method == "POST" else ()
    return {name: text.strip() for name, text in found if len(text) <= LONGEST and strictjson.storable(text)}


def rows_in(fields: Fields) -> list[Row]:
    """The rows of a form, blank ones too, in the order of their numbers."""
    numbers = {int(name[1:].split("_")[0]) for name in fields if _is_row(name)}
    return [_row(fields, number) for number in sorted(numbers)][: MOST_RULES + BLANK_ROWS]


def _is_row(name: str) -> bool:
    head, _, tail = name.partition("_")
    return head[:1] == "r" and head[1:].isdecimal() and len(head) < 5 and bool(tail)


def _row(fields: Fields, number: int) -> Row:
    values = {name: fields.get(f"r{number}_{name}", "") for name in RULE_ROW}
    days = frozenset(day for day in range(1, 8) if fields.get(f"r{number}_day{day}"))
    return Row(number, values, days)


def with_blanks(rows: Sequence[Row], blanks: int = BLANK_ROWS) -> list[Row]:
    """The rows that are filled in, numbered anew, and some blank ones after them."""
    kept = [row for row in rows if not row.blank]
    found = [Row(number, row.values, row.days) for number, row in enumerate(kept, 1)]
    return [*found, *(Row(len(found) + number, {}) for number in range(1, blanks + 1))]


def rules_in(fields: Fields, today: date) -> Rules:
    """The rules that a form says; exceptions are not among them. Raises Invalid with the form's field."""
    rows = [row for row in rows_in(fields) if not row.blank]
    weekly = [_rule(row, today) for row in rows]
    make_up = fields.get("make_up", "")
    if make_up and make_up not in "1234567":
        raise Invalid(field="make_up", reason="choice")
    return Rules(
        weekly=weekly,
        closed_on_holidays=fields.get("holidays") != "open",
        make_up_weekday=int(make_up) if make_up else None,
        horizon_days=_number(fields.get("horizon", ""), "horizon", MOST_DAYS),
    )


def sections_in(fields: Fields) -> list[Section]:
    """The sections of a day that a form says. Raises Invalid with the form's field."""
    return [_section(row) for row in rows_in(fields) if not row.blank]


def named(refusal: Invalid, fields: Fields) -> str:
    """The form's name of the field that a refused rule or section has (`rules.2.from`)."""
    parts = (refusal.at or "").split(".")
    if len(parts) == 3 and parts[0] in ("rules", "sections"):
        kept = [row for row in rows_in(fields) if not row.blank]
        names = {"valid_from": "since", "valid_until": "until", "weekdays": "days"}
        return f"r{kept[int(parts[1]) - 1].number}_{names.get(parts[2], parts[2])}"
    return {"horizon_days": "horizon", "make_up_weekday": "make_up"}.get(refusal.at or "", refusal.at or "rules")


def _rule(row: Row, today: date) -> WeeklyRule:
    name = f"r{row.number}"
    if not row.days:
        raise Invalid(field=f"{name}_days", reason="required")
    first = row.values["since"] or row.values["held"]
    since = _date(first, f"{name}_since") if first else today
    until = _date(row.values["until"], f"{name}_until") if row.values["until"] else None
    return WeeklyRule(row.days, _section(row), since, until)


def _section(row: Row) -> Section:
    name = f"r{row.number}"
    places = _number(row.values["places"], f"{name}_places", MOST_PLACES)
    if row.values["minutes"] == WHOLE:
        return whole_day(places)
    minutes = _number(row.values["minutes"], f"{name}_minutes", DAY)
    start = _minute(row.values["from"], f"{name}_from")
    end = _minute(row.values["to"], f"{name}_to") or DAY
    return Section(start, end, minutes, places)


def _number(text: str, field: str, most: int) -> int:
    if not text:
        raise Invalid(field=field, reason="required")
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= most):
        raise Invalid(field=field, reason="out_of_range", minimum=1, maximum=most)
    return int(text)


def _minute(text: str, field: str) -> int:
    if not text:
        raise Invalid(field=field, reason="required")
    try:
        found = time.fromisoformat(text)
    except ValueError as wrong:
        raise Invalid(field=field, reason="time") from wrong
    return found.hour * 60 + found.minute


def _date(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise Invalid(field=field, reason="date") from wrong


def rows_of(rules: Rules, today: date) -> list[Row]:
    """The rows that say these rules."""
    found = []
    for number, rule in enumerate(rules.weekly, 1):
        days = {"since": rule.valid_from.isoformat() if rule.valid_from > today else ""}
        days["until"] = rule.valid_until.isoformat() if rule.valid_until else ""
        days["held"] = rule.valid_from.isoformat()
        found.append(Row(number, {**_section_row(rule.section), **days}, rule.weekdays))
    return found


def rows_of_day(sections: Sequence[Section]) -> list[Row]:
    """The rows that say a day's sections."""
    return [Row(number, _section_row(section)) for number, section in enumerate(sections, 1)]


def _section_row(section: Section) -> dict[str, str]:
    if section.minutes is None:
        return {"from": "", "to": "", "minutes": WHOLE, "places": str(section.places)}
    return {
        "from": clock_time(section.start),
        "to": clock_time(section.end % DAY),
        "minutes": str(section.minutes),
        "places": str(section.places),
    }


def clock_time(minute: int) -> str:
    """`08:30`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def decisions_in(fields: Fields, bookings: Sequence[str]) -> list[Decision]:
    """What is said of these bookings (public ids); of one that goes with all, what is said of all. A booking of which
    nothing is said is left out, and so is one that the form did not show: what is said of all isn't said of it."""
    found = []
    for booking in bookings:
        own = fields.get(f"what_{booking}")
        if own is None:
            continue
        action = own or fields.get("what_all", "")
        if action:
            reason = fields.get(f"why_{booking}", "") or fields.get("why_all", "")
            found.append(Decision(booking, action, fields.get(f"slot_{booking}") or None, reason[:MOST_REASON]))
    return found


def wall_minute(moment: datetime, zone: str) -> int:
    """Which minute of the day the clock on the site's wall shows."""
    local = moment.astimezone(ZoneInfo(zone))
    return local.hour * 60 + local.minute
