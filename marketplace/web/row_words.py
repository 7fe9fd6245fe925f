"""What is wrong with a row that a provider delivered, in words: for operators, and for the provider itself."""

from __future__ import annotations

from flask_babel import gettext as _


def list_name(feed: str) -> str:
    """The list in which a row came."""
    names = {
        "slots": _("Slots"),
        "bookings": _("Booking changes"),
        "reports": _("Reports"),
        "consultations": _("Doctors' messages"),
        "escorts": _("Steps of escorts"),
    }
    return names.get(feed, feed)


def what_is_wrong(code: str) -> str:
    """A code such as `status.unknown`: the field, and what is the matter with it."""
    field, _dot, wrong = code.rpartition(".")
    words = {
        "text": _("missing, or no text"),
        "missing": _("missing"),
        "unknown": _("a value that is not in the contract"),
        "characters": _("characters that cannot be stored"),
        "length": _("too long"),
        "number": _("missing, or no number that can be right"),
        "date": _("no date"),
        "time": _("no time"),
        "zone": _("a time without its zone"),
        "year": _("not a date of our times"),
        "object": _("not of the form that was agreed"),
        "list": _("not of the form that was agreed"),
        "order": _("ends before it begins"),
        "ends_before_start": _("ends before it begins"),
        "longer_than_a_day": _("lasts longer than a day"),
        "not_the_day_of_start": _("not the day at the site on which it begins"),
        "no_zone": _("in a zone that is nowhere"),
        "window": _("a time that was not asked for"),
        "more": _("more rows than have a case of their own; this one counts them"),
        "not_applied": _("was read, and could not be entered in our books"),
        "may_be_cancelled": _("may still be cancelled there as nobody's; asked for again until that has ended"),
    }
    what = words.get(wrong, _("not of the form that was agreed"))
    return what if field == "row" else f"{field}: {what}"
