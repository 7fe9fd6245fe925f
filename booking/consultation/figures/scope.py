"""Whose figures somebody may see, and of which days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from booking.consultation.pledge_figures import Counting
from marketplace.catalog.models import Provider
from marketplace.core.clock import HOME_ZONE, start_of, today
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid, NotFound
from providers.staff import duties
from vip import roles
from vip.principal import Member, Principal

DAYS = (1, 7, 30)
"""Of how many days there are figures by one touch, today included."""
MOST_DAYS = 92
"""The longest time that figures are made of at once."""


@dataclass(frozen=True)
class Whose:
    """What counts: of an insurer, of a provider, or of both (internal ids); one of them is always there."""

    insurer_id: int | None
    provider_id: int | None


@dataclass(frozen=True)
class Days:
    """From one day to another, both included, in HOME_ZONE."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        """Midnight before the first day."""
        return start_of(self.first, None, HOME_ZONE)

    @property
    def until(self) -> datetime:
        """Midnight after the last day."""
        return start_of(self.last + timedelta(days=1), None, HOME_ZONE)

    @property
    def number(self) -> int:
        """How many days, the first and the last among them."""
        return (self.last - self.first).days + 1


def of_operator(operator: Principal, provider: str = "") -> Whose:
    """The operator's insurer, and of it one provider by its code or all. Raises NotFound without the duty for the
    books, and for a provider that is not there or a test."""
    roles.require(operator, "books")
    if not provider:
        return Whose(operator.insurer_id, None)
    with reading() as session:
        found = session.scalar(select(Provider.id).where(Provider.code == provider, Provider.twin_of.is_(None)))
    if found is None:
        raise NotFound(field="provider")
    return Whose(operator.insurer_id, found)


def of_member(member: Member) -> Whose:
    """The member's own provider, whoever insures. Raises NotFound without the duty for figures."""
    duties.require(member, "figures")
    return Whose(None, member.provider_id)


def last_days(number: int, *, now: datetime) -> Days:
    """So many days, today included."""
    last = today(HOME_ZONE, at=now)
    return Days(last - timedelta(days=number - 1), last)


def days_between(first: str, last: str) -> Days:
    """From a day to another one as they were written (ISO). Raises Invalid(field="from" or "to")."""
    days = Days(_day("from", first), _day("to", last))
    if days.last < days.first:
        raise Invalid(field="to", reason="before_from")
    if days.number > MOST_DAYS:
        raise Invalid(field="to", reason="range_too_long", maximum=MOST_DAYS)
    return days


def _day(name: str, written: str) -> date:
    if not written:
        raise Invalid(field=name, reason="required")
    try:
        day = date.fromisoformat(written)
    except ValueError as bad:
        raise Invalid(field=name, reason="date") from bad
    if not date(2000, 1, 1) <= day < date(3000, 1, 1):  # what is beyond has no midnight in every zone
        raise Invalid(field=name, reason="date")
    return day


def counting(whose: Whose, days: Days) -> Counting:
    """What is counted of these days."""
    return Counting(days.since, days.until, whose.provider_id, whose.insurer_id, HOME_ZONE)
