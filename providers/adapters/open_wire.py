"""The open protocol's JSON: the bodies of our commands, and its bookings, slots and reports as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, get_args

from providers.adapters import fields
from providers.port import Cancel, Change, Decline, Person, Reserve
from providers.reported import BookingStatus, Proposed, RemoteBooking, RemoteReport, RemoteSlot, ReportItem

STATUSES: tuple[str, ...] = get_args(BookingStatus)


def reserve_body(command: Reserve) -> dict[str, Any]:
    """The body of POST /bookings."""
    body: dict[str, Any] = {
        "our_reference": command.our_reference,
        "offer": command.offer,
        "pool": command.pool,
        "slot": command.slot,
        "person": person_body(command.person),
        "answers": dict(command.answers),
    }
    if command.venue is not None:
        body["venue"] = asdict(command.venue)
    return body


def person_body(person: Person) -> dict[str, Any]:
    """Who comes, in every body."""
    body: dict[str, Any] = {"name": person.name, "sex": person.sex, "birth_date": person.birth_date.isoformat()}
    if person.phone is not None:
        body["phone"] = person.phone
    if person.id_number is not None:
        body["id_number"] = person.id_number
    return body


def change_body(command: Change) -> dict[str, Any]:
    """The body of POST /changes."""
    return {"our_reference": command.our_reference, "reference": command.reference, "slot": command.slot}


def decline_body(command: Decline) -> dict[str, Any]:
    """The body of POST /bookings/{reference}/proposal/decline."""
    return {"our_reference": command.our_reference, "slot": command.slot}


def cancel_body(command: Cancel) -> dict[str, Any]:
    """The body of POST /cancellations."""
    return {"our_reference": command.our_reference, "reference": command.reference, "reason": command.reason}


def read_booking(body: Mapping[str, Any]) -> RemoteBooking:
    """A booking of the protocol. Raises ProviderError."""
    status = fields.text(body, "status")
    if status not in STATUSES:
        raise fields.BadField("status", "unknown", "a booking of unknown status")
    return RemoteBooking(
        reference=fields.reference(body, "reference"),
        our_reference=fields.reference(body, "our_reference", "") or None,
        status=status,  # type: ignore[arg-type]
        version=fields.whole_number(body, "version"),
        service_date=fields.day(body, "service_date"),
        starts_at=fields.moment(body, "starts_at"),
        ends_at=fields.moment(body, "ends_at"),
        reason=fields.text(body, "reason", "")[:200],
        updated_at=fields.moment(body, "updated_at"),
        proposal=None if body.get("proposal") is None else read_proposal(fields.object_at(body, "proposal")),
    )


def read_proposal(body: Mapping[str, Any]) -> Proposed:
    """Another time proposed for a booking. Raises ProviderError."""
    service_date, expires_at = fields.day(body, "service_date"), fields.moment(body, "expires_at")
    if service_date is None or expires_at is None:
        raise fields.BadField("proposal", "missing", "a proposal without a date or without its end")
    return Proposed(
        slot=fields.reference(body, "slot"),
        service_date=service_date,
        **_window(body, "a proposal"),
        expires_at=expires_at,
        reason=fields.text(body, "reason", "")[:200],
    )


def _window(body: Mapping[str, Any], what: str) -> dict[str, datetime | None]:
    starts_at, ends_at = fields.moment(body, "starts_at"), fields.moment(body, "ends_at")
    if (starts_at is None) != (ends_at is None) or (starts_at and ends_at and starts_at >= ends_at):
        raise fields.BadField("ends_at", "order", f"{what} that does not end after it starts")
    return {"starts_at": starts_at, "ends_at": ends_at}


def read_slot(body: Mapping[str, Any]) -> RemoteSlot:
    """A slot of the protocol. Raises ProviderError."""
    service_date = fields.day(body, "service_date")
    if service_date is None:
        raise fields.BadField("service_date", "missing", "a slot without a date")
    return RemoteSlot(
        pool=fields.reference(body, "pool"),
        reference=fields.reference(body, "slot"),
        service_date=service_date,
        **_window(body, "a slot"),
        offered=fields.whole_number(body, "offered"),
        closed=body.get("closed") is True,
        version=fields.whole_number(body, "version", 0),
    )


def read_report(body: Mapping[str, Any]) -> RemoteReport:
    """A report as listed. Raises ProviderError."""
    status, issued_at = fields.text(body, "status"), fields.moment(body, "issued_at")
    if status not in ("partial", "final", "corrected"):
        raise fields.BadField("status", "unknown", "a report of unknown status")
    if issued_at is None:
        raise fields.BadField("issued_at", "missing", "a report without a time")
    return RemoteReport(
        reference=fields.reference(body, "reference"),
        booking_reference=fields.reference(body, "booking"),
        our_reference=fields.reference(body, "our_reference", "") or None,
        version=fields.whole_number(body, "version"),
        status=status,  # type: ignore[arg-type]
        issued_at=issued_at,
    )


def read_item(body: Mapping[str, Any]) -> ReportItem:
    """One result. Raises ProviderError."""
    texts = {name: fields.text(body, name, "") for name in ("code", "loinc", "unit", "flag", "section", "note")}
    return ReportItem(
        name=fields.text(body, "name"),
        value=fields.text(body, "value"),
        low=fields.number(body, "low"),
        high=fields.number(body, "high"),
        **texts,
    )
