"""Days and times as messages say them, on the wall clock of the place they are about."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_location

from marketplace.core.clock import HOME_ZONE
from marketplace.core.text import Language, Text

_LOCALE = Text("zh_Hans_CN", "en")
_DAY = Text("M 月 d 日 EEE", "EEE d MMMM")
_DAY_WITH_YEAR = Text("y 年 M 月 d 日 EEE", "EEE d MMMM y")


def day_text(day: date, language: Language, this_year: int) -> str:
    """`3 月 10 日 周二`, `Tue 10 March`; with the year when it isn't `this_year`."""
    pattern = _DAY if day.year == this_year else _DAY_WITH_YEAR
    return format_date(day, pattern.in_language(language), locale=_LOCALE.in_language(language))


def moment_text(moment: datetime, zone: str, language: Language, as_of: datetime, *, weekday: bool = False) -> str:
    """Day and time on the wall clock of `zone`; the zone is named where its clock differs from most readers'.

    Without `weekday` the day is left out when it is that of `as_of`.
    """
    local = moment.astimezone(ZoneInfo(zone))
    today = as_of.astimezone(ZoneInfo(zone))
    parts = [] if not weekday and local.date() == today.date() else [day_text(local.date(), language, today.year)]
    text = (" " if language == "zh" else ", ").join([*parts, f"{local:%H:%M}"])
    if local.utcoffset() == moment.astimezone(ZoneInfo(HOME_ZONE)).utcoffset():
        return text
    place = get_timezone_location(ZoneInfo(zone), locale=_LOCALE.in_language(language), return_city=True)
    return Text(f"{text}（{place}时间）", f"{text} ({place} time)").in_language(language)


def when(day: Any, starts_at: Any, zone: str, language: Language, as_of: datetime) -> str:
    """The moment, or the day where there is no moment, as facts hold them (ISO 8601); nothing of neither."""
    if starts_at:
        return moment_text(datetime.fromisoformat(str(starts_at)), zone, language, as_of, weekday=True)
    return day_text(date.fromisoformat(str(day)), language, as_of.astimezone(ZoneInfo(zone)).year) if day else ""


def times(alternatives: Any, language: Language, as_of: datetime) -> list[str]:
    """The nearest other times, each in words."""
    if not isinstance(alternatives, list):
        return []
    return [
        when(one.get("service_date"), one.get("starts_at"), str(one.get("time_zone") or HOME_ZONE), language, as_of)
        for one in alternatives
    ]
