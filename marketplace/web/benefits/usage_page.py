"""The ledger in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.views.usage import UsageEntry
from marketplace.web import formats
from marketplace.web.benefit_cards import Benefit, plan_name
from marketplace.web.kind_words import kind_name, nouns
from marketplace.web.people import person
from vip.customers.family import Member
from vip.entitlements.of_customer import EntitlementView


@dataclass(frozen=True)
class UsageLine:
    """One ledger entry in words. `change` such as `可用 −1`; `booking_url` leads to what caused it."""

    at: datetime
    text: str
    change: str
    left: int | None
    benefit: str = ""
    booking_url: str = ""
    booking_reference: str = ""
    gain: bool = False


@dataclass(frozen=True)
class Usage:
    """The record of one benefit (`benefit` given) or of all."""

    title: str
    lines: tuple[UsageLine, ...]
    benefit: Benefit | None = None
    more_url: str = ""


MINUS = "\u2212"


def line(entry: UsageEntry) -> UsageLine:
    """One entry: what happened, by whom, and how it moved what is left."""
    return UsageLine(
        at=entry.at,
        text=_text(entry),
        change=_signed(entry.change),
        left=entry.left,
        benefit=kind_name(entry.kind),
        booking_url=url_for("web.booking", booking=entry.booking_id) if entry.booking_id else "",
        booking_reference=entry.reference or "",
        gain=entry.change > 0,
    )


def card(held: EntitlementView, people: Sequence[Member], today: date) -> Benefit:
    """The benefit above its record; without an action, which home has."""
    shared = [person(one, today) for one in people if held.sharing == "family" or one.relation == "self"]
    return Benefit(
        id=held.public_id,
        name=kind_name(held.kind),
        detail=plan_name(held),
        left=held.available,
        granted=held.granted,
        reserved=held.reserved,
        used=held.used,
        note=_standing(held),
        until=held.valid_until,
        days_left=None,
        people=tuple(shared),
    )


def _standing(held: EntitlementView) -> str:
    parts = [_("Valid until %(date)s", date=formats.full_date(held.valid_until))]
    if held.reserved:
        parts.append(ngettext("%(num)d reserved for a booking", "%(num)d reserved for bookings", held.reserved))
    if held.used:
        parts.append(ngettext("%(num)d used", "%(num)d used", held.used))
    return formats.dotted(parts)


def _signed(change: int) -> str:
    return f"+{change}" if change > 0 else f"{MINUS}{-change}" if change else ""


def _text(entry: UsageEntry) -> str:
    who = entry.beneficiary_name or ""
    day = formats.date_of(entry.service_date) if entry.service_date else ""
    if entry.entry == "release":
        return _given_back(entry, day)
    texts = {
        "grant": _("Granted by your plan"),
        "reserve": _("Reserved for %(person)s, %(day)s", person=who, day=day),
        "use": _("Used by %(person)s, %(day)s", person=who, day=day),
        "reverse": _("The use on %(day)s was withdrawn; given back", day=day),
        "expire": _("Expired with its last day"),
        "revoke": _("Taken back by your insurer"),
    }
    return texts[entry.entry]


def _given_back(entry: UsageEntry, day: str) -> str:
    if entry.reason == "hold_expired":
        return _("%(day)s was not submitted in time; given back", day=day)
    if entry.actor in ("customer", "agent"):
        return _("You cancelled %(day)s; given back", day=day)
    if entry.actor == "provider":
        return _("%(Place)s could not keep %(day)s; given back", day=day, **nouns(entry.kind))
    if entry.actor == "clock":
        return _("%(Place)s did not answer for %(day)s; given back", day=day, **nouns(entry.kind))
    return _("We cancelled %(day)s; given back", day=day)
