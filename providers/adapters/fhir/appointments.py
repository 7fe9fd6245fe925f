"""A FHIR R4 Appointment: what we write for a booking, and what it says of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from providers.adapters import fields
from providers.adapters.fhir.options import Options
from providers.adapters.fhir.slots import MILLISECOND, SlotThere, id_in, identifiers, last_updated
from providers.adapters.rows import readable
from providers.adapters.versions import at_step
from providers.port import Reserve
from providers.reported import BookingStatus, RemoteBooking

STATUSES: dict[str, BookingStatus] = {
    "proposed": "requested",
    "pending": "requested",
    "waitlist": "requested",
    "booked": "confirmed",
    "arrived": "checked_in",
    "checked-in": "checked_in",
    "fulfilled": "fulfilled",
    "noshow": "no_show",
    "cancelled": "cancelled",
    "entered-in-error": "cancelled",
}
"""R4's AppointmentStatus. It has none for a service that is under way, and none for a refusal."""
OPEN = ("proposed", "pending", "waitlist", "booked")
ENDED = ("cancelled", "entered-in-error")
UNDONE = ":undone"
"""Behind our system, in the identifier of an Appointment that stood without its Slot."""
_PERSON = "anxiang-person"
_ID_NUMBER = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NNCHN"}]}

Resource = dict[str, Any]


@dataclass(frozen=True)
class AppointmentThere:
    """An Appointment as it is at the server, with the ids of its Slots. `ours`: the reference that we gave it."""

    id: str
    status: str
    ours: str | None
    slots: tuple[str, ...]
    changed: datetime
    resource: Resource = field(repr=False)

    @property
    def open(self) -> bool:
        """It stands, and nobody has come yet."""
        return self.status in OPEN

    @property
    def ended(self) -> bool:
        return self.status in ENDED


def read_there(resource: Resource, system: str) -> AppointmentThere:
    """An Appointment with what ties it to its Slots. Raises ProviderError."""
    status = fields.text(resource, "status")
    if status not in STATUSES:
        raise fields.BadField("status", "unknown", "an appointment of unknown status")
    slots = [] if resource.get("slot") is None else fields.objects_at(resource, "slot")
    return AppointmentThere(
        fields.reference(resource, "id"),
        status,
        our_reference(resource, system),
        tuple(slot for slot in (id_in(each, "Slot") for each in slots) if slot is not None),
        last_updated(resource),
        resource,
    )


def our_reference(resource: Mapping[str, Any], system: str) -> str | None:
    """What we call it, None for one that is not ours. Raises ProviderError, also for two identifiers of our system: it
    would be two bookings', and what is done for one of them would be done to the other."""
    ours = identifiers(resource, system)
    if len(ours) > 1:
        raise fields.BadField("identifier", "several", "a resource with several identifiers of ours")
    return fields.reference(ours[0], "value") if ours else None


def read_booking(resource: Mapping[str, Any], system: str, zone: str) -> RemoteBooking:
    """An Appointment as the port has bookings. Raises ProviderError."""
    status = STATUSES.get(fields.text(resource, "status"))
    if status is None:
        raise fields.BadField("status", "unknown", "an appointment of unknown status")
    starts_at, ends_at = fields.moment(resource, "start"), fields.moment(resource, "end")
    if (starts_at is None) != (ends_at is None) or (starts_at and ends_at and starts_at > ends_at):
        raise fields.BadField("end", "order", "an appointment that ends before it starts")
    updated = last_updated(resource)
    return RemoteBooking(
        reference=fields.reference(resource, "id"),
        our_reference=our_reference(resource, system),
        status=status,
        version=at_step(updated, MILLISECOND, status),
        service_date=None if starts_at is None else starts_at.astimezone(ZoneInfo(zone)).date(),
        starts_at=starts_at,
        ends_at=ends_at,
        updated_at=updated,
    )


def booking_named(row: Mapping[str, Any], system: str) -> tuple[str | None, str | None]:
    """Their id of an Appointment and our reference, as far as they can be read."""
    found = row.get("identifier")
    marks = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    ours = next((readable(each, "value") for each in marks if each.get("system") == system), None)
    return readable(row, "id"), ours


def appointment(command: Reserve, slot: SlotThere, options: Options) -> Resource:
    """The Appointment of a booking. Who comes is contained in it: nothing else about her stays at the server when it
    is undone."""
    person = command.person
    patient: Resource = {
        "resourceType": "Patient",
        "id": _PERSON,
        "name": [{"text": person.name}],
        "gender": person.sex,
        "birthDate": person.birth_date.isoformat(),
    }
    if person.phone is not None:
        patient["telecom"] = [{"system": "phone", "value": person.phone}]
    if person.id_number is not None:
        patient["identifier"] = [{"type": _ID_NUMBER, "value": person.id_number}]
    code = {"code": command.offer, **({"system": options.offer_system} if options.offer_system else {})}
    made: Resource = {
        "resourceType": "Appointment",
        "contained": [patient],
        "identifier": [{"system": options.identifier_system, "value": command.our_reference}],
        "status": options.books_as,
        "serviceType": [{"coding": [code]}],
        "slot": [{"reference": f"Slot/{slot.id}"}],
        "start": slot.resource["start"],
        "end": slot.resource["end"],
        "participant": [{"actor": {"reference": f"#{_PERSON}"}, "status": "accepted"}],
    }
    if command.answers:
        made["comment"] = "\n".join(f"{name}: {value}" for name, value in command.answers.items())
    return made


def cancelled(there: AppointmentThere, reason: str) -> Resource:
    """The Appointment, cancelled for a reason in a word."""
    return {**there.resource, "status": "cancelled", "cancelationReason": {"text": reason[:100]}}


def undone(there: AppointmentThere, system: str) -> Resource:
    """An Appointment that stands without its Slot, as if it had never been: without the person, and under another
    identifier, so that neither a look-up nor a conditional create finds it."""
    kept = {
        name: value for name, value in there.resource.items() if name not in ("contained", "comment", "serviceType")
    }
    old = {"use": "old", "system": system + UNDONE, "value": there.ours or ""}
    return {
        **kept,
        "identifier": [old],
        "status": "entered-in-error",
        "participant": [{"actor": {"display": "-"}, "status": "declined"}],
    }
