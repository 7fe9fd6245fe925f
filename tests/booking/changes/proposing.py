"""A booking whose provider proposes another time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from booking.exchange.inbound import apply_remote
from booking.models import Booking
from booking.notices.models import Notification
from booking.proposal import Proposal
from booking.views.cards import BookingView
from booking.views.customer import booking as view
from marketplace.core.database.db import reading, transaction
from providers.port import Accepted, Confirmed
from providers.reported import Proposed
from tests.people import NOON
from tests.world import FakeAdapter, World, booking_row, make_world, one_pass, remote

SOON = NOON + timedelta(seconds=1)

LATER = NOON + timedelta(minutes=5)

END = NOON + timedelta(hours=6)


def submitted(answer: Any, **world: Any) -> tuple[World, str]:
    made = make_world(**world)
    public_id = made.submit()
    one_pass(made, FakeAdapter(answers=[answer]), now=NOON)
    return made, public_id


def confirmed(**world: Any) -> tuple[World, str]:
    return submitted(Confirmed("R-1", 1), **world)


def requested(**world: Any) -> tuple[World, str]:
    return submitted(Accepted("R-1", 1), **world)


def proposed(world: World, slot: int = 1, *, expires: datetime = END, **values: Any) -> Proposed:
    of = world.slots[slot]
    values = {"service_date": of.service_date, "starts_at": of.starts_at, "ends_at": of.ends_at, **values}
    return Proposed(of.external_ref, expires_at=expires, reason="设备检修", **values)


def told(world: World, public_id: str, version: int = 2, status: str = "", now: datetime = SOON, **more: Any) -> str:
    """The provider tells of the booking as it stands, with `proposal` or without."""
    row = booking_row(public_id)
    times = {"service_date": row.service_date, "starts_at": row.starts_at, "ends_at": row.ends_at}
    status = status or ("confirmed" if row.state == "confirmed" else "requested")
    with transaction() as session:
        message = remote(public_id, status, version, **{**times, **more})
        return apply_remote(session, world.provider.id, message, now=now).what


def seen(world: World, public_id: str, now: datetime = SOON) -> BookingView:
    return view(world.principal, public_id, now=now)


def proposal_of(world: World, public_id: str) -> str:
    shown = seen(world, public_id).proposal
    assert shown is not None
    return shown.id


def states(public_id: str) -> list[str]:
    with reading() as session:
        rows = select(Proposal.state).join(Booking, Booking.id == Proposal.booking_id).order_by(Proposal.id)
        return list(session.scalars(rows.where(Booking.public_id == public_id)))


def notices(public_id: str) -> list[str]:
    with reading() as session:
        rows = select(Notification.kind).join(Booking, Booking.id == Notification.booking_id).order_by(Notification.id)
        return list(session.scalars(rows.where(Booking.public_id == public_id, Notification.kind != "held")))
