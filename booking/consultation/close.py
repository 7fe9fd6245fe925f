"""Close a consultation with a summary, which goes to the report box; open it again; close what nobody goes on with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased

from booking.actors import CLOCK, Actor, actor_of, speak_for_provider
from booking.consultation.access import booking_of, lock
from booking.consultation.models import Conversation, ConversationMessage
from booking.consultation.outside.outgoing import hand_on_end
from booking.consultation.queue import AlreadyTaken
from booking.consultation.say import ConversationClosed, Said, add_line, answered, append, medical_key, own_id, text_of
from booking.consultation.summary import Summary, check_summary, conclusion_of, understood, written
from booking.models import Booking, ProviderBooking
from booking.reports.deliver import DELIVERED
from booking.reports.fetch import add, announce
from booking.reports.files import Examined
from booking.reports.models import Report
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.moment import When, moment
from marketplace.core.errors import Refusal
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from providers.reported import RemoteReport, ReportContent
from providers.staff.clinicians import verified
from providers.staff.shifts import ClinicianNotVerified
from vip.customers.consent import may_show
from vip.models import Beneficiary
from vip.principal import Member, Principal

log = get_logger(__name__)

REOPEN_FOR = timedelta(hours=24)
"""How long after its end a customer may open a consultation again."""
IDLE = timedelta(hours=48)
"""A consultation ends by itself when the customer says nothing for so long after a clinician's last word, or after she
has opened it again."""
SILENT = timedelta(days=7)
"""Also when her own word was the last and nobody says anything for so long: what never ended would stand in the way of
the next one, and of an erasure."""
REOPENED, IDLE_CLOSED = "reopened", "closed_idle"
"""Kinds of automatic lines."""
IDLE_AT_ONCE = 200


class NotAnswered(Refusal):
    """No clinician has answered yet: there is nothing to sum up."""

    code = "not_answered"


class ReopeningOver(Refusal):
    """The consultation can't be opened again: too long ago, or it did not end with a doctor's answer."""

    code = "reopening_over"


@dataclass(frozen=True)
class Closed:
    """A closed consultation. `report`: the report (public id) that holds the summary, None where the person has not
    agreed to reports or the customer deleted it: then the conversation alone has it. `replayed`: it was closed by the
    same summary before."""

    at: datetime
    report: str | None
    replayed: bool


def close(member: Member, conversation: str, summary: Summary, *, now: When) -> Closed:
    """End a consultation: the booking is fulfilled, the summary is its last message and goes to the report box, all or
    nothing. After it was opened again the next closing's summary is a new version of the same report. `now` is read
    under the locks, where it has to be read: what was said while this waited for them is not younger than the summary.

    Raises NotFound, Invalid, ClinicianNotVerified, ConversationClosed (by another summary), NotAnswered, IllegalMove.
    """
    check_summary(summary)
    with transaction() as session:
        booking_id = booking_of(session, member, conversation)
        lock_report(session, booking_id)  # before the booking, as everybody locks them who delivers
        booking, _ = lock_booking(session, booking_id)
        row = lock(session, member, conversation)
        if verified(session, member.id) is None:
            raise ClinicianNotVerified()
        at = moment(session, now)
        if row.closed_at is not None:
            if _last_summary(session, row) != summary:
                raise ConversationClosed(closed_at=row.closed_at)
            return Closed(row.closed_at, _filed(session, booking_id, at), replayed=True)
        if row.first_answer_at is None:
            raise NotAnswered()
        if row.clinician_id != member.id:  # handed over meanwhile
            raise AlreadyTaken()
        said = Said(own_id("summary", row.last_seq + 1), written(summary), "summary")
        append(session, row, said, author="clinician", now=at, member_id=member.id)
        speak_for_provider(session, member.public_id)
        actor = Actor("provider", member.public_id)
        answered(session, booking, row, actor, now=at)  # a summary is a person's words, too
        filed = end_with(session, booking, row, summary, actor, now=at)
    log.info("consultation.closed", conversation=conversation, filed=filed is not None)
    return Closed(at, filed, replayed=False)


def end_with(
    session: Session, booking: Booking, row: Conversation, summary: Summary, actor: Actor, *, now: datetime
) -> str | None:
    """End a locked conversation with the summary that was just said in it: the booking is fulfilled, and the report box
    has it. The report (`lock_report`) and the booking are locked before the conversation. Returns the report's id."""
    row.closed_at = now
    move(session, booking, BookingState.FULFILLED, actor=actor, now=now, cause="closed_by_clinician")
    return _file(session, booking, conclusion_of(summary, row.language), actor, now)


def end_without(
    session: Session, booking: Booking, row: Conversation, kind: str, actor: Actor, *, cause: str, now: datetime
) -> None:
    """End a locked conversation that has an answer, and no summary follows: an automatic line of this `kind` says why.
    Its booking, in service, is locked."""
    add_line(session, row, kind, now=now)
    row.closed_at = now
    move(session, booking, BookingState.FULFILLED, actor=actor, now=now, cause=cause)
    _expect_none(booking)


def reopen(principal: Principal, conversation: str, *, now: When) -> None:
    """Go on with a consultation within a day of its end, under the unit that it used. Opening an open one does nothing.
    `now` is read under the locks, where it has to be read.

    Raises NotFound, ReopeningOver.
    """
    with transaction() as session:
        booking_id = booking_of(session, principal, conversation)
        person = session.scalar(  # before the booking, as when it began: nobody goes on about who is being erased
            select(Beneficiary)
            .join(Booking, Booking.beneficiary_id == Beneficiary.id)
            .where(Booking.id == booking_id, Beneficiary.removed_at.is_(None))
            .with_for_update(of=Beneficiary, key_share=True)
        )
        booking, _ = lock_booking(session, booking_id)
        row = lock(session, principal, conversation)
        if row.closed_at is None:
            return
        at = moment(session, now)
        over = at >= row.closed_at + REOPEN_FOR
        if person is None or over or booking.state is not BookingState.FULFILLED:
            raise ReopeningOver(closed_at=row.closed_at)
        move(session, booking, BookingState.IN_SERVICE, actor=actor_of(principal), now=at, cause="reopened")
        row.closed_at = None
        add_line(session, row, REOPENED, now=at)
        if row.outside:
            row.their_version, row.listen_at = _their_version(session, booking), at
    log.info("consultation.reopened", conversation=conversation)


def close_idle(*, now: datetime) -> dict[str, int]:
    """Close what the customer has not gone on with for IDLE, and what nobody has for SILENT. Returns counts."""
    with reading() as session:
        last = aliased(ConversationMessage)
        over = or_(last.author == "clinician", last.kind == REOPENED, last.at <= now - SILENT)
        due = session.scalars(
            select(Conversation.id)
            .join(last, (last.conversation_id == Conversation.id) & (last.seq == Conversation.last_seq))
            .where(Conversation.closed_at.is_(None), Conversation.first_answer_at.is_not(None))
            .where(last.at <= now - IDLE, over)
            .order_by(last.at)
            .limit(IDLE_AT_ONCE)
        ).all()
    return dict(one_by_one("idle", list(due), lambda row: _close_idle(row, now)))


def _close_idle(conversation_id: int, now: datetime) -> str:
    with transaction() as session:
        booking_id = session.scalars(select(Conversation.booking_id).where(Conversation.id == conversation_id)).one()
        booking, _ = lock_booking(session, booking_id)
        row = session.get_one(Conversation, conversation_id, with_for_update=True)
        last = _last(session, row)
        waits = last.author != "clinician" and last.kind != REOPENED  # for an answer
        quiet = last.at <= now - (SILENT if waits else IDLE)
        if row.closed_at is not None or not quiet or booking.state is not BookingState.IN_SERVICE:
            return "went_on"
        end_without(session, booking, row, IDLE_CLOSED, CLOCK, cause="idle", now=now)
        if row.outside:
            hand_on_end(session, row, "idle", now=now)
    return "closed"


def _their_version(session: Session, booking: Booking) -> int:
    """The version that an outside provider's booking has now."""
    current = select(ProviderBooking.version).where(
        ProviderBooking.booking_id == booking.id, ProviderBooking.role == "current"
    )
    return session.scalar(current) or 0


def lock_report(session: Session, booking_id: int) -> Report | None:
    """The report of the consultation's summaries, if there is one."""
    asked = select(Report).join(Booking, Booking.id == Report.booking_id).where(_of_summaries(booking_id))
    return session.scalars(asked.with_for_update(of=Report)).one_or_none()


def _filed(session: Session, booking_id: int, now: datetime) -> str | None:
    """The report (public id) that holds the summary, as things are now: not the one that was looked for before the
    booking was locked, since the closing that this one repeats may have made it meanwhile."""
    return session.scalar(
        select(Report.public_id)
        .join(Booking, Booking.id == Report.booking_id)
        .where(_of_summaries(booking_id), Report.deleted_at.is_(None), may_show(Booking.beneficiary_id, now))
    )


def _of_summaries(booking_id: int) -> ColumnElement[bool]:
    """The condition, of a report joined with its booking."""
    return and_(
        Booking.id == booking_id,
        Report.provider_id == Booking.provider_id,
        Report.reference == Booking.public_id + _SUFFIX,
    )


_SUFFIX = "-summary"


def _file(session: Session, booking: Booking, conclusion: str, actor: Actor, now: datetime) -> str | None:
    """Put the summary into the report box as one that was delivered at the desk; it has no paper. Returns its id."""
    if not session.scalar(select(may_show(Booking.beneficiary_id, now)).where(Booking.id == booking.id)):
        _expect_none(booking)
        return None
    known = lock_report(session, booking.id)
    if known is not None and known.deleted_at is not None:  # what a customer has deleted does not come back
        _expect_none(booking)
        return None
    remote = RemoteReport(
        reference=booking.public_id + _SUFFIX,
        booking_reference="",
        our_reference=booking.public_id,
        version=1 if known is None else known.announced_version + 1,
        status="final" if known is None else "corrected",
        issued_at=now,
    )
    announce(session, booking.provider_id, remote, now=now)
    report = lock_report(session, booking.id)
    if report is None:
        raise LookupError("a report that was announced is gone")
    add(session, report, Examined(ReportContent(remote, (), conclusion, b"", ""), ()), now=now)
    audit.record(
        session,
        DELIVERED,
        at=now,
        actor_kind=actor.kind,
        actor=actor.id,
        subject=report.public_id,
        insurer_id=report.insurer_id,
        version=remote.version,
    )
    return report.public_id


def _expect_none(booking: Booking) -> None:
    """No report follows: nobody is asked for one."""
    if booking.report_state == "expected":
        booking.report_state, booking.report_due_at = "none", None


def _last_summary(session: Session, row: Conversation) -> Summary | None:
    last = _last(session, row)
    text = text_of(last, medical_key(session, row)) if last.kind == "summary" else None
    return None if text is None else understood(text)


def _last(session: Session, row: Conversation) -> ConversationMessage:
    return session.scalars(
        select(ConversationMessage).where(
            ConversationMessage.conversation_id == row.id, ConversationMessage.seq == row.last_seq
        )
    ).one()
