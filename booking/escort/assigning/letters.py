"""What a worker's phone is sent about an assignment: that she is asked, or that she is not needed any more. The rows
are written by trigger (escort_worker_notified.sql), the words are marketplace.messages.to_workers'."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import func, select

from booking.escort.assigning.answer_time import notify_from
from booking.escort.models import ASKED, LIVE, EscortAssignment, EscortLetter, EscortWorker
from booking.escort.records import phone_record
from booking.models import Booking
from marketplace.core import crypto
from marketplace.core.database.db import reading
from marketplace.core.text import Language
from providers.staff.letters import Wait

DUE = "true"
"""All that were not sent (SQL): `letter` says of each whether it still is to be."""


@dataclass(frozen=True)
class WorkerLetter:
    """A message to a worker. `city`, `starts_at` and `zone` are the booking's; `answer_until` is None once she is not
    needed any more. `by_herself`: she answers on her own page, else her desk does for her. Nothing of the customer."""

    key: str
    to: str = field(repr=False)
    what: Literal["asked", "not_needed"]
    language: Language
    city: str
    starts_at: datetime
    zone: str
    answer_until: datetime | None
    by_herself: bool


def letter(letter_id: int, now: datetime) -> WorkerLetter | Wait | None:
    """One by its id; None for one that is not true any more: she has answered, the time is over, or her phone is not
    known any more. It waits while nobody need look at her phone (answer_time)."""
    with reading() as session:
        row, asked, worker, zone, starts_at, ends_at = session.execute(
            select(EscortLetter, EscortAssignment, EscortWorker, Booking.time_zone)
            .add_columns(func.lower(EscortAssignment.period), func.upper(EscortAssignment.period))
            .join(EscortAssignment, EscortAssignment.id == EscortLetter.assignment_id)
            .join(EscortWorker, EscortWorker.id == EscortAssignment.worker_id)
            .join(Booking, Booking.id == EscortAssignment.booking_id)
            .where(EscortLetter.id == letter_id)
        ).one()
    sealed = worker.phone_sealed
    until = asked.answer_due_at if row.what == ASKED else None
    over = asked.state != ASKED if row.what == ASKED else asked.state in LIVE
    if over or sealed is None or now >= (until or ends_at):
        return None
    begins = notify_from(starts_at, now, zone=zone, answer_due_at=until)
    if begins > now:
        return Wait(begins)
    return WorkerLetter(
        key=row.public_id,
        to=crypto.unseal_master(sealed, phone_record(worker.public_id)),
        what=cast(Literal["asked", "not_needed"], row.what),
        language="en" if set(worker.languages) == {"english"} else "zh",
        city=worker.city,
        starts_at=starts_at,
        zone=zone,
        answer_until=until,
        by_herself=worker.member_id is not None,
    )
