"""Entitlements as cards, and what a booking takes of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from marketplace.catalog.kinds import has_times, kinds
from marketplace.core.text import Text
from marketplace.web.formats import date_of, dotted, sentences
from marketplace.web.kind_words import kind_name
from marketplace.web.language import by_language
from marketplace.web.parts import Person
from vip.entitlements.of_customer import EntitlementView


@dataclass(frozen=True)
class Benefit:
    """One entitlement on the home page. `left` is None for an unlimited one. `note` is the sentence beside the tally.
    `days_left` is given only when expiry is near. `action` is empty when nothing can be booked now."""

    id: str
    name: str
    detail: str
    left: int | None
    granted: int | None
    reserved: int
    used: int
    note: str
    until: date
    days_left: int | None
    people: tuple[Person, ...]
    action: str = ""
    action_url: str = ""
    leading: bool = False


_SOON = 45


def bookable(code: str) -> bool:
    """Whether places and times are chosen for this kind."""
    return code in kinds() and has_times(code)


def plan_name(benefit: EntitlementView) -> str:
    """The plan that it came with, blank for a single grant."""
    return by_language(Text(benefit.plan_name_zh or "", benefit.plan_name_en or ""))


def benefits(found: Sequence[EntitlementView], people: Sequence[Person]) -> tuple[Benefit, ...]:
    """The cards of the home page; the first that can be booked leads. Those that ended are in the record of use, and
    stand here only when nothing else is left."""
    open_now = [benefit for benefit in found if benefit.state != "expired"]
    cards = [card(benefit, people) for benefit in open_now or found]
    leading = next((it.id for it in cards if it.action), "")
    return tuple(replace(it, leading=it.id == leading) for it in cards)


def card(benefit: EntitlementView, people: Sequence[Person]) -> Benefit:
    """One card."""
    action, url = _way(benefit) if benefit.state == "active" else ("", "")
    shared = _("for you and your family") if benefit.sharing == "family" else _("for you alone")
    return Benefit(
        benefit.public_id,
        kind_name(benefit.kind),
        dotted((plan_name(benefit), shared)),
        benefit.available,
        benefit.granted,
        benefit.reserved,
        benefit.used,
        note(benefit),
        benefit.valid_until,
        benefit.days_left if benefit.state == "active" and benefit.days_left <= _SOON else None,
        tuple(person for person in people if benefit.sharing == "family" or person.is_self),
        action,
        url,
    )


def _way(benefit: EntitlementView) -> tuple[str, str]:
    """How it is used, and where: a place and a time are chosen, or it begins at once. Blank for a kind that is used
    otherwise."""
    if bookable(benefit.kind):
        chosen = urlencode({"benefit": benefit.kind, "entitlement": benefit.public_id})
        return _("Book"), f"{url_for('web.places')}?{chosen}"
    if not has_times(benefit.kind):
        return _("Start now"), f"{url_for('web.consultation_start')}?{urlencode({'entitlement': benefit.public_id})}"
    return "", ""


def note(benefit: EntitlementView) -> str:
    """The sentence beside the tally."""
    if benefit.state == "not_yet_valid":
        return _("Valid from %(date)s", date=date_of(benefit.valid_from))
    if benefit.state == "expired":
        return _("Ended on %(date)s", date=date_of(benefit.valid_until))
    parts = []
    if benefit.reserved:
        parts.append(ngettext("%(num)d reserved for a booking", "%(num)d reserved for bookings", benefit.reserved))
    if benefit.used:
        parts.append(ngettext("%(num)d used", "%(num)d used", benefit.used))
    if not parts and not benefit.unlimited:
        return _("All still free")
    return dotted(parts)


def which_line(found: Sequence[EntitlementView], *, named: bool) -> str:
    """The benefit that a booking will use, of the open ones in the order of use: its plan, what is left and until
    when. `named`: it was chosen by its card; otherwise, where there are several, it is said that the earliest-ending
    one is used. Blank without any."""
    benefit = next((benefit for benefit in found if benefit.state == "active"), None)
    if benefit is None:
        return ""
    left = "" if benefit.available is None else ngettext("%(num)d left", "%(num)d left", benefit.available)
    until = _("Until %(date)s", date=date_of(benefit.valid_until))
    line = dotted((kind_name(benefit.kind), plan_name(benefit), left, until))
    if named or len([one for one in found if one.state == "active"]) < 2:
        return line
    return dotted((line, _("of several, the one that ends first")))


def taken_from(benefit: EntitlementView | None) -> str:
    """Which of her benefits a booking takes its use of: the plan, and until when it is valid."""
    if benefit is None:
        return ""
    return dotted((plan_name(benefit), _("Until %(date)s", date=date_of(benefit.valid_until))))


def taken_line(code: str, benefit: EntitlementView | None) -> str:
    """What the booking in hand takes: one use, and what is left besides it."""
    name = kind_name(code)
    if benefit is None or benefit.available is None:
        return _("Uses your benefit %(benefit)s, without limit", benefit=name)
    return ngettext(
        "Uses 1 of %(benefit)s, %(num)d left besides",
        "Uses 1 of %(benefit)s, %(num)d left besides",
        benefit.available,
        benefit=name,
    )


def left_line(found: Sequence[EntitlementView]) -> str:
    """What the empty list of bookings says: what could be booked, and until when."""
    free = next((benefit for benefit in found if benefit.state == "active" and bookable(benefit.kind)), None)
    if free is None:
        return ""
    name, until = kind_name(free.kind), date_of(free.valid_until)
    if free.available is None:
        return _("Your benefit %(benefit)s is open until %(date)s.", benefit=name, date=until)
    return sentences(
        ngettext(
            "You have %(num)d of %(benefit)s left, until %(date)s.",
            "You have %(num)d of %(benefit)s left, until %(date)s.",
            free.available,
            benefit=name,
            date=until,
        )
    )
