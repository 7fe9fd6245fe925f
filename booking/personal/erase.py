"""Erasure of a customer, or of a relative whom she removed: what may go ends at once, what must stay ends in its time.

`begin` decides in one transaction: nobody can sign in or book any more, and the row of the erasure says until when what
must stay is stored. The rest is `finish`: a class at a time, each in one transaction that also records that it is over.
Killed anywhere it is gone on with, by whoever asks again and by the worker.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, delete, exists, or_, select, text, update
from sqlalchemy.orm import Session

from booking.attendance.models import Dispute
from booking.consultation.models import Conversation, ConversationMessage
from booking.coverage.models import CoverageWish
from booking.models import Booking
from booking.personal.models import Erasure, PersonalExport
from booking.personal.register import STAYS, Retention
from booking.personal.scope import Scope, of_person
from booking.personal.tables.every import OF_CUSTOMERS
from booking.personal.whose import Who, asked, at_desk, customer_named, gone, of_erasure, whole
from booking.reports.models import Report, ReportShare, ReportVersion
from booking.states import GIVEN_UP
from booking.waiting.models import WaitingEntry, WaitingPlace
from marketplace.core import audit, crypto, ids
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Refusal
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from vip import risky
from vip.accounts import COMMAND
from vip.customers.consent_models import Consent
from vip.customers.person_keys import destroy, key_of, move_to_classes
from vip.models import Beneficiary, Customer
from vip.principal import Principal
from vip.signin.signin import require_recent

log = get_logger(__name__)

_DONE = {
    Retention.CONTACT: Erasure.contact_done_at,
    Retention.PROCESS: Erasure.process_done_at,
    Retention.MEDICAL: Erasure.medical_done_at,
}
BOOKS = "books"
"""What stays for good and names nobody: ledger, audit, history and statements, by opaque ids."""


class UnderWay(Refusal):
    """A booking is under way, or its no-show is disputed. Facts: `bookings`, their numbers; `ids`, their public ids."""

    code = "erasure_under_way"
    status = 409


@dataclass(frozen=True)
class Stays:
    """What must stay: `what` is process, medical or BOOKS; `until` its last day, None where it is not limited."""

    what: str
    until: date | None


@dataclass(frozen=True)
class Preview:
    """What an operator is shown before she erases a customer: whom, blank once she is erased; what would stay; and what
    is in the way of it, if anything."""

    name: str
    stays: tuple[Stays, ...]
    in_the_way: UnderWay | None


def preview(principal: Principal, *, person: str | None = None) -> tuple[Stays, ...]:
    """What would stay, before a customer decides about herself or a `person` she removed. Raises NotFound, UnderWay."""
    with reading() as session:
        who = asked(session, principal, person)
        people = [it.id for it in who.people(session)]
        _refuse_under_way(session, people)
        return _stays(*_until(session, people))


def preview_customer(principal: Principal, public_id: str, *, now: datetime) -> Preview:
    """`preview` for an operator whom a customer asked. Audited. Raises NotFound, also without the role for it."""
    with transaction() as session:
        who = at_desk(session, principal, public_id)
        customer = session.get_one(Customer, who.scope.customer)
        people = [it.id for it in who.people(session)]
        _audit(session, who, "customer.viewed", now)
        name = customer.name if customer.erased_at is None else ""
        return Preview(name, _stays(*_until(session, people)), _under_way(session, people))


def erase(principal: Principal, *, now: datetime, person: str | None = None) -> tuple[Stays, ...]:
    """Erase the customer who asks, or a `person` (public id) whom she removed; returns what stays.

    Raises SignInAgain, NotFound, UnderWay. Asking again answers the same.
    """
    require_recent(principal, now)
    with reading() as session:
        who = asked(session, principal, person)
    return _erase(who, now)


def erase_customer(principal: Principal, public_id: str, *, now: datetime) -> tuple[Stays, ...]:
    """Erase a customer because she asked an operator. Raises NotFound, also without the role for it; SignInAgain,
    UnderWay."""
    risky.allow(principal, "erase_customer", now=now)
    with reading() as session:
        who = at_desk(session, principal, public_id)
    return _erase(who, now)


def erase_by_command(public_id: str, *, now: datetime) -> tuple[Stays, ...]:
    """Erase a customer, or one person of hers, for who runs the installation. Raises NotFound, UnderWay."""
    with reading() as session:
        person = session.scalar(select(Beneficiary).where(Beneficiary.public_id == public_id, gone()))
        if person is not None:
            who = Who(of_person(person.id), person.insurer_id, person.public_id, "system", COMMAND)
        else:
            who = whole(customer_named(session, public_id), "system", COMMAND)
    return _erase(who, now)


def finish_erasures(*, now: datetime) -> dict[str, int]:
    """End every class of every erasure whose time has come; one that fails stops no other. For the worker."""
    with reading() as session:
        due = session.scalars(
            select(Erasure.id).where(or_(*(_due(each, now) for each in Retention))).order_by(Erasure.id)
        ).all()
    return dict(one_by_one("erasure", list(due), lambda row: _finish(row, now)))


def _erase(who: Who, now: datetime) -> tuple[Stays, ...]:
    begun = begin(who, now)
    _finish(begun.id, now)
    return _stays(begun.process_until, begun.medical_until)


def begin(who: Who, now: datetime) -> Erasure:
    """Decide the erasure, or find the one that was decided. Raises UnderWay."""
    with transaction() as session:
        customer = None
        if who.scope.customer is not None:
            # not stronger: a hold, which has her person's lock already, refers to this row
            customer = session.get_one(Customer, who.scope.customer, with_for_update={"key_share": True})
        people = who.people(session, lock=True)
        known = session.scalar(select(Erasure).where(_is_of(who.scope)))
        if known is not None:
            return known
        ids_of_people = [it.id for it in people]
        _refuse_under_way(session, ids_of_people)
        process_until, medical_until = _until(session, ids_of_people)
        for person in people:
            person.removed_at, person.erased_at = person.removed_at or now, person.erased_at or now
        if customer is not None:
            customer.blocked_at, customer.erased_at = customer.blocked_at or now, now
            _end_doors(session, customer.id)
        begun = Erasure(
            public_id=ids.new_id("era"),
            customer_id=who.scope.customer,
            beneficiary_id=who.scope.person,
            asked_at=now,
            process_until=process_until,
            medical_until=medical_until,
        )
        session.add(begun)
        _audit(session, who, "erasure.begun", now, process_until=_day(process_until), medical_until=_day(medical_until))
    log.info("erasure.begun", erasure=begun.public_id, whose=who.public_id)
    return begun


def _finish(erasure_id: int, now: datetime) -> str:
    """End the classes whose time has come, in their order."""
    ended = "waits"
    for retention in Retention:
        with transaction() as session:
            due = select(Erasure).where(Erasure.id == erasure_id, _due(retention, now)).with_for_update()
            found = session.scalar(due)
            if found is not None:
                end_class(session, found, retention, now)
                ended = "ended"
    return ended


def end_class(session: Session, erasure: Erasure, retention: Retention, now: datetime) -> None:
    """Destroy the keys of the class, overwrite or delete what the register says of it, and record that it is over."""
    who = of_erasure(session, erasure)
    people = who.people(session, lock=True)
    if retention is Retention.CONTACT:
        _end_what_goes_on(session, who, people, now)
        _end_copies(session, people)
        for person in people:
            move_to_classes(session, person)
            _store_whose_record(session, person)
        session.flush()
    if retention is Retention.MEDICAL:
        reports = update(Report).where(Report.beneficiary_id.in_([it.id for it in people]), Report.deleted_at.is_(None))
        session.execute(reports.values(deleted_at=now, fetch_after=None))
    destroy(session, [it.id for it in people], retention, now)
    overwrite(session, who.scope, retention)
    setattr(erasure, _DONE[retention].key, now)
    _audit(session, who, "erasure.ended", now, what=retention.value)


def overwrite(session: Session, scope: Scope, retention: Retention) -> None:
    """Delete the rows that end with the class, then overwrite the columns that do, all over the scope."""
    for table in OF_CUSTOMERS:
        if table.rows_end is retention:
            session.execute(text(f"DELETE FROM {table.name} t WHERE {scope.where(table)}"), scope.values)
    for table in OF_CUSTOMERS:
        ends = [
            f"{column} = {it.ends}"
            for column, it in table.personal.items()
            if it.retention is retention and it.ends != STAYS
        ]
        if ends and table.rows_end is not retention:
            query = f"UPDATE {table.name} t SET {', '.join(ends)} WHERE {scope.where(table)}"
            session.execute(text(query), scope.values)


def _end_doors(session: Session, customer_id: int) -> None:
    """End every session in the transaction that blocks her: no device is signed in any more from here on."""
    session.execute(text("DELETE FROM sign_in_session WHERE customer_id = :customer"), {"customer": customer_id})


def _end_what_goes_on(session: Session, who: Who, people: Sequence[Beneficiary], now: datetime) -> None:
    """End consents, links, waiting and the fetching of reports: nothing new arrives for who is erased."""
    mine = [it.id for it in people]
    session.execute(
        update(Consent)
        .where(Consent.beneficiary_id.in_(mine), Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=now, withdrawn_by="customer")
    )
    reports = select(Report.id).where(Report.beneficiary_id.in_(mine))
    session.execute(
        update(ReportShare)
        .where(ReportShare.report_id.in_(reports), ReportShare.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    session.execute(update(Report).where(Report.beneficiary_id.in_(mine)).values(fetch_after=None))
    session.execute(
        update(WaitingEntry)
        .where(WaitingEntry.beneficiary_id.in_(mine), WaitingEntry.state.in_(("waiting", "offered")))
        .values(state="withdrawn", cause="erased", updated_at=now, version=WaitingEntry.version + 1)
    )
    session.execute(update(WaitingPlace).where(WaitingPlace.beneficiary_id.in_(mine)).values(open=False))
    session.execute(
        update(CoverageWish)
        .where(CoverageWish.customer_id == who.scope.customer, CoverageWish.outcome == "open")
        .values(outcome="withdrawn", ended_at=now)
    )


def _end_copies(session: Session, people: Sequence[Beneficiary]) -> None:
    """Delete the copies of the customers whose people these are, also one that is being made: who is erased is in
    them."""
    customers = {person.customer_id for person in people}
    session.execute(delete(PersonalExport).where(PersonalExport.customer_id.in_(customers)))


def _store_whose_record(session: Session, person: Beneficiary) -> None:
    """While results and consultations must be stored, say under her medical key whose they are: a record of nobody is
    of no use."""
    records = select(Booking.id).where(Booking.beneficiary_id == person.id, or_(_has_result(), _has_words())).limit(1)
    if person.record_sealed is None and session.scalar(records) is not None:
        whose = {"name": person.name, "sex": person.sex, "birth_date": person.birth_date.isoformat()}
        key = key_of(session, person, Retention.MEDICAL)
        if key.wrapped is not None:
            plain = json.dumps(whose, ensure_ascii=False).encode()
            person.record_sealed = crypto.seal(plain, key=key.open(), record=f"beneficiary:{person.public_id}:record")


def _refuse_under_way(session: Session, people: Sequence[int]) -> None:
    found = _under_way(session, people)
    if found is not None:
        raise found


def _under_way(session: Session, people: Sequence[int]) -> UnderWay | None:
    disputed = select(Dispute.booking_id).where(Dispute.state == "open")
    found = session.execute(
        select(Booking.reference, Booking.public_id)
        .where(Booking.beneficiary_id.in_(people), or_(Booking.live, Booking.id.in_(disputed)))
        .order_by(Booking.id)
    ).all()
    if not found:
        return None
    return UnderWay(bookings=", ".join(row.reference for row in found), ids=[row.public_id for row in found])


def _until(session: Session, people: Sequence[int]) -> tuple[date | None, date | None]:
    """The last days on which process and medical data must be stored; None where there is none of it."""
    last_service = session.scalar(
        select(Booking.service_date)
        .where(Booking.beneficiary_id.in_(people), Booking.state.not_in(GIVEN_UP))
        .order_by(Booking.service_date.desc())
        .limit(1)
    )
    last_record = session.scalar(
        select(Booking.service_date)
        .where(Booking.beneficiary_id.in_(people), or_(_has_result(), _has_words()))
        .order_by(Booking.service_date.desc())
        .limit(1)
    )
    return years_after(last_service, settings().process_years), years_after(last_record, settings().medical_years)


def _has_result() -> ColumnElement[bool]:
    """Whether (SQL, of a Booking) a result of it can be read."""
    return exists().where(
        Report.booking_id == Booking.id, ReportVersion.report_id == Report.id, ReportVersion.wrapped_key.is_not(None)
    )


def _has_words() -> ColumnElement[bool]:
    """Whether (SQL, of a Booking) something was said in its consultation: that is a medical record."""
    return exists().where(
        Conversation.booking_id == Booking.id,
        ConversationMessage.conversation_id == Conversation.id,
        ConversationMessage.body_sealed.is_not(None),
    )


def years_after(day: date | None, years: int) -> date | None:
    """The day so many years later (1 March for 29 February); None for no day, or when nothing is to be stored."""
    if day is None or years == 0:
        return None
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def years_before(day: date, years: int) -> date:
    """The day so many years earlier (28 February for the 29th): what happened before it is over by more than them."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 2, 28)


def _stays(process_until: date | None, medical_until: date | None) -> tuple[Stays, ...]:
    limited = ((Retention.PROCESS, process_until), (Retention.MEDICAL, medical_until))
    return (*(Stays(what.value, until) for what, until in limited if until is not None), Stays(BOOKS, None))


def _due(retention: Retention, now: datetime) -> ColumnElement[bool]:
    """Whether (SQL, of an Erasure) the class is not over and its last day is past."""
    open_still = _DONE[retention].is_(None)
    if retention is Retention.CONTACT:
        return open_still
    until = Erasure.process_until if retention is Retention.PROCESS else Erasure.medical_until
    return open_still & Erasure.contact_done_at.is_not(None) & or_(until.is_(None), until < now.date())


def _is_of(scope: Scope) -> ColumnElement[bool]:
    if scope.customer is not None:
        return Erasure.customer_id == scope.customer
    return Erasure.beneficiary_id == scope.person


def _day(until: date | None) -> str:
    return until.isoformat() if until is not None else ""


def _audit(session: Session, who: Who, action: str, now: datetime, **facts: str) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=who.actor_kind,
        actor=who.actor,
        subject=who.public_id,
        insurer_id=who.insurer_id,
        **facts,
    )
