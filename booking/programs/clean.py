"""Taking back what a run booked at a twin, this one or one that was killed: its customer cancels what lives."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from booking.answering import answer
from booking.answering.answer import ProvidersAnswer
from booking.certifying.journal import TableJournal
from booking.certifying.subject import TRIALS
from booking.idempotency import Repeatable
from booking.models import Booking
from booking.states import LIVE
from booking.twins.act import cancel_as_customer
from booking.twins.customers import customers
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading
from marketplace.core.errors import Refusal
from providers.conformance.certificates.models import ConformanceMade, ConformanceRun
from providers.conformance.journal import Made
from providers.conformance.words import Said, phrase

LEFT_TRIAL = phrase("left-trial", "测试预约 {booking}（{code}）", "test booking {booking} ({code})")


def clean(provider_id: int, twin_id: int, *, now: datetime) -> list[Said]:
    """Cancel what lives of the kit's customer at the twin since the journal's line; returns what is left. The line goes
    with the last of it."""
    journal = TableJournal(provider_id)
    lines = [made for made in journal.left() if made.what == TRIALS]
    left: list[Said] = []
    for made in lines:
        mine = [_cancel(twin_id, booking, now) for booking in _living(twin_id, made)]
        left += [each for each in mine if each is not None]
        if not any(mine):
            journal.gone(made)
    return left


def take_back_trials(clock: Callable[[], datetime]) -> dict[str, int]:
    """The same for all providers of which no run is open; returns counts."""
    open_runs = select(ConformanceRun.provider_id).where(ConformanceRun.state.in_(("queued", "running")))
    query = (
        select(ConformanceMade.provider_id, Provider.id.label("twin_id"))
        .join(Provider, Provider.twin_of == ConformanceMade.provider_id)
        .where(ConformanceMade.what == TRIALS, ConformanceMade.provider_id.not_in(open_runs))
    )
    with reading() as session:
        due = session.execute(query).all()
    left = sum(len(clean(row.provider_id, row.twin_id, now=clock())) for row in due)
    return {"providers": len(due), "left": left}


def _living(twin_id: int, made: Made) -> list[str]:
    known = customers(twin_id)
    if not known:
        return []
    query = select(Booking.public_id).where(
        Booking.provider_id == twin_id,
        Booking.customer_id == known[-1].principal.id,
        Booking.created_at >= datetime.fromisoformat(made.made_at),
        Booking.state.in_(LIVE),
    )
    with reading() as session:
        return list(session.scalars(query.order_by(Booking.id)))


def _cancel(twin_id: int, booking: str, now: datetime) -> Said | None:
    """Its customer cancels it; where it is too late for her, its provider does."""
    try:
        cancel_as_customer(twin_id, booking, now=now)
    except Refusal:
        repeat = Repeatable(f"conformance:{twin_id}", secrets.token_hex(16), bytes(32))
        try:
            answer.cancel(ProvidersAnswer(twin_id, booking, repeat), "other", now=now)
        except Refusal as refusal:
            return LEFT_TRIAL(booking=booking, code=refusal.code) if _lives(booking) else None
    return None


def _lives(booking: str) -> bool:
    """Whether it is there and has not ended: neither can be cancelled otherwise."""
    with reading() as session:
        return session.scalar(select(Booking.state).where(Booking.public_id == booking)) in LIVE
