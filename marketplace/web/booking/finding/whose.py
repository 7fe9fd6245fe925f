"""For whom the reader is booking: `for` in the query or form, herself without it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from booking.offers.availability import offer
from booking.offers.cards import PersonFacts
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.web.answers import asked, field
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
