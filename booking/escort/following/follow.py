"""Following an escort by a link, without an account. The audit records each look.

A link that is unknown, expired or ended gets the same answer, and so does one of a customer who is blocked. Who names
links that are none is slowed down; who has one never is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import exists, literal, select
from sqlalchemy.orm import Session

from booking.escort.following.links import (
    FOLLOWED,
    FOLLOWER,
    ends_at,
    is_open,
    name_of,
)
from booking.escort.following.models import EscortLink
from booking.escort.shown.own import process_key
from booking.escort.shown.steps import Step, steps
from booking.escort.shown.told import Note, told_of, without_words
from booking.models import Booking
from booking.states import OVER, BookingState
from marketplace.catalog.english.surnames import given_name
from marketplace.core import audit, crypto
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from vip.customers.consent import may_show
from vip.models import Beneficiary, Customer
from vip.signin import limits
from vip.signin.limits import NOBODY, Caller, Limit

LONGEST_TOKEN = 64
WRONG_BY_CALLER = Limit(20, 60)
"""Links that are none, or none any more, which one may name."""


@dataclass(frozen=True)
class FollowedLink:
    """What a link shows before it is opened. `time_zone`: where the escort is."""

    id: str
    expires_at: datetime
    time_zone: str


@dataclass(frozen=True)
class Followed:
    """An escort as somebody with a link sees it: nobody's number, paper or cost, and the escort's `notes`
    only where the customer ticked that and may read them herself. `relation` is the person's to the customer; of
    herself `name` is her given name where it is known which that is, blank otherwise. `site`: where it is. `over`:
    nothing more is expected. `given_up`: it does not take place, or the person was not met."""

    for_whom: str = field(repr=False)
    relation: str
    name: str = field(repr=False)
    kind: str
    site: Mapping[str, Any]
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str
    steps: tuple[Step, ...]
    notes: tuple[Note, ...] = field(repr=False)
    over: bool
    given_up: bool
    expires_at: datetime


def find_link(token: str, *, now: datetime, caller: Caller = NOBODY) -> FollowedLink:
    """The link with this token, without opening it; no look. Raises NotFound, TooMany(retry_after)."""
    with reading() as session:
        found = _find(session, token, now)
        if found is not None:
            link, booking = found
            until = ends_at(booking.service_date, link.days_after, booking.time_zone)
            return FollowedLink(link.public_id, until, booking.time_zone)
    with transaction() as session:
        limits.take(session, WRONG_BY_CALLER, "escort-link", caller.name, now=now)
    raise NotFound()


def follow(token: str, *, now: datetime, look: bool = True) -> Followed:
    """The escort. With `look` the audit records it; without, it is what an open page asks for by itself. Raises
    NotFound."""
    with transaction() as session:
        found = _find(session, token, now)
        if found is None:
            raise NotFound()
        link, booking = found
        if look:
            audit.record(
                session,
                FOLLOWED,
                at=now,
                actor_kind=FOLLOWER,
                actor=link.public_id,
                subject=booking.public_id,
                insurer_id=booking.insurer_id,
            )
        return _followed(session, link, booking, now)


def _find(session: Session, token: str, now: datetime) -> tuple[EscortLink, Booking] | None:
    """The link, open now, of a customer who isn't blocked, and its booking."""
    if not 0 < len(token) <= LONGEST_TOKEN or not token.isascii():
        return None
    found = session.execute(
        select(EscortLink, Booking)
        .join(Booking, Booking.id == EscortLink.booking_id)
        .where(
            EscortLink.token_hash == crypto.token_hash(token),
            is_open(now),
            exists().where(Customer.id == Booking.customer_id, Customer.blocked_at.is_(None)),
        )
    ).one_or_none()
    return None if found is None else (found.EscortLink, found.Booking)


def _followed(session: Session, link: EscortLink, booking: Booking, now: datetime) -> Followed:
    person = session.get_one(Beneficiary, booking.beneficiary_id)
    key = process_key(session, booking)
    told = told_of(session, booking.id)
    if not (link.with_notes and session.scalar(select(may_show(literal(person.id), now)))):
        told = without_words(told)
    return Followed(
        for_whom=name_of(link, key),
        relation=person.relation,
        name=given_name(person.name) if person.relation == "self" else "",
        kind=booking.kind,
        site=booking.snapshot["site"],
        service_date=booking.service_date,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        time_zone=booking.time_zone,
        steps=steps(told.sent, over=booking.state in OVER),
        notes=told.notes,
        over=booking.state in OVER,
        given_up=booking.state in OVER - {BookingState.FULFILLED},
        expires_at=ends_at(booking.service_date, link.days_after, booking.time_zone),
    )
