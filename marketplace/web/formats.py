"""Dates, times, spans and money in the reader's language.

Chinese takes a space between Han and digits (`11 月 26 日 周四`), which CLDR's patterns lack, so the patterns are ours.
Every moment is shown in the zone handed in (the site's); the zone is named when it differs from the zone most readers
live in. Moments are aware datetimes; money is an integer of the currency's minor units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, get_timezone_location
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision
from flask import Flask
from flask_babel import gettext, ngettext

from marketplace.core import clock
from marketplace.core.clock import HOME_ZONE
from marketplace.core.text import Text
from marketplace.web import language
from marketplace.web.language import by_language

EN_DASH = "\u2013"

_PATTERNS = {
    "day": Text("M 月 d 日 EEE", "EEE d MMMM"),
    "day_year": Text("y 年 M 月 d 日 EEE", "EEE d MMMM y"),
    "date": Text("M 月 d 日", "d MMMM"),
    "year": Text("y 年 M 月 d 日", "d MMMM y"),
    "month": Text("M 月", "MMMM"),
    "month_year": Text("y 年 M 月", "MMMM y"),
    "ticket": Text("M 月 EEE", "EEEE, MMMM"),
    "ticket_year": Text("y 年 M 月 EEE", "EEEE, MMMM y"),
    "weekday": Text("EEE", "EEE"),
    "narrow": Text("EEEEE", "EEE"),
}


def _locale() -> Locale:
    return Locale.parse(language.current().locale)


def _dated(day: date, pattern: str) -> str:
    return format_date(day, by_language(_PATTERNS[pattern]), locale=_locale())


def local(moment: datetime, zone: str = HOME_ZONE) -> datetime:
    """`moment` on the wall clock of `zone`."""
    return moment.astimezone(ZoneInfo(zone))


def _day_of(value: date | datetime, zone: str) -> date:
    return local(value, zone).date() if isinstance(value, datetime) else value


def day(value: date | datetime, zone: str = HOME_ZONE) -> str:
    """`11 月 26 日 周四`, `Thu 26 November`; with the year when that is over."""
    shown = _day_of(value, zone)
    return _dated(shown, "day_year" if shown.year < clock.today(zone).year else "day")


def date_of(value: date | datetime, zone: str = HOME_ZONE) -> str:
    """`11 月 26 日`, `26 November`; with the year when it isn't the current one."""
    shown = _day_of(value, zone)
    return _dated(shown, "date" if shown.year == clock.today(zone).year else "year")


def last_day(until: datetime | None, zone: str = HOME_ZONE) -> date | None:
    """The last day of a span that ends at `until`: midnight closes the day before."""
    return None if until is None else local(until - timedelta(seconds=1), zone).date()


def full_date(value: date | datetime, zone: str = HOME_ZONE) -> str:
    """`2026 年 11 月 26 日`, `26 November 2026`."""
    return _dated(_day_of(value, zone), "year")


def month(value: date | datetime, zone: str = HOME_ZONE) -> str:
    """`11 月`, `November`; with the year when it isn't the current one."""
    shown = _day_of(value, zone)
    return _dated(shown, "month" if shown.year == clock.today(zone).year else "month_year")


def weekday(value: date | datetime, zone: str = HOME_ZONE) -> str:
    """`周四`, `Thu`."""
    return _dated(_day_of(value, zone), "weekday")


def weekday_narrow(value: date | datetime, zone: str = HOME_ZONE) -> str:
    """The head of a calendar's column: `四`, `Thu`."""
    return _dated(_day_of(value, zone), "narrow")


def ticket_day(value: date | datetime, zone: str = HOME_ZONE) -> str:
    """What stands beside a ticket's large day of the month: `11 月 周四`, `Thursday, November`."""
    return _dated(_day_of(value, zone), "ticket")


def ticket_day_year(value: date | datetime, zone: str = HOME_ZONE) -> str:
    """As `ticket_day`, with the year: `2026 年 11 月 周四`."""
    return _dated(_day_of(value, zone), "ticket_year")


def time_of(moment: datetime, zone: str = HOME_ZONE) -> str:
    """`08:00`, in both languages on the 24-hour clock."""
    return local(moment, zone).strftime("%H:%M")


def time_range(starts: datetime, ends: datetime | None, zone: str = HOME_ZONE) -> str:
    """`08:00–08:30` with an en dash, or `08:00` when no end is known."""
    first = time_of(starts, zone)
    return first if ends is None else f"{first}{EN_DASH}{time_of(ends, zone)}"


def moment(value: datetime, zone: str = HOME_ZONE) -> str:
    """`今天 09:41`, `11 月 20 日 19:42`; `Today, 09:41`, `20 November, 19:42`."""
    shown, today = local(value, zone).date(), clock.today(zone)
    words = {0: gettext("Today"), 1: gettext("Tomorrow"), -1: gettext("Yesterday")}.get((shown - today).days)
    separator = " " if language.current().code == "zh" else ", "
    return f"{words or date_of(shown)}{separator}{time_of(value, zone)}"


def appointment(day: date | None, starts_at: datetime | None, zone: str = HOME_ZONE) -> str:
    """A booked time: day and hour, or the day alone for a whole day; blank without one."""
    if starts_at is not None:
        return moment(starts_at, zone)
    return date_of(day, zone) if day is not None else ""


def moved(
    from_day: date | None, from_start: datetime | None, to_day: date | None, to_start: datetime | None, zone: str
) -> str:
    """From which time to which, as a sentence; what is not known of it is left out."""
    before, after = appointment(from_day, from_start, zone), appointment(to_day, to_start, zone)
    if before and after:
        return gettext("From %(before)s to %(after)s.", before=before, after=after)
    return gettext("To %(after)s.", after=after) if after else ""


def deadline(value: datetime, zone: str = HOME_ZONE) -> str:
    """A moment inside a sentence: `今天 16:00`, `11 月 24 日 09:00`; `16:00 today`, `09:00 on 24 November`."""
    if language.current().code == "zh":
        return moment(value, zone)
    shown, today = local(value, zone).date(), clock.today(zone)
    words = {0: "today", 1: "tomorrow", -1: "yesterday"}.get((shown - today).days)
    return f"{time_of(value, zone)} {words or 'on ' + date_of(shown)}"


def relative_day(value: date | datetime, zone: str = HOME_ZONE) -> str:
    """`今天`, `明天`, `再过 3 天`, `3 天前`."""
    days = (_day_of(value, zone) - clock.today(zone)).days
    if days in (-1, 0, 1):
        return {-1: gettext("Yesterday"), 0: gettext("Today"), 1: gettext("Tomorrow")}[days]
    if days > 0:
        return ngettext("In %(num)d day", "In %(num)d days", days)
    return ngettext("%(num)d day ago", "%(num)d days ago", -days)


_UNITS: tuple[tuple[int, Callable[[int], str]], ...] = (
    (86_400, lambda n: ngettext("%(num)d day", "%(num)d days", n)),
    (3_600, lambda n: gettext("%(num)d h", num=n)),
    (60, lambda n: gettext("%(num)d min", num=n)),
    (1, lambda n: gettext("%(num)d s", num=n)),
)


def span(seconds: float) -> str:
    """The two largest units of a length of time: `1 天 22 小时`, `9 分 42 秒`, `9 分`. Never negative."""
    left = max(0, int(seconds))
    parts = []
    for size, words in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(words(count))
        if parts and (not count or len(parts) == 2):
            break
    return " ".join(parts) or gettext("%(num)d s", num=0)


def zone_note(zone: str, at: datetime | None = None) -> str:
    """Empty where the wall clock agrees with the home zone's at that moment, else the zone's name: `乌鲁木齐时间`."""
    when = at or clock.now()
    if when.astimezone(ZoneInfo(zone)).utcoffset() == when.astimezone(ZoneInfo(HOME_ZONE)).utcoffset():
        return ""
    place = get_timezone_location(ZoneInfo(zone), locale=_locale(), return_city=True)
    return gettext("%(place)s time", place=place)


def money(minor: int, currency: str = "CNY") -> str:
    """`¥1,280`, `¥1,280.50`: an amount in minor units; whole amounts show no decimals."""
    digits = get_currency_precision(currency)
    amount = Decimal(minor) / (10**digits)
    pattern = "¤#,##0" if amount == amount.to_integral_value() else None
    return format_currency(amount, currency, pattern, locale=_locale(), currency_digits=pattern is None)


def number(value: int | float | Decimal) -> str:
    """`1,204`."""
    return format_decimal(value, locale=_locale())


def percent(part: float) -> str:
    """`99.2%`, `31%` of a part between 0 and 1. What is not all of it is never told as 100 %."""
    shown = part if part in (0.0, 1.0) else min(max(part, 0.001), 0.999)
    return format_percent(shown, format="0.#%" if shown > 0.9 else "0%", locale=_locale())


def listed(names: Iterable[str]) -> str:
    """`本人、父亲和母亲`, `you, your father and your mother`."""
    return format_list(list(names), style="standard", locale=_locale())


def dotted(texts: Iterable[str]) -> str:
    """Texts side by side with a middle dot, without space in Chinese; empty ones are left out."""
    return ("·" if language.current().code == "zh" else " · ").join(text for text in texts if text)


def sentences(*texts: str) -> str:
    """Sentences one after the other: Chinese puts no space after its full stop."""
    return ("" if language.current().code == "zh" else " ").join(text for text in texts if text)


def masked_phone(phone: str) -> str:
    """`138****2041`: enough to recognise one's own number, too little to call it."""
    digits = phone.removeprefix("+86").strip()
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 8 else "****"


def reference(code: str) -> str:
    """A booking number in groups that can be read out: `AX 7K2 9143 Q`; groups of three or four after the prefix."""
    body = code[2:]
    half = (len(body) + 1) // 2
    return f"{code[:2]} {body[:half]} {body[half:]}".strip()


def week_heads() -> tuple[date, ...]:
    """Seven days from a Monday on, for the heads of a calendar."""
    return tuple(date(2024, 1, n) for n in range(1, 8))


def init_formats(app: Flask) -> None:
    """Make the functions filters of the templates, under their own names."""
    functions: tuple[Callable[..., str], ...] = (
        day, date_of, full_date, month, weekday, weekday_narrow, ticket_day, ticket_day_year, time_of, time_range,
        moment, deadline,
        relative_day, span, zone_note, money, number, listed, dotted, masked_phone, reference,
    )  # fmt: skip
    for function in functions:
        app.jinja_env.filters[function.__name__] = function
    app.jinja_env.globals["week_heads"] = week_heads
