"""For whom the reader is booking: `for` in the query or form, herself without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from booking.finding.booked import city_of_relative
from booking.offers.availability import offer
from booking.offers.cards import PersonFacts
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.web.answers import asked, field
from marketplace.web.place_words import city_name
from vip.customers.family import Member, family
from vip.entitlements.of_customer import EntitlementView, NotShared, entitlements
from vip.principal import Principal


def people_of(me: Principal) -> tuple[list[Member], Member]:
    """The family, and the one that was chosen. Raises NotFound for a person who is not of the family."""
    members = family(me.id)
    wanted = field("for", 64) or asked("for", 64)
    chosen = next((member for member in members if member.public_id == wanted), None) if wanted else members[0]
    if chosen is None:
        raise NotFound(field="beneficiary_id")
    return members, chosen


@dataclass(frozen=True)
class HerCity:
    """Why the list begins in another city than the reader's: the person was booked for there last. `url` is the list of
    the reader's own city."""

    said: str
    way_out: str
    url: str


def her_city(me: Principal) -> str:
    """The city in which to begin for the relative whom the query names: where she was booked for last. Blank where a
    city is asked for, and for everybody else."""
    named = asked("for", 64)
    return "" if asked("city", 50) or not named else city_of_relative(me.id, named)


def begun_there(member: Member, city: str, usual: str, url: str) -> HerCity | None:
    """What is said of a list that begins in her `city`; nothing where that is the reader's `usual` one, too."""
    if not city or not usual or city == usual:
        return None
    return HerCity(
        _(
            "%(name)s was booked for in %(city)s last, so the list begins there.",
            name=member.name,
            city=city_name(city),
        ),
        _("Show %(city)s", city=city_name(usual)),
        url,
    )


def chosen_city(me: Principal, member: Member, city: str) -> str:
    """The city to be remembered as the one that the reader looked at last: what she asked for, unless it is that of the
    relative for whom she looks. Blank for none."""
    named = asked("city", 50)
    if not named or (member.relation != "self" and city == city_of_relative(me.id, member.public_id)):
        return ""
    return city


def facts_of(member: Member) -> PersonFacts:
    """What eligibility asks of her."""
    return PersonFacts(member.sex, member.birth_date)


def open_benefits(me: Principal, kind: str, now: datetime) -> list[EntitlementView]:
    """The customer's benefits of a kind that are not over."""
    today = clock.today(me.time_zone, now)
    return [
        benefit for benefit in entitlements(me.id, today=today) if benefit.kind == kind and benefit.state != "expired"
    ]


def usable_benefits(me: Principal, kind: str, named: str, now: datetime) -> list[EntitlementView]:
    """The open benefits of a kind that a booking may use: the `named` one (by its public id) alone, if it is one of
    them, since that is the card that was tapped."""
    found = open_benefits(me, kind, now)
    return [benefit for benefit in found if benefit.public_id == named] or found


def paying(benefits: Sequence[EntitlementView], member: Member) -> list[EntitlementView]:
    """Those that may be used for this person."""
    return [benefit for benefit in benefits if member.relation == "self" or benefit.sharing == "family"]


def why_not(
    me: Principal, member: Member, benefits: Sequence[EntitlementView], offer_id: str, now: datetime
) -> tuple[str, ...]:
    """Why she can't be chosen, in sentences: the benefit is not shared with her, or the package is not for her."""
    if member.relation != "self" and benefits and all(benefit.sharing == "self" for benefit in benefits):
        return (wording.sentence(NotShared()),)
    if not offer_id:
        return ()
    refusal = offer(offer_id, person=facts_of(member), market=me.market, now=now).card.not_eligible
    return (wording.sentence(refusal),) if refusal else ()
