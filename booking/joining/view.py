"""A provider's connection and its tests, as its people see them. Secrets are in none of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from booking.joining.models import SystemTest
from booking.joining.outcomes import Outcome
from booking.joining.present import is_as_marked
from booking.joining.secret import is_none
from booking.models import Booking
from marketplace.catalog.models import Offer, Provider
from marketplace.core import ids
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.text import Text
from providers.conformance.certificates.issue import in_force, settings_of
from providers.registry import capabilities
from vip.principal import Member

GOOD_FOR = timedelta(days=1)
"""So long after it passed, what was tried can be connected."""
LATE = timedelta(minutes=1)
"""A test that is not at its end after this waits for a worker."""


@dataclass(frozen=True)
class ConnectionView:
    """How a provider's system is reached. `stays`: bookings were made by the adapter, so that it can't be changed.
    `networks`: where an operator allowed its address to lead besides public ones."""

    adapter: str
    answers_here: bool
    base_url: str
    settings: Mapping[str, str]
    has_secret: bool
    stays: bool
    networks: Sequence[str]


@dataclass(frozen=True)
class SystemTestView:
    """A test. `late`: it is under way for longer than it should be. `calls`: what was asked, with the status that came
    or None. `may_connect`: it passed lately, is the newest, was not connected, and the system is still reached as when
    it was asked for; `needs_secret`: the secret has to be typed again for that. `without_secret`: it was
    asked for with none; `removes_secret`: connecting it takes the stored one away. `in_use`: it was connected, and
    nothing else since. `loses`: connecting it ends certificates, or hides offers until there are some."""

    id: str
    adapter: str
    base_url: str
    settings: Mapping[str, str]
    asked_at: datetime
    under_way: bool
    late: bool
    outcome: Outcome | None
    finished_at: datetime | None
    milliseconds: int | None
    calls: Sequence[Mapping[str, Any]]
    missing: Sequence[Text]
    networks: Sequence[str]
    may_connect: bool
    needs_secret: bool
    without_secret: bool
    removes_secret: bool
    loses: bool
    connected_at: datetime | None
    in_use: bool


def connection_of_provider(member: Member) -> ConnectionView:
    """How her provider's system is reached now."""
    with reading() as session:
        row = session.get_one(Provider, member.provider_id)
        booked = bool(session.scalar(select(exists().where(Booking.provider_id == row.id))))
        here = capabilities(row.adapter).answers_here
        return ConnectionView(
            row.adapter, here, row.base_url, row.settings, row.secret_sealed is not None, booked, tuple(row.networks)
        )


def last_test(member: Member, *, now: datetime) -> SystemTestView | None:
    """Her provider's newest test."""
    with reading() as session:
        row = session.scalar(newest(member.provider_id))
        return None if row is None else _seen(session, row, now)


def one_test(member: Member, public_id: str, *, now: datetime) -> SystemTestView:
    """One of her provider's tests. Raises NotFound."""
    with reading() as session:
        return _seen(session, row_of(session, member, public_id), now)


def row_of(session: Session, member: Member, public_id: str) -> SystemTest:
    """The row of a test of her provider. Raises NotFound."""
    mine = (SystemTest.public_id == public_id, SystemTest.provider_id == member.provider_id)
    row = session.scalar(select(SystemTest).where(*mine)) if ids.well_formed(public_id) else None
    if row is None:
        raise NotFound(field="test")
    return row


def newest(provider_id: int) -> Any:
    """The query of a provider's newest test."""
    mine = select(SystemTest).where(SystemTest.provider_id == provider_id)
    return mine.order_by(SystemTest.id.desc()).limit(1)


def passed(row: SystemTest, now: datetime) -> bool:
    """Whether a test passed, not long ago."""
    return row.outcome == Outcome.FIT and row.finished_at is not None and row.finished_at > now - GOOD_FOR


def ready(session: Session, row: SystemTest, now: datetime) -> bool:
    """Whether a test may still be connected, as far as it goes by the tests alone."""
    is_newest = session.scalars(newest(row.provider_id)).one().id == row.id
    return is_newest and passed(row, now) and row.connected_at is None


def loses(session: Session, provider: Provider, row: SystemTest) -> bool:
    """Whether connecting what was tried takes something from customers: certificates end with a change of what they
    were given for, and what answered here was offered without any."""
    now_there, wanted = dict(settings_of(provider)), dict(settings_of(_as_tried(provider, row)))
    if now_there == wanted:
        return False
    if capabilities(provider.adapter).answers_here:
        return bool(session.scalar(select(exists().where(Offer.provider_id == provider.id, Offer.certified))))
    return bool(in_force(session, provider.id))


def _as_tried(provider: Provider, row: SystemTest) -> Provider:
    """The provider as it would be, in no session."""
    return Provider(
        adapter=row.adapter,
        base_url=row.base_url,
        settings=row.settings,
        time_zone=provider.time_zone,
        allotment=provider.allotment,
    )


def _seen(session: Session, row: SystemTest, now: datetime) -> SystemTestView:
    provider = session.get_one(Provider, row.provider_id)
    unchanged = is_as_marked(provider, row.connection_mark)
    may_connect = unchanged and ready(session, row, now)
    without = not row.secret_kept and is_none(row.public_id, row.secret_hash)
    erased = row.secret_sealed is None and not row.secret_kept and not without
    return SystemTestView(
        row.public_id,
        row.adapter,
        row.base_url,
        row.settings,
        row.asked_at,
        row.state != "done",
        row.state != "done" and row.asked_at <= now - LATE,
        Outcome(row.outcome) if row.outcome else None,
        row.finished_at,
        row.milliseconds,
        row.calls,
        [Text.of(each) for each in row.missing],
        tuple(provider.networks),
        may_connect,
        may_connect and erased,
        without,
        may_connect and without and provider.secret_sealed is not None,
        may_connect and loses(session, provider, row),
        row.connected_at,
        row.connected_at is not None and unchanged,
    )
