"""What the pages about escort workers call things."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import pgettext

from booking.escort.at_desk.asked import Told
from marketplace.catalog.schemas.pieces import LANGUAGES
from marketplace.core.text import Text
from marketplace.web import formats
from marketplace.web.language import by_language
from marketplace.web.parts import Pill


def sex_name(sex: str) -> str:
    """A woman or a man."""
    return {"female": _("Woman"), "male": _("Man")}.get(sex, sex)


def language_name(code: str) -> str:
    """A language or dialect."""
    return by_language(Text(*LANGUAGES[code])) if code in LANGUAGES else code


def languages(codes: Iterable[str]) -> str:
    """Several of them."""
    return formats.listed(language_name(code) for code in codes)


def weekdays() -> tuple[tuple[int, str], ...]:
    """Number and name of each, Monday first."""
    return tuple((number, formats.weekday(day)) for number, day in enumerate(formats.week_heads(), 1))


def days_line(chosen: Iterable[int]) -> str:
    """Which weekdays, in one word where they have one."""
    days = frozenset(chosen)
    if days == frozenset(range(1, 8)):
        return _("Every day")
    if days == frozenset(range(1, 6)):
        return _("Monday to Friday")
    return formats.listed(name for number, name in weekdays() if number in days)


def clock_of(minute: int) -> str:
    """`08:00` for a minute of the day; the last one is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def absence_causes() -> tuple[tuple[str, str], ...]:
    """Why somebody is away: code and words."""
    return (("ill", _("Ill")), ("leave", _("On leave")), ("other", _("Another reason")))


def absence_cause(code: str) -> str:
    """One of them."""
    return dict(absence_causes()).get(code, code)


def replace_causes() -> tuple[tuple[str, str], ...]:
    """Why somebody else is to go: code and words."""
    return (("desk", _("We plan otherwise")), ("ill", _("She is ill")), ("late", _("She comes too late")))


def told(what: Told) -> str:
    """Whether who is asked was sent a message of it; blank where none was meant for her."""
    return {
        "no_phone": _("She has no phone number here, so she was sent no message. Please call her."),
        "waits": _("A message to her phone is on its way."),
        "sent": _("A message was sent to her phone."),
        "failed": _("The message to her phone could not be sent. Please call her."),
        "": "",
    }[what]


def standing_pill(standing: str, *, nobody: bool = False) -> Pill:
    """Where the search for somebody stands."""
    if standing == "accepted":
        return Pill(pgettext("dispatch", "Accepted"), "ok", "check")
    if standing == "asked":
        return Pill(pgettext("dispatch", "Asked"), "wait", "hourglass")
    if nobody:
        return Pill(_("Nobody can go"), "bad", "triangle-alert")
    return Pill(_("No worker yet"), "bad", "circle-alert")
