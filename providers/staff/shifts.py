"""Shifts of clinicians: on shift, back from a break, and who is there.

To go off, or on a break, is booking.consultation.assigning.leaving: what she has in hand goes back to the queue first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Select, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.core.database.db import reading, transaction
from marketplace.core.database.moment import When, moment
from marketplace.core.errors import Invalid, Refusal
from providers.staff.clinicians import verified
from providers.staff.models import Clinician, ClinicianShift
from vip.models import Operator
from vip.principal import Member

CAPACITY = 3
MOST_AT_ONCE = 20
SEEN_WRITTEN = timedelta(seconds=5)
"""At most one write of her being seen within so long."""
AWAY_AFTER = timedelta(seconds=30)
"""Who was not seen for so long is away: her pages ask every 20 seconds at the least while she looks at one."""
GONE_AFTER = timedelta(minutes=15)
"""Who was not seen for so long is gone, though her shift is on: nobody is offered to her."""


def unseen(since: timedelta) -> str:
    """The condition (SQL, of a shift `s`, at `:now`) that its clinician was not seen for so long; never of one whom no
    page was ever seen of."""
    seconds = int(since.total_seconds())
    return f"(s.seen_at IS NOT NULL AND s.seen_at <= CAST(:now AS timestamptz) - interval '{seconds} seconds')"


class ClinicianNotVerified(Refusal):
    """Nobody has compared this clinician with the register yet, or somebody has and she is not there."""

    code = "clinician_not_verified"


class NotOnShift(Refusal):
    """The clinician is not on shift, or is on a break."""

    code = "not_on_shift"


@dataclass(frozen=True)
class ShiftView:
    """A clinician at work. `state`: on, or break. `seen_at`: when a page of hers last asked, None before the first."""

    member: str
    shown_name: str
    state: Literal["on", "break"]
    capacity: int
    in_hand: int
    lead: bool
    began_at: datetime
    departments: tuple[str, ...]
    languages: tuple[str, ...]
    break_since: datetime | None = None
    seen_at: datetime | None = None

    def away(self, now: datetime) -> bool:
        """Whether she was not seen lately, though she is not on a break."""
        return self.state == "on" and self.seen_at is not None and self.seen_at <= now - AWAY_AFTER

    def gone(self, now: datetime) -> bool:
        """Whether she was not seen for so long that nobody is offered to her."""
        return self.seen_at is not None and self.seen_at <= now - GONE_AFTER


def begin(member: Member, *, now: datetime, capacity: int = CAPACITY) -> None:
    """She begins her shift, comes back from a break, or takes more or fewer at once: never fewer than she has in hand.

    Raises ClinicianNotVerified, and Invalid(field="capacity").
    """
    if not 1 <= capacity <= MOST_AT_ONCE:
        raise Invalid(field="capacity", reason="out_of_range", minimum=1, maximum=MOST_AT_ONCE)
    with transaction() as session:
        clinician = verified(session, member.id)
        if clinician is None or member.role != "clinician":
            raise ClinicianNotVerified()
        session.execute(
            insert(ClinicianShift)
            .values(
                member_id=member.id,
                provider_id=member.provider_id,
                capacity=capacity,
                lead=clinician.lead,
                began_at=now,
            )
            .on_conflict_do_nothing(
                index_elements=["member_id", "provider_id"], index_where=ClinicianShift.ended_at.is_(None)
            )
        )
        shift = lock_shift(session, member)
        shift.capacity = max(capacity, shift.in_hand)
        shift.lead = clinician.lead
        shift.break_since = None


def seen(member: Member, *, now: When) -> None:
    """A page of hers about consultations asks: she is there. Nothing happens where she is on no shift; a shift that
    somebody changes just now is left alone, so that no page waits for it."""
    with transaction() as session:
        at = moment(session, now)
        session.execute(update(ClinicianShift).where(ClinicianShift.id.in_(_due(member, at))).values(seen_at=at))


def _due(member: Member, at: datetime) -> Select[int]:
    return (
        select(ClinicianShift.id)
        .where(
            ClinicianShift.member_id == member.id,
            ClinicianShift.provider_id == member.provider_id,
            ClinicianShift.ended_at.is_(None),
            or_(ClinicianShift.seen_at.is_(None), ClinicianShift.seen_at <= at - SEEN_WRITTEN),
        )
        .with_for_update(skip_locked=True, key_share=True)
    )


def lock_shift(session: Session, member: Member) -> ClinicianShift:
    """Her open shift, locked. Raises NotOnShift."""
    found = session.scalar(
        open_shift(member.id, member.provider_id).with_for_update().execution_options(populate_existing=True)
    )
    if found is None:
        raise NotOnShift()
    return found


def open_shift(member_id: int, provider_id: int) -> Select[ClinicianShift]:
    """The query of a member's open shift at a provider."""
    return select(ClinicianShift).where(
        ClinicianShift.member_id == member_id,
        ClinicianShift.provider_id == provider_id,
        ClinicianShift.ended_at.is_(None),
    )


def shift_of(member: Member) -> ShiftView | None:
    """Her own, None while she is off."""
    return next((each for each in shifts_of(member.provider_id) if each.member == member.public_id), None)


def shifts_of(provider_id: int) -> Sequence[ShiftView]:
    """Who is at work at a provider (internal id), leads first."""
    with reading() as session:
        rows = session.execute(
            select(ClinicianShift, Clinician, Operator.public_id)
            .join(Clinician, Clinician.member_id == ClinicianShift.member_id)
            .join(Operator, Operator.id == ClinicianShift.member_id)
            .where(ClinicianShift.provider_id == provider_id, ClinicianShift.ended_at.is_(None))
            .order_by(ClinicianShift.lead.desc(), Clinician.shown_name, ClinicianShift.id)
        ).all()
    return [
        ShiftView(
            member,
            clinician.shown_name,
            "on" if shift.break_since is None else "break",
            shift.capacity,
            shift.in_hand,
            shift.lead,
            shift.began_at,
            tuple(clinician.departments),
            tuple(clinician.languages),
            shift.break_since,
            shift.seen_at,
        )
        for shift, clinician, member in rows
    ]
