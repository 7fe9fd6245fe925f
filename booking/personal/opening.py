"""Opening sealed columns for the export: a function for each reader that the register names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.attendance.models import Dispute
from booking.consultation import say
from booking.consultation.models import Conversation, ConversationMessage
from booking.discrepancies import Discrepancy
from booking.escort.evidence.contents import open_contents
from booking.escort.evidence.models import EscortDeed
from booking.escort.evidence.pictures import medical_key
from booking.escort.following.links import name_record
from booking.escort.following.models import EscortLink
from booking.feeds import unreadable
from booking.feeds.models import DeliveredRow
from booking.models import Booking
from booking.personal.register import Reader
from booking.ratings import rate
from booking.ratings.models import Rating
from booking.reports.models import Report, ReportVersion
from booking.sealing import open_details, open_words, version_record
from marketplace.core.crypto import Unreadable, unseal, unwrap_key
from vip import phones
from vip.customers import consent, email_address, family
from vip.customers.consent_models import Consent
from vip.customers.person_keys import CONTACT, MEDICAL, PROCESS, key_of
from vip.models import Beneficiary, Customer
from vip.policies import numbers
from vip.policies.models import Policy

UNREADABLE = {"unreadable": True}
"""What stands for a value that can't be opened: its key is destroyed, or the row was damaged."""


def opened(session: Session, reader: Reader, column: str, row_id: int, stored: Any) -> Any:
    """The readable value of a column; None for what is not there, UNREADABLE for what can't be opened."""
    if stored is None or reader == "plain":
        return stored
    if not bytes(stored):
        return None
    try:
        return _READERS[reader](session, column, row_id, bytes(stored))
    except (Unreadable, UnicodeDecodeError, ValueError):
        return UNREADABLE


def _customer_phone(session: Session, _column: str, row_id: int, stored: bytes) -> str:
    return phones.unseal(stored, session.get_one(Customer, row_id).public_id)


def _email(session: Session, _column: str, row_id: int, stored: bytes) -> str:
    return email_address.unseal(stored, session.get_one(Customer, row_id).public_id)


def _of_person(session: Session, column: str, row_id: int, _stored: bytes) -> str | None:
    person = session.get_one(Beneficiary, row_id)
    return family.opened(person, column.removesuffix("_sealed"), key_of(session, person, CONTACT))


def _record(session: Session, _column: str, row_id: int, stored: bytes) -> Any:
    person = session.get_one(Beneficiary, row_id)
    record = f"beneficiary:{person.public_id}:record"
    return json.loads(unseal(stored, key=key_of(session, person, MEDICAL).open(), record=record))


def _answers(session: Session, _column: str, row_id: int, stored: bytes) -> dict[str, Any]:
    booking, person = _booking_and_person(session, row_id)
    return open_details(stored, key_of(session, person, PROCESS), booking.public_id)


def _words(session: Session, column: str, row_id: int, stored: bytes) -> str:
    dispute = session.get_one(Dispute, row_id)
    _booking, person = _booking_and_person(session, dispute.booking_id)
    record = f"dispute:{dispute.public_id}:{column.removesuffix('_sealed')}"
    return open_words(stored, key_of(session, person, PROCESS), record)


def _report(session: Session, _column: str, row_id: int, stored: bytes) -> Any:
    version, report_id = session.execute(
        select(ReportVersion, Report.public_id)
        .join(Report, Report.id == ReportVersion.report_id)
        .where(ReportVersion.id == row_id)
    ).one()
    record = version_record(report_id, version.version)
    return json.loads(unseal(stored, key=unwrap_key(version.wrapped_key, record), record=f"{record}:content"))


def _delivered(session: Session, _column: str, row_id: int, stored: bytes) -> str:
    row, case_id = session.execute(
        select(DeliveredRow, Discrepancy.public_id)
        .join(Discrepancy, Discrepancy.id == DeliveredRow.discrepancy_id)
        .where(DeliveredRow.discrepancy_id == row_id)
    ).one()
    record = unreadable.record_of(case_id)
    return unseal(stored, key=unwrap_key(row.wrapped_key, record), record=record).decode()


def _consent_phone(session: Session, _column: str, row_id: int, _stored: bytes) -> str | None:
    given = session.get_one(Consent, row_id)
    person = session.get_one(Beneficiary, given.beneficiary_id)
    return consent.phone_of(given, key_of(session, person, CONTACT))


def _message(session: Session, _column: str, row_id: int, stored: bytes) -> str:
    message = session.get_one(ConversationMessage, row_id)
    talk = session.get_one(Conversation, message.conversation_id)
    _booking, person = _booking_and_person(session, talk.booking_id)
    return open_words(stored, key_of(session, person, MEDICAL), say.record_of(message.public_id))


def _escort_deed(session: Session, _column: str, row_id: int, stored: bytes) -> dict[str, Any]:
    deed = session.get_one(EscortDeed, row_id)
    found = open_contents(stored, medical_key(session, deed.booking_id), deed.public_id)
    return {**asdict(found), "strokes": [list(each) for each in found.strokes]}


def _rating(session: Session, _column: str, row_id: int, stored: bytes) -> str:
    booking, person = _booking_and_person(session, session.get_one(Rating, row_id).booking_id)
    return open_words(stored, key_of(session, person, PROCESS), rate.record_of(booking.public_id))


def _escort_link_name(session: Session, _column: str, row_id: int, stored: bytes) -> str:
    link = session.get_one(EscortLink, row_id)
    _booking, person = _booking_and_person(session, link.booking_id)
    return open_words(stored, key_of(session, person, PROCESS), name_record(link.public_id))


def _policy_number(session: Session, _column: str, row_id: int, stored: bytes) -> str:
    return numbers.unseal(stored, session.get_one(Policy, row_id).public_id)


def _booking_and_person(session: Session, booking_id: int) -> tuple[Booking, Beneficiary]:
    booking = session.get_one(Booking, booking_id)
    return booking, session.get_one(Beneficiary, booking.beneficiary_id)


_READERS: Mapping[str, Callable[[Session, str, int, bytes], Any]] = {
    "customer_phone": _customer_phone,
    "email": _email,
    "person_phone": _of_person,
    "id_number": _of_person,
    "record": _record,
    "answers": _answers,
    "words": _words,
    "report": _report,
    "delivered": _delivered,
    "consent_phone": _consent_phone,
    "message": _message,
    "escort_deed": _escort_deed,
    "rating": _rating,
    "escort_link_name": _escort_link_name,
    "policy_number": _policy_number,
}
